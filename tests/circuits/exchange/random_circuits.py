"""Random circuits over every gate of the table, and how two circuits are compared: by matrices, with their phase."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from qloom.circuits import GATES, Circuit, Gate, condition_on, conditional_gate
from qloom.circuits.gates import controlled_gate, pauli_rotation_gate
from qloom.circuits.parameters import Angle
from qloom.circuits.synthesis import diagonal_gate, unitary_gate
from qloom.engines.batch import make_batch
from qloom.engines.outputs import DensityMatrix
from qloom.engines.reference import ReferenceEngine
from tests.circuits.dense import circuit_matrix
from tests.circuits.strategies import random_unitary

UNITARY = [gate for gate in GATES.values() if gate.is_unitary]
TOLERANCE = 1e-10
CLIFFORD = (
    "id", "x", "y", "z", "h", "s", "sdg", "sx", "sxdg", "rx", "ry", "rz", "p", "r", "u2", "u", "rot", "cx", "cy", "cz",
    "dcx", "dcxdg", "swap", "iswap", "ecr", "rxx", "ryy", "rzz", "rzx",
)  # fmt: skip
SEEDS, SLOW_SEEDS = range(300), range(1000, 3000)


def made_gate(random: np.random.Generator, n_qubits: int) -> Gate:
    """A Pauli rotation, unitary, diagonal or controlled gate on at most so many qubits."""
    kind, width = random.integers(4), int(random.integers(1, min(n_qubits, 3) + 1))
    if kind == 0:
        return pauli_rotation_gate("".join(random.choice(list("IXYZ"), width)))
    if kind == 1:
        return unitary_gate(random_unitary(2**width, int(random.integers(2**31))))
    if kind == 2 or n_qubits == 1:
        return diagonal_gate(random.uniform(-4, 4, 2**width))
    return controlled_gate(any_gate(random, n_qubits - 1))


def any_gate(random: np.random.Generator, n_qubits: int) -> Gate:
    if random.random() < 0.3:
        return made_gate(random, n_qubits)
    return random.choice([gate for gate in UNITARY if gate.n_qubits <= n_qubits])  # type: ignore[arg-type]


def any_angle(random: np.random.Generator, slots: list[Angle]) -> Any:
    """A number, some of them multiples of pi/2, or a slot with scale and offset."""
    number = random.choice([random.uniform(-7, 7), random.integers(-5, 6) * np.pi / 2])
    if not slots or random.random() < 0.4:
        return float(number)
    slot = slots[random.integers(len(slots))]
    return random.choice([1.0, -1.0, 0.5, 2.0]) * slot + random.choice([0.0, number])


def random_circuit(seed: int, max_qubits: int = 4, max_gates: int = 8, with_slots: bool = True) -> Circuit:
    """Gates of every kind on 1 to `max_qubits` qubits, with blocks "x" of inputs and "a", "w" of weights."""
    random = np.random.default_rng(seed)
    circuit = Circuit(int(random.integers(1, max_qubits + 1)))
    slots: list[Angle] = []
    if with_slots:
        slots += [circuit.weights(name="a").item(), *circuit.inputs(2, name="x"), *circuit.weights(12, name="w")]
    for _ in range(int(random.integers(1, max_gates + 1))):
        gate = any_gate(random, circuit.n_qubits)
        qubits = random.permutation(circuit.n_qubits)[: gate.n_qubits].tolist()
        circuit.append(gate, [any_angle(random, slots) for _ in range(gate.n_angles)], qubits)
    return circuit


def random_clifford(seed: int, max_qubits: int = 4, max_gates: int = 12) -> Circuit:
    """Gates whose angles are multiples of pi/2, as far as they are Clifford gates then."""
    random = np.random.default_rng(seed)
    circuit = Circuit(int(random.integers(1, max_qubits + 1)))
    for _ in range(int(random.integers(1, max_gates + 1))):
        gate = GATES[random.choice([name for name in CLIFFORD if GATES[name].n_qubits <= circuit.n_qubits])]
        qubits = random.permutation(circuit.n_qubits)[: gate.n_qubits].tolist()
        circuit.append(gate, (random.integers(-5, 6, gate.n_angles) * np.pi / 2).tolist(), qubits)
    return circuit


def random_program(
    seed: int, conditions: str = "any", overwrites: bool = True, resets: bool = True, in_order: bool = False
) -> Circuit:
    """Gates, measurements into bits, resets, and gates under conditions on bits; all bits are measured at the end.

    Args:
        conditions: "any", or "Pauli" for X, Y or Z where one bit is 1.
        overwrites: whether bits may be measured again.
        in_order: whether bits 0, 1, ... are measured in this order, at the end too.
    """
    random = np.random.default_rng(seed)
    circuit, written = Circuit(3), list[int]()
    gates = ["h", "x", "s", "cx", "cz", "y"] + ["rx", "ry", "u", "t", "crx"] * (conditions == "any")
    for _ in range(int(random.integers(4, 10))):
        kind = random.choice(["gate", "gate", "measure", "if", "reset"])
        gate = GATES[random.choice(gates)]
        qubits = random.permutation(3)[: gate.n_qubits].tolist()
        angles = random.uniform(-3, 3, gate.n_angles).tolist()
        if kind == "measure" and len(written) < 3:
            free = [b for b in range(3) if b not in written or overwrites]
            bit = len(written) if in_order else int(random.choice(free))
            circuit.measure(qubits[0], bit)
            written.append(bit)
        elif kind == "reset" and resets:
            circuit.reset(qubits[0])
        elif kind == "if" and written:
            circuit.append(*_under_condition(random, conditions, sorted(set(written)), gate, angles, qubits))
        elif kind == "gate":
            circuit.append(gate, angles, qubits)
    for bit in range(3):
        if bit not in written:
            circuit.measure(bit, bit if not in_order else circuit.n_bits)
    return circuit


def _under_condition(
    random: np.random.Generator, kind: str, bits: list[int], gate: Gate, angles: list[float], qubits: list[int]
) -> tuple[Gate, list[float], list[int]]:
    if kind == "Pauli":
        pauli = GATES[random.choice(["x", "y", "z"])]
        return conditional_gate(pauli, condition_on(int(random.choice(bits)))), [], qubits[:1]
    read = random.permutation(bits)[: random.integers(1, len(bits) + 1)].tolist()
    values = random.permutation(2 ** len(read))[: random.integers(1, 2 ** len(read))].tolist()
    condition = condition_on(read, values, bool(random.integers(2)))
    return conditional_gate(gate, condition), angles, qubits


# -- comparing


def numbers_for(circuit: Circuit, seed: int = 0) -> dict[tuple[str, int], float]:
    """(block, place) -> a number at random for each slot."""
    random = np.random.default_rng(seed)
    return {
        (block.name, k): float(random.normal())
        for slots in (circuit.input_slots, circuit.weight_slots)
        for block in slots
        for k in range(block.size)
    }


def matrix(circuit: Circuit, numbers: dict[tuple[str, int], float] | None = None) -> np.ndarray:
    """The unitary with its phase; slots have their numbers by name."""
    inputs, weights = ([], []) if numbers is None else _flat(circuit, numbers)
    return circuit_matrix(circuit, inputs, weights)


def _flat(circuit: Circuit, numbers: dict[tuple[str, int], float]) -> list[list[float]]:
    return [
        [numbers[block.name, k] for block in slots for k in range(block.size)]
        for slots in (circuit.input_slots, circuit.weight_slots)
    ]


def check_round_trips(
    there: Callable[[Circuit], Any],
    back: Callable[[Any, list[str], Circuit], Circuit],
    theirs: Callable[[Any, dict[tuple[str, int], float], int], np.ndarray],
    seeds: Iterable[int],
) -> None:
    """Ours -> theirs -> ours, and theirs by the package's own matrix, with phases.

    Args:
        back: foreign circuit, names of inputs that occur in it, the circuit that was written -> circuit.
        theirs: foreign circuit, numbers by name, n -> matrix (2^n, 2^n), qubit 0 the most significant bit.
    """
    for seed in seeds:
        circuit = random_circuit(seed)
        numbers = numbers_for(circuit, seed)
        foreign = there(circuit)
        used = {angle.index for op in circuit.operations for angle in op.angles if angle.source == "input"}
        again = back(foreign, ["x"] if used else [], circuit)
        expected = matrix(circuit, numbers)
        off = np.abs(theirs(foreign, numbers, circuit.n_qubits) - expected).max()
        assert off < TOLERANCE, f"seed {seed}: the foreign circuit is off by {off:.3g}"
        off = np.abs(matrix(again, numbers) - expected).max()
        assert off < TOLERANCE, f"seed {seed}: what comes back is off by {off:.3g}"


def density(circuit: Circuit) -> np.ndarray:
    """The density matrix (2^n, 2^n) of a noisy circuit, by the dense reference."""
    evaluator = ReferenceEngine().prepare(circuit, DensityMatrix(circuit.n_qubits))
    return evaluator.values(make_batch(circuit))[0].view(complex).reshape(2 * (2**circuit.n_qubits,))


def same_distribution(a: dict[str, float], b: dict[str, float], tolerance: float = TOLERANCE) -> bool:
    return all(abs(a.get(key, 0.0) - b.get(key, 0.0)) < tolerance for key in {*a, *b})


def reordered(found: dict[str, float], order: list[int]) -> dict[str, float]:
    """Probabilities of some of the bits, in this order."""
    out: dict[str, float] = {}
    for bits, p in found.items():
        key = "".join(bits[k] for k in order)
        out[key] = out.get(key, 0.0) + p
    return out


def is_farther_than_chance(counts: dict[str, int], expected: dict[str, float], sigmas: float = 5.5) -> bool:
    """Whether a count is off by more than so many standard deviations (at 5.5, one alarm in 2e7 counts), or more than
    one where none is expected."""
    shots = sum(counts.values())
    for key in {*counts, *expected}:
        p = expected.get(key, 0.0)
        if abs(counts.get(key, 0) - shots * p) > sigmas * np.sqrt(shots * p * (1 - p)) + 1:
            return True
    return False
