"""Batches of state vectors on CUDA devices, forward and backward."""

from qloom.engines.gpu.engine import GpuEngine
from qloom.engines.gpu.evaluator import GpuEvaluator
from qloom.engines.gpu.many import GpuBatch

__all__ = ["GpuBatch", "GpuEngine", "GpuEvaluator"]
