"""The engine: how many trajectories, their random numbers, and which way a circuit's channels are drawn."""

from __future__ import annotations

from typing import Any

from qloom import _native
from qloom.checks import is_integer
from qloom.circuits.circuit import Circuit
from qloom.circuits.kinds import NOISY
from qloom.engines.base import DifferentiableEvaluator, Engine, checked_threads
from qloom.engines.measuring.samplers import Sampler
from qloom.engines.outputs import Outputs
from qloom.engines.statevector.engine import StatevectorEngine
from qloom.engines.streams import Stream
from qloom.engines.trajectories.branching import BranchingEvaluator
from qloom.engines.trajectories.pauli import PauliEvaluator
from qloom.engines.trajectories.samplers import BranchingSampler, PauliSampler
from qloom.errors import CircuitError, UnsupportedError

MOST_TRAJECTORIES = 2**31 - 1


class TrajectoryEngine(Engine):
    """Noisy circuits by random trajectories: a sample's value is the mean over trajectories, each with its own errors.

    Values are unbiased and so are derivatives: by angles they are those of the trajectories, by rates of noise the
    logarithm of the drawn errors' probability is derived (the score function), against the mean of a sample's other
    trajectories. Measured bits come from a trajectory a shot, as every shot has errors of its own: `n_trajectories` and
    `seed` play no part in them, their random numbers are those of the shots.

    Args:
        n_trajectories: of every sample. With 1 the spread, and so the error of an estimate, is not known: infinite.
        seed: of the random numbers, which go on from call to call; None for fresh entropy; or a `Stream`.
        threads: how many to use; None for all this process may run on. Results do not depend on it.
        device: such as "cuda:0", where states are run that errors are drawn for on the CPU; Pauli channels alone.

    Raises:
        CircuitError: for `n_trajectories`, `seed` or `threads` that cannot be.
    """

    gives = walks_back = frozenset({"expectations", "probabilities"})
    runs = NOISY
    is_exact = False

    def __init__(
        self,
        n_trajectories: int,
        seed: int | Stream | None = None,
        threads: int | None = None,
        device: str | None = None,
    ):
        self.n_trajectories, self.threads = checked_trajectories(n_trajectories), checked_threads(threads)
        self.stream = seed if isinstance(seed, Stream) else Stream(seed)
        self.device = device
        self.machine = None if device is None else self._machine(device)

    def _machine(self, device: str) -> Any:
        from qloom.engines.gpu import GpuEngine  # which loads torch

        return GpuEngine(device).machine

    def __repr__(self) -> str:
        on = "" if self.device is None else f", device={self.device!r}"
        return f"TrajectoryEngine(n_trajectories={self.n_trajectories}, threads={self.threads}{on})"

    def on(self, device: str) -> Engine:
        return TrajectoryEngine(self.n_trajectories, self.stream, self.threads, device)

    @property
    def n_threads(self) -> int:
        """Threads that are used: `threads`, or all that this process may run on."""
        return self.threads or _native.available_threads()

    def evaluator(self, circuit: Circuit, outputs: Outputs) -> DifferentiableEvaluator:
        given = circuit, outputs, self.n_trajectories, self.stream, self.n_threads
        if _has_only_words(circuit):
            return PauliEvaluator(*given, self.machine)
        self._refuse_device("evaluated")
        return BranchingEvaluator(*given)

    def bits(self, circuit: Circuit, qubits: tuple[int, ...]) -> Sampler:
        return self.parity_bits(circuit, tuple(1 << qubit for qubit in qubits))

    def parity_bits(self, circuit: Circuit, masks: tuple[int, ...]) -> Sampler:
        self.check_runs(circuit)
        if all(op.gate.is_unitary for op in circuit.operations):
            exact = StatevectorEngine(self.threads)
            return (exact if self.device is None else exact.on(self.device)).parity_bits(circuit, masks)
        if _has_only_words(circuit):
            return PauliSampler(circuit, masks, self.n_threads, self.machine)
        self._refuse_device("measured")
        return BranchingSampler(circuit, masks, self.n_threads)

    def _refuse_device(self, what: str) -> None:
        if self.device is not None:
            raise UnsupportedError(
                f"channels that are no Pauli channels are {what} on the CPU alone, got device={self.device!r}; leave "
                "it out, or use Pauli channels"
            )


def _has_only_words(circuit: Circuit) -> bool:
    """Whether every channel is a Pauli channel."""
    return all(op.gate.is_unitary or op.gate.pauli is not None for op in circuit.operations)


def checked_trajectories(n_trajectories: Any) -> int:
    """A number of trajectories: an integer of at least 1."""
    if not is_integer(n_trajectories) or not 1 <= n_trajectories <= MOST_TRAJECTORIES:
        raise CircuitError(f"n_trajectories={n_trajectories!r}, expected an integer from 1 to {MOST_TRAJECTORIES}")
    return int(n_trajectories)
