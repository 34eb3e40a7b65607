"""Programs that a trapped-ion machine ran, read from their texts and given again by a `RecordedDevice`."""

from __future__ import annotations

import numpy as np
import pytest

import qloom as ql
from benchmarks.noise.recorded import ENTANGLERS, Run, runs
from qloom.engines.hardware import DeviceEngine, RecordedDevice
from qloom.noise import randomized_benchmarking
from tests.shared import shared


def survived(run: Run) -> list[ql.PauliSum]:
    """Of each pair, whether both of its bits are what they should be."""
    out = []
    for pair in run.pairs:
        right = 1.0 * ql.pauli("II", pair)
        for qubit in pair:
            sign = 1 - 2 * int(run.ideal[qubit])
            right = right @ (0.5 + 0.5 * sign * ql.Z(qubit))
        out.append(right)
    return out


@shared
def test_texts_give_their_ideal_strings():
    for run in runs():
        chances = ql.probabilities(run.circuit)
        assert chances[int(run.ideal, 2)] == pytest.approx(1, abs=1e-9)


@shared
def test_recorded_programs_through_a_device_give_the_published_error(tmp_path):
    """H2-1, 2024-05-20: 1.28(8)e-3 of the two-qubit gate, within twice both errors together.

    Survival is what the counts say by themselves, all 100 shots of each of 15 programs on four pairs.
    """
    device = RecordedDevice({run.circuit: run.counts for run in runs()}, "H2-1")
    engine = DeviceEngine(device, 100, tmp_path / "journal.sqlite")
    lengths, counts = [], []
    for run in runs():
        found = 100 * ql.expectation(run.circuit, survived(run), engine=engine)
        direct = [sum(n for bits, n in run.counts.items() if all(bits[q] == run.ideal[q] for q in pair))
                  for pair in run.pairs]  # fmt: skip
        assert found == pytest.approx(direct)
        lengths += [run.length] * len(run.pairs)
        counts += direct
    assert engine.spent.shots == 1500
    decay = randomized_benchmarking(lengths, counts, 100, n_qubits=2)
    low, high = decay.interval(ENTANGLERS)
    assert abs(decay.error(ENTANGLERS) - 1.28e-3) < 2 * np.hypot((high - low) / 3.92, 0.08e-3)
