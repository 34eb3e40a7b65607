"""Parts of a stream: the same whatever the blocks, in the shares asked for, with what belongs together in one."""

import numpy as np
import pyarrow as pa
import pytest

from qloom.data import read_table
from qloom.data.streams import HeldRows, hash_parts, time_parts
from qloom.errors import ConfigError, DataError

N = 60_000
RANDOM = np.random.default_rng(4)
TABLE = read_table(
    {
        "person": np.char.add("p", RANDOM.integers(0, 9000, N).astype(str)),
        "x": RANDOM.integers(0, 50, N).astype(np.float64),
        "k": RANDOM.integers(0, 200, N),
        "when": (np.datetime64("2020-01-01", "s") + RANDOM.integers(0, 10**8, N).astype("timedelta64[s]")),
        "day": (np.datetime64("2020-01-01", "D") + RANDOM.integers(0, 900, N).astype("timedelta64[D]")).astype(str),
    }
)


def dealt(parts, block_rows):
    stream = HeldRows(TABLE, block_rows)
    return np.concatenate([parts(stream.read(i), block.first) for i, block in enumerate(stream.blocks)])


@pytest.mark.parametrize("options", [{}, {"group": "person"}, {"copies": ("x", "k")}, {"seed": 5}])
def test_parts_are_the_same_whatever_the_blocks_and_near_their_shares(options):
    parts = hash_parts(validation=0.15, test=0.2, **options)
    found = dealt(parts, N)
    assert (found == dealt(parts, 777)).all()
    # 9,000 units at least: 0.02 is 4.7 standard errors and more; the seed is fixed.
    np.testing.assert_allclose(np.bincount(found) / N, [0.65, 0.15, 0.2], atol=0.02)


def test_another_seed_deals_anew_and_no_share_is_no_part():
    first, second = dealt(hash_parts(seed=0), N), dealt(hash_parts(seed=1), N)
    agreed = (first == second).mean()
    assert agreed == pytest.approx(0.65**2 + 0.15**2 + 0.2**2, abs=0.02)  # 9 standard errors
    assert set(dealt(hash_parts(validation=0, test=0.3), N).tolist()) == {0, 2}
    assert set(dealt(hash_parts(validation=0, test=0), N).tolist()) == {0}


TOGETHER = [({"group": "person"}, ["person"]), ({"copies": ("x", "k")}, ["x", "k"])]


@pytest.mark.parametrize(("options", "columns"), TOGETHER)
def test_what_belongs_together_is_in_one_part(options, columns):
    rows = TABLE.select(columns).append_column("part", pa.array(dealt(hash_parts(**options), 5000)))
    parts = rows.group_by(columns).aggregate([("part", "min"), ("part", "max")])
    assert parts["part_min"].equals(parts["part_max"])


def test_a_row_without_its_group_is_refused():
    parts = hash_parts(group="g")
    with pytest.raises(DataError, match="group column 'g' is missing in 1 of 2 rows"):
        parts(read_table({"g": ["a", None]}), 0)


@pytest.mark.parametrize("column", ["when", "day", "k"])
def test_the_last_rows_test_and_those_before_them_validate(column):
    parts = time_parts(HeldRows(TABLE, 7000), column, validation=0.15, test=0.2)
    found, times = dealt(parts, 999), TABLE[column].to_numpy()
    assert times[found == 0].max() < times[found == 1].min()
    assert times[found == 1].max() < times[found == 2].min()
    np.testing.assert_allclose(np.bincount(found) / N, [0.65, 0.15, 0.2], atol=0.01)


def test_rows_in_their_own_order():
    found = dealt(time_parts(HeldRows(TABLE), None, validation=0.1, test=0.2), 4321)
    assert np.flatnonzero(np.diff(found)).tolist() == [0.7 * N - 1, 0.8 * N - 1]


def test_times_that_cut_nothing():
    stream = HeldRows(read_table({"t": [1.0] * 100}))
    with pytest.raises(DataError, match="too many rows of one time"):
        time_parts(stream, "t")
    with pytest.raises(DataError, match=r"row 8: time column 't' is missing"):
        time_parts(HeldRows(read_table({"t": [1.0] * 7 + [None]}), 5), "t")


def test_shares_that_leave_nothing():
    with pytest.raises(ConfigError, match="lower them to a sum below 1"):
        hash_parts(validation=0.5, test=0.5)
