"""Circuits in the native engine's hands: lowered once, handed over as arrays of masks and angles."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn

import numpy as np

from qloom import _native
from qloom.circuits.circuit import Circuit
from qloom.engines.batch import check_memory
from qloom.engines.measuring.samplers import OutcomeMap
from qloom.engines.outputs import Outputs
from qloom.engines.statevector.independence import independent_parts
from qloom.engines.statevector.lowering import WIDE as MOST_QUBITS
from qloom.engines.statevector.lowering import lower, lower_parities, lower_states
from qloom.engines.statevector.program import Program
from qloom.engines.statevector.register import Register, n_bits, reached
from qloom.errors import CircuitError
from qloom.programs.masks import as_index_masks, unpack
from qloom.programs.pulling import pull
from qloom.programs.rotations import Terms

Prepared = tuple[Program, Any]
# Larger states are looked at for factors.
_MOST_BITS_AS_ONE = 12


@lru_cache(maxsize=128)
def prepared(circuit: Circuit, outputs: Outputs, most: int = MOST_QUBITS) -> Prepared:
    """A circuit lowered for what is asked for, as Python and as the native side have it.

    Args:
        most: qubits of a state, where whoever runs it has room for others than the native engine.
    """
    return _PREPARED[outputs.kind](circuit, outputs, most)


def _state(circuit: Circuit, outputs: Any, most: int) -> Prepared:
    if circuit.n_qubits > most:
        _refuse(circuit, circuit.n_qubits, "to give the state of", most)
    program = lower_states(circuit)
    native = _Masks(circuit, program, most=most).to_native(program, outputs.size)
    native.measure_state(program.frame, sum(a.offset for a in program.phases if a.is_number), outputs.linear)
    return program, native


def _probabilities(circuit: Circuit, outputs: Any, most: int) -> Prepared:
    program = lower_states(circuit, outputs.qubits)
    return program, native_probabilities(circuit, program, most)


def native_probabilities(circuit: Circuit, program: Program, most: int = MOST_QUBITS) -> Any:
    """A program of outcome probabilities on the native side."""
    masks = _Masks(circuit, program, most=most)
    native = masks.to_native(program, program.n_outputs)
    native.measure_outcomes(*_forms(program, masks))
    return native


def _expectations(circuit: Circuit, outputs: Any, most: int) -> Prepared:
    program = lower(circuit, outputs.observables)
    return program, native_expectations(circuit, program, most)


def native_expectations(circuit: Circuit, program: Program, most: int = MOST_QUBITS) -> Any:
    """A program of expectation values on the native side."""
    masks = _Masks(circuit, program, most=most)
    native = masks.to_native(program, program.n_outputs)
    native.measure_terms(*masks.of_terms(program.terms))
    return native


_PREPARED: dict[str, Callable[[Circuit, Any, int], Prepared]] = {
    "state": _state, "probabilities": _probabilities, "expectations": _expectations,
}  # fmt: skip


class Measured(NamedTuple):
    """A program whose outputs are probabilities of 2^d outcomes, and how those give the measured bits."""

    program: Program
    native: Any
    outcomes: OutcomeMap


@lru_cache(maxsize=128)
def prepared_parities(circuit: Circuit, masks: tuple[int, ...]) -> tuple[Measured, ...]:
    """A circuit lowered for the joint outcomes of Z words, as few as there are; in parts whose bits are summed.

    Where the state would be large and is a product, every factor is a part.
    """
    program = lower_parities(circuit, masks)
    signs, _, _ = pull(program.frame, [(0, mask) for mask in masks])
    flips = (signs < 0).astype(np.uint8)
    splits = circuit.initial is None and n_bits(program) > _MOST_BITS_AS_ONE
    parts = independent_parts(program) if splits else [program]
    return tuple(measured_parities(circuit, part, masks, flips * (part is parts[0])) for part in parts)


def measured_parities(circuit: Circuit, program: Program, masks: tuple[int, ...], flips: np.ndarray) -> Measured:
    """A program on the native side, for the joint outcomes of Z words with these signs, (M,) of zeros and ones."""
    reduced = _Masks(circuit, program, reduced=True)
    _, x, z = pull(program.frame, [(0, mask) for mask in masks])
    forms = reduced.of_words(x, z)[1].tolist()
    span = Register(forms)
    native = reduced.to_native(program, 2**span.rank)
    native.measure_outcomes(span.basis, 0)
    # Bit j of an outcome has the form basis[j]; the most significant one is written first.
    made_of, places = [span.coordinates(form) for form in forms], range(span.rank - 1, -1, -1)
    rows = np.array([[c >> j & 1 for j in places] for c in made_of], np.uint8).reshape(len(masks), span.rank)
    return Measured(program, native, OutcomeMap(rows, flips))


def _refuse(circuit: Circuit, n_bits: int, what: str, most: int) -> NoReturn:
    if most == MOST_QUBITS:  # in the memory of this machine
        check_memory(8 * 2**n_bits, f"{what} {circuit.n_qubits} qubits, a state of {n_bits} in float32,")
    raise CircuitError(f"{what} {circuit.n_qubits} qubits takes a state of {n_bits}, expected at most {most}")


class _Masks:
    """Masks as the native side takes them: qubit 0 the most significant bit of an index.

    Of registers wider than a state can be, those of the part that is reached from |0>.

    Args:
        reduced: of that part also where the register is narrow.
        most: qubits of a state.
    """

    def __init__(self, circuit: Circuit, program: Program, reduced: bool = False, most: int = MOST_QUBITS):
        self.n_qubits, self.register = program.n_qubits, None
        if program.n_qubits <= most and not (reduced and circuit.initial is None):
            return
        if circuit.initial is not None:
            _refuse(circuit, circuit.n_qubits, "to start from amplitudes of", most)
        self.register = reached(program)
        self.n_qubits = max(1, self.register.rank)
        if self.n_qubits > most:
            _refuse(circuit, self.n_qubits, "what is measured of", most)

    def of_words(self, x: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """x and z (R,), and signs (R,)."""
        if self.register is not None:
            return self.register.words(x, z)
        return as_index_masks(x, self.n_qubits), as_index_masks(z, self.n_qubits), np.ones(len(x))

    def of_terms(self, terms: Terms) -> tuple[np.ndarray, ...]:
        kept = np.ones(len(terms.x), bool)
        if self.register is not None:  # words that lead out of what is reached are 0
            kept = np.array([self.register.contains(x) for x in unpack(terms.x)], bool)
        x, z, signs = self.of_words(terms.x[kept], terms.z[kept])
        return signs * terms.coefficient[kept], x, z, terms.output[kept]

    def to_native(self, program: Program, n_outputs: int) -> Any:
        r, first = program.rotations, program.starts[:-1]
        x, z, signs = self.of_words(r.x, r.z)
        native = _native.Program(
            self.n_qubits, program.n_inputs, program.n_weights, n_outputs,
            x[first], program.starts.astype(np.uint32), z, r.source, r.index,
            signs * r.scale, signs * r.offset, signs * program.turns,
        )  # fmt: skip
        _start(native, program)
        return native


def _forms(program: Program, masks: _Masks) -> tuple[list[int], int]:
    """Of the measured qubits, last first: forms of an index whose parities are their bits, and which are flipped."""
    assert program.measured is not None
    signs, x, z = pull(program.frame, [(0, 1 << q) for q in reversed(program.measured)])
    flips = sum(int(sign < 0) << k for k, sign in enumerate(signs))
    return masks.of_words(x, z)[1].tolist(), flips


def _start(native: Any, program: Program) -> None:
    initial = program.initial
    if initial is None:
        return
    if initial.values is not None:
        values = np.array(initial.values, complex)
        native.start_from(np.concatenate([values.real, values.imag]))
    else:
        native.start_from_inputs(initial.real, -1 if initial.imaginary is None else initial.imaginary)
