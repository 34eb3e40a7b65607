"""The circuit: a list of gates on qubits with angle slots, built by methods named after the gates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

import numpy as np

from qloom.circuits.gates import GATES, Gate, Scalar, controlled_gate, find_gate, pauli_rotation_gate
from qloom.circuits.parameters import Angle, as_angle, slot_array
from qloom.circuits.synthesis import diagonal_gate, unitary_gate
from qloom.errors import CircuitError

_NORM_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Operation:
    """One gate on its qubits with its angles."""

    gate: Gate
    qubits: tuple[int, ...]
    angles: tuple[Angle, ...] = ()


@dataclass(frozen=True, slots=True)
class Amplitudes:
    """An initial state given by its 2^n amplitudes: fixed numbers, or inputs from column `real` and `imaginary` on.

    Args:
        real: first input column of the real parts; None for a fixed state.
        imaginary: first input column of the imaginary parts; None for real amplitudes.
        values: the fixed state, one complex number a basis state.
    """

    real: int | None = None
    imaginary: int | None = None
    values: tuple[complex, ...] | None = None

    def shifted(self, n_inputs: int) -> Amplitudes:
        """The same state when n_inputs columns stand before its own."""
        move = lambda column: None if column is None else column + n_inputs  # noqa: E731
        return replace(self, real=move(self.real), imaginary=move(self.imaginary))


class Circuit:
    """A quantum circuit on n qubits, all starting in |0>.

    Gates are methods, angles first and qubits after: ``circuit.rx(0.3, 0).cx(0, 1)``; each returns the circuit.
    Qubit 0 is the leftmost bit of a bit string and the most significant bit of an amplitude index.

    Args:
        n_qubits: n, at least 1.
    """

    def __getattr__(self, name: str) -> Callable[..., Circuit]:
        # Reached only for names that are no gate's: `circuit.rxz` fails with the nearest gate's name.
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            find_gate(name)
        except CircuitError as error:
            raise AttributeError(f"Circuit has no gate or method {name!r}: {error}") from None
        raise AttributeError(name)

    def __init__(self, n_qubits: int):
        self.n_qubits = checked_count("n_qubits", n_qubits)
        self.n_inputs = 0
        self.n_weights = 0
        self.initial: Amplitudes | None = None
        self.operations: list[Operation] = []

    # -- angle slots

    def inputs(self, *shape: int) -> np.ndarray:
        """New input slots, one value per sample each, as an array of the given shape."""
        slots = slot_array("input", self.n_inputs, _checked_shape(shape))
        self.n_inputs += slots.size
        return slots

    def weights(self, *shape: int) -> np.ndarray:
        """New weight slots, trainable and shared by the batch, as an array of the given shape."""
        slots = slot_array("weight", self.n_weights, _checked_shape(shape))
        self.n_weights += slots.size
        return slots

    # -- initial states

    def prepare_basis(self, bits: str | Sequence[int]) -> Circuit:
        """Start in a basis state such as "0101"."""
        known = {"0": 0, "1": 1}
        values = [known.get(str(bit), -1) for bit in bits] if isinstance(bits, Iterable) else []
        if len(values) != self.n_qubits or -1 in values:
            raise CircuitError(f"basis state {bits!r}, expected {self.n_qubits} bits, each 0 or 1")
        self._require_start("prepare_basis")
        for qubit, bit in enumerate(values):
            if bit:
                self.append("x", (), (qubit,))
        return self

    def prepare_product(self, vectors: np.ndarray) -> Circuit:
        """Start in a product of one-qubit states, vectors (n, 2), complex, each of norm 1."""
        try:
            vectors = np.asarray(vectors, dtype=complex)
        except (TypeError, ValueError):
            raise CircuitError(f"product state {str(vectors)[:60]!r}, expected ({self.n_qubits}, 2) numbers") from None
        if vectors.shape != (self.n_qubits, 2):
            raise CircuitError(f"product state has shape {vectors.shape}, expected ({self.n_qubits}, 2)")
        for vector in vectors:
            _check_norm(vector)
        self._require_start("prepare_product")
        for qubit, (a, b) in enumerate(vectors):
            self.append(unitary_gate(np.array([[a, -np.conj(b)], [b, np.conj(a)]])), (), (qubit,))
        return self

    def prepare_amplitudes(self, real: Any, imaginary: Any = None) -> Circuit:
        """Start in a state given by its amplitudes.

        Args:
            real: 2^n input slots, taken in one call to `inputs`, that hold the (real parts of the) amplitudes of each
                sample; or 2^n numbers, complex ones too, for a fixed state.
            imaginary: 2^n further input slots for the imaginary parts.

        Each sample's amplitudes must have norm 1; gradients flow to them.
        """
        self._require_start("prepare_amplitudes")
        real = np.asarray(real)
        if real.dtype != object:
            if imaginary is not None:
                raise CircuitError("amplitudes given as numbers and imaginary too, expected complex numbers alone")
            vector = real.astype(complex)
            if vector.shape != (2**self.n_qubits,):
                raise CircuitError(f"amplitudes have shape {vector.shape}, expected ({2**self.n_qubits},)")
            _check_norm(vector)
            self.initial = Amplitudes(values=tuple(vector.tolist()))
        else:
            first = self._first_column(real)
            second = None if imaginary is None else self._first_column(imaginary)
            if second is not None and abs(first - second) < 2**self.n_qubits:
                raise CircuitError("real and imaginary parts share input slots, expected slots of their own")
            self.initial = Amplitudes(first, second)
        return self

    def _first_column(self, slots: Any) -> int:
        flat = np.asarray(slots, dtype=object).ravel()
        first = flat[0].index if len(flat) and isinstance(flat[0], Angle) else 0
        own = first + len(flat) <= self.n_inputs
        if not own or len(flat) != 2**self.n_qubits or list(flat) != list(slot_array("input", first, (len(flat),))):
            raise CircuitError(
                f"amplitudes need {2**self.n_qubits} consecutive unscaled input slots of this circuit, "
                f"got {len(flat)} slots; use circuit.inputs({2**self.n_qubits})"
            )
        return int(first)

    def _require_start(self, what: str) -> None:
        if self.operations or self.initial is not None:
            raise CircuitError(f"{what} comes after gates or another initial state, expected it first")

    # -- gates

    def append(self, gate: str | Gate, angles: Iterable[Scalar] = (), qubits: Iterable[int] = ()) -> Circuit:
        """Add a gate by name or as a `Gate`; the gate methods call this."""
        if isinstance(gate, str):
            gate = find_gate(gate)
        if not isinstance(gate, Gate):
            raise CircuitError(f"gate {gate!r} is a {type(gate).__name__}, expected a name or a Gate")
        slots, places = tuple(map(as_angle, angles)), _as_tuple(gate.name, qubits)
        if len(slots) != gate.n_angles or len(places) != gate.n_qubits:
            raise CircuitError(
                f"{gate.name} got {len(slots)} angles and {len(places)} qubits, expected {gate.n_angles} and "
                f"{gate.n_qubits}, angles first"
            )
        for angle in slots:
            self._check_slot(angle)
        self.operations.append(Operation(gate, self._checked_qubits(gate.name, places), slots))
        return self

    def pauli_rotation(self, angle: Scalar, letters: str, qubits: Sequence[int]) -> Circuit:
        """exp(-i angle P / 2) for a Pauli word P: ``pauli_rotation(0.3, "XZY", (0, 1, 4))``."""
        return self.append(pauli_rotation_gate(letters), (angle,), qubits)

    def unitary(self, matrix: np.ndarray, qubits: Sequence[int]) -> Circuit:
        """A unitary (2^k, 2^k) matrix on k qubits; `qloom.circuits.synthesis` states the cost."""
        return self.append(unitary_gate(matrix), (), qubits)

    def diagonal(self, phases: np.ndarray, qubits: Sequence[int]) -> Circuit:
        """diag(exp(i phases)) with 2^k phases in radians on k qubits, at up to 2^k - 1 rotations in one pass."""
        return self.append(diagonal_gate(phases), (), qubits)

    def _check_slot(self, angle: Angle) -> None:
        declared = {"number": 1, "input": self.n_inputs, "weight": self.n_weights}[angle.source]
        if angle.index >= declared:
            raise CircuitError(
                f"angle {angle!r} is a slot of another circuit; this one has {declared} {angle.source} slots, "
                f"take more with {angle.source}s(...)"
            )

    def _checked_qubits(self, name: str, qubits: tuple[Any, ...]) -> tuple[int, ...]:
        for qubit in qubits:
            if not isinstance(qubit, int | np.integer) or isinstance(qubit, bool):
                raise CircuitError(f"{name} got qubit {qubit!r}, expected an integer; angles come first, qubits after")
            if not 0 <= qubit < self.n_qubits:
                raise CircuitError(f"{name} got qubit {qubit}, expected 0 to {self.n_qubits - 1}")
        if len(set(qubits)) != len(qubits):
            raise CircuitError(f"{name} got qubits {tuple(map(int, qubits))}, expected different ones")
        return tuple(map(int, qubits))

    # -- circuits from circuits

    def copy(self) -> Circuit:
        """An independent copy."""
        other = Circuit(self.n_qubits)
        other.n_inputs, other.n_weights, other.initial = self.n_inputs, self.n_weights, self.initial
        other.operations = list(self.operations)
        return other

    def compose(self, other: Circuit, qubits: Sequence[int] | None = None) -> Circuit:
        """A new circuit: this one, then `other` on the given qubits (all by default); slots are concatenated."""
        if not isinstance(other, Circuit):
            raise CircuitError(f"cannot compose a circuit with a {type(other).__name__}, expected a Circuit")
        given = _as_tuple("compose", range(other.n_qubits) if qubits is None else qubits)
        if len(given) != other.n_qubits or other.n_qubits > self.n_qubits:
            raise CircuitError(
                f"composed circuit has {other.n_qubits} qubits, put on {len(given)} of {self.n_qubits}; "
                "give one qubit of the first circuit for each of the second"
            )
        out, places = self.copy(), self._checked_qubits("compose", given)
        if other.initial is not None:
            if self.operations or self.initial or places != tuple(range(self.n_qubits)):
                raise CircuitError("the second circuit prepares amplitudes, expected it first in a composition")
            out.initial = other.initial.shifted(self.n_inputs)
        for op in other.operations:
            angles = tuple(angle.shifted(self.n_inputs, self.n_weights) for angle in op.angles)
            out.operations.append(Operation(op.gate, tuple(places[q] for q in op.qubits), angles))
        out.n_inputs += other.n_inputs
        out.n_weights += other.n_weights
        return out

    def __add__(self, other: Circuit) -> Circuit:
        return self.compose(other) if isinstance(other, Circuit) else NotImplemented

    def inverse(self) -> Circuit:
        """The circuit undone: inverse gates in reverse order, same slots."""
        self._require_no_amplitudes("inverse")
        out = self._empty_like()
        for op in reversed(self.operations):
            gate, angles = op.gate.inverted(op.angles)
            out.append(gate, angles, op.qubits)
        return out

    def repeat(self, times: int) -> Circuit:
        """The circuit `times` times over with new weights each time and the same inputs (data re-uploading)."""
        times = checked_count("times", times)
        if times > 1:
            self._require_no_amplitudes("repeat")
        out = self.copy()
        for k in range(1, times):
            for op in self.operations:
                angles = tuple(angle.shifted(0, k * self.n_weights) for angle in op.angles)
                out.operations.append(replace(op, angles=angles))
        out.n_weights = times * self.n_weights
        return out

    def controlled(self) -> Circuit:
        """Every gate controlled by one more qubit, which becomes qubit 0; the others move up by one."""
        self._require_no_amplitudes("controlled")
        out = self._empty_like(self.n_qubits + 1)
        for op in self.operations:
            out.append(controlled_gate(op.gate), op.angles, (0, *(q + 1 for q in op.qubits)))
        return out

    def without_entanglers(self) -> Circuit:
        """The circuit without its gates on two or more qubits, slots kept: separable unless it starts entangled."""
        out = self.copy()
        out.operations = [op for op in self.operations if op.gate.n_qubits == 1]
        return out

    def _empty_like(self, n_qubits: int | None = None) -> Circuit:
        out = Circuit(n_qubits or self.n_qubits)
        out.n_inputs, out.n_weights = self.n_inputs, self.n_weights
        return out

    def _require_no_amplitudes(self, what: str) -> None:
        if self.initial is not None:
            raise CircuitError(
                f"{what} of a circuit that starts from given amplitudes, expected one that starts in |0>"
            )

    # -- what it is

    def counts(self) -> dict[str, int]:
        """Gate name -> how many."""
        return dict(Counter(op.gate.name for op in self.operations))

    def depth(self) -> int:
        """Layers of gates when each starts as soon as its qubits are free."""
        level = [0] * self.n_qubits
        for op in self.operations:
            end = 1 + max(level[q] for q in op.qubits)
            for q in op.qubits:
                level[q] = end
        return max(level)

    def __len__(self) -> int:
        return len(self.operations)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Circuit) and self._content() == other._content()

    def __hash__(self) -> int:
        return hash(self._content())

    def _content(self) -> tuple[Any, ...]:
        return self.n_qubits, self.n_inputs, self.n_weights, self.initial, tuple(self.operations)

    def __reduce__(self) -> Any:
        return Circuit.from_json, (self.to_json(),)

    def __repr__(self) -> str:
        gates = ", ".join(f"{n} {name}" for name, n in self.counts().items()) or "no gates"
        return f"Circuit({self.n_qubits} qubits, {self.n_inputs} inputs, {self.n_weights} weights: {gates})"

    def __str__(self) -> str:
        return self.draw()

    def draw(self, max_width: int = 110) -> str:
        """The circuit as text, one row a qubit."""
        from qloom.circuits.drawing import draw_text

        return draw_text(self, max_width)

    def plot(self, ax: Any = None) -> Any:
        """The circuit as a matplotlib figure; returns the axes."""
        from qloom.circuits.drawing import draw_figure

        return draw_figure(self, ax)

    def to_json(self) -> str:
        """The circuit as versioned JSON text."""
        from qloom.circuits.serialization import circuit_to_json

        return circuit_to_json(self)

    @staticmethod
    def from_json(text: str) -> Circuit:
        """Inverse of `to_json`; ArtifactError for damaged or foreign text."""
        from qloom.circuits.serialization import circuit_from_json

        return circuit_from_json(text)


def _as_tuple(name: str, qubits: Any) -> tuple[Any, ...]:
    if not isinstance(qubits, Iterable):
        raise CircuitError(f"{name} got qubits {qubits!r}, expected a sequence of them such as (0, 1)")
    return tuple(qubits)


def checked_count(name: str, value: Any, least: int = 1) -> int:
    """A number of qubits, features or layers: an integer of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise CircuitError(f"{name}={value!r}, expected an integer of at least {least}")
    return int(value)


