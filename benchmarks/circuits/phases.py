"""Phases of a transverse-field ring from circuits of its ground states, by a QCNN behind them and a classical control.

H = -sum ZZ - g sum X on a ring of N, g from .20 to 1.80 in 81 steps; N/2 layers of ZZ turns on the ring, then of X
turns, reach the ground state from |+..+>. TensorFlow Quantum's set `tfi_chain`, made again.

And of XXZ rings of four, sum XX + YY + D ZZ, D from .30 to 1.80: 76 circuits from singlets.

Goals: energies to 1e-8 of the closed forms for N = 4, 8, 12, 16, and for XXZ, -2 D - 2 sqrt(D^2 + 8); the phase (g < 1
or g > 1) of circuits with |g - 1| >= .05 that were not trained on, from 50 circuits of N = 8, right in at least .95;
beside a logistic regression on <X> and <ZZ>.

Run: python -m benchmarks.circuits.phases [energies] [phases]
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import torch
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

import qloom as ql
from benchmarks.results import append_row, provenance
from qloom.ansatze import convolutional, pooled_qubits

FIELDS = np.round(np.arange(0.20, 1.801, 0.02), 2)


def ring(n: int) -> ql.Circuit:
    """Weights (2, N / 2): of the layers on bonds, and of those on sites."""
    circuit = ql.Circuit(n)
    bonds, sites = circuit.weights(2, n // 2)
    for q in range(n):
        circuit.h(q)
    for bond, site in zip(bonds, sites, strict=True):
        for q in range(n):
            circuit.rzz(bond, q, (q + 1) % n)
        for q in range(n):
            circuit.rx(site, q)
    return circuit


def hamiltonian(n: int, field: float) -> ql.PauliSum:
    bonds = sum((ql.Z(q) @ ql.Z((q + 1) % n) for q in range(1, n)), ql.Z(0) @ ql.Z(1))
    return -1.0 * bonds - field * sum((ql.X(q) for q in range(1, n)), ql.X(0))


def exact_energy(n: int, field: float) -> float:
    k = np.pi * (2 * np.arange(n) + 1) / n
    return float(-np.sqrt(1 + field**2 - 2 * field * np.cos(k)).sum())


def chain(n: int) -> ql.Circuit:
    """Weights (4, N / 2): of XX + YY and of ZZ, on the bonds between pairs and on those of pairs, from singlets."""
    circuit = ql.Circuit(n)
    w = circuit.weights(n // 2, 4)
    for q in range(0, n, 2):
        circuit.x(q).h(q).x(q + 1).cx(q, q + 1)
    for a, b, c, d in w:
        for first, (swing, turn) in ((1, (a, b)), (0, (c, d))):
            for q in range(first, n + first, 2):
                here, there = q % n, (q + 1) % n
                circuit.rxx(swing, here, there).ryy(swing, here, there).rzz(turn, here, there)
    return circuit


def xxz(n: int, delta: float) -> ql.PauliSum:
    """sum XX + YY + delta ZZ on a ring."""
    out = ql.PauliSum({})
    for q in range(n):
        other = (q + 1) % n
        out = out + ql.X(q) @ ql.X(other) + ql.Y(q) @ ql.Y(other) + delta * (ql.Z(q) @ ql.Z(other))
    return out


def ground_states(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights (81, N) of the fields' circuits, and how far their energies are from the closed form."""
    parts = [hamiltonian(n, 0.0), hamiltonian(n, 1.0) - hamiltonian(n, 0.0)]
    # That of no bonds is the start itself.
    start = np.tile(0.3 * np.linspace(1, 0.3, n // 2), 2)
    return found_along(ring(n), parts, FIELDS[::-1], lambda field: exact_energy(n, field), start)


def found_along(
    circuit: ql.Circuit, parts: list[ql.PauliSum], fields: np.ndarray, exact: Callable[[float], float],
    start: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Weights of least energy of the first part and field times the second, and how far off; in order of the fields.

    Each is begun at the one before, and at random where that does not reach the exact energy.
    """
    evaluator, at = ql.gradients.prepare_gradient(circuit, parts), start
    found, off = [], []
    for field in fields:

        def energy(weights: np.ndarray, field: float = field) -> tuple[float, np.ndarray]:
            batch = ql.engines.make_batch(circuit, None, weights)
            values, kept = evaluator.forward(batch, True)
            cotangents = np.array([[1.0, field]])
            slopes = evaluator.backward(batch, cotangents, kept, (False, True))[1]
            return float((values * cotangents).sum()), np.asarray(slopes).ravel()

        best = None
        for attempt in range(20):
            begin = at if attempt == 0 else np.random.default_rng(attempt).uniform(-np.pi, np.pi, len(at))
            result = minimize(energy, begin, jac=True, method="BFGS", options={"gtol": 1e-11, "maxiter": 2000})
            if best is None or result.fun < best.fun:
                best = result
            if best.fun - exact(field) < 1e-9:
                break
        assert best is not None
        at = best.x
        found.append(at)
        off.append(abs(best.fun - exact(field)))
    order = np.argsort(fields)
    return np.array(found)[order], np.array(off)[order]


def energies() -> None:
    for n in (4, 8, 12, 16):
        _, off = ground_states(n)
        row = {"what": f"energies of 81 fields, N = {n}, off at most", "found": float(off.max()), "goal": 1e-8}
        append_row("circuits_phases", {**row, "met": bool(off.max() < 1e-8), "detail": "", **provenance()})
        print(row, flush=True)
    circuit, deltas = chain(4), np.round(np.arange(0.30, 1.801, 0.02), 2)
    parts = [xxz(4, 0.0), xxz(4, 1.0) - xxz(4, 0.0)]
    start = np.full(circuit.n_weights, 0.2)
    _, off = found_along(circuit, parts, deltas, lambda d: float(-2 * d - 2 * np.sqrt(d * d + 8)), start)
    row = {
        "what": f"XXZ, energies of {len(deltas)} anisotropies, N = 4, off at most",
        "found": float(off.max()),
        "goal": 1e-8,
    }
    append_row("circuits_phases", {**row, "met": bool(off.max() < 1e-8), "detail": "", **provenance()})
    print(row, flush=True)


def bound(circuit: ql.Circuit, weights: np.ndarray) -> ql.Circuit:
    """With numbers for weights."""
    return ql.Circuit(circuit.n_qubits).place(circuit, range(circuit.n_qubits), weights.tolist())


def phases(n: int = 8, n_train: int = 50) -> None:
    weights, _ = ground_states(n)
    circuits = [bound(ring(n), row) for row in weights]
    labels = np.where(FIELDS < 1, -1.0, 1.0)
    clear = np.flatnonzero(np.abs(FIELDS - 1) >= 0.05)
    scores: dict[str, list[float]] = {"QCNN": [], "logistic regression on <X>, <ZZ>": []}
    words = [ql.X(q) for q in range(n)] + [ql.Z(q) @ ql.Z((q + 1) % n) for q in range(n)]
    means = ql.CircuitBatch(circuits).expectation(words)
    for seed in range(5):
        random = np.random.default_rng(seed)
        trained = random.permutation(np.flatnonzero(FIELDS != 1))[:n_train]
        tested = np.setdiff1d(clear, trained)
        torch.manual_seed(seed)
        left = pooled_qubits(n)[0]
        layer = ql.nn.CircuitLayer(convolutional(n), [ql.Z(left)], dtype=torch.float64, seed=seed)
        optimizer = torch.optim.Adam(layer.parameters(), 0.05)
        batch, targets = ql.CircuitBatch([circuits[k] for k in trained]), torch.from_numpy(labels[trained])[:, None]
        for _ in range(150):
            optimizer.zero_grad()
            (layer(batch) - targets).square().mean().backward()
            optimizer.step()
        with torch.no_grad():
            said = layer(ql.CircuitBatch([circuits[k] for k in tested]))[:, 0].sign().numpy()
        scores["QCNN"].append(float((said == labels[tested]).mean()))
        control = LogisticRegression(max_iter=5000, C=100.0).fit(means[trained], labels[trained])
        scores["logistic regression on <X>, <ZZ>"].append(float(control.score(means[tested], labels[tested])))
    for name, found in scores.items():
        row = {"what": f"phases of N = {n}, {name}", "found": float(np.mean(found)), "goal": 0.95}
        detail = f"five splits, least {min(found):.3f}"
        append_row("circuits_phases", {**row, "met": np.mean(found) >= 0.95, "detail": detail, **provenance()})
        print(row, detail, flush=True)


if __name__ == "__main__":
    for part in sys.argv[1:] or ("energies", "phases"):
        {"energies": energies, "phases": phases}[part]()
