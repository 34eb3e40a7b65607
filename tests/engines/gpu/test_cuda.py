"""CUDA without a GPU: what is missing is said, kernels are compiled and kept, launches reach the driver."""

from __future__ import annotations

import copy
import ctypes
import pickle
import re
import subprocess
import sys
from enum import IntEnum
from importlib.metadata import files
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from qloom.engines.gpu import cuda
from qloom.engines.gpu.machine import Call, Variant
from qloom.errors import ExtraError, UnsupportedError

TOYS = Path(__file__).with_name("toys.cu")
VARIANT = Variant("float", 2, 4)


@pytest.fixture
def seen(monkeypatch):
    """As if torch saw one GPU."""
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    for name, value in {
        "is_available": True, "device_count": 1, "init": None, "get_device_name": "a GPU",
        "get_device_capability": (9, 0), "current_stream": SimpleNamespace(cuda_stream=77),
    }.items():  # fmt: skip
        monkeypatch.setattr(torch.cuda, name, lambda *_, value=value: value)


def test_a_torch_without_cuda_is_named(monkeypatch):
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(UnsupportedError, match=r"^torch .* is built without CUDA, expected .*, or use device='cpu'$"):
        cuda.CudaMachine()


@pytest.mark.usefixtures("seen")
def test_a_machine_without_a_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UnsupportedError, match=r"^no CUDA device: torch.cuda.is_available\(\) is False; .*'cpu'$"):
        cuda.describe()


@pytest.mark.usefixtures("seen")
def test_a_gpu_that_is_not_there():
    with pytest.raises(UnsupportedError, match="no CUDA device 1, expected one of 1 from 0 on"):
        cuda.CudaMachine(1)


@pytest.fixture
def without_bindings(monkeypatch):
    for name in ("driver", "nvrtc"):
        monkeypatch.setitem(sys.modules, f"cuda.bindings.{name}", None)
    cuda.nvrtc.cache_clear()


@pytest.mark.usefixtures("seen", "without_bindings")
def test_missing_bindings_are_named():
    with pytest.raises(ExtraError, match=r"^CudaMachine needs cuda-bindings; .* 'qloom\[gpu\]'$"):
        cuda.CudaMachine()
    with pytest.raises(ExtraError, match=r"needs cuda-bindings; .* 'qloom\[gpu\]'$"):
        cuda.compile_kernels(VARIANT, "sm_90")


def test_a_missing_compiler_is_named(monkeypatch):
    def missing():
        raise RuntimeError("Failure finding libnvrtc.so")

    cuda.nvrtc.cache_clear()
    monkeypatch.setattr(cuda, "package", lambda *_, **__: SimpleNamespace(nvrtcVersion=missing))
    monkeypatch.setattr(cuda, "version", lambda _: "13.0.3")
    with pytest.raises(
        ExtraError,
        match=r"needs NVRTC of the CUDA version of cuda-bindings, 13.0.3; .* build of torch for CUDA brings them$",
    ):
        cuda.nvrtc()


def test_facts_of_a_gpu(seen, monkeypatch):
    found = SimpleNamespace(name="a GPU", total_memory=8, multi_processor_count=4, major=9, minor=0)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: found)
    facts = {"name": "a GPU", "memory": 8, "multiprocessors": 4, "capability": "9.0"}
    assert cuda.describe() == facts | {"clock": None}
    found.clock_rate = 1_980_000
    assert cuda.describe() == facts | {"clock": 1_980_000_000}


# --- Launches, with a driver that writes down what it is asked for ---


class Result(IntEnum):
    CUDA_SUCCESS = 0
    CUDA_ERROR_NOT_FOUND = 500
    CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES = 701


