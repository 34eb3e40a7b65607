"""How kernels are laid out over threads and shared memory; `kernels/circuit.h` cuts the memory the same way."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from qloom.engines.gpu.machine import KERNELS, Variant

WARP = 32


def _constant(name: str, header: str) -> int:
    text = (KERNELS / header).read_text(encoding="utf-8")
    found = re.search(rf"constexpr u32 (?:\w+ = \d+, )*{name} = (\d+)[,;]", text)
    if found is None:
        raise TypeError(f"{header} has no constant {name}")
    return int(found[1])


MOST_IN_STAGE = _constant("MOST_IN_STAGE", "program.h")
MOST_IN_GROUP = _constant("MOST_IN_GROUP", "program.h")
MOST_TILE_BITS = _constant("MOST_TILE_BITS", "program.h")
MOST_THREADS = _constant("MOST_THREADS", "block.h")
SIDE_BY_SIDE = _constant("SIDE_BY_SIDE", "state.h")
OF_A_THREAD = _constant("OF_A_THREAD", "draw.h")
_TURN_BYTES = {"float": 16, "double": 32}
NUMBER_BYTES = {"float": 4, "double": 8}


@dataclass(frozen=True)
class Shape:
    """Threads and shared memory of a block that has states of so many bits in it.

    Attributes:
        thread_bits: 2^thread_bits threads work on a sample.
        samples: of a block; more than one where they fill a warp together.
        shared: bytes.
    """

    bits: int
    thread_bits: int
    samples: int
    shared: int

    @property
    def threads(self) -> int:
        return self.samples << self.thread_bits


@cache
def shape_of(
    variant: Variant, bits: int, back: bool, least_bits: int | None = None, together: bool = True, waves: bool = True
) -> Shape:
    """The shape for states of so many bits.

    Args:
        back: whether there is room for a second state, and for slopes.
        least_bits: of the smallest state, where they differ; `bits` otherwise.
        together: whether samples may share a warp.
        waves: whether there is room for one more number an amplitude.
    """
    smallest = bits if least_bits is None else least_bits
    thread_bits = min(smallest - variant.register_bits, MOST_THREADS.bit_length() - 1)
    threads = 1 << thread_bits
    samples = max(1, WARP // threads) if together else 1
    return Shape(bits, thread_bits, samples, _shared(variant, bits, threads, samples, back, waves))


def _shared(variant: Variant, bits: int, threads: int, samples: int, back: bool, waves: bool) -> int:
    number, warps = NUMBER_BYTES[variant.real], max(1, threads // WARP)
    states = ((2 if back else 1) * variant.components + waves) * number << bits
    turns = (MOST_IN_STAGE + (samples > 1)) * _TURN_BYTES[variant.real]
    stage = turns + MOST_IN_STAGE * number * (1 + (warps if back else 0))
    return 8 * MOST_IN_GROUP * warps + samples * (stage + states)


def most_bits(variant: Variant, back: bool, most_shared: int) -> int:
    """The largest state that a block has room for."""
    fitting = [
        bits
        for bits in range(variant.register_bits, MOST_TILE_BITS + 1)
        if shape_of(variant, bits, back).shared <= most_shared
    ]
    return max(fitting, default=0)
