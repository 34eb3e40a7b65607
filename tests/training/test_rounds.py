"""How rounds cut the rows: anew, in folds, or with rolling origins; never the same way in neighbouring runs."""

import numpy as np
import pyarrow as pa
import pytest

from qloom.data import inspect_table, split_rows
from qloom.errors import ConfigError
from qloom.training.configuration import make_configuration
from qloom.training.rounds import ROUNDS, ROUNDS_OF_LARGE, Plan, describe, seed_of
from qloom.training.table import RunTable, cut


def plan_of(*changes, n_rows=200, kind="auto", seed=0, target="y"):
    rng = np.random.default_rng(0)
    columns = {"x": rng.normal(size=n_rows), "t": rng.permutation(n_rows), "z": rng.normal(size=n_rows)}
    columns["y"] = np.where(rng.random(n_rows) < 0.3, "a", "b")
    table = pa.table(columns)
    values = {"data": {"source": "t.csv", "target": target}, "split": {"kind": kind}, "seed": seed}
    configuration = make_configuration(values, changes)
    schema = inspect_table(table, target, time="t" if kind == "time" else None)
    return Plan(configuration, RunTable(table, schema, cut(table, schema, configuration, seed)))


def splits_of(plan):
    return [plan.round(number).split for number in range(1, plan.wanted + 1)]


def is_whole(split, n_rows=200):
    return np.array_equal(np.sort(np.concatenate(list(split))), np.arange(n_rows))


def test_by_default_ten_random_splits_and_five_of_a_large_table():
    assert (plan_of().wanted, plan_of().kind) == (ROUNDS, "random splits")
    assert plan_of(n_rows=20_001).wanted == ROUNDS_OF_LARGE
    plan = plan_of("comparison.seeds=5")
    splits = splits_of(plan)
    assert all(is_whole(split) for split in splits)
    assert len({split.test.tobytes() for split in splits}) == 5


def test_round_one_is_the_split_of_the_seed():
    plan = plan_of(seed=7)
    expected = split_rows(plan.loaded.table, plan.loaded.schema, seed=7)
    assert plan.round(1).seed == 7
    assert np.array_equal(plan.round(1).split.test, expected.test)


def test_runs_of_neighbouring_seeds_share_no_round():
    seeds = [seed_of(seed, number) for seed in range(20) for number in range(1, 21)]
    assert len(set(seeds)) == 400
    assert all(0 <= seed < 2**32 for seed in seeds)


def test_folds_test_every_row_once_a_repeat_and_keep_class_shares():
    plan = plan_of("comparison.folds=4", "comparison.repeats=2")
    assert (plan.wanted, plan.kind) == (8, "folds")
    splits = splits_of(plan)
    y = plan.loaded.table["y"].to_numpy()
    for repeat in (splits[:4], splits[4:]):
        assert np.array_equal(np.sort(np.concatenate([split.test for split in repeat])), np.arange(200))
        for split in repeat:
            assert is_whole(split)
            assert len(split.test) == 50
            assert len(split.validation) == 30
            assert np.mean(y[split.test] == "a") == pytest.approx(np.mean(y == "a"), abs=0.02)
    assert not np.array_equal(splits[0].test, splits[4].test)


def test_folds_of_a_regression():
    plan = plan_of("comparison.folds=3", target="z")
    assert np.array_equal(np.sort(np.concatenate([split.test for split in splits_of(plan)])), np.arange(200))


def test_rolling_origins_predict_each_block_from_what_came_before():
    plan = plan_of("comparison.seeds=4", kind="time")
    assert plan.kind == "rolling origins"
    time, splits = plan.loaded.table["t"].to_numpy(), splits_of(plan)
    for split in splits:
        assert time[split.train].max() < time[split.validation].min()
        assert time[split.validation].max() < time[split.test].min()
        assert len(split.validation) == 30
        assert len(split.test) == 10
    tested = np.concatenate([split.test for split in splits])
    assert np.array_equal(np.sort(time[tested]), np.arange(160, 200))
    assert time[splits[0].test].min() == 190


@pytest.mark.parametrize(("n_rows", "n_blocks"), [(2000, 5), (500, 3), (100, 2)])
def test_blocks_in_time_have_rows_enough_for_a_verdict_where_they_can(n_rows, n_blocks):
    plan = plan_of(n_rows=n_rows, kind="time")
    assert plan.wanted == n_blocks
    sizes = {len(split.test) for split in splits_of(plan)}
    assert min(sizes) >= 30 or n_rows == 100


def test_one_round_in_time_is_the_plain_split():
    plan = plan_of("comparison.seeds=1", kind="time")
    assert np.array_equal(plan.round(1).split.test, plan.loaded.split.test)
    assert plan.kind == "one split"


@pytest.mark.parametrize(("changes", "kind", "message"), [
    (("comparison.seeds=3", "comparison.folds=3"), "auto", "expected one of them"),
    (("comparison.repeats=3",), "auto", "expected comparison.folds with it"),
    (("comparison.folds=3", "comparison.repeats=2"), "time", "rows in order of time"),
])  # fmt: skip
def test_what_does_not_go_together(changes, kind, message):
    with pytest.raises(ConfigError, match=message):
        plan_of(*changes, kind=kind)


def test_groups_of_a_small_table_depend_on_the_configuration_alone():
    plan = plan_of("comparison.seeds=12")
    assert [plan.next_group(n, 0.1 * n) for n in (0, 5, 10, 12)] == [5, 5, 2, 0]


def test_time_limit_ends_the_rounds_but_not_the_first():
    plan = plan_of("comparison.time_limit=60")
    assert plan.next_group(0, 0.0) == 1
    assert plan.next_group(1, 10.0) == 5
    assert plan.next_group(4, 40.0) == 2
    assert plan.next_group(6, 60.0) == 0
    assert plan.next_group(1, 100.0) == 0
    both = plan_of("comparison.time_limit=60", "comparison.seeds=3")
    assert [both.next_group(0, 0.0), both.next_group(1, 10.0), both.next_group(3, 30.0)] == [1, 2, 0]


def test_a_slow_training_ends_the_default_rounds_after_ten_minutes():
    plan = plan_of(n_rows=20_001)
    assert plan.next_group(0, 0.0) == 1
    assert plan.next_group(1, 10.0) == 4
    assert plan.next_group(1, 200.0) == 2
    assert plan.next_group(1, 700.0) == 0


def test_a_measured_training_begins_with_one_round():
    plan = plan_of("engine.shots=100")
    assert plan.next_group(0, 0.0) == 1
    assert plan.next_group(1, 200.0) == 2


def test_description_says_rounds_and_what_is_kept():
    lines = list(describe(plan_of("comparison.seeds=5")))
    assert lines[0] == "5 rounds: every model is trained 5 times, each time on a new random split"
    assert "round 1 are kept" in lines[1]
    assert "no verdict" in next(describe(plan_of("comparison.seeds=1")))
    assert "as 60 s allow" in next(describe(plan_of("comparison.time_limit=60")))
