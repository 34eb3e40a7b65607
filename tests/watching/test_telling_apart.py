"""Old rows and new ones told apart: chance where they are alike, and by the column that was moved."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from qloom.data import Preprocessing, inspect_table
from qloom.watching.telling_apart import area, area_interval, tell_apart


def made(seed: int, shift: float = 0.0, n: int = 400) -> pa.Table:
    random = np.random.default_rng(seed)
    return pa.table({
        "a": random.normal(shift, 1, n), "b": random.normal(size=n), "c": random.choice(["x", "y"], n),
        "day": np.datetime64("2020-01-01", "s") + (random.integers(0, 99, n) + 99 * seed).astype("timedelta64[D]"),
        "target": random.choice(["no", "yes"], n),
    })  # fmt: skip


@pytest.fixture(scope="module")
def preprocessing() -> Preprocessing:
    table = made(0)
    return Preprocessing().fit(table, inspect_table(table, "target"))


def test_alike_rows_are_not_told_apart_even_by_their_dates(preprocessing):
    """The interval is of 95%; this seed's is one that covers."""
    found = tell_apart(preprocessing, made(0), made(1), seed=0)
    assert found["auc"][1] < 0.5 < found["auc"][2]
    assert "day" not in dict(found["columns"])


def test_the_column_that_moved_carries_it(preprocessing):
    found = tell_apart(preprocessing, made(0), made(1, shift=1.5), seed=0)
    assert found["auc"][1] > 0.7
    assert found["columns"][0][0] == "a"
    assert found["columns"][0][1] > 5 * abs(found["columns"][1][1])


def test_few_rows_are_not_judged(preprocessing):
    assert "20" in tell_apart(preprocessing, made(0), made(1, n=20), seed=0)["undefined"]


def test_area_is_scikit_learns_and_its_interval_covers():
    """Of 60 intervals of 95% fewer than 48 cover with probability below 1e-5; the area of the model is .760."""
    random = np.random.default_rng(2)
    y, scores = random.integers(0, 2, 300), random.integers(0, 9, 300)
    assert area(scores, y) == pytest.approx(roc_auc_score(y, scores))
    covered = 0
    for _ in range(60):
        y = np.repeat([0, 1], 150)
        _, low, high = area_interval(random.normal(y, 1), y)
        covered += low < 0.7602 < high
    assert covered >= 48
