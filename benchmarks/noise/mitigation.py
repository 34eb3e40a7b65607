"""What mitigation is held to, line by line: what was asked for, and what was found.

Closed forms under global depolarizing noise that leaves q of every value a unit of noise; costs of error cancellation
with e of every word lost; exact undoing of depolarizing noise and of product confusion; gains recorded on a machine
(Kim et al. 2023, Nature 618, 500).

Run: python -m benchmarks.noise.mitigation
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.shared import DATA
from qloom import Circuit
from qloom.circuits.channels import depolarizing_gate
from qloom.engines import Engine, Noisy, expectation, probabilities
from qloom.engines.density import DensityEngine
from qloom.errors import UnsupportedError
from qloom.mitigation import (
    CliffordDataRegression,
    ReadoutInversion,
    ZeroNoise,
    extrapolate,
    inverse_quasi_probabilities,
)
from qloom.noise import NoiseModel
from qloom.observables import X, Z

LEFT = np.linspace(0.05, 0.999, 40)
Line = tuple[str, str, str]


def off(found: float) -> str:
    return f"off by at most {found:.1e}"


def extrapolations() -> Iterator[Line]:
    """Fits of q^s at scales s: what is missing of 1."""
    forms: list[tuple[str, tuple[int, ...], Callable[[np.ndarray], np.ndarray], str]] = [
        ("linear", (1, 2), lambda q: (1 - q) ** 2, "(1 - q)^2"),
        ("richardson", (1, 2, 3), lambda q: (1 - q) ** 3, "(1 - q)^3"),
        ("richardson", (1, 3, 5), lambda q: 1 - 15 / 8 * q + 5 / 4 * q**3 - 3 / 8 * q**5,
         "1 - 15/8 q + 5/4 q^3 - 3/8 q^5"),
        ("exponential", (1, 3, 5), lambda q: 0 * q, "0"),
    ]  # fmt: skip
    for fit, scales, form, text in forms:
        found = extrapolate(scales, LEFT ** np.array(scales)[:, None], fit=fit).value
        yield f"{fit} {scales} leaves", text, off(np.abs(1 - found - form(LEFT)).max())
    for fit in ("linear", "richardson", "exponential"):
        found = extrapolate((1, 1, 3, 3, 5), np.full(5, 0.3), 0.0, fit).value
        yield f"{fit}, constant values, repeated scales", "constant", off(abs(found - 0.3))


def cancellation() -> Iterator[Line]:
    for n_qubits, text, cost in [
        (1, "(1 + e/2) / (1 - e)", lambda e: (1 + e / 2) / (1 - e)),
        (2, "(1 + 7e/8) / (1 - e)", lambda e: (1 + 7 * e / 8) / (1 - e)),
    ]:
        words = 4**n_qubits
        lost = np.linspace(0.001, 0.5, 20)
        pauli = depolarizing_gate(n_qubits).pauli
        assert pauli is not None
        found = [np.abs(inverse_quasi_probabilities(pauli(e * (words - 1) / words))).sum() for e in lost]
        yield f"cost of cancelling a gate on {n_qubits}", text, off(np.abs(found - cost(lost)).max())


def circuit() -> Circuit:
    out = Circuit(2)
    w = out.weights(3)
    return out.ry(w[0], 0).rx(w[1], 1).cx(0, 1).ry(w[2], 0)


WEIGHTS = np.array([0.4, -0.9, 1.3])
OBSERVABLES = [Z(0), X(0) @ X(1), Z(1)]


def engines() -> Iterator[Line]:
    whole = NoiseModel().after("cx", Circuit(2).depolarizing(0.05, 0, 1))
    read = NoiseModel().with_readout(0.02, 0.07)
    exact = expectation(circuit(), OBSERVABLES, weights=WEIGHTS)

    def found(make: Callable[[Engine], Engine], model: NoiseModel) -> str:
        engine = make(Noisy(DensityEngine(), model))
        return off(np.abs(expectation(circuit(), OBSERVABLES, weights=WEIGHTS, engine=engine) - exact).max())

    yield "raw, depolarizing .05 behind CX", "", found(lambda engine: engine, whole)
    yield "Clifford data regression, depolarizing", "exact", found(CliffordDataRegression, whole)
    yield "folding, exponential, depolarizing", "exact", found(lambda e: ZeroNoise(e, (1, 3, 5), "exponential"), whole)
    yield "raw, readout .02 and .07", "", found(lambda engine: engine, read)
    yield "readout inverted, product confusion", "exact", found(ReadoutInversion, read)
    table = probabilities(circuit(), weights=WEIGHTS, engine=ReadoutInversion(Noisy(DensityEngine(), read)))
    yield "its probabilities", "exact", off(np.abs(table - probabilities(circuit(), weights=WEIGHTS)).max())


def recorded() -> Iterator[Line]:
    path = DATA / "ibm_utility_127q" / "hardware_expectations.json.gz"
    if not path.is_file():
        yield "recorded gains", "", f"not found: {path.parent.name}"
        return
    with gzip.open(path) as file:
        series = json.load(file)["series"]["w10_5"]
    gains, raw = series["noise_gain"], dict(zip(series["theta_h"], series["raw"], strict=True))
    errors = dict(zip(series["theta_h"], series["bootstrap_std"], strict=True))
    rows = series["published_fit"]["rows"]
    linear = [abs(extrapolate(gains, raw[t]).value - value) for t, value, *_ in rows]
    yield f"linear fits of {len(linear)} recorded angles", "1e-6 of the published", off(max(linear))
    known = [(t, row[1]) for t, _, *row in rows if abs(raw[t][0]) > 0.04]
    exponential = [abs(extrapolate(gains, raw[t], errors[t], "exponential").value - value) for t, value in known]
    yield f"exponential fits of {len(known)}, |raw| > .04", "1e-5 of the published", off(max(exponential))
    lost = [t for t, values in raw.items() if abs(values[0]) < 0.02]
    refused = sum(_is_refused(gains, raw[t], errors[t]) for t in lost)
    yield f"exponential fits of {len(lost)}, |raw| < .02", "refused", f"{refused} refused"


def _is_refused(gains: list[float], values: list[float], errors: list[float]) -> bool:
    try:
        extrapolate(gains, values, errors, "exponential")
    except UnsupportedError:
        return True
    return False


if __name__ == "__main__":
    for part in (extrapolations, cancellation, engines, recorded):
        for what, asked, found in part():
            print(f"{what:44} {asked:32} {found}")
