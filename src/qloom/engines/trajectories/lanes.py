"""What runs the lanes of trajectories: the engine of the CPU, or a device."""

from __future__ import annotations

from typing import Any

from qloom.circuits.circuit import Circuit
from qloom.engines.statevector.evaluator import StatevectorEvaluator


def lanes_of(circuit: Circuit, program: Any, native: Any, n_values: int, n_threads: int, machine: Any) -> Any:
    """Walks forward and back with `flips`, on arrays of numpy.

    Args:
        machine: of a device, `qloom.engines.gpu.machine.Machine`; None for the CPU.
    """
    if machine is None:
        return StatevectorEvaluator(circuit, program, native, n_values, n_threads)
    from qloom.engines.gpu.lanes import GpuLanes  # which loads torch

    return GpuLanes(circuit, program, native, n_values, machine)
