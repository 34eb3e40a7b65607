"""The engine of noisy circuits: which evaluator a circuit gets."""

from __future__ import annotations

from qloom import _native
from qloom.circuits.circuit import Circuit
from qloom.circuits.kinds import NOISY
from qloom.engines.base import DifferentiableEvaluator, Engine, checked_threads
from qloom.engines.density.evaluator import DensityEvaluator
from qloom.engines.density.program import compiled
from qloom.engines.outputs import Outputs


class DensityEngine(Engine):
    """Exact simulation of noisy circuits on the CPU, up to 13 qubits that outputs depend on.

    The state is the real vector of r_P = Tr(P rho) over all Pauli words P. Every gate or channel is a linear map of a
    few letters of the words. Measurements and resets in mid-circuit forget their outcomes.

    Args:
        threads: how many to use; None for all this process may run on. Results do not depend on it.

    Raises:
        CircuitError: for `threads` that is no integer from 1 to 1024.
    """

    gives = walks_back = frozenset({"expectations", "probabilities", "density"})
    runs = NOISY

    def __init__(self, threads: int | None = None):
        self.threads = checked_threads(threads)

    def __repr__(self) -> str:
        return f"DensityEngine(threads={self.threads})"

    @property
    def n_threads(self) -> int:
        """Threads that are used: `threads`, or all that this process may run on."""
        return self.threads or _native.available_threads()

    def evaluator(self, circuit: Circuit, outputs: Outputs) -> DifferentiableEvaluator:
        return DensityEvaluator(circuit, compiled(circuit, outputs), outputs.size, self.n_threads)
