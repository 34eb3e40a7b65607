"""`--to qasm`: the trained circuit as OpenQASM 3, the encoder's angles its inputs; the classical parts beside it."""

from __future__ import annotations

import json
import re

import numpy as np

from qloom.circuits import Circuit
from qloom.circuits.parameters import Angle
from qloom.circuits.qasm import from_qasm
from qloom.errors import UnsupportedError
from qloom.observables import PauliSum, word_letters
from qloom.portable.made import CLASSICAL, HOW_ROUNDED, Made, Options
from qloom.portable.ordinary_file import ordinary_source
from qloom.portable.original import Original, Rows
from qloom.portable.rounding import DOUBLE, engine_rounding, rounding_bound
from qloom.portable.steps import CircuitStep, network_file, run


def with_numbers(circuit: Circuit, weights: np.ndarray) -> Circuit:
    """The circuit with its weights as numbers; inputs stay slots.

    Shapes: weights (W,).
    """
    other = Circuit(circuit.n_qubits)
    for block in circuit.input_slots:
        other.inputs(*block.shape, name=block.name)
    other.initial = circuit.initial
    for op in circuit.operations:
        angles = [_number(angle, weights) if angle.source == "weight" else angle for angle in op.angles]
        other.append(op.gate, angles, op.qubits)
    return other


def _number(angle: Angle, weights: np.ndarray) -> Angle:
    return Angle("number", 0, 0.0, angle.scale * float(weights[angle.index]) + angle.offset)


def to_qasm(original: Original, rows: Rows, options: Options) -> Made:
    """circuit.qasm, circuit.json on what is measured, encoder.npz and head.npz around it."""
    if options.part == CLASSICAL:
        raise UnsupportedError(
            "part='classical' leaves the circuit out, expected part='whole' for OpenQASM; or take to='onnx'"
        )
    step, (before, after) = original.circuit, original.around()
    text = with_numbers(step.circuit, step.weights).to_qasm()
    names = re.findall(r"^input float (\w+);", text, re.MULTILINE)
    read = from_qasm(text, names)
    again = CircuitStep(read, step.observables, np.zeros(0), step.engine)
    found = run([*before, again, *after, *original.readout], rows.features.astype(np.float64))
    bound = rounding_bound(
        original.steps, original.readout, rows.features, original.unit, DOUBLE,
        lambda x, y: np.broadcast_to(engine_rounding(step, DOUBLE), y.shape),
    )  # fmt: skip
    measured = {
        "qubits": step.circuit.n_qubits,
        "qubit_0": "q[0], leftmost in words",
        "inputs": names,
        "angles": "encoder.npz gives them from features, in this order, radians",
        "observables": [_words(each, step.circuit.n_qubits) for each in step.observables],
        "values": "expectation values of the observables, in this order, are what head.npz takes",
    }
    files = {
        "circuit.qasm": text.encode(), "circuit.json": json.dumps(measured, indent=1).encode(),
        "encoder.npz": network_file(before), "head.npz": network_file([*after, *original.readout]),
        "predict.py": ordinary_source(),
    }  # fmt: skip
    lines = [
        "circuit.qasm has one `input float` for each of the encoder's angles; trained weights are numbers in it.",
        "features -> encoder.npz -> angles -> circuit.qasm -> values -> head.npz -> predictions; predict.py reads both "
        "files: Network('encoder.npz').predict(features).",
    ]
    details = {"inputs": {"features": ["rows", rows.features.shape[1]], "angles": names}, "circuit": measured}
    with_what = "any reader of OpenQASM 3; numpy for encoder and head"
    return Made(files, {"circuit.qasm, read again, in its place": found}, bound, HOW_ROUNDED, with_what, details, lines)


def _words(observable: PauliSum, n_qubits: int) -> list[dict[str, object]]:
    """[{"word": "ZZII", "coefficient": 1.0}]."""
    out: list[dict[str, object]] = []
    for coefficient, word in observable:
        letters = word_letters(word)
        text = "".join(letters.get(q, "I") for q in range(n_qubits))
        out.append({"word": text, "coefficient": float(np.real(coefficient))})
    return out
