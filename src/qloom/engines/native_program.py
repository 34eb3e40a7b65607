"""Circuits in the native engine's hands: lowered once, handed over as arrays of masks and angles."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from qloom import _native
from qloom.circuits.circuit import Circuit
from qloom.engines.base import FinalState, Outputs, Probabilities, n_outputs_of
from qloom.engines.batch import check_memory
from qloom.errors import CircuitError
from qloom.programs import Program, lower, lower_states
from qloom.programs.lowering import pull
from qloom.programs.masks import as_index_masks

MOST_QUBITS = 32


@lru_cache(maxsize=128)
def prepared(circuit: Circuit, outputs: Outputs) -> tuple[Program, Any]:
    _check_width(circuit)
    if isinstance(outputs, FinalState):
        program = lower_states(circuit)
        native = _to_native(program, n_outputs_of(outputs))
        native.measure_state(program.frame, sum(a.offset for a in program.phases if a.is_number), outputs.linear)
    elif isinstance(outputs, Probabilities):
        program = lower_states(circuit, outputs.qubits)
        native = _to_native(program, program.n_outputs)
        _measure_outcomes(native, program)
    else:
        program = lower(circuit, outputs)
        native = _to_native(program, program.n_outputs)
        n, terms = program.n_qubits, program.terms
        native.measure_terms(terms.coefficient, as_index_masks(terms.x, n), as_index_masks(terms.z, n), terms.output)
    return program, native


def _check_width(circuit: Circuit) -> None:
    if circuit.n_qubits > MOST_QUBITS:
        check_memory(8 * 2**circuit.n_qubits, f"one state of {circuit.n_qubits} qubits in float32")
        raise CircuitError(f"{circuit.n_qubits} qubits, expected at most {MOST_QUBITS} for state vectors")


def _to_native(program: Program, n_outputs: int) -> Any:
    n, r, first = program.n_qubits, program.rotations, program.starts[:-1]
    native = _native.Program(
        n, program.n_inputs, program.n_weights, n_outputs,
        as_index_masks(r.x[first], n), program.starts.astype(np.uint32),
        as_index_masks(r.z, n), r.source, r.index, r.scale, r.offset,
    )  # fmt: skip
    _start(native, program)
    return native


def _measure_outcomes(native: Any, program: Program) -> None:
    assert program.measured is not None
    signs, _, z = pull(program.frame, [(0, 1 << q) for q in reversed(program.measured)])
    flips = sum(int(sign < 0) << k for k, sign in enumerate(signs))
    native.measure_outcomes(as_index_masks(z, program.n_qubits).tolist(), flips)


def _start(native: Any, program: Program) -> None:
    initial = program.initial
    if initial is None:
        return
    if initial.values is not None:
        values = np.array(initial.values, complex)
        native.start_from(np.concatenate([values.real, values.imag]))
    else:
        native.start_from_inputs(initial.real, -1 if initial.imaginary is None else initial.imaginary)