def _checked_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    if not all(isinstance(size, int | np.integer) and size >= 0 for size in shape):
        raise CircuitError(f"slot array of shape {shape}, expected integers of at least 0")
    return tuple(int(size) for size in shape)


def _check_norm(vector: np.ndarray) -> None:
    norm = float(np.linalg.norm(vector))
    if not abs(norm - 1) < _NORM_TOLERANCE:
        raise CircuitError(
            f"state {np.round(vector[:4], 6).tolist()} has norm {norm:.6g}, expected 1; divide by its norm"
        )


def _gate_method(gate: Gate) -> Callable[..., Circuit]:
    @wraps(Circuit.append)
    def method(self: Circuit, *angles_and_qubits: Any) -> Circuit:
        if len(angles_and_qubits) != gate.n_angles + gate.n_qubits:
            raise CircuitError(f"{gate.name} takes {_call_text(gate)}, got {len(angles_and_qubits)} arguments")
        return self.append(gate, angles_and_qubits[: gate.n_angles], angles_and_qubits[gate.n_angles :])

    method.__name__ = gate.name
    method.__qualname__ = f"Circuit.{gate.name}"
    method.__doc__ = f"{gate.doc[0].upper()}{gate.doc[1:]}: ``{gate.name}{_call_text(gate)}``."
    return method


def _call_text(gate: Gate) -> str:
    angles = ["angle"] if gate.n_angles == 1 else [f"angle{i}" for i in range(gate.n_angles)]
    qubits = ["qubit"] if gate.n_qubits == 1 else [f"qubit{i}" for i in range(gate.n_qubits)]
    return f"({', '.join(angles + qubits)})"


for _entry in GATES.values():
    setattr(Circuit, _entry.name, _gate_method(_entry))
