"""What one pass learns: beside what `inspect_table` and the fits in memory learn of the same rows."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from qloom.data import Preprocessing, TargetCoding, inspect_table, read_table
from qloom.data.preprocessing import read_column
from qloom.data.streams import HeldRows, hash_parts, learn_stream, open_stream
from qloom.errors import DataError
from tests.data.streams.conftest import make_table, write_parts

PARTS = hash_parts(validation=0.05, test=0.1, seed=3)  # leaves more to train on than a sketch holds


@pytest.fixture(scope="module")
def stream(folder, tmp_path_factory):
    return open_stream(folder, spool=tmp_path_factory.mktemp("spool"))


@pytest.fixture(scope="module")
def learnt(stream):
    return learn_stream(stream, "y", parts=PARTS, drop=["z"], n_sample=15_000)


@pytest.fixture(scope="module")
def rows(learnt, table):
    """Training rows, as numbers."""
    return np.flatnonzero(learnt.parts(table, 0) == 0)


def test_a_small_stream_is_learnt_as_a_table_is():
    """Below 65,536 training rows nothing is sketched: the same codings, bit for bit but for sums in another order."""
    table = read_table(make_table(8_000, seed=8))
    learnt = learn_stream(HeldRows(table, 3000), "y", parts=hash_parts(), drop=["z"])
    schema = inspect_table(table, "y", drop=["z"])
    rows = np.flatnonzero(learnt.parts(table, 0) == 0)
    fitted = Preprocessing().fit(table, schema, rows)
    assert learnt.schema == schema
    assert learnt.preprocessing.seen == fitted.seen
    assert learnt.preprocessing.feature_names == fitted.feature_names
    np.testing.assert_allclose(learnt.preprocessing.transform(table), fitted.transform(table), rtol=1e-6, atol=1e-6)
    for mine, theirs in zip(learnt.preprocessing.codings, fitted.codings, strict=True):
        for name, value in vars(theirs).items():
            kept = vars(mine)[name]
            exact = name not in ("mean", "scale", "days", "year")
            assert kept == value if exact else kept == pytest.approx(value, rel=1e-9), (mine.name, name)
    assert learnt.coding == TargetCoding.fit(table, schema, rows)
    assert learnt.notes == ()


def test_kinds_counts_and_ranges_are_those_of_memory(learnt, table):
    expected = inspect_table(table, "y", drop=["z"])
    assert learnt.schema.n_rows == table.num_rows == sum(learnt.n_rows)
    assert learnt.schema.classes == expected.classes
    for mine, theirs in zip(learnt.schema.features, expected.features, strict=True):
        assert (mine.name, mine.kind, mine.n_missing, mine.shown) == (
            theirs.name, theirs.kind, theirs.n_missing, theirs.shown)  # fmt: skip
        assert mine.n_distinct == pytest.approx(theirs.n_distinct, rel=0.08)  # 5 standard errors; the seed is fixed
    assert "kinds, leaks and copies are found on 15,000 of 90,000 rows, drawn from 2 blocks" in learnt.notes


def test_transforms_differ_by_no_more_than_the_sketch_allows(learnt, table, rows):
    """The rank error e of a quantile moves what a value is mapped to by the width of e of the rows about it."""
    schema = inspect_table(table, "y", drop=["z"])
    fitted = Preprocessing().fit(table, schema, rows)
    columns = [name for name in learnt.preprocessing.feature_names if not name.startswith("town")]
    assert columns == [name for name in fitted.feature_names if not name.startswith("town")]
    mine = dict(zip(learnt.preprocessing.feature_names, learnt.preprocessing.transform(table).T, strict=True))
    theirs = dict(zip(fitted.feature_names, fitted.transform(table).T, strict=True))
    squashed = {coding.name for coding in fitted.codings if getattr(coding, "knots", ())}
    assert squashed == {"amount", "zeros"}
    error = 3e-4  # the bound of the sketch at this size, tested by itself
    for name in columns:
        apart = np.abs(mine[name] - theirs[name])
        if name not in squashed:
            filled = 0.02 if name == "gaps" else 1e-5  # a missing cell takes the median, which e of the rows moves
            assert apart.max() <= filled, name
        else:
            # Marks lie from -3 to 3 at levels 1% apart, the outermost 0.67 apart: an e of ranks is e / 1% of that.
            assert apart.max() <= 2 * 0.7 * error / 0.01 + 0.01, name


def test_means_and_deviations_of_all_rows_are_exact(learnt, table, rows):
    for name in ("even", "other", "gaps", "hour"):
        coding = next(each for each in learnt.preprocessing.codings if each.name == name)
        values = read_column(read_table(table.take(pa.array(rows))), learnt.schema[name])
        assert coding.mean == pytest.approx(np.nanmean(values), rel=1e-9, abs=1e-9 * coding.scale)
        assert coding.scale == pytest.approx(np.nanstd(values), rel=1e-9)


def test_learning_twice_gives_the_same_bits_with_any_threads(learnt, stream):
    again = learn_stream(stream, "y", parts=PARTS, drop=["z"], n_sample=15_000, threads=1)
    assert again.preprocessing.to_json() == learnt.preprocessing.to_json()
    assert again.schema == learnt.schema


DROPPED = ["y", "z", "town", "colour", "when", "hour", "zeros", "gaps", "other"]


@pytest.mark.parametrize("transformation", ["none", "log1p", "yeo_johnson"])
def test_a_target_of_numbers(transformation, stream, table):
    learnt = learn_stream(
        stream, "amount", parts=hash_parts(), drop=DROPPED, transformation=transformation, n_sample=5_000
    )
    rows = np.flatnonzero(learnt.parts(table, 0) == 0)
    expected = TargetCoding.fit(read_table(table), learnt.schema, rows, transformation)
    assert learnt.coding.transformation.low == expected.transformation.low
    close = 1e-9 if transformation != "yeo_johnson" else 0.1  # its power is found on the sample
    assert learnt.coding.mean == pytest.approx(expected.mean, rel=close)
    assert learnt.coding.scale == pytest.approx(expected.scale, rel=close)


def test_rows_without_a_target_are_left_out_or_refused():
    table = make_table(5_000).select(["even", "colour", "y"])
    gaps = pa.array(np.where(np.arange(5_000) % 10 == 3, None, table["y"].to_pylist()), pa.string())
    held = HeldRows(read_table(table.set_column(2, "y", gaps)), 3000)
    learnt = learn_stream(held, "y", parts=hash_parts(), drop_missing_target=True)
    assert sum(learnt.n_rows) == learnt.schema.n_rows == 4500
    assert (learnt.parts(held.read(0), 0) == -1).sum() == 300
    with pytest.raises(DataError, match="target 'y' is missing"):
        learn_stream(held, "y", parts=hash_parts())


def test_a_class_that_the_sample_has_not_is_known():
    table = make_table(50_000).select(["even", "y"])
    rare = np.where(np.isin(np.arange(50_000), [17, 40_017]), "perhaps", table["y"].to_numpy(zero_copy_only=False))
    held = HeldRows(read_table(table.set_column(1, "y", pa.array(rare))), 5000)
    learnt = learn_stream(held, "y", parts=hash_parts(), n_sample=500)
    assert learnt.schema.classes == learnt.coding.classes == ("no", "perhaps", "yes")


def test_a_group_is_no_feature():
    held = HeldRows(read_table(make_table(5000).select(["even", "town", "y"])))
    learnt = learn_stream(held, "y", parts=hash_parts(group="town"), group="town")
    assert learnt.schema.group == "town"
    assert "town" not in {coding.name for coding in learnt.preprocessing.codings}


def with_cell(tmp_path, name, value, row=61_234):
    """A stream one of whose cells, beyond the sample, is another."""
    table = make_table(70_000).select(list(dict.fromkeys([name, "flag", "z"])))
    cells = table[name].to_pylist()
    cells[row] = value
    column = pa.array([str(cell) for cell in cells] if isinstance(value, str) else cells)
    changed = table.set_column(table.column_names.index(name), name, column)
    return open_stream(write_parts(changed, tmp_path / "t", n_files=2, group_rows=5000), spool=tmp_path / "spool")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("even", float("inf"), r"part-1.parquet, row 26,235: column 'even' has 1 infinite value"),
        ("hour", "late", r"part-1.parquet, row 26,235: column 'hour' holds the text 'late', expected numbers"),
        ("when", "soon", r"part-1.parquet, row 26,235: column 'when' holds 'soon', expected dates"),
        ("z", None, r"part-1.parquet, row 26,235: target 'z' is missing"),
    ],
)
def test_a_cell_that_does_not_fit_is_told_by_file_and_row(name, value, message, tmp_path):
    stream = with_cell(tmp_path, name, value)
    with pytest.raises(DataError, match=message) as raised:
        learn_stream(stream, "z", parts=hash_parts(), n_sample=200, seed=1)
    assert "\n" not in str(raised.value)


def test_words_that_the_sample_had_count_as_missing_further_on():
    values = [f"{i % 500 + 0.5:g}" if i % 20 else "unknown" for i in range(40_000)]
    held = HeldRows(read_table({"x": values, "y": np.arange(40_000) % 2, "k": np.arange(40_000) % 7}), 4000)
    learnt = learn_stream(held, "y", parts=hash_parts(), n_sample=3000, kinds={"x": "number"})
    assert (learnt.schema["x"].kind, learnt.schema["x"].n_words) == ("number", 2000)


def test_memory_does_not_grow_with_what_is_kept(learnt):
    """A sketch of 1e8 values holds at most 13 levels of 128 kB and a chunk of 512 kB."""
    from qloom.data.streams.quantiles import SIZE, QuantileSketch

    sketch, chunk = QuantileSketch(), np.random.default_rng(0).normal(size=4 * SIZE)
    for _ in range(100):
        sketch.update(chunk)
    assert len(sketch.items()[0]) <= SIZE * (np.ceil(np.log2(100)) + 1)


def test_a_file_of_one_group_and_files_of_many_are_learnt_alike(tmp_path):
    table = make_table(9_000).drop_columns(["town", "z"])
    parquet.write_table(table, tmp_path / "one.parquet")
    write_parts(table, tmp_path / "many", n_files=5, group_rows=700)
    learnt = [
        learn_stream(open_stream(tmp_path / name, spool=tmp_path), "y", parts=hash_parts())
        for name in ("one.parquet", "many")
    ]
    assert learnt[0].preprocessing.to_json() == learnt[1].preprocessing.to_json()


def test_a_row_number_that_a_sample_cannot_show_is_no_feature():
    """Among one row in twenty its numbers are far apart; counts and years have whole numbers too and stay."""
    n = 30_000
    random = np.random.default_rng(0)
    columns = {"instant": random.permutation(n), "year": random.integers(1990, 2020, n), "x": random.normal(size=n)}
    held = HeldRows(read_table({**columns, "far": random.permutation(n) * 1000, "y": random.integers(0, 2, n)}), 1000)
    learnt = learn_stream(held, "y", parts=hash_parts(), n_sample=1500)
    assert [column.name for column in learnt.schema.features] == ["year", "x", "far"]
    assert [column.name for column in learnt.preprocessing.seen] == ["year", "x", "far"]
    assert learnt.notes[0].startswith("column 'instant' is not used: about ")
    assert learnt.notes[0].endswith(" distinct whole numbers that run through the rows")
    asked = learn_stream(held, "y", parts=hash_parts(), n_sample=1500, kinds={"instant": "number"})
    assert "instant" in {column.name for column in asked.schema.features}


def test_a_column_that_is_the_same_throughout_the_sample_and_not_the_stream():
    n = 40_000
    rare = np.zeros(n)
    rare[[17, 23_456, 23_457]] = 5.0, 1.0, 2.0
    late = pa.array([None] * (n - 10) + ["a", "b"] * 5)
    columns = {"rare": rare, "late": late, "same": np.full(n, 3), "x": np.arange(n) / 7, "y": np.arange(n) % 2}
    learnt = learn_stream(HeldRows(read_table(columns), 2000), "y", parts=hash_parts(), n_sample=1600)
    assert (learnt.schema["rare"].kind, learnt.schema["rare"].shown) == ("number", "0 to 5")
    assert (learnt.schema["late"].kind, learnt.schema["late"].n_missing) == ("category", n - 10)
    assert learnt.schema["same"].kind == "constant"