class Driver:
    """The part of cuda.bindings.driver that is used."""

    CUresult = Result
    CUdevice_attribute = SimpleNamespace(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN=97)
    CUfunction_attribute = SimpleNamespace(CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES=8)

    def __init__(self):
        self.contexts, self.loaded, self.launched, self.shared = [], [], [], {}

    def cuInit(self, _):
        return (Result.CUDA_SUCCESS,)

    def cuDeviceGet(self, index):
        return Result.CUDA_SUCCESS, index

    def cuDevicePrimaryCtxRetain(self, _):
        return Result.CUDA_SUCCESS, "context"

    def cuDeviceGetAttribute(self, attribute, _):
        return Result.CUDA_SUCCESS, {97: 232448}[attribute]

    def cuCtxPushCurrent(self, context):
        self.contexts.append(context)
        return (Result.CUDA_SUCCESS,)

    def cuCtxPopCurrent(self):
        return Result.CUDA_SUCCESS, self.contexts.pop()

    def cuModuleLoadData(self, cubin):
        self.loaded.append((cubin, list(self.contexts)))
        return Result.CUDA_SUCCESS, "module"

    def cuModuleGetFunction(self, _, name):
        is_there = name in (b"mirror", b"rotate")
        return (Result.CUDA_SUCCESS, name.decode()) if is_there else (Result.CUDA_ERROR_NOT_FOUND, None)

    def cuFuncSetAttribute(self, function, attribute, value):
        self.shared[function] = (attribute, value)
        return (Result.CUDA_SUCCESS,)

    def cuLaunchKernel(self, function, *rest):
        *sizes, parameters, extra = rest
        (address,) = (ctypes.c_void_p * 1).from_address(parameters)
        copied = Call.from_buffer_copy(ctypes.string_at(address, ctypes.sizeof(Call)))
        self.launched.append((function, sizes, copied.n_inputs, extra, list(self.contexts)))
        too_many = sizes[3] > 1024
        return (Result.CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES if too_many else Result.CUDA_SUCCESS,)


@pytest.fixture
def driver(seen, monkeypatch):
    driver = Driver()
    monkeypatch.setattr(cuda, "package", lambda *_, **__: driver)
    monkeypatch.setattr(cuda, "cached_kernels", lambda variant, *_: variant.real.encode())
    return driver


def test_a_launch_has_the_call_by_value_and_the_stream_of_torch(driver):
    machine = cuda.CudaMachine(0, TOYS)
    assert (machine.device, machine.most_shared, machine.name) == (torch.device("cuda:0"), 232448, "a GPU")
    machine.launch("mirror", VARIANT, 3, 64, 256, Call(n_inputs=5))
    machine.launch("mirror", VARIANT, 0, 64, 256, Call())
    assert driver.launched == [("mirror", [3, 1, 1, 64, 1, 1, 256, 77], 5, 0, ["context"])]
    assert driver.contexts == []


def test_a_variant_is_loaded_once_with_all_its_kernels(driver):
    machine = cuda.CudaMachine(0, TOYS)
    machine.prepare(VARIANT)
    for kernel in ("mirror", "rotate", "mirror"):
        machine.launch(kernel, VARIANT, 1, 1, 0, Call())
    machine.launch("mirror", Variant("double", 2, 4), 1, 1, 0, Call())
    assert driver.loaded == [(b"float", ["context"]), (b"double", ["context"])]
    assert driver.shared == {"mirror": (8, 232448), "rotate": (8, 232448)}


def test_copies_are_the_machine_itself(driver):
    cuda.find_machine.cache_clear()
    machine = cuda.find_machine(0)
    assert copy.deepcopy(machine) is machine
    assert pickle.loads(pickle.dumps(machine)) is machine
    cuda.find_machine.cache_clear()


def test_errors_of_the_driver_are_ours(driver):
    machine = cuda.CudaMachine(0, TOYS)
    with pytest.raises(UnsupportedError, match=r"mirror in 1 blocks of 2048 .*CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES"):
        machine.launch("mirror", VARIANT, 1, 2048, 0, Call())
    with pytest.raises(UnsupportedError, match=r"kernel .shuffle. is not in toys\.cu compiled for Variant"):
        machine.launch("shuffle", VARIANT, 1, 1, 0, Call())
    assert driver.contexts == []


# --- The cache ---


@pytest.fixture
def compiled(monkeypatch, tmp_path):
    """Names of what was compiled, with a compiler that gives the source back."""
    names = []

    def compile_kernels(variant, architecture, source):
        names.append((variant.real, architecture))
        return source.read_bytes()

    monkeypatch.setattr(cuda, "compile_kernels", compile_kernels)
    monkeypatch.setattr(cuda, "nvrtc_version", lambda: "13.0")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return names


