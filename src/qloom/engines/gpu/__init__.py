"""Batches of state vectors on CUDA devices, forward and backward."""

from qloom.engines.gpu.engine import GpuEngine
from qloom.engines.gpu.evaluator import GpuEvaluator

__all__ = ["GpuEngine", "GpuEvaluator"]
