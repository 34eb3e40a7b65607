"""What the classical bits of a circuit are at its end: exactly, or by counts.

Measurements that nothing follows are read from the probabilities of one state. Any other, a reset, and a gate under a
condition part the state in branches, each with its bits and its probability: exact up to a bound of branches; by counts
shots are dealt out to the branches, so that there are never more of those than shots.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from qloom.circuits.circuit import Amplitudes, Circuit, Operation
from qloom.circuits.conditions import Condition, bits_read, bits_written, without_conditions
from qloom.engines.base import Engine, check_engine
from qloom.engines.batch import Batch, available_memory, check_memory, make_batch
from qloom.engines.measuring.shots import checked_shots
from qloom.engines.outputs import Probabilities, marginals
from qloom.engines.statevector import StatevectorEngine
from qloom.engines.streams import Stream
from qloom.errors import CircuitError, MemoryLimitError, UnsupportedError

# Branches that are followed exactly.
MOST_BRANCHES = 1 << 12
# Outcomes of smaller probability, and branches of smaller weight, are none.
LEAST_PROBABILITY = 1e-14
# From so many branches on those that are in one state with equal bits are looked for.
MANY_BRANCHES = 16
# Of an amplitude of a branch, with what a step needs beside it.
_BRANCH_BYTES = 64


def distribution(
    circuit: Circuit, inputs: Any = None, weights: Any = None, *, engine: Engine | None = None
) -> dict[str, float] | list[dict[str, float]]:
    """Probabilities of the classical bits at the end, exactly: by bit strings, bit 0 leftmost.

    Args:
        circuit: measures into classical bits.
        engine: of what stands before measurements that nothing follows; None for StatevectorEngine(). Measurements in
            the course of a circuit, resets and conditions part its state, which takes a state vector.

    Shapes: inputs (B, I) or (I,), weights (W,) or (B, W) -> a dictionary, or a list of B with a batch dimension.

    Raises:
        CircuitError: for a circuit without classical bits.
        UnsupportedError: for channels beside measurements that something follows.
        MemoryLimitError: for more branches than are followed; `qloom.counts` deals shots out to them.
    """
    _check_bits(circuit)
    if engine is not None:
        check_engine(engine)
    batch = make_batch(circuit, inputs, weights)
    plan = _Plan(circuit)
    found = []
    for row in range(batch.size):
        table: defaultdict[int, float] = defaultdict(float)
        for bits, probabilities in plan.outcomes(batch.rows(np.array([row])), _Exact(), engine):
            for outcome in np.flatnonzero(probabilities > LEAST_PROBABILITY).tolist():
                table[plan.written(bits, outcome)] += float(probabilities[outcome])
        found.append({_text(bits, circuit.n_bits): p for bits, p in sorted(table.items(), key=_in_order)})
    return found[0] if batch.single else found


def bit_counts(
    circuit: Circuit, shots: int, batch: Batch, seed: int | None, engine: Engine | None = None
) -> list[dict[str, int]]:
    """How often the classical bits were what, by bit strings, of every sample."""
    shots, plan, stream = checked_shots(shots), _Plan(circuit), Stream(seed)
    if plan.is_static and (engine is not None or plan.rest.is_unitary):
        return [counted(bits) for bits in plan.sampled(batch, shots, stream, engine)]
    out = []
    for row in range(batch.size):
        random, table = stream.generator(), Counter[int]()
        for bits, probabilities in plan.outcomes(batch.rows(np.array([row])), _Drawn(shots, random), engine):
            for outcome in np.flatnonzero(probabilities).tolist():
                table[plan.written(bits, outcome)] += int(probabilities[outcome])
        out.append({_text(bits, circuit.n_bits): n for bits, n in sorted(table.items(), key=_in_order)})
    return out


def _check_bits(circuit: Circuit) -> None:
    if not isinstance(circuit, Circuit):
        raise CircuitError(f"circuit is a {type(circuit).__name__}, expected a Circuit")
    if not circuit.n_bits:
        raise CircuitError(
            f"{circuit!r} has no classical bits, expected measure(qubit, bit); qloom.probabilities gives those of "
            "qubits"
        )


def _text(bits: int, n_bits: int) -> str:
    return "".join(str(bits >> bit & 1) for bit in range(n_bits))


def _in_order(item: tuple[int, Any]) -> str:
    return f"{item[0]:b}"[::-1]


def counted(bits: np.ndarray) -> dict[str, int]:
    """How often each row of bits (shots, k) occurs, by its string, in order."""
    n_bits = bits.shape[1]
    packed = np.ascontiguousarray(np.packbits(bits, axis=1))
    rows, times = np.unique(packed.view(f"V{packed.shape[1]}").ravel(), return_counts=True)
    found = np.unpackbits(rows.view(np.uint8).reshape(len(rows), -1), axis=1, count=n_bits) + ord("0")
    names = np.ascontiguousarray(found).view(f"S{n_bits}").ravel()
    return {name.decode(): int(t) for name, t in zip(names, times, strict=True)}


def _bound(circuit: Circuit, sample: Batch) -> list[Operation]:
    """Operations with the numbers of a sample for their slots."""
    gates, out = circuit.copy(), Circuit(circuit.n_qubits)
    gates.initial = None  # which is no slot of a gate
    out.n_bits = circuit.n_bits
    weights = sample.weights.reshape(-1).tolist()
    return out.place(gates, range(circuit.n_qubits), weights, sample.inputs[0].tolist()).operations


class _Plan:
    """Which measurements are read at the end: those that nothing on their qubits or bits follows."""

    def __init__(self, circuit: Circuit):
        self.circuit = circuit
        self.last: dict[int, int] = {}  # bit -> qubit
        self.others: list[int] = []  # numbers of operations that are no such measurement
        qubits, bits = set[int](), set[int]()
        for number in reversed(range(len(circuit.operations))):
            op = circuit.operations[number]
            written, read = bits_written(op.gate), bits_read(op.gate)
            if op.gate.kind == "measurement" and written and op.qubits[0] not in qubits and written[0] not in bits:
                self.last[written[0]] = op.qubits[0]
            else:
                self.others.append(number)
                qubits.update(op.qubits)
            bits.update(written, read)
        self.others.reverse()
        self.qubits = tuple(dict.fromkeys(self.last.values()))

    @property
    def is_static(self) -> bool:
        """Whether nothing else is measured, and nothing under a condition."""
        kinds = {self.circuit.operations[k].gate.kind for k in self.others}
        written = any(bits_written(self.circuit.operations[k].gate) for k in self.others)
        return not written and "conditional" not in kinds

    @property
    def rest(self) -> Circuit:
        """The circuit without the measurements that are read at the end."""
        out = self.circuit.copy()
        out.operations = [self.circuit.operations[k] for k in self.others]
        return out

    def written(self, bits: int, outcome: int) -> int:
        """Bits, when the measured qubits have given an outcome, the first the most significant."""
        for bit, qubit in self.last.items():
            one = outcome >> len(self.qubits) - 1 - self.qubits.index(qubit) & 1
            bits = bits & ~(1 << bit) | one << bit
        return bits

    def outcomes(
        self, sample: Batch, dealing: _Exact | _Drawn, engine: Engine | None
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Bits of a branch, and probabilities, or shots, of outcomes of the qubits that are measured at the end."""
        rest = self.rest
        kinds = {op.gate.kind for op in rest.operations}
        if self.is_static and (engine is not None or not kinds & {"measurement", "reset"}):
            evaluator = (engine or StatevectorEngine()).prepare(rest, Probabilities(self.qubits or (0,)))
            found = evaluator.values(sample)[0].astype(np.float64)
            yield 0, dealing.over(found if self.qubits else np.ones(1), dealing.all)
            return
        if kinds - {"unitary", "measurement", "reset", "conditional"}:
            raise UnsupportedError(
                "the circuit has channels beside measurements, resets or conditions that something follows, whose "
                "states are followed one by one; take the noise out, or measure at the end alone"
            )
        branches = _Branches(rest, dealing)
        for op in _bound(rest, sample):
            branches.apply(op)
        branches.finish_gates()
        for bits, share, state in branches:
            table = np.abs(state) ** 2
            n = rest.n_qubits
            found = marginals(table, n, self.qubits).ravel() if self.qubits else np.ones(1)
            yield bits, dealing.over(found / found.sum(), share)

    def sampled(self, batch: Batch, shots: int, stream: Stream, engine: Engine | None) -> np.ndarray:
        """Bits (B, shots, n_bits) of a circuit whose measurements all stand at the end."""
        check_memory(batch.size * shots * (24 + self.circuit.n_bits), f"{batch.size} x {shots} samples")
        out = np.zeros((batch.size, shots, self.circuit.n_bits), np.uint8)
        if self.qubits:
            drawn = (engine or StatevectorEngine()).sampler(self.rest, self.qubits).draw(batch, shots, stream)
            for bit, qubit in self.last.items():
                out[..., bit] = drawn[..., self.qubits.index(qubit)]
        return out