def test_kernels_are_compiled_once(compiled, tmp_path, monkeypatch):
    source = tmp_path / "some.cu"
    source.write_text("one")
    assert [cuda.cached_kernels(VARIANT, "sm_90", source) for _ in range(2)] == [b"one"] * 2
    assert compiled == [("float", "sm_90")]
    assert [path.suffix for path in (tmp_path / "cache" / "qloom" / "kernels").iterdir()] == [".cubin"]
    cuda.cached_kernels(VARIANT, "sm_80", source)
    cuda.cached_kernels(Variant("double", 2, 4), "sm_90", source)
    source.write_text("two")
    assert cuda.cached_kernels(VARIANT, "sm_90", source) == b"two"
    monkeypatch.setattr(cuda, "nvrtc_version", lambda: "13.1")
    cuda.cached_kernels(VARIANT, "sm_90", source)
    assert len(compiled) == 5


def test_a_cache_that_cannot_be_written_is_no_error(compiled, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert [cuda.cached_kernels(VARIANT, "sm_90", TOYS) for _ in range(2)] == [TOYS.read_bytes()] * 2
    assert len(compiled) == 2


def test_the_cache_is_in_the_home_folder_by_default(tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cuda.cache_folder() == tmp_path / ".cache" / "qloom" / "kernels"


# --- The compiler itself ---


@pytest.fixture(scope="module")
def nvrtc():
    cuda.nvrtc.cache_clear()
    try:
        return cuda.nvrtc()
    except ExtraError as error:
        pytest.skip(str(error))


@pytest.mark.slow
@pytest.mark.usefixtures("nvrtc")
@pytest.mark.parametrize("architecture", ["sm_80", "sm_90"])
@pytest.mark.parametrize("variant", [Variant("float", 1, 3), Variant("double", 2, 3)], ids=str)
@pytest.mark.parametrize("source", [TOYS, cuda.SOURCE], ids=lambda path: path.name)
def test_kernels_compile(source, variant, architecture):
    cubin = cuda.compile_kernels(variant, architecture, source)
    assert cubin.startswith(b"\x7fELF")
    others = set(cuda.kernel_names(cuda.SOURCE)) if source == TOYS else set()
    own = set(cuda.kernel_names(source)) - others
    assert own
    assert [name for name in own if f".text.{name}\0".encode() not in cubin] == []


@pytest.mark.slow
@pytest.mark.usefixtures("nvrtc")
def test_what_the_compiler_says_is_told(tmp_path):
    source = tmp_path / "wrong.cu"
    source.write_text("__global__ void wrong() { nothing(); }\n")
    with pytest.raises(
        UnsupportedError, match=r"^wrong.cu does not compile for sm_90:\n.*wrong\.cu\(1\): error: .*nothing"
    ):
        cuda.compile_kernels(VARIANT, "sm_90", source)
    with pytest.raises(UnsupportedError, match=r"^NVRTC \d+\.\d+ does not compile for sm_10, expected one of sm_"):
        cuda.compile_kernels(VARIANT, "sm_10", TOYS)


@pytest.mark.slow
@pytest.mark.usefixtures("nvrtc")
@pytest.mark.parametrize(
    "variant", [Variant(real, parts, 3) for real in ("float", "double") for parts in (1, 2)], ids=str
)
def test_kernels_have_registers_for_what_a_thread_holds(variant, tmp_path):
    """Whatever launch bounds make of them: see findings/nvrtc_fewer_registers.sh. Exact sines of large angles take some
    bytes of stack; amplitudes there would take 128 and more."""
    tool = next(str(one.locate()) for one in files("nvidia-cuda-cuobjdump") or () if one.name == "cuobjdump")
    (tmp_path / "kernels.cubin").write_bytes(cuda.compile_kernels(variant, "sm_90"))
    asked = [tool, "--dump-resource-usage", str(tmp_path / "kernels.cubin")]
    told = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    found = re.findall(r"Function (\w+):\s+REG:(\d+) STACK:(\d+)", told)
    assert {name for name, *_ in found} == set(cuda.kernel_names(cuda.SOURCE))
    for name, registers, stack in found:
        assert int(stack) < 128, f"{name} has {stack} bytes of stack, and {registers} registers"
        assert int(registers) * 256 <= 65536
