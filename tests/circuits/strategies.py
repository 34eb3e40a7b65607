"""Hypothesis strategies: random circuits over every gate of the table and every kind of made gate."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from qloom.circuits import GATES, Angle, Circuit, Gate
from qloom.circuits.gates import controlled_gate, pauli_rotation_gate
from qloom.circuits.synthesis import diagonal_gate, unitary_gate

_radians = st.floats(-7, 7, allow_nan=False).map(lambda a: round(a, 6))
_quarter_turns = st.integers(-5, 5).map(lambda k: k * np.pi / 2)
_seeds = st.integers(0, 2**32 - 1)

numbers = st.one_of(_radians, _quarter_turns).map(lambda a: Angle("number", 0, 0.0, float(a)))
"""Constant angles, among them the multiples of pi/2 that lowering takes for Clifford gates."""


@st.composite
def angles(draw: st.DrawFn, slots: list[Angle]) -> Angle:
    """A number or one of the slots, bare or with scale and offset."""
    if not slots or draw(st.integers(0, 3)) == 0:
        return draw(numbers)
    slot = draw(st.sampled_from(slots))
    if draw(st.booleans()):
        return slot
    scale, offset = (
        draw(st.sampled_from((-1.0, 0.5, 2.0, -1.25))),
        draw(st.sampled_from((0.0, 0.3, np.pi / 2))),
    )
    return scale * slot + offset


def random_unitary(size: int, seed: int) -> np.ndarray:
    """A Haar random unitary (size, size)."""
    rng = np.random.default_rng(seed)
    q, r = np.linalg.qr(rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size)))
    return q * (np.diag(r) / abs(np.diag(r)))


def random_state(size: int, seed: int) -> np.ndarray:
    """A complex vector (size,) of norm 1."""
    return random_unitary(size, seed)[:, 0]


@st.composite
def unitaries(draw: st.DrawFn, n_qubits: int) -> np.ndarray:
    """A unitary matrix (2^k, 2^k): Haar random, a permutation or the identity."""
    size, seed = 2**n_qubits, draw(_seeds)
    kind = draw(st.sampled_from(("haar", "haar", "permutation", "identity")))
    if kind == "haar":
        return random_unitary(size, seed)
    order = np.random.default_rng(seed).permutation(size) if kind == "permutation" else np.arange(size)
    return np.eye(size)[order].astype(complex)


@st.composite
def made_gates(draw: st.DrawFn, n_qubits: int) -> Gate:
    """A Pauli rotation, unitary, diagonal or controlled gate on at most n_qubits qubits."""
    kinds = ["pauli_rotation", "unitary", "diagonal"] + ["controlled"] * (n_qubits > 1)
    kind = draw(st.sampled_from(kinds))
    if kind == "controlled":
        return controlled_gate(draw(gates(n_qubits - 1)))
    if kind == "pauli_rotation":
        return pauli_rotation_gate(draw(st.text("IXYZ", min_size=1, max_size=n_qubits)))
    if kind == "unitary":
        return unitary_gate(draw(unitaries(draw(st.integers(1, min(n_qubits, 3))))))
    size = 2 ** draw(st.integers(1, min(n_qubits, 3)))
    return diagonal_gate(np.random.default_rng(draw(_seeds)).uniform(-4, 4, size))


def gates(n_qubits: int) -> st.SearchStrategy[Gate]:
    """Any gate on at most n_qubits qubits: one of the table of any width, or one made on the fly."""
    widths = [
        [gate for gate in GATES.values() if gate.n_qubits == k and gate.is_unitary] for k in range(1, n_qubits + 1)
    ]
    table = [st.sampled_from(entries) for entries in reversed(widths) if entries]
    return st.one_of(*table, made_gates(n_qubits))


@st.composite
def circuits(draw: st.DrawFn, max_qubits: int = 4, max_gates: int = 12, amplitudes: bool = False) -> Circuit:
    """A circuit over every gate, with inputs, weights and numbers as angles.

    Args:
        max_qubits: n is 1 to this.
        max_gates: 0 to this many gates.
        amplitudes: whether it may also start from given amplitudes, fixed ones or input columns (to which
            `random_values` gives norm 1).
    """
    circuit = Circuit(draw(st.integers(1, max_qubits)))
    slots = [*circuit.inputs(draw(st.integers(0, 2)))]
    if amplitudes:
        _start(circuit, draw(st.sampled_from(("zero", "fixed", "real", "complex"))), draw(_seeds))
    slots += [*circuit.inputs(draw(st.integers(0, 2))), *circuit.weights(draw(st.integers(0, 4)))]
    for _ in range(draw(st.integers(0, max_gates))):
        gate = draw(gates(circuit.n_qubits))
        qubits = draw(st.permutations(range(circuit.n_qubits)))[: gate.n_qubits]
        circuit.append(gate, [draw(angles(slots)) for _ in range(gate.n_angles)], qubits)
    return circuit


def _start(circuit: Circuit, kind: str, seed: int) -> None:
    size = 2**circuit.n_qubits
    if kind == "fixed":
        circuit.prepare_amplitudes(random_state(size, seed))
    elif kind == "real":
        circuit.prepare_amplitudes(circuit.inputs(size))
    elif kind == "complex":
        circuit.prepare_amplitudes(circuit.inputs(size), circuit.inputs(size))


def random_values(circuit: Circuit, n_samples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (B, I) and weights (W,) for a circuit, normal numbers; amplitude columns have norm 1."""
    rng = np.random.default_rng(seed)
    inputs, weights = rng.normal(size=(n_samples, circuit.n_inputs)), rng.normal(size=circuit.n_weights)
    columns = amplitude_columns(circuit)
    inputs[:, columns] /= np.linalg.norm(inputs[:, columns], axis=1, keepdims=True) if columns else 1.0
    return inputs, weights


def amplitude_columns(circuit: Circuit) -> list[int]:
    """The input columns that hold initial amplitudes."""
    firsts = (circuit.initial.real, circuit.initial.imaginary) if circuit.initial else ()
    return [first + j for first in firsts if first is not None for j in range(2**circuit.n_qubits)]
