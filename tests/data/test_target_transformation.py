"""Maps of a skewed target agree with scikit-learn's, come back, stay within the training values, and keep means."""

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import yeojohnson

from qloom.data import TargetCoding, inspect_table
from qloom.data.target_transformation import TRANSFORMATIONS, TargetTransformation
from qloom.errors import DataError

SKEWED = np.exp(np.random.default_rng(0).normal(3, 1, 400))


@pytest.mark.parametrize("kind", TRANSFORMATIONS)
def test_values_come_back(kind):
    found = TargetTransformation.fit(kind, SKEWED, "t")
    np.testing.assert_allclose(found.inverse(found.forward(SKEWED)), SKEWED, rtol=1e-10)


def test_logarithms():
    np.testing.assert_allclose(TargetTransformation.fit("log", SKEWED, "t").forward(SKEWED), np.log(SKEWED))
    np.testing.assert_allclose(TargetTransformation.fit("log1p", SKEWED, "t").forward(SKEWED), np.log1p(SKEWED))


def test_power_is_scipys_of_numbers_of_both_signs():
    values = np.random.default_rng(1).normal(0.5, 1, 300) ** 3
    found = TargetTransformation.fit("yeo_johnson", values, "t")
    np.testing.assert_allclose(found.forward(values), yeojohnson(values / found.unit, found.exponent), rtol=1e-10)
    np.testing.assert_allclose(found.inverse(found.forward(values)), values, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("kind", ["log", "log1p", "yeo_johnson"])
def test_what_is_taken_back_stays_within_the_training_values(kind):
    found = TargetTransformation.fit(kind, SKEWED, "t")
    np.testing.assert_allclose(found.inverse(np.array([-1e9, 1e9])), [SKEWED.min(), SKEWED.max()])
    assert np.isfinite(found.forward(np.array([-5.0, 0.0]))).all()


def test_numbers_without_a_logarithm_are_refused():
    with pytest.raises(DataError, match="goes down to 0, expected numbers above 0 for the transformation log"):
        TargetTransformation.fit("log", np.arange(5.0), "t")
    with pytest.raises(DataError, match="expected numbers above -1"):
        TargetTransformation.fit("log1p", np.arange(5.0) - 2, "t")


def coded(kind="none", **options):
    table = pa.table({"x": np.arange(400.0), "t": SKEWED})
    return table, TargetCoding.fit(table, inspect_table(table, "t", task="regression"), None, kind, **options)


def test_means_of_a_logarithm_are_smeared():
    """Of log-normal values the mean is exp(m + s^2 / 2), not exp(m)."""
    _, coding = coded("log")
    residuals = np.random.default_rng(2).normal(0, 0.3 / coding.scale, 4000)
    code = np.array([(3.0 - coding.mean) / coding.scale])
    assert coding.decode(code)[0] == pytest.approx(np.exp(3.0))
    assert coding.expect(code, residuals)[0] == pytest.approx(np.exp(3.0 + 0.3**2 / 2), rel=0.01)


def test_counts_are_coded_over_their_mean():
    table, coding = coded(shifted=False)
    assert coding.encode(table).mean() == pytest.approx(1)
    np.testing.assert_allclose(coding.decode(coding.encode(table)), SKEWED, rtol=1e-6)
    negative = table.set_column(1, "t", pa.array(SKEWED - 5))
    with pytest.raises(DataError, match="expected counts"):
        TargetCoding.fit(negative, inspect_table(negative, "t", task="regression"), shifted=False)


def test_truth_is_not_rounded():
    table, coding = coded("yeo_johnson")
    assert np.array_equal(coding.truth(table), SKEWED)


@pytest.mark.parametrize("kind", TRANSFORMATIONS)
def test_saved_coding_is_the_same(kind):
    _, coding = coded(kind)
    record = coding.to_json()
    assert record["version"] == (1 if kind == "none" else 2)
    assert TargetCoding.from_json(record) == coding
