"""What a run was made with: versions, platform, threads, memory."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

PACKAGES = ("qloom", "torch", "numpy", "scikit-learn", "pyarrow", "duckdb", "pydantic", "safetensors")


def describe_environment(seed: int | None = None) -> dict[str, Any]:
    """Plain JSON values on the interpreter, the packages, the machine and torch's threads."""
    import torch

    return {**describe_machine(), "torch_threads": torch.get_num_threads(), "seed": seed}


def describe_machine() -> dict[str, Any]:
    """Plain JSON values on the interpreter, the packages and the machine, without loading torch."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_bytes": total_memory(),
        "packages": {name: _version(name) for name in PACKAGES},
    }


def total_memory() -> int | None:
    """Bytes of main memory, None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
