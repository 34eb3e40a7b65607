"""What the machine can do at most: multiply-adds and bytes a second, measured when asked for."""

from __future__ import annotations

from qloom import _native

CACHE_BYTES = 1 << 14
"""Bytes a thread that `copy_rate` copies within a first-level cache: those of common processors hold as many."""
MEMORY_BYTES = 1 << 27
"""Bytes a thread that `copy_rate` copies through memory: no first-level cache holds as many."""


def fma_rate(threads: int, seconds: float = 0.02) -> float:
    """P: float32 fused multiply-adds a second of a loop in registers, all threads together.

    It is measured anew each time, since on shared machines it changes from minute to minute.
    """
    return _native.fma_rate(threads, seconds)


def copy_rate(threads: int, size: int = MEMORY_BYTES, seconds: float = 0.1) -> float:
    """Bytes a second, read plus written, of a copying loop in `size` bytes for each thread."""
    return _native.copy_rate(size, threads, seconds)