class _Exact:
    """Probabilities."""

    all: float = 1.0

    def over(self, probabilities: np.ndarray, share: float) -> np.ndarray:
        return share * probabilities

    def split(self, ones: np.ndarray, shares: np.ndarray) -> np.ndarray:
        """Shares of branches in which a qubit is 1."""
        return shares * ones

    def check(self, count: int, n_qubits: int) -> None:
        if count > MOST_BRANCHES or count * _BRANCH_BYTES << n_qubits > available_memory():
            raise MemoryLimitError(
                f"measurements part the circuit in {count} branches of {n_qubits} qubits or more, which is too many to "
                "follow; qloom.counts(circuit, shots) follows as many as there are shots"
            )


@dataclass(frozen=True)
class _Drawn:
    """Shots, dealt out at random."""

    all: int
    random: np.random.Generator

    def over(self, probabilities: np.ndarray, share: float) -> np.ndarray:
        return np.asarray(self.random.multinomial(int(share), probabilities / probabilities.sum()))

    def split(self, ones: np.ndarray, shares: np.ndarray) -> np.ndarray:
        return self.random.binomial(shares.astype(np.int64), np.clip(ones, 0, 1)).astype(float)

    def check(self, count: int, n_qubits: int) -> None:
        """There are no more than shots."""
        check_memory(count * _BRANCH_BYTES << n_qubits, f"{count} branches of {n_qubits} qubits")


