"""What an engine is: it prepares a circuit and what is asked of it, once, for many evaluations.

What an engine can do is data on its class, so that nothing above this folder asks which engine it has:

    gives           kinds of outputs that its evaluators compute
    runs            kinds of gates that it takes: unitary ones, channels, measurements, resets
    walks_back      kinds of which they also walk backwards, so that derivatives cost a few evaluations
    is_exact        whether values are those of the circuit; else they are cut, or estimates that vary from call to call
    is_bounded      whether estimates say by what values can be off at most, and what that is typically
    shots           measurements of an estimate; None where nothing is measured
    reads_wrongly   whether its evaluators take readout errors themselves; those of others never see them
    jobs            what is sent to a device and paid for; None where nothing is

An engine may wrap another, as `Shots` does.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.circuits.gate import Kind
from qloom.circuits.kinds import UNITARY, check_kinds
from qloom.engines.batch import Batch
from qloom.engines.outputs import Outputs, Probabilities, as_outputs
from qloom.engines.streams import Stream
from qloom.errors import CircuitError, UnsupportedError

if TYPE_CHECKING:
    from qloom.engines.measuring.samplers import Sampler

Wants = tuple[bool, bool]
Derivatives = tuple[np.ndarray | None, np.ndarray | None]


@dataclass(frozen=True)
class Estimate:
    """Values with what is known of their errors and what they took.

    Shapes: values, errors (B, O); errors are standard errors, 0 where values are exact.

    Attributes:
        runs: circuits at one sample.
        shots: measurements.
        bounds: (B, O), what values can be off by, where an engine cuts and can tell: no exact value is further away.
        typical: (B, O), the root of the sum of squares of what was cut: how far off a value is, if what was cut comes
            with signs by chance. It is at most the bound, and is no bound itself.
    """

    values: np.ndarray
    errors: np.ndarray
    runs: int
    shots: int = 0
    bounds: np.ndarray | None = None
    typical: np.ndarray | None = None


MOST_THREADS = 1024


def checked_threads(threads: Any) -> int | None:
    """A number of threads; None for all that this process may run on."""
    if threads is not None and (type(threads) is not int or not 1 <= threads <= MOST_THREADS):
        raise CircuitError(f"threads={threads!r}, expected an integer from 1 to {MOST_THREADS}, or None for all")
    return threads


class Pending:
    """Values that may come later. This one has them already."""

    def __init__(self, values: np.ndarray):
        self._values = values

    def is_done(self) -> bool:
        """Whether `result` would not wait."""
        return True

    def result(self, timeout: float | None = None) -> np.ndarray:
        """Values (B, O), the same each time.

        Args:
            timeout: seconds after which it raises TimeoutError; None to wait for ever.
        """
        return self._values


class Evaluator(ABC):
    """A prepared circuit: arrays in, values out. Thread-safe.

    Attributes:
        circuit: a copy of what was prepared.
        n_outputs: O.
        any_norm: initial amplitudes need not have norm 1.
        reads_tensors: has `forward_into` and `backward_into`, which take torch's tensors as they are.
        device: kind of device whose tensors those are.
        marks_norms: they give NaN for amplitudes that have not norm 1, instead of an error that somebody waits for.
        elsewhere: the same on another device by its name; None where only `qloom.gradients` can tell.
        n_groups: of words that are measured together.
        stream: of its random numbers; None where the same arrays give the same values.
    """

    circuit: Circuit
    n_outputs: int
    any_norm: bool = False
    reads_tensors: bool = False
    device: str = "cpu"
    marks_norms: bool = False
    elsewhere: Callable[[str], Evaluator] | None = None
    n_groups: int = 1
    stream: Stream | None = None

    @property
    def deterministic(self) -> bool:
        """Whether the same arrays give the same values."""
        return self.stream is None

    @abstractmethod
    def values(self, batch: Batch) -> np.ndarray:
        """Values (B, O)."""

    def estimate(self, batch: Batch) -> Estimate:
        """Values with their standard errors and cost."""
        values = self.values(batch)
        return Estimate(values, np.zeros_like(values), runs=batch.size)

    def submit(self, batch: Batch) -> Pending:
        """Begin an evaluation whose values are asked for later."""
        return Pending(self.values(batch))


class DifferentiableEvaluator(Evaluator):
    """An evaluator that also walks backwards: cotangents in, derivatives out.

    Attributes:
        trained: (W,) of booleans; the other weights are frozen, their derivatives 0 and not worked for. None for all.
        walk_cost: what a walk back comes to in forward runs.
        slopes: of derivatives that are measured one by one, `qloom.gradients.MeasuredSlopes`; None where none are.
    """

    trained: np.ndarray | None = None
    walk_cost: int = 2
    slopes: Any = None

    def walk_runs(self, wants: Wants) -> int:
        """What a walk back comes to in forward runs where only some derivatives are wanted.

        Args:
            wants: whether those of inputs are, and those of weights.
        """
        return self.walk_cost

    def wants_weight(self, index: int) -> bool:
        """Whether a weight's derivative is to be found, where those of weights are at all."""
        return self.trained is None or bool(self.trained[index])

    @abstractmethod
    def forward(self, batch: Batch, keep: bool) -> tuple[np.ndarray, Any]:
        """Values (B, O) and, if asked for and small enough, what spares the backward walk the forward one, or None."""

    @abstractmethod
    def backward(self, batch: Batch, cotangents: np.ndarray, kept: Any, wants: Wants) -> Derivatives:
        """Derivatives of sum(cotangents * values).

        Args:
            batch: the arrays.
            cotangents: of the values.
            kept: what `forward` kept of this batch; None to run it again.
            wants: whether derivatives by inputs are wanted, and by weights.

        Shapes: cotangents (B, O) -> d_inputs (B, I), d_weights (W,) or (B, W) as weights; None if not wanted.
        """

    def values(self, batch: Batch) -> np.ndarray:
        return self.forward(batch, keep=False)[0]


