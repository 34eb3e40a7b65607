"""What runs kernels: a GPU, or the host where tests run the same source."""

from __future__ import annotations

import ctypes
import hashlib
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

KERNELS = Path(__file__).with_name("kernels")
# Of the fields of a call; all else there is a pointer.
NUMBERS: dict[str, Any] = {"u32": ctypes.c_uint32, "u64": ctypes.c_uint64, "double": ctypes.c_double}


@dataclass(frozen=True)
class Variant:
    """One compilation of all kernels.

    Args:
        real: "float" or "double".
        components: of an amplitude: 1 where states are real, else 2.
        register_bits: a thread holds 2^register_bits amplitudes.
    """

    real: str
    components: int
    register_bits: int

    @property
    def defines(self) -> dict[str, str]:
        """Macros of the source."""
        return {"QLOOM_T": self.real, "COMPONENTS": str(self.components), "REGISTER_BITS": str(self.register_bits)}


def read_fields(header: str) -> list[tuple[str, Any]]:
    """Fields of `struct Call` in the text of a header, a line each.

    Raises:
        TypeError: for one that is neither a pointer nor one of NUMBERS.
    """
    lines = re.search(r"^struct Call \{\n(.*?)^\};", header, re.MULTILINE | re.DOTALL)
    if lines is None:
        raise TypeError("call.h has no struct Call, expected `struct Call {` and a line a field")
    return [_field(line) for line in lines[1].splitlines() if line.partition("//")[0].strip()]


def _field(line: str) -> tuple[str, Any]:
    found = re.fullmatch(r"\s*(?:const )?(\w+)(\*?) (\w+);\s*(?://.*)?", line)
    if found is None or not (found[2] or found[1] in NUMBERS):
        raise TypeError(f"call.h has the field {line.strip()!r}, expected a pointer or one of {', '.join(NUMBERS)}")
    return found[3], ctypes.c_void_p if found[2] else NUMBERS[found[1]]


class Call(ctypes.Structure):
    """What a launch is given; `kernels/call.h` says what is in it."""

    _fields_ = read_fields((KERNELS / "call.h").read_text(encoding="utf-8"))


def digest(*sources: Path, options: tuple[str, ...] = ()) -> str:
    """Of sources and what they are compiled with: names what is kept of a compilation."""
    found = hashlib.sha256(repr(options).encode())
    for path in sources:
        content = path.read_bytes()
        found.update(f"{path.name} {len(content)} ".encode() + content)
    return found.hexdigest()[:32]


def source_files(*suffixes: str) -> list[Path]:
    """Files of KERNELS that end so, in order."""
    return sorted(path for path in KERNELS.iterdir() if path.suffix in suffixes)


class Machine(ABC):
    """A device with its memory, for which the kernels are compiled.

    Attributes:
        device: whose tensors kernels work on.
        most_shared: bytes of shared memory that a block can have.
        name: of it, for people.
    """

    device: torch.device
    most_shared: int
    name: str

    @abstractmethod
    def prepare(self, variant: Variant) -> None:
        """Compile a variant, or find it compiled; `launch` does so by itself."""

    @abstractmethod
    def launch(self, kernel: str, variant: Variant, blocks: int, threads: int, shared: int, call: Call) -> None:
        """Start a kernel on the current stream and do not wait for it.

        Args:
            kernel: its name.
            blocks: of threads; with 0, nothing is done.
            threads: of a block.
            shared: bytes of shared memory of a block.
            call: is copied; what it points to must stay.
        """
