"""The kernels on the host, where every block is run thread by thread and what goes wrong is told."""

from __future__ import annotations

import ctypes
import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

import torch

from qloom.engines.gpu.machine import KERNELS, Call, Machine, Variant, digest, source_files

ROOT = Path(__file__).resolve().parents[3]
BUILDS = ROOT / "build" / "gpu-host"
# Each library has its own kernels: hidden, or the first one loaded would serve all.
OPTIONS = ("-std=c++20", "-O1", "-fPIC", "-fvisibility=hidden", "-w", "-x", "c++", "-I", str(KERNELS))


class HostMachine(Machine):
    """Compiles on first use, kept under build/.

    Args:
        source: with the kernels.
        most_shared: bytes; of an H100 by default.
        sanitizers: "address,undefined" or "thread", for processes that have their runtime loaded (LD_PRELOAD).
    """

    def __init__(self, source: Path = KERNELS / "kernels.cu", most_shared: int = 232448, sanitizers: str = "") -> None:
        self.device = torch.device("cpu")
        self.most_shared = most_shared
        self.name = "host"
        self._given = (source, most_shared, sanitizers)
        self._source = source
        self._options = (f"-fsanitize={sanitizers}", "-g") if sanitizers else ()
        self._libraries: dict[Variant, ctypes.CDLL] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._given

    def prepare(self, variant: Variant) -> None:
        self._library(variant)

    def launch(self, kernel: str, variant: Variant, blocks: int, threads: int, shared: int, call: Call) -> None:
        if blocks == 0:
            return
        if shared > self.most_shared:
            raise RuntimeError(f"{shared} bytes of shared memory, expected at most {self.most_shared}")
        error = self._library(variant).qloom_launch(kernel.encode(), blocks, threads, shared, ctypes.byref(call))
        if error is not None:
            raise RuntimeError(error.decode())

    def _library(self, variant: Variant) -> ctypes.CDLL:
        if variant not in self._libraries:
            defines = (f"-D{name}={value}" for name, value in variant.defines.items())
            self._libraries[variant] = load(build(self._source, ("-shared", *self._options, *defines)))
        return self._libraries[variant]


def load(path: Path) -> ctypes.CDLL:
    library = ctypes.CDLL(str(path))
    library.qloom_launch.restype = ctypes.c_char_p
    library.qloom_launch.argtypes = [ctypes.c_char_p, ctypes.c_uint, ctypes.c_uint, ctypes.c_size_t, ctypes.c_void_p]
    library.qloom_call_size.restype = ctypes.c_size_t
    size = library.qloom_call_size()
    assert size == ctypes.sizeof(Call), f"a call has {size} bytes in C++ and {ctypes.sizeof(Call)} here"
    return library


def build(source: Path, options: tuple[str, ...]) -> Path:
    """Compile a source for the host, unless it has been. Several processes may do so at once."""
    command = (*shlex.split(os.environ.get("CXX", "g++")), *OPTIONS, *options)
    files = (source, *source_files(".cu", ".h", ".hpp"))
    target = BUILDS / digest(*files, options=command) / "kernels"
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f"{os.getpid()}.part")
    finished = subprocess.run([*command, str(source), "-o", str(temporary)], capture_output=True, text=True)
    if finished.returncode:
        raise RuntimeError(f"{source.name} does not compile for the host:\n{finished.stderr[:4000]}")
    os.replace(temporary, target)
    return target