class Engine(ABC):
    """Runs circuits. Subclasses say what they can do and give `evaluator`."""

    gives: frozenset[str] = frozenset({"expectations", "probabilities"})
    runs: frozenset[Kind] = UNITARY
    walks_back: frozenset[str] = frozenset()
    is_exact: bool = True
    is_bounded: bool = False
    shots: int | None = None
    reads_wrongly: ClassVar[bool] = False
    jobs: Any = None

    def prepare(self, circuit: Circuit, observables: Any = None) -> Evaluator:
        """An evaluator of what is asked for.

        Args:
            circuit: the circuit; later changes to it have no effect.
            observables: Pauli sums, one or several; "probabilities", "state" or "density"; an `Outputs`; None for every
                Z.

        Raises:
            CircuitError: for observables that the circuit does not have.
            UnsupportedError: if the engine does not give such outputs, or run such gates.
        """
        if not isinstance(circuit, Circuit):
            raise CircuitError(f"circuit is a {type(circuit).__name__}, expected a Circuit")
        self.check_runs(circuit)
        outputs = as_outputs(circuit, observables)
        if not self.reads_wrongly and any(op.gate.kind == "readout" for op in circuit.operations):
            return self._with_readout(circuit, outputs)
        if outputs.kind in self.gives:
            return self.evaluator(circuit, outputs)
        parts = outputs.made_from()
        if parts is None:
            raise UnsupportedError(
                f"{type(self).__name__} gives no {outputs.kind}, expected {' or '.join(sorted(self.gives))}; ask for "
                "those, or another engine"
            )
        from qloom.engines.derived import DerivedEvaluator

        return DerivedEvaluator(self.prepare(circuit, parts), outputs)

    def _with_readout(self, circuit: Circuit, outputs: Outputs) -> Evaluator:
        from qloom.engines.readout import readout_evaluator, without_readout

        rest, errors = without_readout(circuit)
        return readout_evaluator(circuit, errors, outputs, lambda parts: self.prepare(rest, parts))

    def check_runs(self, circuit: Circuit) -> None:
        """Raise UnsupportedError for a circuit with a gate of a kind that the engine does not run."""
        instead = "use DensityEngine() or TrajectoryEngine(), or take it out"
        check_kinds(circuit, type(self).__name__, instead, self.runs, unseen=frozenset[Kind]({"readout"}))

    def running(self, circuit: Circuit) -> tuple[Engine, Circuit]:
        """The engine that runs a circuit in the end, and what it then is; asked by what takes gates apart."""
        return self, circuit

    def compiled(self, circuit: Circuit) -> tuple[Engine, Circuit]:
        """A circuit in the gates of a device, where the engine stands for one, and the engine that adds their noise.

        What changes gates, as folding does, changes those.
        """
        return self, circuit

    def prepare_adjoint(self, circuit: Circuit, observables: Any = None) -> DifferentiableEvaluator:
        """An evaluator that walks back through the circuit; `observables` as in `prepare`.

        Raises:
            UnsupportedError: if the engine has none.
        """
        outputs = as_outputs(circuit, observables)
        if not self.can_walk_back(outputs):
            raise UnsupportedError(
                f"Adjoint needs an engine that walks back through a state, got {self!r}; "
                'use differentiator="parameter-shift"'
            )
        evaluator = self.prepare(circuit, outputs)
        assert isinstance(evaluator, DifferentiableEvaluator)
        return evaluator

    def can_walk_back(self, outputs: Outputs) -> bool:
        """Whether evaluators of such outputs do, by themselves or through their parts."""
        if outputs.kind in self.gives:
            return outputs.kind in self.walks_back
        parts = outputs.made_from()
        return parts is not None and self.can_walk_back(parts)

    @abstractmethod
    def evaluator(self, circuit: Circuit, outputs: Outputs) -> Evaluator:
        """An evaluator of checked outputs of a kind that the engine gives."""

    def sampler(self, circuit: Circuit, qubits: tuple[int, ...]) -> Sampler:
        """What measures some qubits, and reads them as the circuit's readout errors say."""
        from qloom.engines.misreading import MisreadSampler
        from qloom.engines.readout import read_together, without_readout

        rest, errors = without_readout(circuit)
        if not errors:
            return self.bits(circuit, qubits)
        together = read_together(errors, qubits)
        return MisreadSampler(self.bits(rest, together), together, errors, len(qubits))

    def parities(self, circuit: Circuit, masks: tuple[int, ...]) -> Sampler:
        """What measures Z words: a bit each, 1 where the eigenvalue is -1.

        Args:
            circuit: the circuit.
            masks: of the words' qubits, bit q for qubit q.
        """
        if not any(op.gate.kind == "readout" for op in circuit.operations):
            return self.parity_bits(circuit, masks)
        from qloom.engines.measuring.samplers import ParitySampler

        qubits = _qubits_of(circuit, masks)
        return ParitySampler(self.sampler(circuit, qubits), [[mask >> q & 1 for q in qubits] for mask in masks])

    def bits(self, circuit: Circuit, qubits: tuple[int, ...]) -> Sampler:
        """Bits of some qubits, in their order; by default from the table of their probabilities."""
        from qloom.engines.measuring.samplers import TableSampler

        return TableSampler(self.prepare(circuit, Probabilities(qubits)))

    def parity_bits(self, circuit: Circuit, masks: tuple[int, ...]) -> Sampler:
        """Bits of Z words, `masks` as in `parities`; by default from those of their qubits."""
        from qloom.engines.measuring.samplers import ParitySampler

        qubits = _qubits_of(circuit, masks)
        return ParitySampler(self.bits(circuit, qubits), [[mask >> q & 1 for q in qubits] for mask in masks])

    def on(self, device: str) -> Engine:
        """The engine that does the same on a device such as "cuda:0"; UnsupportedError where there is none."""
        raise UnsupportedError(
            f"{self!r} runs on the CPU, got tensors on {device}; move them with .cpu(), or use GpuEngine()"
        )

    def to_json(self) -> dict[str, Any]:
        """What an exported layer needs to make the engine again; UnsupportedError where none is made of text."""
        raise UnsupportedError(f"{type(self).__name__} cannot be exported, expected a StatevectorEngine")

    def state(self, circuit: Circuit, batch: Batch) -> np.ndarray:
        """Final states (B, 2^n), complex; UnsupportedError where the engine gives none."""
        values = self.prepare(circuit, "state").values(batch)
        return values.view(np.result_type(batch.dtype, np.complex64))


def check_engine(engine: Any, such_as: str = "StatevectorEngine()") -> None:
    """CircuitError for what is no engine; `such_as` says what one is."""
    if not isinstance(engine, Engine):
        raise CircuitError(f"engine={engine!r}, expected an Engine such as {such_as}")


def _qubits_of(circuit: Circuit, masks: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(q for q in range(circuit.n_qubits) if any(mask >> q & 1 for mask in masks))
