"""What `qloom doctor` says of a GPU: whether there may be one, what it is, whether it is right and how fast it is."""

from __future__ import annotations

import ctypes
import shutil
import sys
import time
from typing import TYPE_CHECKING

from qloom.errors import UnsupportedError

if TYPE_CHECKING:
    from qloom.benchmarking.gpu import Place

# CUDA's driver, which comes with the GPU's own and not with torch.
DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
# Qubits, rows and layers of the step that is timed.
STEP = (8, 256, 3)


def guess() -> str:
    """Whether there may be a GPU, without loading torch."""
    return "look with: qloom doctor --gpu" if has_driver() else f"none: no driver of CUDA here ({DRIVER})"


def has_driver() -> bool:
    """Whether a driver for GPUs of CUDA is installed."""
    if shutil.which("nvidia-smi"):
        return True
    try:
        ctypes.CDLL(DRIVER)
    except OSError:
        return False
    return True


def name_gpu() -> str:
    """The GPU that torch sees, or why it sees none, in short."""
    from qloom.engines.gpu.cuda import check_device

    try:
        check_device(0)
    except UnsupportedError as error:
        return f"none: {str(error).split(', expected')[0].split(';')[0]}"
    return f"{facts_of_gpu()}; check it with: qloom doctor --gpu"


def facts_of_gpu() -> str:
    """Name, memory, compute capability, multiprocessors."""
    from qloom.engines.gpu.cuda import describe

    facts = describe(0)
    return (
        f"{facts['name']}, {facts['memory'] / 2**30:.1f} GiB, compute capability {facts['capability']}, "
        f"{facts['multiprocessors']} multiprocessors"
    )


def prepare_kernels(place: Place) -> str:
    """Compile those for float32, or find them compiled, and say which and how long that took."""
    from qloom.engines.gpu.cuda import cache_folder
    from qloom.engines.gpu.machine import Variant
    from qloom.engines.gpu.packing import REGISTER_BITS

    def kept() -> set[str]:
        try:
            return {path.name for path in cache_folder().glob("*.cubin")}
        except RuntimeError:  # there is no home to keep them in
            return set()

    before, start = kept(), time.perf_counter()
    for components in (1, 2):
        place.engine.machine.prepare(Variant("float", components, REGISTER_BITS))
    seconds = time.perf_counter() - start
    return f"compiled in {seconds:.1f} s" if kept() - before else f"found compiled, loaded in {seconds:.2f} s"


def told_speed(place: Place, cpu_seconds: float) -> str:
    """The time of one forward and backward pass through a layer there, a median, beside the CPU's."""
    from qloom.benchmarking import Work
    from qloom.benchmarking.gpu import measure_there

    n_qubits, rows, n_layers = STEP
    step = Work(n_qubits, rows, n_layers).step(engine=place.engine, device=place.device)
    milliseconds = 1e3 * measure_there(place, step, seconds=0.5).median
    return (
        f"{milliseconds:.3g} ms forward and backward, {rows} rows, {n_qubits} qubits, {n_layers} layers; "
        f"{1e3 * cpu_seconds:.3g} ms on the CPU"
    )
