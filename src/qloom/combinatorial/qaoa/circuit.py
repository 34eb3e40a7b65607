"""The QAOA circuit of a cost: layers of exp(-i gamma C) and of a mixer."""

from __future__ import annotations

from qloom.circuits import Circuit
from qloom.combinatorial.qaoa.cost import Polynomial
from qloom.combinatorial.qaoa.mixers import Mixer, TransverseField


def qaoa_circuit(
    cost: Polynomial, n_layers: int, mixer: Mixer | None = None, multi_angle: bool = False
) -> Circuit:  # fmt: skip
    """exp(i beta_l B) exp(-i gamma_l C) for l = 1 to p after the mixer's start.

    Args:
        cost: C, minimized.
        n_layers: p, at least 0.
        mixer: None for the transverse field.
        multi_angle: an angle for each term of the cost and each part of the mixer.

    Shapes: weights (2 p,): "gammas" (p,), then "betas" (p,); with `multi_angle` (p, terms) and (p, parts), flattened.

    Source: Farhi, Goldstone, Gutmann 2014, arXiv 1411.4028; Herrman et al. 2022, Scientific Reports 12, 6781.
    """
    mixer = mixer or TransverseField()
    circuit, terms, n_parts = Circuit(cost.n), list(cost.terms.items()), mixer.n_parts(cost.n)
    mixer.start(circuit)
    n_gammas, n_betas = (len(terms), n_parts) if multi_angle else (1, 1)
    shapes = ((n_layers, n) if multi_angle else (n_layers,) for n in (n_gammas, n_betas))
    gammas = circuit.weights(*next(shapes), name="gammas").reshape(n_layers, n_gammas)
    betas = circuit.weights(*next(shapes), name="betas").reshape(n_layers, n_betas)
    for gamma, beta in zip(gammas, betas, strict=True):
        for k, (term, value) in enumerate(terms):
            circuit.pauli_rotation(2 * value * gamma[k if multi_angle else 0], "Z" * len(term), term)
        mixer.layer(circuit, [*beta] if multi_angle else [*beta] * n_parts)
    return circuit
