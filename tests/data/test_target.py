"""Target values to codes and back."""

import json

import numpy as np
import pytest

from qloom.data import TargetCoding, inspect_table, read_table
from qloom.errors import ArtifactError, DataError

X = np.random.default_rng(2).normal(size=60)


@pytest.mark.parametrize(
    "labels", [["no", "yes", "perhaps"], [3, 1, 7], [False, True], [-1.0, 1.0], ["1", "10", "2"]], ids=str
)
def test_labels_keep_their_type(labels):
    target = [labels[i % len(labels)] for i in range(60)]
    table = read_table({"x": X, "t": target})
    coding = TargetCoding.fit(table, inspect_table(table, "t", task="classification"))
    coding = TargetCoding.from_json(json.loads(json.dumps(coding.to_json())))
    codes = coding.encode(table)
    assert codes.dtype == np.int64
    assert coding.n_outputs == len(labels)
    assert [sorted(labels)[code] for code in codes] == target
    assert coding.decode(codes).tolist() == target
    assert type(coding.decode(codes).tolist()[0]) is type(labels[0])


def test_regression_learns_from_training_rows_only():
    target = np.r_[np.arange(40.0), np.full(20, 1e6)]
    table = read_table({"x": X, "t": target})
    schema = inspect_table(table, "t", task="regression")
    coding = TargetCoding.fit(table, schema, np.arange(40))
    codes = coding.encode(table)
    assert (coding.mean, coding.scale) == pytest.approx((19.5, np.std(np.arange(40))))
    assert codes.dtype == np.float32
    assert coding.n_outputs == 1
    assert codes[:40].mean() == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(coding.decode(codes), target, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["a", "z"], "has the class 'z', expected one of 'a', 'b'"),
        (["a", None], "is missing in 1 of 2 rows"),
        (np.array([["a"]]), "not one value a row"),
        ([1, 0], "has the class 1"),
    ],
)
def test_refusals(values, message):
    with pytest.raises(DataError, match=message):
        TargetCoding("t", "classification", ("a", "b")).encode(values)


def test_classes_match_across_types():
    assert TargetCoding("t", "classification", (0, 1)).encode([1.0, 0.0]).tolist() == [1, 0]
    assert TargetCoding("t", "classification", ("0", "1")).encode([1, 0]).tolist() == [1, 0]
    with pytest.raises(DataError, match=r"has the class '0\.5'"):
        TargetCoding("t", "classification", (0, 1)).encode([0.5])


def test_a_damaged_record_is_refused():
    with pytest.raises(ArtifactError, match="target record is damaged"):
        TargetCoding.from_json({"format": "qloom-target", "version": 1, "name": "t"})
