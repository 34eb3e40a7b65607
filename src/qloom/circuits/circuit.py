"""The circuit: a list of gates on qubits with angle slots, built by methods named after the gates."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from inspect import Parameter, Signature
from types import MethodType
from typing import Any

import numpy as np

from qloom.checks import as_tuple, checked_count, checked_places, is_integer
from qloom.circuits import composition, preparation
from qloom.circuits.channels import confusion_gate, depolarizing_gate, kraus_gate, pauli_channel_gate
from qloom.circuits.conditions import bits_read, bits_written, condition_on, conditional_gate, measured_gate
from qloom.circuits.gate import Gate, Scalar
from qloom.circuits.gates import GATES, find_gate, pauli_rotation_gate
from qloom.circuits.operations import Amplitudes, Operation
from qloom.circuits.parameters import Angle, as_angle
from qloom.circuits.slots import Slots
from qloom.circuits.synthesis import diagonal_gate, unitary_gate
from qloom.errors import CircuitError


class HashedContent:
    """The content hashed last and its hash, for a circuit and its copies.

    Engines look prepared circuits up at every call. Their content mostly is the very objects that were hashed last,
    which compare at once, while hashing goes through every angle.
    """

    def __init__(self) -> None:
        self._last: tuple[tuple[Any, ...], int] = ((), 0)

    def hash_of(self, content: tuple[Any, ...]) -> int:
        last, known = self._last
        if last != content:
            known = hash(content)
            self._last = content, known
        return known


class Circuit:
    """A quantum circuit on n qubits, all starting in |0>.

    Gates are methods, angles first and qubits after: ``circuit.rx(0.3, 0).cx(0, 1)``; each returns the circuit.
    Qubit 0 is the leftmost bit of a bit string and the most significant bit of an amplitude index.

    Args:
        n_qubits: n, at least 1.

    Attributes:
        input_slots, weight_slots: the blocks that were declared, with their names and shapes.
        initial: the state it starts in, where that is given by amplitudes.
        operations: gates on qubits with angles, first to last.
        n_bits: classical bits that measurements write and conditions read, all 0 at first.

    Raises:
        CircuitError: for an `n_qubits` that is no integer from 1 on; by gate methods, for angles, qubits or rates that
            do not fit.
    """

    def __getattr__(self, name: str) -> Callable[..., Circuit]:
        # Reached for gates entered into the table later, and names of none: `circuit.rxz` fails with the nearest one.
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            gate = find_gate(name)
        except CircuitError as error:
            raise AttributeError(f"Circuit has no gate or method {name!r}: {error}") from None
        return MethodType(_gate_method(gate), self)

    def __init__(self, n_qubits: int):
        self.n_qubits = checked_count("n_qubits", n_qubits)
        self.input_slots, self.weight_slots = Slots("input"), Slots("weight")
        self.initial: Amplitudes | None = None
        self.operations: list[Operation] = []
        self.n_bits = 0
        self._hashed = HashedContent()

    # -- angle slots

    def inputs(self, *shape: int, name: str | None = None) -> np.ndarray:
        """New input slots, one value per sample each, as an array of the given shape; () makes a single one.

        Args:
            name: of the block, as inputs are given by; None for "inputs", or the next of that name that is free.

        Raises:
            CircuitError: for a name that is there already, or is no identifier.
        """
        return self.input_slots.declare(shape, name)

    def weights(self, *shape: int, name: str | None = None) -> np.ndarray:
        """New weight slots, trainable and shared by the batch, as an array of the given shape; () makes a single one.

        Args:
            name: of the block, as weights are given by; None for "weights", or the next of that name that is free.

        Raises:
            CircuitError: for a name that is there already, or is no identifier.
        """
        return self.weight_slots.declare(shape, name)

    @property
    def n_inputs(self) -> int:
        """I, how many input slots there are."""
        return self.input_slots.count

    @property
    def n_weights(self) -> int:
        """W, how many weight slots there are."""
        return self.weight_slots.count

    # -- initial states

    prepare_basis = preparation.prepare_basis
    prepare_product = preparation.prepare_product
    prepare_amplitudes = preparation.prepare_amplitudes

    # -- gates

    def append(self, gate: str | Gate, angles: Iterable[Scalar] = (), qubits: Iterable[int] = ()) -> Circuit:
        """Add a gate by name or as a `Gate`; the gate methods call this.

        Args:
            angles: radians, or rates of a channel: numbers or slots of this circuit.
            qubits: different ones, in the order that the gate takes.

        Raises:
            CircuitError: for an unknown gate, or angles, qubits or rates that do not fit.
        """
        if isinstance(gate, str):
            gate = find_gate(gate)
        if not isinstance(gate, Gate):
            raise CircuitError(f"gate {gate!r} is a {type(gate).__name__}, expected a name or a Gate")
        slots, places = tuple(map(as_angle, angles)), as_tuple(gate.name, qubits)
        if len(slots) != gate.n_angles or len(places) != gate.n_qubits:
            raise CircuitError(
                f"{gate.name} got {len(slots)} angles and {len(places)} qubits, expected {gate.n_angles} and "
                f"{gate.n_qubits}, angles first"
            )
        for angle in slots:
            self._check_slot(angle)
        self._check_bits(gate)
        if gate.rates and all(angle.is_number for angle in slots):
            fault = gate.fault(*(angle.offset for angle in slots))
            if fault:
                raise CircuitError(f"{gate.name}: {fault}")
        self.operations.append(Operation(gate, checked_places(gate.name, places, self.n_qubits), slots))
        return self

    def pauli_rotation(self, angle: Scalar, letters: str, qubits: Sequence[int]) -> Circuit:
        """exp(-i angle P / 2) for a Pauli word P: ``pauli_rotation(0.3, "XZY", (0, 1, 4))``.

        Raises:
            CircuitError: for letters other than I, X, Y, Z, or not one for each qubit.
        """
        return self.append(pauli_rotation_gate(letters), (angle,), qubits)

    def unitary(self, matrix: np.ndarray, qubits: Sequence[int]) -> Circuit:
        """A unitary (2^k, 2^k) matrix on k qubits, the first of them the most significant bit.

        It becomes up to 3, 18, 84, 360 rotations for k = 1 to 4.

        Raises:
            CircuitError: for a matrix of another shape, or one that is not unitary to 1e-6.

        Source: Shende, Bullock, Markov 2006, IEEE TCAD 25, 1000 (quantum Shannon decomposition).
        """
        return self.append(unitary_gate(matrix), (), qubits)

    def diagonal(self, phases: np.ndarray, qubits: Sequence[int]) -> Circuit:
        """diag(exp(i phases)) with 2^k phases in radians on k qubits, at up to 2^k - 1 rotations in one pass.

        Raises:
            CircuitError: for phases of another shape, NaN or infinity.
        """
        return self.append(diagonal_gate(phases), (), qubits)

    # -- channels that gate methods do not fit

    def depolarizing(self, p: Scalar, *qubits: int) -> Circuit:
        """With probability p one of the words but the identity on these qubits together, all alike.

        Args:
            p: probability that an error happens; the share of the fully mixed state is p 4^k / (4^k - 1).
            qubits: k of them, from 1 to 6.

        Raises:
            CircuitError: for a p that is no probability, or other numbers of qubits.
        """
        return self.append(depolarizing_gate(len(qubits)), (p,), qubits)

    def pauli_channel(self, probabilities: Iterable[Scalar], qubits: int | Sequence[int]) -> Circuit:
        """Words at random: probabilities of X, Y, Z on a qubit, or of IX, IY, IZ, XI, ... ZZ on two.

        Args:
            probabilities: 3 or 15 numbers or slots.
            qubits: one or two.

        Raises:
            CircuitError: for probabilities of a sum above 1, or of other numbers, and for more qubits.
        """
        places = (qubits,) if is_integer(qubits) else as_tuple("pauli_channel", qubits)
        if not isinstance(probabilities, Iterable):
            raise CircuitError(
                f"pauli_channel got {probabilities!r}, expected a probability of each word but the identity, such as "
                "(0.01, 0.01, 0.02)"
            )
        return self.append(pauli_channel_gate(len(places)), probabilities, places)

    def kraus(self, operators: Sequence[np.ndarray], qubits: int | Sequence[int]) -> Circuit:
        """A channel by its Kraus operators (K, 2^k, 2^k), which must preserve the trace.

        Raises:
            CircuitError: for operators of another shape, on more than 4 qubits, or that do not preserve the trace.
        """
        return self.append(kraus_gate(operators), (), (qubits,) if is_integer(qubits) else as_tuple("kraus", qubits))

    def confusion(self, matrix: np.ndarray, qubits: Sequence[int]) -> Circuit:
        """A joint readout error: probabilities (2^k, 2^k) of measured outcomes (rows) by true ones (columns).

        Raises:
            CircuitError: for a matrix of another shape, or columns that are no probabilities.
        """
        return self.append(confusion_gate(matrix), (), as_tuple("confusion", qubits))

    # -- classical bits

    def bits(self, count: int) -> range:
        """So many new classical bits, 0 until a measurement writes them: their numbers."""
        first, self.n_bits = self.n_bits, self.n_bits + checked_count("bits", count)
        return range(first, self.n_bits)

    def measure(self, qubit: int, bit: int | None = None) -> Circuit:
        """Measurement of a qubit in the course of a circuit, as 0 or 1: into a classical bit, where one is given."""
        return self.append("measure" if bit is None else measured_gate(bit), (), (qubit,))

    def when(
        self, bits: int | Iterable[int], values: int | Iterable[int], part: Circuit, negated: bool = False
    ) -> Circuit:
        """Apply a circuit's gates where bits, read as a number with the first the lowest, have one of the values.

        Args:
            bits: written before.
            values: numbers; with `negated` all others.
            part: of as many qubits, without slots of its own.

        Raises:
            CircuitError: for bits that there are not, or values that they cannot have.
        """
        condition = condition_on(bits, values, negated)
        for op in part.operations:
            self.append(conditional_gate(op.gate, condition), op.angles, op.qubits)
        return self

    def _check_bits(self, gate: Gate) -> None:
        missing = [bit for bit in bits_read(gate) if bit >= self.n_bits]
        if missing:
            raise CircuitError(
                f"a condition reads bit {missing[0]}, the circuit has {self.n_bits}; measure into it before, or take "
                "more with bits(...)"
            )
        self.n_bits = max([self.n_bits, *(bit + 1 for bit in bits_written(gate))])

    def _check_slot(self, angle: Angle) -> None:
        if angle.source == "number":
            return
        declared = (self.input_slots if angle.source == "input" else self.weight_slots).count
        if angle.index >= declared:
            raise CircuitError(
                f"angle {angle!r} is a slot of another circuit; this one has {declared} {angle.source} slots, "
                f"take more with {angle.source}s(...)"
            )

    # -- circuits from circuits

    def copy(self) -> Circuit:
        """An independent copy."""
        other = Circuit.__new__(Circuit)
        other.n_qubits = self.n_qubits
        other.input_slots, other.weight_slots = self.input_slots.copy(), self.weight_slots.copy()
        other.initial, other.n_bits = self.initial, self.n_bits
        other.operations = list(self.operations)
        other._hashed = self._hashed
        return other

    compose = composition.compose
    place = composition.place
    inverse = composition.inverse
    repeat = composition.repeat
    controlled = composition.controlled
    components = composition.components
    without_entanglers = composition.without_entanglers

    def __add__(self, other: Circuit) -> Circuit:
        return self.compose(other) if isinstance(other, Circuit) else NotImplemented

    # -- what it is

    @property
    def is_unitary(self) -> bool:
        """Whether all its gates are: no channel, measurement or reset among them."""
        return all(op.gate.kind == "unitary" for op in self.operations)

    def gate_counts(self) -> dict[str, int]:
        """Gate name -> how many."""
        return dict(Counter(op.gate.name for op in self.operations))

    def counts(self) -> dict[str, int]:
        """Former name of `gate_counts`; `qloom.counts` counts measured bit strings."""
        warnings.warn(
            "Circuit.counts() is now gate_counts(); ql.counts counts outcomes", DeprecationWarning, stacklevel=2
        )
        return self.gate_counts()

    def depth(self) -> int:
        """Layers of gates when each starts as soon as its qubits are free."""
        level, written = [0] * self.n_qubits, [0] * self.n_bits
        for op in self.operations:
            bits = (*bits_read(op.gate), *bits_written(op.gate))
            end = 1 + max([*(level[q] for q in op.qubits), *(written[bit] for bit in bits)], default=0)
            for q in op.qubits:
                level[q] = end
            for bit in bits:
                written[bit] = end
        return max(level)

    def __len__(self) -> int:
        return len(self.operations)

    # Names and shapes of slots are what callers say; circuits that do the same to the same flat arrays are equal.
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Circuit) and self._content() == other._content()

    def __hash__(self) -> int:
        return self._hashed.hash_of(self._content())

    def _content(self) -> tuple[Any, ...]:
        return self.n_qubits, self.n_bits, self.n_inputs, self.n_weights, self.initial, tuple(self.operations)

    def __reduce__(self) -> Any:
        return Circuit.from_json, (self.to_json(),)

    def __repr__(self) -> str:
        gates = ", ".join(f"{n} {name}" for name, n in self.gate_counts().items()) or "no gates"
        return f"Circuit({self.n_qubits} qubits, {self.n_inputs} inputs, {self.n_weights} weights: {gates})"

    def __str__(self) -> str:
        return self.draw()

    def draw(self, max_width: int = 110) -> str:
        """The circuit as text, one row a qubit, folded into blocks of at most `max_width` characters.

        Raises:
            CircuitError: if `max_width` is below 20.
        """
        from qloom.circuits.drawing import draw_text

        return draw_text(self, max_width)

    def plot(self, ax: Any = None) -> Any:
        """The circuit drawn with matplotlib, into given axes or a new figure; returns the axes."""
        from qloom.circuits.drawing import draw_figure

        return draw_figure(self, ax)

    def to_json(self) -> str:
        """The circuit as versioned JSON text."""
        from qloom.circuits.serialization import circuit_to_json

        return circuit_to_json(self)

    def to_qasm(self, version: int = 3, dialect: str | None = None) -> str:
        """The circuit as OpenQASM text, version 2 or 3; dialects and errors as of `qloom.circuits.qasm.to_qasm`."""
        from qloom.circuits.qasm import to_qasm

        return to_qasm(self, version, dialect)

    @staticmethod
    def from_json(text: str) -> Circuit:
        """Inverse of `to_json`; ArtifactError for damaged or foreign text."""
        from qloom.circuits.serialization import circuit_from_json

        return circuit_from_json(text)


def _gate_method(gate: Gate) -> Callable[..., Circuit]:
    def method(self: Circuit, *angles_and_qubits: Any) -> Circuit:
        if len(angles_and_qubits) != gate.n_angles + gate.n_qubits:
            raise CircuitError(f"{gate.name} takes {_call_text(gate)}, got {len(angles_and_qubits)} arguments")
        return self.append(gate, angles_and_qubits[: gate.n_angles], angles_and_qubits[gate.n_angles :])

    method.__name__ = gate.name
    method.__qualname__ = f"Circuit.{gate.name}"
    names = ("self", *_argument_names(gate))
    parameters = [Parameter(name, Parameter.POSITIONAL_ONLY) for name in names]
    method.__signature__ = Signature(parameters, return_annotation="Circuit")  # type: ignore[attr-defined]
    method.__doc__ = f"{gate.doc[0].upper()}{gate.doc[1:]}: ``{gate.name}{_call_text(gate)}``."
    return method


def _call_text(gate: Gate) -> str:
    return f"({', '.join(_argument_names(gate))})"


def _argument_names(gate: Gate) -> list[str]:
    """Angles, which are rates with names in a channel, then qubits; numbered where there are several."""
    rates = [re.sub(r"\W+", "_", rate.name) for rate in gate.rates]
    return [*(rates or _numbered("angle", gate.n_angles)), *_numbered("qubit", gate.n_qubits)]


def _numbered(name: str, count: int) -> list[str]:
    return [name] if count == 1 else [f"{name}{i}" for i in range(count)]


for _entry in GATES.values():
    if _entry.name not in Circuit.__dict__:  # methods that take qubits in a way of their own stand above
        setattr(Circuit, _entry.name, _gate_method(_entry))
