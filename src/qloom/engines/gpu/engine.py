"""The engine: which evaluator and which sampler a circuit gets on a device."""

from __future__ import annotations

from typing import Any

import torch

from qloom.circuits.circuit import Circuit
from qloom.engines.base import DifferentiableEvaluator, Engine
from qloom.engines.gpu.evaluator import GpuEvaluator
from qloom.engines.gpu.machine import Machine
from qloom.engines.gpu.samplers import GpuSampler
from qloom.engines.measuring.samplers import Sampler, sum_of
from qloom.engines.outputs import Outputs
from qloom.engines.statevector.engine import StatevectorEngine
from qloom.engines.statevector.native_program import Measured, prepared, prepared_parities
from qloom.engines.statevector.phases import with_phases
from qloom.errors import CircuitError

# More are in no device's memory.
MOST_QUBITS = 36


class GpuEngine(Engine):
    """Exact simulation on a CUDA device: small registers in shared memory, one launch each way; large ones in sweeps.

    Args:
        device: "cuda", the one that torch has as the current one, or one of several such as "cuda:1".

    Raises:
        UnsupportedError: where there is no such device.
    """

    gives = walks_back = frozenset({"expectations", "probabilities", "state"})

    def __init__(self, device: str | torch.device = "cuda"):
        self.device = checked_device(device)
        self.machine = self._machine()

    def _machine(self) -> Machine:
        from qloom.engines.gpu.cuda import device_index, find_machine

        return find_machine(device_index(self.device))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(device={str(self.device)!r})"

    def to_json(self) -> dict[str, Any]:
        return StatevectorEngine().to_json()  # what was exported runs where its tensors are

    def on(self, device: Any) -> Engine:
        return self if torch.device(device) == self.machine.device else type(self)(device)

    def evaluator(self, circuit: Circuit, outputs: Outputs) -> DifferentiableEvaluator:
        program, native = prepared(circuit, outputs, MOST_QUBITS)
        evaluator = GpuEvaluator(
            circuit, program, native, outputs.size, self.machine, outputs.any_norm, self.most_whole
        )
        return with_phases(evaluator, outputs)

    # Larger states than this go through global memory; as many as shared memory has room for where None.
    most_whole: int | None = None

    def bits(self, circuit: Circuit, qubits: tuple[int, ...]) -> Sampler:
        return self.parity_bits(circuit, tuple(1 << qubit for qubit in qubits))

    def parity_bits(self, circuit: Circuit, masks: tuple[int, ...]) -> Sampler:
        self.check_runs(circuit)
        return sum_of([self._table(circuit, part) for part in prepared_parities(circuit, masks)])

    def _table(self, circuit: Circuit, part: Measured) -> GpuSampler:
        size = 2 ** part.outcomes.rows.shape[1]
        evaluator = GpuEvaluator(circuit, part.program, part.native, size, self.machine, most_whole=self.most_whole)
        return GpuSampler(evaluator, part.outcomes)


def checked_device(device: Any) -> torch.device:
    """A device for kernels; CircuitError for what is none."""
    try:
        found = torch.device(device)
    except (RuntimeError, TypeError):
        raise CircuitError(f'device={device!r}, expected "cuda" or one of several such as "cuda:1"') from None
    if found.type != "cuda":
        raise CircuitError(
            f'device={device!r}, expected "cuda" or one such as "cuda:1"; on the CPU use StatevectorEngine()'
        )
    return found
