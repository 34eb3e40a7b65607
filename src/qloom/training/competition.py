"""All rounds of a run: group by group, until the plan or the time ends."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from typing import Any

from qloom.models.tables.goals import Goal
from qloom.models.tables.preparation import coding_of_rows, prepare_table
from qloom.models.tables.starting import Start
from qloom.models.tables.windows import Windows
from qloom.training.competitors import Contest, Outcome, PreparedRound, goal_of
from qloom.training.configuration import Configuration
from qloom.training.folder import RunFolder
from qloom.training.record import RoundResult, result_of
from qloom.training.rounds import KEPT, Plan
from qloom.training.streaming import again, is_kept, keep
from qloom.training.table import RunTable, fresh_preprocessing


@dataclass(frozen=True)
class Competition:
    """What came of all rounds.

    Attributes:
        kept: the outcomes of the round that is kept, by model.
        seconds: that the rounds took.
    """

    results: list[RoundResult]
    kept: Mapping[str, Outcome]
    seconds: float


def prepared(loaded: RunTable, plan: Plan, number: int, start: Start | None) -> PreparedRound:
    """A round with its rows coded, by what its own training rows teach."""
    each, goal = plan.round(number), goal_of(plan.configuration)
    if loaded.streamed is not None:
        return prepared_stream(plan.configuration, loaded, number, each.seed, start, goal)
    fresh = fresh_preprocessing(plan.configuration)
    data = prepare_table(loaded.table, loaded.schema, each.split, start, goal, loaded.weights, fresh)
    return PreparedRound(number, each.seed, each.split, data)


def prepared_stream(
    configuration: Configuration, loaded: RunTable, number: int, seed: int, start: Start | None, goal: Goal
) -> PreparedRound:
    """A round of rows that stay on disk: those held in memory coded, the others in windows."""
    own = loaded if number == KEPT else again(configuration, loaded, number, seed)
    streamed = own.streamed
    assert streamed is not None
    data = prepare_table(own.table, own.schema, own.split, start, goal, own.weights, streamed.preprocessing)
    n_blocks, n_rows = len(streamed.stream.blocks), streamed.n_rows["train"]
    code = coding_of_rows(data, own.weights)
    windows = Windows(lambda block: code(*streamed.read(block)), n_blocks, n_rows, configuration.data.window, seed)
    if number != KEPT and not is_kept(configuration, number):  # that one is kept with the configuration
        keep(own, RunFolder(configuration.folder), number)
    return PreparedRound(number, seed, own.split, replace(data, windows=windows))


def compete(contest: Contest, loaded: RunTable, plan: Plan, first: PreparedRound, start: Start | None) -> Competition:
    """Train what is not yet trained.

    Args:
        first: round 1, prepared.
        start: what all networks begin with, None for fresh ones.
    """
    results, done = list[RoundResult](), contest.folder.groups()
    kept: Mapping[str, Outcome] = {}
    for k in count():
        seconds = sum(group["seconds"] for group in done[:k])
        size = contest.workers.told(partial(_group, done, k, plan, len(results), seconds))
        if not size:
            return Competition(results, kept, seconds)
        began = time.perf_counter()
        rounds = _rounds(loaded, plan, first, start, len(results), size)
        contest.workers.told(lambda: True)  # what was learnt of rows on disk is there for all
        outcomes = {key: contest.enter(key, rounds) for key in contest.table}
        by_round = [{key: outcomes[key][i] for key in contest.table} for i in range(size)]
        kept = kept or by_round[KEPT - 1]
        results += [result_of(each, own) for each, own in zip(rounds, by_round, strict=True)]
        if k == len(done):
            done.append({"size": size, "seconds": time.perf_counter() - began})
            contest.folder.write_groups(done)
    raise AssertionError("unreachable: groups end by the plan")


def assist(contest: Contest, loaded: RunTable, plan: Plan, first: PreparedRound, start: Start | None) -> None:
    """What workers but the first do while it is in `compete`: their share of the steps of networks."""
    n_done = 0
    while size := contest.workers.told(lambda: 0):
        contest.workers.told(lambda: True)
        rounds = _rounds(loaded, plan, first, start, n_done, size)
        for key in contest.table:
            contest.assist(key, rounds)
        n_done += size


def _group(done: list[dict[str, Any]], k: int, plan: Plan, n_done: int, seconds: float) -> int:
    """Rounds of a group: as many as it had, or as there is time for."""
    return int(done[k]["size"]) if k < len(done) else plan.next_group(n_done, seconds)


def _rounds(
    loaded: RunTable, plan: Plan, first: PreparedRound, start: Start | None, n_done: int, size: int
) -> list[PreparedRound]:
    numbers = range(n_done + 1, n_done + size + 1)
    return [first if number == KEPT else prepared(loaded, plan, number, start) for number in numbers]
