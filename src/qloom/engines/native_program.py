"""Circuits in the native engine's hands: lowered once, handed over as arrays of masks and angles."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from qloom import _native
from qloom.circuits.circuit import Circuit
from qloom.engines.base import Outputs, Probabilities
from qloom.engines.batch import check_memory
from qloom.errors import CircuitError
from qloom.programs import Program, lower, lower_states
from qloom.programs.frame import reversed_bits

MOST_QUBITS = 32

_SOURCES = {"number": 0, "input": 1, "weight": 2}


@lru_cache(maxsize=128)
def prepared(circuit: Circuit, outputs: Outputs) -> tuple[Program, Any]:
    _check_width(circuit)
    probabilities = isinstance(outputs, Probabilities)
    program = lower_states(circuit, outputs.qubits) if probabilities else lower(circuit, outputs)  # type: ignore
    return program, _to_native(program)


@lru_cache(maxsize=128)
def prepared_states(circuit: Circuit) -> tuple[Program, Any]:
    _check_width(circuit)
    program = lower_states(circuit)
    return program, _to_native(program)


def _check_width(circuit: Circuit) -> None:
    if circuit.n_qubits > MOST_QUBITS:
        check_memory(8 * 2**circuit.n_qubits, f"one state of {circuit.n_qubits} qubits in float32")
        raise CircuitError(f"{circuit.n_qubits} qubits, expected at most {MOST_QUBITS} for state vectors")


def _to_native(program: Program) -> Any:
    n = program.n_qubits
    rotations = [r for p in program.passes for r in p.rotations]
    starts = np.cumsum([0, *(len(p.rotations) for p in program.passes)], dtype=np.uint32)
    native = _native.Program(
        n, program.n_inputs, program.n_weights, program.n_outputs,
        _masks([p.x for p in program.passes], n), starts, np.array([p.shared for p in program.passes], np.uint8),
        _masks([r.word[1] for r in rotations], n),
        np.array([_SOURCES[r.angle.source] for r in rotations], np.int8),
        np.array([r.angle.index for r in rotations], np.int32),
        np.array([r.angle.scale for r in rotations], np.float64),
        np.array([r.angle.offset for r in rotations], np.float64),
    )  # fmt: skip
    _measure(native, program)
    _start(native, program)
    return native


def _measure(native: Any, program: Program) -> None:
    n = program.n_qubits
    if program.measured is not None:
        images = [program.frame.pull((0, 1 << q)) for q in reversed(program.measured)]
        flips = sum((sign < 0) << k for k, (sign, _) in enumerate(images))
        native.measure_outcomes([reversed_bits(word[1], n) for _, word in images], flips)
        return
    terms = program.terms
    native.measure_terms(
        np.array([t.coefficient for t in terms], np.float64), _masks([t.word[0] for t in terms], n),
        _masks([t.word[1] for t in terms], n), np.array([t.output for t in terms], np.uint32),
    )  # fmt: skip


def _start(native: Any, program: Program) -> None:
    initial = program.initial
    if initial is None:
        return
    if initial.values is not None:
        values = np.array(initial.values, complex)
        native.start_from(np.concatenate([values.real, values.imag]))
    else:
        native.start_from_inputs(initial.real, -1 if initial.imaginary is None else initial.imaginary)


def _masks(masks: list[int], n_qubits: int) -> np.ndarray:
    return np.array([reversed_bits(mask, n_qubits) for mask in masks], np.uint64)
