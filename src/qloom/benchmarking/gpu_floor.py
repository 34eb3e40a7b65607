"""What a GPU can do at most, and what a call needs of it: benchmarks/floor.md derives the counts."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Any, NamedTuple

import numpy as np
import torch

from qloom.benchmarking.gpu import WARM_UP, Place
from qloom.benchmarking.work import Work
from qloom.engines.gpu.cuda import describe
from qloom.engines.gpu.packing import Packed
from qloom.engines.gpu.shapes import NUMBER_BYTES
from qloom.errors import UnsupportedError
from qloom.extras import package

# Shared memory has 32 banks of 4 bytes; so many bytes a multiprocessor in a cycle.
BANK_BYTES = 128
# Multiprocessors of these compute capabilities have 64 units for float32, others 128.
FEW_UNITS = ("6.0", "7.0", "7.2", "7.5", "8.0")
# What a launch takes the host at least, with the driver's own call alone.
LAUNCH_SECONDS = 3e-6
# Bytes of what is copied to find the rate of global memory: no cache holds it.
COPIED_BYTES = 1 << 30


@dataclass(frozen=True)
class Limits:
    """What a GPU does at most in a second.

    Attributes:
        multiply_adds: float32, by its units and clock.
        shared_bytes: to and from shared memory, by its banks and clock.
        memory_bytes: of global memory, read plus written, as measured by a copy.
        launches: of one thread of the host.
    """

    multiply_adds: float
    shared_bytes: float
    memory_bytes: float
    launches: float = 1 / LAUNCH_SECONDS


def limits_of(place: Place) -> Limits:
    """Of a GPU."""
    facts, clock = describe(place.device.index or 0), clock_of(place.device.index or 0)
    units = 64 if facts["capability"] in FEW_UNITS else 128
    cycles = facts["multiprocessors"] * clock
    return Limits(units * cycles, BANK_BYTES * cycles, copy_rate_of(place))


def clock_of(device_index: int) -> float:
    """Cycles a second of the multiprocessors at most."""
    known = describe(device_index)["clock"]
    if known:
        return float(known)
    driver = package("cuda.bindings.driver", "the clock of a GPU", "gpu", brought_by="cuda-bindings")
    attribute = driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_CLOCK_RATE
    error, kilohertz = driver.cuDeviceGetAttribute(attribute, device_index)
    if error or not kilohertz:
        raise UnsupportedError(
            f"CUDA does not tell the clock of device {device_index}, expected kHz; update its driver"
        )
    return 1e3 * float(kilohertz)


def copy_rate_of(place: Place, n_bytes: int = COPIED_BYTES) -> float:
    """Bytes a second, read plus written, of torch's copy within a device."""
    source = torch.zeros(n_bytes, dtype=torch.uint8, device=place.device)
    target = torch.empty_like(source)
    times = place.times(lambda: target.copy_(source), 2 * WARM_UP)[WARM_UP:]
    return 2 * n_bytes / float(np.median(times))


# -- what a call needs


@dataclass(frozen=True)
class Needs:
    """Of one call: what it cannot do without, in the units of `Limits`."""

    multiply_adds: float
    shared_bytes: float
    memory_bytes: float
    launches: float


class Floor(NamedTuple):
    """Seconds that a call takes at least, and which of its needs says so."""

    seconds: float
    binds: str


NAMES = ("multiply-adds", "shared memory", "global memory", "launches")


def floor_of(needs: Needs, limits: Limits) -> Floor:
    """The longest of the times that a call's needs take, each by itself."""
    times = [need / rate for need, rate in zip(astuple(needs), astuple(limits), strict=True)]
    return Floor(max(times), NAMES[int(np.argmax(times))])


def needs_of_step(work: Work, place: Place, launches: int) -> Needs:
    """Forward and back of a batch, in float32."""
    packed = packed_of(work, place, back=True)
    return Needs(work.step_multiply_adds, *_moved(packed, work.batch, 2 + 4, kept=2), launches)


def needs_of_forward(work: Work, place: Place, launches: int) -> Needs:
    """Values alone of a batch, in float32."""
    packed = packed_of(work, place, back=False)
    return Needs(work.forward_multiply_adds, *_moved(packed, work.batch, 2, kept=0), launches)


def packed_of(work: Work, place: Place, back: bool) -> Packed:
    """The work's program as kernels have it."""
    evaluator: Any = place.engine.prepare(work.circuit())
    packed: Packed = evaluator.packed(torch.float32, back)
    return packed


def _moved(packed: Packed, batch: int, walks: int, kept: int) -> tuple[float, float]:
    """Bytes of shared and of global memory.

    Args:
        walks: how often each number of a state is read or written by a sweep on its way: twice forward, and back twice
            for the state and twice for lambda.
        kept: how often final states in shared memory are moved between walks.
    """
    state = batch * (NUMBER_BYTES[packed.variant.real] * packed.variant.components << packed.bits)
    sweeps, tiles = float(n_sweeps(packed)), float(len(packed.tiles))
    if packed.is_whole:
        return walks * sweeps * state, kept * state
    return walks * (sweeps + tiles) * state, walks * tiles * state


# Of the numbers that a program's table begins with, `kernels/program.h`: bits, is_real, n_rotations, n_tiles, n_stages.
_N_SWEEPS = 5


def n_sweeps(packed: Packed) -> int:
    """Sweeps over shared memory that a program is done in at least, all tiles together.

    Those that have tables of phases are not among them: the next sweep takes a table along.
    """
    head = packed.table[: 4 * (_N_SWEEPS + 1)].numpy(force=True)
    return int(head.view(np.uint32)[_N_SWEEPS]) - packed.n_tables


def has_room(work: Work, place: Place) -> bool:
    """Whether a state of float32 is in memory there with some to spare."""
    return 1.1 * (8 << work.n_qubits) < place.memory
