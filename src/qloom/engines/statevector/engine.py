"""The engine: which evaluator and which sampler a circuit gets."""

from __future__ import annotations

from typing import Any

from qloom import _native
from qloom.circuits.circuit import Circuit
from qloom.engines.base import DifferentiableEvaluator, Engine, checked_threads
from qloom.engines.measuring.samplers import Sampler, TableSampler, sum_of
from qloom.engines.outputs import Outputs
from qloom.engines.statevector.evaluator import StatevectorEvaluator
from qloom.engines.statevector.native_program import Measured, prepared, prepared_parities
from qloom.engines.statevector.phases import with_phases


class StatevectorEngine(Engine):
    """Exact simulation on the CPU, of unitary gates.

    Args:
        threads: how many to use; None for all this process may run on. Results do not depend on it.

    Raises:
        CircuitError: for `threads` that is no integer from 1 to 1024.
    """

    gives = walks_back = frozenset({"expectations", "probabilities", "state"})

    def __init__(self, threads: int | None = None):
        self.threads = checked_threads(threads)

    def __repr__(self) -> str:
        return f"StatevectorEngine(threads={self.threads})"

    @property
    def n_threads(self) -> int:
        """Threads that are used: `threads`, or all that this process may run on."""
        return self.threads or _native.available_threads()

    def to_json(self) -> dict[str, Any]:
        return {"threads": self.threads}

    def on(self, device: str) -> Engine:
        from qloom.engines.gpu import GpuEngine  # which loads torch

        return GpuEngine(device)

    def evaluator(self, circuit: Circuit, outputs: Outputs) -> DifferentiableEvaluator:
        program, native = prepared(circuit, outputs)
        evaluator = StatevectorEvaluator(circuit, program, native, outputs.size, self.n_threads, outputs.any_norm)
        return with_phases(evaluator, outputs)

    def bits(self, circuit: Circuit, qubits: tuple[int, ...]) -> Sampler:
        return self.parity_bits(circuit, tuple(1 << qubit for qubit in qubits))

    def parity_bits(self, circuit: Circuit, masks: tuple[int, ...]) -> Sampler:
        self.check_runs(circuit)
        return sum_of([self._table(circuit, part) for part in prepared_parities(circuit, masks)])

    def _table(self, circuit: Circuit, part: Measured) -> TableSampler:
        size = 2 ** part.outcomes.rows.shape[1]
        evaluator = StatevectorEvaluator(circuit, part.program, part.native, size, self.n_threads)
        return TableSampler(evaluator, part.outcomes, self.n_threads)