class _Branches:
    """States (R, 2^n) with their bits and shares."""

    def __init__(self, circuit: Circuit, dealing: _Exact | _Drawn):
        self.circuit, self.n = circuit, circuit.n_qubits
        self.dealing, self.waiting = dealing, list[Operation]()
        self.condition: tuple[Condition, ...] = ()
        check_memory(_BRANCH_BYTES << self.n, f"states of {self.n} qubits")
        self.states = np.zeros((1, 1 << self.n), complex)
        self.states[0, 0] = 1
        if circuit.initial is not None:
            if circuit.initial.values is None:
                raise UnsupportedError(
                    "a circuit that starts from amplitudes that are inputs has no branches; fix them"
                )
            self.states[0] = circuit.initial.values
        self.bits, self.shares = [0], np.array([float(dealing.all)])

    def __iter__(self) -> Iterator[tuple[int, float, np.ndarray]]:
        return zip(self.bits, self.shares.tolist(), self.states, strict=True)

    def apply(self, op: Operation) -> None:
        """Gates wait for others under the same condition; what parts states ends that."""
        gate, under = without_conditions(op.gate)
        inner = Operation(gate, op.qubits, op.angles)
        if under != self.condition or gate.kind != "unitary":
            self.finish_gates()
            self.condition = under
        if gate.kind == "unitary":
            self.waiting.append(inner)
        else:
            self._measure(inner, under)

    def finish_gates(self) -> None:
        waiting, self.waiting = self.waiting, []
        rows = self._rows(self.condition)
        if waiting and len(rows):
            self.states[rows] = _run(self.n, waiting, self.states[rows])

    def _rows(self, conditions: tuple[Condition, ...]) -> np.ndarray:
        return np.array([r for r, bits in enumerate(self.bits) if all(c.holds(bits) for c in conditions)], int)

    def _measure(self, op: Operation, under: tuple[Condition, ...]) -> None:
        """A measurement, or a reset, which forgets its outcome and turns 1 into 0."""
        rows, qubit = self._rows(under), op.qubits[0]
        apart = self.states.reshape(-1, 1 << qubit, 2, 1 << self.n - 1 - qubit)
        ones = (np.abs(apart[rows, :, 1]) ** 2).sum(axis=(1, 2))
        total = (np.abs(self.states[rows]) ** 2).sum(axis=1)
        share_of_ones = self.dealing.split(ones / total, self.shares[rows])
        others = np.setdiff1d(np.arange(len(self.bits)), rows)
        states, bits, shares = [self.states[others]], [self.bits[r] for r in others], [self.shares[others]]
        least = LEAST_PROBABILITY * self.dealing.all
        for value, found in ((0, self.shares[rows] - share_of_ones), (1, share_of_ones)):
            kept = found > least
            part = np.zeros((int(kept.sum()), *apart.shape[1:]), complex)
            part[:, :, 0 if op.gate.kind == "reset" else value] = apart[rows[kept], :, value]
            norms = np.sqrt((np.abs(part) ** 2).sum(axis=(1, 2, 3), keepdims=True))
            states.append((part / norms).reshape(len(part), 1 << self.n))
            shares.append(found[kept])
            for row in rows[kept]:
                now = self.bits[row]
                for bit in bits_written(op.gate):
                    now = now & ~(1 << bit) | value << bit
                bits.append(now)
        self.dealing.check(len(bits), self.n)
        self.states, self.bits, self.shares = np.concatenate(states), bits, np.concatenate(shares)
        if len(self.bits) >= MANY_BRANCHES:
            self._merge()

    def _merge(self) -> None:
        """Branches with equal bits, in one state but for its phase, become one."""
        largest = np.abs(self.states).argmax(axis=1)
        phases = np.take_along_axis(self.states, largest[:, None], 1)
        rounded = np.round(self.states * (np.abs(phases) / phases), 9) + 0.0
        first: dict[tuple[int, bytes], int] = {}
        found = enumerate(zip(self.bits, rounded, strict=True))
        into = [first.setdefault((bits, row.tobytes()), r) for r, (bits, row) in found]
        kept = sorted(first.values())
        shares = np.bincount(into, self.shares, len(self.bits))
        self.states, self.bits, self.shares = self.states[kept], [self.bits[r] for r in kept], shares[kept]


def _run(n_qubits: int, operations: list[Operation], states: np.ndarray) -> np.ndarray:
    """Final states (R, 2^n) from first ones."""
    circuit, size = Circuit(n_qubits), 1 << n_qubits
    circuit.input_slots.add((2 * size,))
    circuit.initial, circuit.operations = Amplitudes(0, size), operations
    inputs = np.concatenate([states.real, states.imag], axis=1)
    return StatevectorEngine().state(circuit, Batch(inputs, np.zeros(0), False))
