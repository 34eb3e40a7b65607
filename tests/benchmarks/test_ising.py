"""The metric's optimizers reach the Ising chain's ground state in fewer runs of the circuit than Adam."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.training.ising import SEEDS, WAYS, Way, ground_energy, hamiltonian, spent, train

CIRCUIT = "words of the Hamiltonian"


def test_the_exact_energy_is_the_lowest_eigenvalue():
    dense = hamiltonian(6).matrix(6)
    assert ground_energy(6) == pytest.approx(np.linalg.eigvalsh(dense)[0])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "rates"),
    [(8, ("0.1", "0.02", "0.05")), (12, ("0.1",))],
)
def test_fewer_evaluations_than_adam(n, rates, monkeypatch):
    """By the median over five seeds of random angles; Adam with its best rate, 0.1, and on 8 qubits with others."""
    medians = [np.median([spent(train(CIRCUIT, n, way, s)[1]) for s in SEEDS]) for way in list(WAYS)[-2:]]
    assert np.isfinite(medians).all()
    for rate in rates:
        way = f"Adam, {rate}"
        monkeypatch.setitem(WAYS, way, Way(WAYS[way].make, int(max(medians)) // 3))  # as many runs, no more
        assert np.median([spent(train(CIRCUIT, n, way, s)[1]) for s in SEEDS]) > max(medians)
