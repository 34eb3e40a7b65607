"""Prequential accuracies that river gives on real streams, through our learners: figures recorded beside the tables."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmarks.streams.tables import read_stream
from qloom.data import Preprocessing, TargetCoding, inspect_table
from qloom.watching.learners import Block, LastTarget
from qloom.watching.river_learners import RiverLearner
from qloom.watching.row_by_row import Stream, run_learner
from tests.shared import shared

pytest.importorskip("river")


def stream_of(name: str, *, previous: bool = False) -> Stream:
    table, target = read_stream(name, previous=previous)
    schema = inspect_table(table, target)
    return Stream.of(Preprocessing().fit(table, schema), TargetCoding.fit(table, schema), table)


@shared
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "previous", "last", "linear"),
    [("elec2", False, 0.8533, 0.8165), ("elec2", True, 0.8533, 0.8720), ("noaa_weather", False, 0.6803, 0.7679)],
)
def test_logistic_regression_and_the_last_label_are_as_recorded(name, previous, last, linear):
    """The scaler and the one-hot coding of a label are ours to choose: linear ones agree to half a point."""
    stream = stream_of(name, previous=previous)
    guessed, _ = run_learner(LastTarget(), stream, None, 500)
    assert 1 - guessed.mean() == pytest.approx(last, abs=1e-4)
    found, _ = run_learner(RiverLearner("linear", stream.coding, 0), stream, None, 500)
    assert 1 - found.mean() == pytest.approx(linear, abs=0.005)


def test_the_last_target_is_known_across_blocks():
    truth = np.array([0, 1, 1, 0, 0, 2])
    blocks = [Block(torch.zeros(2, 1), torch.zeros(2), truth[k : k + 2], [{}, {}]) for k in (0, 2, 4)]
    learner = LastTarget()
    assert np.concatenate([learner.step(block) for block in blocks]).tolist() == [0, 0, 1, 1, 0, 0]
