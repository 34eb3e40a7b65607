"""Device models and fits beside what is known: Aer's exact outputs, published error rates, results of a real machine.

- Noisy circuits of two IBM machines: the largest difference to Aer's exact probabilities, before and with readout.
- Randomized benchmarking of trapped-ion machines: errors from survival counts beside the published ones.
- A fit of the two-qubit gate's rate to counts of whole programs, beside the published one.
- A kernel |<0|U(x)^dagger U(x)|0>|^2 of a ZZ map on a superconducting machine, ideally 1: our model of its calibration,
  on the line of qubits that errs least, beside the recorded values (metriq-gym, CC BY 4.0, Unitary Foundation). That
  the recorded run had other qubits on another day is part of the difference.

Run: python -m benchmarks.noise.devices [--only NAME] [--dry]   (reads ../shared/data; some minutes)
"""

from __future__ import annotations

import csv
import gzip
import json
import re
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import dataclass
from math import pi
from typing import Any

import numpy as np

from benchmarks.noise.recorded import ENTANGLERS, SPEC, programs, readout_error, survival_counts
from benchmarks.results import append_row, provenance
from benchmarks.shared import DATA
from qloom.circuits import Circuit
from qloom.engines import DensityEngine, Engine, probabilities
from qloom.noise import NoiseModel, compiled, fit, randomized_benchmarking

CALIBRATIONS = DATA / "device_calibrations"
KINDS = {"err2q": ("TQ_RB", ENTANGLERS), "err1q": ("SQ_RB", 1.0), "transport1q": ("Memory_RB", 1.0)}


@dataclass(frozen=True)
class Found:
    """A number beside the one it should be, each with its standard error, and how far apart they may be."""

    name: str
    case: str
    asked: float
    found: float
    bound: float
    asked_error: float = 0.0
    found_error: float = 0.0

    @property
    def row(self) -> dict[str, Any]:
        within = abs(self.found - self.asked) <= self.bound
        return {**vars(self), "within": "yes" if within else "NO", **provenance()}


def load(name: str) -> Any:
    with gzip.open(CALIBRATIONS / name) as file:
        return json.load(file)


def noisy_circuits(engine: Engine) -> Iterator[Found]:
    for case, known in load("expected_noisy_circuits.json.gz")["circuits"].items():
        device = case.partition("/")[0].replace("fake", "ibm")
        model = NoiseModel.from_calibration(CALIBRATIONS / f"{device}.json.gz").on(range(known["n"]))
        circuit = Circuit(known["n"])
        for gate, qubits, angles in known["ops"]:
            circuit.append(gate, angles, qubits)
        for noise, table in ((model.without_readout(), "p_before_readout"), (model, "p_with_readout")):
            found = probabilities(noise.apply(circuit), engine=engine)
            apart = max(abs(found[int(bits, 2)] - value) for bits, value in known[table].items())
            yield Found("noisy circuit", f"{case} {table}", 0.0, apart, 1e-7)


def benchmarking(engine: Engine) -> Iterator[Found]:
    for row in csv.DictReader(SPEC.read_text().splitlines()):
        day = f"{row['machine']} {row['date']}"
        for kind, (experiment, gates) in KINDS.items():
            counts = survival_counts(day, experiment)
            if counts is not None:
                decay, (asked, error) = randomized_benchmarking(*counts), printed(row[kind])
                spread = decay.error_of_error(gates)
                yield Found(kind, day, asked, decay.error(gates), 2 * np.hypot(error, spread), error, spread)
        asked, error = printed(row["spam"])
        yield Found("spam", day, asked, readout_error(day), 2 * error, error)


def printed(text: str) -> tuple[float, float]:
    """A number and its error as printed, 2.40(8)E-03."""
    digits, error, power = re.fullmatch(r"([\d.]+)\((\d+)\)E(-\d+)", text).groups()  # type: ignore[union-attr]
    unit = 10.0 ** (int(power) - len(digits.partition(".")[2]))
    return float(digits) * 10.0 ** int(power), int(error) * unit


def recorded_programs(engine: Engine) -> Iterator[Found]:
    """One-qubit rate as published; readout from the machine's own counts, and fitted too."""
    model = NoiseModel.uniform(1.5 * 2.9e-5, 2e-3, readout_error("H2-1 2024_05_20"), free=("rz",))
    for free in (("two_qubit",), ("two_qubit", "readout")):
        result = fit(model, *programs(), free, engine=engine)
        for name, value, error in zip(result.names, result.values, result.errors, strict=True):
            share, asked, known = {"two_qubit": (0.8, 1.28e-3, 8e-5), "readout": (1, 1.5e-3, 1e-4)}[name]
            bound = 2 * float(np.hypot(share * error, known))
            yield Found(f"fit of {' '.join(free)}", name, asked, share * value, bound, known, share * error)


def kernels(engine: Engine) -> Iterator[Found]:
    with gzip.open(DATA / "metriq" / "hardware_results.csv.gz", "rt") as file:
        rows = [
            row for row in csv.DictReader(file) if row["benchmark"] == "QML Kernel" and row["device"] == "ibm_torino"
        ]
    torino = NoiseModel.from_calibration(CALIBRATIONS / "ibm_torino.json.gz")
    for row in sorted(rows, key=lambda row: json.loads(row["params"])["num_qubits"]):
        n = json.loads(row["params"])["num_qubits"]
        if n <= 10:
            share = probabilities(compiled(kernel(n), torino).noisy, engine=engine)[0]
            yield Found("kernel", f"torino n={n}", float(row["value"]), share, 0.1, float(row["uncertainty"]))


def kernel(n_qubits: int) -> Circuit:
    x = 2 * pi * np.random.RandomState(0).random(n_qubits)
    circuit = Circuit(n_qubits)
    for q in range(n_qubits):
        circuit.h(q).rz(x[q], q)
    for first in (0, 1):
        for q in range(first, n_qubits - 1, 2):
            circuit.cx(q, q + 1).rz((pi - x[q]) * (pi - x[q + 1]), q + 1).cx(q, q + 1)
    return circuit + circuit.inverse()


CASES = {
    "circuits": noisy_circuits, "benchmarking": benchmarking, "programs": recorded_programs, "kernels": kernels
}  # fmt: skip


def describe(found: Found) -> str:
    return (
        f"{found.name:34s} {found.case:36s} asked {found.asked:.4g} ({found.asked_error:.2g}), "
        f"found {found.found:.4g} ({found.found_error:.2g}), within {found.bound:.2g}"
    )


def main() -> None:
    parser = ArgumentParser(description="Device models and fits beside what is known.")
    parser.add_argument("--only", choices=CASES, help="one of the parts")
    parser.add_argument("--dry", action="store_true", help="print, append nothing")
    chosen = parser.parse_args()
    for name, case in CASES.items():
        for found in case(DensityEngine()) if chosen.only in (None, name) else ():
            row = found.row
            print(f"{describe(found)}: {row['within']}", flush=True)
            if not chosen.dry:
                append_row("noise_devices", row)


if __name__ == "__main__":
    main()
