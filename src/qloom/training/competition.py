"""All rounds of a run: group by group, until the plan or the time ends."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

from qloom.models.tables.competitors import COMPETITORS
from qloom.models.tables.preparation import prepare_table
from qloom.models.tables.starting import Start
from qloom.training.competitors import Contest, Outcome, PreparedRound, goal_of
from qloom.training.record import RoundResult, result_of
from qloom.training.rounds import KEPT, Plan
from qloom.training.table import RunTable


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
    data = prepare_table(loaded.table, loaded.schema, each.split, start, goal, loaded.weights)
    return PreparedRound(number, each.seed, each.split, data)


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
        size = done[k]["size"] if k < len(done) else plan.next_group(len(results), seconds)
        if not size:
            return Competition(results, kept, seconds)
        began = time.perf_counter()
        numbers = range(len(results) + 1, len(results) + size + 1)
        rounds = [first if number == KEPT else prepared(loaded, plan, number, start) for number in numbers]
        outcomes = {key: contest.enter(key, rounds) for key in COMPETITORS}
        by_round = [{key: outcomes[key][i] for key in COMPETITORS} for i in range(size)]
        kept = kept or by_round[KEPT - 1]
        results += [result_of(each, own) for each, own in zip(rounds, by_round, strict=True)]
        if k == len(done):
            done.append({"size": size, "seconds": time.perf_counter() - began})
            contest.folder.write_groups(done)
    raise AssertionError("unreachable: groups end by the plan")
