"""How fast the engine is on this machine, beside what the machine can do at most."""

from qloom.benchmarking.limits import CACHE_BYTES, MEMORY_BYTES, copy_rate, fma_rate
from qloom.benchmarking.timing import Timing, measure
from qloom.benchmarking.work import Work

__all__ = ["CACHE_BYTES", "MEMORY_BYTES", "Timing", "Work", "copy_rate", "fma_rate", "measure"]
