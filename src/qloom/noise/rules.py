"""What acts where: rules from gates and qubits to operations, durations, readout; how those of a gate are found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from qloom.circuits.circuit import Circuit
from qloom.circuits.operations import Operation
from qloom.circuits.parameters import Angle
from qloom.errors import CircuitError

# Names that stand for all unitary gates on so many qubits.
CLASSES = {"one_qubit": 1, "two_qubit": 2}
CLASS_OF = {width: name for name, width in CLASSES.items()}
Places = tuple[int, ...]


@dataclass(frozen=True)
class Rule:
    """Operations that come with a gate.

    Args:
        gates: a gate's name, or "one_qubit" or "two_qubit".
        qubits: which the gate is on, in order; None for any.
        operations: on qubits 0 to width - 1; of width 1 they act on each of the gate's qubits.
        width: 1, or the number of the gate's qubits.
        precedes: whether they come before the gate.
        yields: whether they act only where the gate has no rule for these very qubits.
    """

    gates: str
    qubits: Places | None
    operations: tuple[Operation, ...]
    width: int
    precedes: bool = False
    yields: bool = False

    def on(self, qubits: Places) -> list[Operation]:
        """The operations on a gate's qubits."""
        if self.width == 1:
            return [Operation(op.gate, (q,), op.angles) for q in qubits for op in self.operations]
        return [Operation(op.gate, tuple(qubits[q] for q in op.qubits), op.angles) for op in self.operations]


@dataclass(frozen=True)
class OverRotation:
    """A gate's rotations turn too far by a fraction of their angles."""

    gates: str
    qubits: Places | None
    fraction: Angle


@dataclass(frozen=True)
class Duration:
    """How long a gate takes, in the unit of the relaxation times."""

    gates: str
    qubits: Places | None
    time: float


@dataclass(frozen=True)
class Relaxation:
    """How a qubit that waits relaxes; `qubit` None for all that have no entry of their own."""

    qubit: int | None
    t1: float
    t2: float
    excited_population: float = 0.0


@dataclass(frozen=True)
class Readout:
    """A readout error: an operation on qubits 0 to k - 1, put on `qubits`; None for every qubit that has none."""

    qubits: Places | None
    operation: Operation


@dataclass(frozen=True)
class Crosstalk:
    """rzz of an angle between each qubit of a two-qubit gate and a neighbour outside of it, while the gate acts.

    Args:
        angle: radians.
        pairs: of neighbours, the lower qubit first.
    """

    angle: Angle
    pairs: tuple[tuple[int, int], ...]

    def beside(self, qubits: Places) -> list[tuple[int, int]]:
        """Pairs with one qubit in a gate and one outside."""
        return [pair for pair in self.pairs if len(set(pair) & set(qubits)) == 1]


Entry = Rule | OverRotation | Duration


class Index:
    """Entries by gate and qubits. All that match a gate are its own, in the order they were given."""

    def __init__(self, entries: Iterable[Entry]):
        self._found: dict[tuple[str, Places | None], list[tuple[int, Entry]]] = {}
        for place, entry in enumerate(entries):
            self._found.setdefault((entry.gates, entry.qubits), []).append((place, entry))

    def entries(self, op: Operation) -> list[Entry]:
        """Of a gate on its qubits."""
        names = [op.gate.name]
        if op.gate.is_unitary and len(op.qubits) in CLASS_OF:
            names.append(CLASS_OF[len(op.qubits)])
        found: list[tuple[int, Entry]] = []
        for name in names:
            own = self._found.get((name, op.qubits), [])
            is_ruled = any(isinstance(entry, Rule) for _, entry in own)
            found += own
            found += [pair for pair in self._found.get((name, None), ()) if not (is_ruled and _yields(pair[1]))]
        return [entry for _, entry in sorted(found, key=lambda pair: pair[0])]


def _yields(entry: Entry) -> bool:
    return isinstance(entry, Rule) and entry.yields


def last_duration(entries: Iterable[Entry]) -> float | None:
    """The last of a gate's durations counts; None if there is none."""
    times = [entry.time for entry in entries if isinstance(entry, Duration)]
    return times[-1] if times else None


def snippet(operations: Iterable[Operation], width: int) -> Circuit:
    """Operations as a circuit that has the slots they name."""
    operations = tuple(operations)
    circuit = Circuit(width)
    angles = [angle for op in operations for angle in op.angles]
    for source, declare in (("input", circuit.inputs), ("weight", circuit.weights)):
        declare(max((angle.index + 1 for angle in angles if angle.source == source), default=0))
    for op in operations:
        circuit.append(op.gate, op.angles, op.qubits)
    return circuit


def checked_noise(gates: str, noise: Circuit, qubits: Places | None) -> int:
    """The width of a noise circuit: 1, or that of the gates it is for.

    Raises:
        CircuitError: if it is no circuit, or fits neither.
    """
    if not isinstance(noise, Circuit):
        raise CircuitError(
            f"noise of {gates} is a {type(noise).__name__}, expected a Circuit of what acts, such as "
            "Circuit(1).depolarizing(0.001, 0)"
        )
    if noise.initial is not None:
        raise CircuitError(f"noise of {gates} starts from given amplitudes, expected operations alone")
    width = len(qubits) if qubits is not None else CLASSES.get(gates)
    if width is not None and noise.n_qubits not in (1, width):
        raise CircuitError(
            f"noise of {gates} on {width} qubit{'s' * (width > 1)} is a circuit of {noise.n_qubits}, expected 1 "
            f"or {width}"
        )
    return noise.n_qubits
