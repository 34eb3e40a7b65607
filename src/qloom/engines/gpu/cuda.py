"""NVIDIA GPUs: kernels are compiled by NVRTC for the very device, kept on disk, and started through CUDA's driver."""

from __future__ import annotations

import ctypes
import os
import re
from functools import cache
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any

import torch

from qloom.engines.gpu.machine import KERNELS, Call, Machine, Variant, digest, source_files
from qloom.errors import ExtraError, UnsupportedError
from qloom.extras import package
from qloom.files import replace_file

SOURCE = KERNELS / "kernels.cu"
LINES_OF_A_LOG = 8


class CudaMachine(Machine):
    """A GPU that torch sees.

    Args:
        device_index: torch's number of it.
        source: with the kernels.

    Raises:
        UnsupportedError: if there is no such device.
        ExtraError: without cuda-bindings.
    """

    def __init__(self, device_index: int = 0, source: Path = SOURCE) -> None:
        check_device(device_index)
        torch.cuda.init()
        driver = self._driver = package("cuda.bindings.driver", "CudaMachine", "gpu", brought_by="cuda-bindings")
        self._source = source
        self._functions: dict[tuple[Variant, str], Any] = {}
        self._prepared: set[Variant] = set()
        self._lock = Lock()
        self.device = torch.device("cuda", device_index)
        self.name = torch.cuda.get_device_name(device_index)
        _given("cuInit", driver.cuInit(0))
        number = _given("cuDeviceGet", driver.cuDeviceGet(device_index))
        # The one that torch works in. It must be current wherever the driver is called, and is not in a new thread.
        self._context = _given("cuDevicePrimaryCtxRetain", driver.cuDevicePrimaryCtxRetain(number))
        most = driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN
        self.most_shared = _given("cuDeviceGetAttribute", driver.cuDeviceGetAttribute(most, number))

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies of what runs here run here too, and what is unpickled on the device of that number."""
        return find_machine, (self.device.index,)

    def prepare(self, variant: Variant) -> None:
        with self._lock:
            if variant not in self._prepared:
                cubin = cached_kernels(variant, architecture(self.device.index), self._source)
                self._driver.cuCtxPushCurrent(self._context)
                try:
                    self._load(variant, cubin)
                finally:
                    self._driver.cuCtxPopCurrent()
                self._prepared.add(variant)

    def launch(self, kernel: str, variant: Variant, blocks: int, threads: int, shared: int, call: Call) -> None:
        if not blocks:
            return
        function = self._functions.get((variant, kernel)) or self._find(kernel, variant)
        stream = torch.cuda.current_stream(self.device).cuda_stream
        # The driver takes an array of addresses, one a parameter, and copies what is there before it returns.
        addresses = ctypes.c_void_p(ctypes.addressof(call))
        driver = self._driver
        driver.cuCtxPushCurrent(self._context)
        answer = driver.cuLaunchKernel(
            function, blocks, 1, 1, threads, 1, 1, shared, stream, ctypes.addressof(addresses), 0
        )
        driver.cuCtxPopCurrent()
        if answer[0]:
            _given(f"{kernel} in {blocks} blocks of {threads} threads and {shared} bytes", answer)

    def _find(self, kernel: str, variant: Variant) -> Any:
        self.prepare(variant)
        if (variant, kernel) not in self._functions:
            raise UnsupportedError(f"kernel {kernel!r} is not in {self._source.name} compiled for {variant}")
        return self._functions[variant, kernel]

    def _load(self, variant: Variant, cubin: bytes) -> None:
        driver = self._driver
        module = _given("cuModuleLoadData", driver.cuModuleLoadData(cubin))
        most = driver.CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
        for name in kernel_names(self._source):
            error, function = driver.cuModuleGetFunction(module, name.encode())
            if error == driver.CUresult.CUDA_ERROR_NOT_FOUND:  # it is of other variants
                continue
            _given(f"cuModuleGetFunction of {name}", (error, function))
            _given(f"shared memory of {name}", driver.cuFuncSetAttribute(function, most, self.most_shared))
            self._functions[variant, name] = function


@cache
def find_machine(device_index: int) -> CudaMachine:
    """The one machine of a device, so that its kernels are loaded once."""
    return CudaMachine(device_index)


def device_index(device: torch.device) -> int:
    """A device's number; the current one's where it has none."""
    if device.index is not None:
        return device.index
    check_device(0)
    return torch.cuda.current_device()


def check_device(device_index: int) -> None:
    """Say what is missing.

    Raises:
        UnsupportedError: if torch cannot work on that device.
    """
    if torch.version.cuda is None:
        raise UnsupportedError(
            f"torch {torch.__version__} is built without CUDA, expected a build for CUDA 12 or later (version "
            "+cu128 or +cu130, say); install one, or use device='cpu'"
        )
    if not torch.cuda.is_available():
        raise UnsupportedError(
            "no CUDA device: torch.cuda.is_available() is False; see whether nvidia-smi shows one and its driver is "
            f"recent enough for CUDA {torch.version.cuda}, or use device='cpu'"
        )
    if not 0 <= device_index < torch.cuda.device_count():
        raise UnsupportedError(f"no CUDA device {device_index}, expected one of {torch.cuda.device_count()} from 0 on")


def describe(device_index: int = 0) -> dict[str, Any]:
    """Facts of a GPU: name, memory in bytes, multiprocessors, compute capability, clock in Hz or None."""
    check_device(device_index)
    found = torch.cuda.get_device_properties(device_index)
    return {
        "name": found.name,
        "memory": found.total_memory,
        "multiprocessors": found.multi_processor_count,
        "capability": f"{found.major}.{found.minor}",
        "clock": getattr(found, "clock_rate", 0) * 1000 or None,  # torch has it in kHz, in newer versions
    }


def architecture(device_index: int) -> str:
    """As compilers name it: sm_90."""
    major, minor = torch.cuda.get_device_capability(device_index)
    return f"sm_{major}{minor}"


def kernel_names(source: Path) -> list[str]:
    """Of a source and the headers of KERNELS."""
    texts = (path.read_text(encoding="utf-8") for path in {source, *source_files(".h")})
    return sorted(name for text in texts for name in re.findall(r"^KERNEL\((\w+)\)", text, re.MULTILINE))


def cached_kernels(variant: Variant, architecture: str, source: Path = SOURCE) -> bytes:
    """Compiled kernels, from disk if they have been compiled before."""
    files = (source, *source_files(".cu", ".h"))
    name = digest(*files, options=(nvrtc_version(), *compiler_options(variant, architecture))) + ".cubin"
    try:
        return (cache_folder() / name).read_bytes()
    except (OSError, RuntimeError):  # there is none, or not even a folder
        cubin = compile_kernels(variant, architecture, source)
        keep(name, cubin)
        return cubin


def keep(name: str, cubin: bytes) -> None:
    """Write it to the cache. Where that cannot be, kernels are compiled by each process anew."""
    try:
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        # Under a name of this process first: others may be writing the same.
        os.replace(replace_file(folder / f"{name}.{os.getpid()}", cubin), folder / name)
    except (OSError, RuntimeError):
        pass


def cache_folder() -> Path:
    """Of compiled kernels.

    Raises:
        RuntimeError: if the user has no home.
    """
    given = os.environ.get("XDG_CACHE_HOME")
    return (Path(given) if given else Path.home() / ".cache") / "qloom" / "kernels"


def compile_kernels(variant: Variant, architecture: str, source: Path = SOURCE) -> bytes:
    """Machine code of an architecture; needs no GPU.

    Args:
        variant: of the kernels.
        architecture: "sm_90".
        source: with the kernels.

    Raises:
        UnsupportedError: if NVRTC does not compile them.
        ExtraError: without NVRTC.
    """
    compiler, options = nvrtc(), [option.encode() for option in compiler_options(variant, architecture)]
    check_architecture(architecture)
    created = compiler.nvrtcCreateProgram(source.read_bytes(), str(source).encode(), 0, [], [])
    program = _given("nvrtcCreateProgram", created)
    try:
        (error,) = compiler.nvrtcCompileProgram(program, len(options), options)
        if error:
            raise UnsupportedError(f"{source.name} does not compile for {architecture}:\n{_log(compiler, program)}")
        cubin = bytearray(_given("nvrtcGetCUBINSize", compiler.nvrtcGetCUBINSize(program)))
        _given("nvrtcGetCUBIN", compiler.nvrtcGetCUBIN(program, cubin))
        return bytes(cubin)
    finally:
        compiler.nvrtcDestroyProgram(program)


def compiler_options(variant: Variant, architecture: str) -> list[str]:
    """Of NVRTC."""
    defines = (f"--define-macro={name}={value}" for name, value in variant.defines.items())
    return [
        f"--gpu-architecture={architecture}", "--std=c++17", "--generate-line-info", f"--include-path={KERNELS}",
        *defines,
    ]  # fmt: skip


def check_architecture(architecture: str) -> None:
    """Raises:
    UnsupportedError: if NVRTC has no such.
    """
    known = _given("nvrtcGetSupportedArchs", nvrtc().nvrtcGetSupportedArchs())
    if architecture not in (names := [f"sm_{number}" for number in known]):
        raise UnsupportedError(
            f"NVRTC {nvrtc_version()} does not compile for {architecture}, expected one "
            f"of {', '.join(names)}; install a torch build for a CUDA version that knows this GPU"
        )


@cache
def nvrtc() -> Any:
    """The compiler.

    Raises:
        ExtraError: if it or cuda-bindings is not installed.
    """
    module = package("cuda.bindings.nvrtc", "the GPU engine", "gpu", brought_by="cuda-bindings")
    try:
        module.nvrtcVersion()
    except RuntimeError:  # the library was not found
        raise ExtraError(
            f"the GPU engine needs NVRTC of the CUDA version of cuda-bindings, {version('cuda-bindings')}; install "
            "them as a build of torch for CUDA brings them"
        ) from None
    return module


def nvrtc_version() -> str:
    """As in 13.0."""
    return ".".join(map(str, _given("nvrtcVersion", nvrtc().nvrtcVersion())))


def _log(compiler: Any, program: Any) -> str:
    log = bytearray(_given("nvrtcGetProgramLogSize", compiler.nvrtcGetProgramLogSize(program)))
    _given("nvrtcGetProgramLog", compiler.nvrtcGetProgramLog(program, log))
    return "\n".join(log.rstrip(b"\0").decode(errors="replace").splitlines()[:LINES_OF_A_LOG])


def _given(doing: str, answer: tuple[Any, ...]) -> Any:
    """What a call of the driver or of NVRTC gave beside its error: nothing, one thing, or several."""
    error, *values = answer
    if error:
        raise UnsupportedError(f"{doing}: CUDA answers {error.name}, expected success")
    return values[0] if len(values) == 1 else tuple(values)
