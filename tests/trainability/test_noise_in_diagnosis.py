"""A diagnosis under noise: the plateau that it makes."""

from __future__ import annotations

import numpy as np
import pytest

import qloom as ql
from qloom.circuits import Circuit
from qloom.noise import NoiseModel
from qloom.trainability import diagnose


def test_global_shrinking_is_seen_as_it_is():
    """RY, then depolarizing by p, L times: <Z> shrinks by (1 - 4p/3)^L, its gradients' variance by the square."""
    layers, p = 6, 0.06
    circuit = Circuit(1)
    for w in circuit.weights(layers):
        circuit.ry(w, 0)
    found = diagnose(circuit, [ql.Z(0)], n_samples=100, noise=NoiseModel.uniform(one_qubit=p))
    assert found.noisy_variances is not None
    left = found.noisy_variances[-1] / found.variances[-1]
    assert left == pytest.approx((1 - 4 * p / 3) ** (2 * layers), rel=1e-9)
    assert f"Noise leaves {np.sqrt(left):.0%} of a typical gradient on 1 qubit" in " ".join(str(found).split())


def test_noise_takes_more_of_wider_circuits_and_is_left_out_where_it_would_take_long():
    circuit, parity = ql.ansatze.basic_entangler(9, 2), ql.pauli("Z" * 9, range(9))
    found = diagnose(circuit, [parity], widths=[2, 4, 9], n_samples=20, noise=NoiseModel.uniform(0.01, 0.05))
    assert found.noisy_variances is not None
    shares = np.array(found.noisy_variances) / found.variances
    assert 1 > shares[0] > shares[1] > 0
    assert np.isnan(shares[2])
    assert "with noise" in str(found)
    assert diagnose(circuit, [parity], widths=[2], n_samples=20).noisy_variances is None
