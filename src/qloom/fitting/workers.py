"""Processes that train one model together: each walks its share of the rows of a step, and all take the same step.

Every worker runs the same program on the same numbers. What rows gave is summed over the workers, what depends on a
clock or a file is the first worker's. A launcher starts them: torchrun, Ray Train, or `qloom train --workers`.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from tempfile import NamedTemporaryFile
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from qloom._native import SharedSums
from qloom.errors import WorkerError
from qloom.fitting.surroundings import COUNT, COUNT_HERE, MEETING, RANK, RANK_HERE, number_of

# The first worker trains baselines meanwhile.
_PATIENCE = timedelta(days=2)
# Shares of a step are whole multiples of so many rows: a kernel takes as long for fewer.
_LANES = 8
# Where Linux has files that are memory.
_MEMORY = "/dev/shm"


@dataclass(frozen=True)
class Workers:
    """All of them, as one sees them.

    Attributes:
        rank: of this one, from 0.
        count: of all.
        place: where this one runs, in words.
        sums: of single precision, through memory that all share; None where they are on several machines.
    """

    rank: int = 0
    count: int = 1
    place: str = "all cores"
    sums: SharedSums | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{self.count} workers, each on {self.place}"

    @property
    def leads(self) -> bool:
        """Whether this one writes files, says what happens, and decides what is not the same everywhere."""
        return self.rank == 0

    def share(self, n_rows: int) -> tuple[int, int]:
        """Where this one's rows of a step begin, and how many they are; perhaps none."""
        if self.count == 1:
            return 0, n_rows
        n_lanes = -(-n_rows // _LANES)
        first, end = (min(n_rows, _LANES * (n_lanes * k // self.count)) for k in (self.rank, self.rank + 1))
        return first, end - first

    def add(self, numbers: Tensor) -> None:
        """Let every worker have the sum over all of them, in place, the same bits everywhere."""
        if self.count == 1:
            return
        with _in_company():
            if self.sums is not None and numbers.dtype == torch.float32 and numbers.is_contiguous():
                self.sums.add(numbers)
            else:
                dist.all_reduce(numbers)

    def mean(self, number: float) -> float:
        """Over the workers."""
        if self.count == 1:
            return number
        numbers = torch.tensor([number], dtype=torch.float64)
        self.add(numbers)
        return float(numbers) / self.count

    def told(self, decide: Callable[[], Any]) -> Any:
        """What the first worker decides, for all: plain JSON values. The others are told it and do not decide."""
        if self.count == 1:
            return decide()
        text = json.dumps(decide()).encode() if self.leads else b""
        return json.loads(self.told_bytes(text))

    def told_bytes(self, own: bytes) -> bytes:
        """The first worker's."""
        if self.count == 1:
            return own
        with _in_company():
            size = torch.tensor([len(own)])
            dist.broadcast(size, 0)
            content = bytearray(own if self.leads else int(size))
            if content:
                dist.broadcast(torch.frombuffer(content, dtype=torch.uint8), 0)
        return bytes(content)

    def replicate(self, module: nn.Module) -> nn.Module:
        """Let gradients of a module that every worker holds whole be means over the workers, from now on.

        It is for what FSDP leaves alone: circuits have few weights, and each worker runs them on its own rows.
        """

        def average(parameter: Tensor) -> None:
            assert parameter.grad is not None
            self.add(parameter.grad.div_(self.count))

        for parameter in module.parameters():
            parameter.register_post_accumulate_grad_hook(average)
        return module


ALONE = Workers()


@contextmanager
def joined(environment: Mapping[str, str] | None = None) -> Iterator[Workers]:
    """The workers that a launcher started this process among; without one a single worker, this process.

    Where torch.distributed has a process group, it is this: Ray Train makes one. Else there is one inside the block. Of
    several on one machine each keeps to its share of the cores.

    Args:
        environment: variables that the launcher set; None for those of this process.

    Raises:
        WorkerError: if they do not find each other.
    """
    environment = os.environ if environment is None else environment
    given = dist.is_available() and dist.is_initialized()
    rank, count = number_of(RANK, 0, environment), number_of(COUNT, 1, environment)
    if count == 1 and not given:
        yield ALONE
        return
    with _on_its_cores(environment) as place:
        if given:
            rank, count = dist.get_rank(), dist.get_world_size()
            yield Workers(rank, count, place, _shared_sums(rank, count, environment))
            return
        with _in_company():
            dist.init_process_group(
                "gloo", init_method=environment.get(MEETING, "env://"), rank=rank, world_size=count, timeout=_PATIENCE
            )
        try:
            yield Workers(rank, count, place, _shared_sums(rank, count, environment))
        finally:
            dist.destroy_process_group()


def _shared_sums(rank: int, count: int, environment: Mapping[str, str]) -> SharedSums | None:
    """Where all are on this machine. A sum then takes microseconds, and over sockets as long as a small step."""
    if number_of(COUNT_HERE, 1, environment) != count or sys.platform == "win32":
        return None
    workers = Workers(rank, count)
    with NamedTemporaryFile(dir=_MEMORY if os.path.isdir(_MEMORY) else None, prefix="qloom-") as file:
        file.truncate(SharedSums.bytes(count))
        sums = SharedSums(workers.told(lambda: file.name), rank, count)
        with _in_company():
            dist.barrier()  # the first one's file has no name any more when all have mapped it
    return sums


@contextmanager
def _on_its_cores(environment: Mapping[str, str]) -> Iterator[str]:
    """This process on its share of the machine's cores inside the block; what that is, in words."""
    rank, count = number_of(RANK_HERE, 0, environment), number_of(COUNT_HERE, 1, environment)
    if count == 1 or not hasattr(os, "sched_setaffinity"):
        yield "all cores"
        return
    before = sorted(os.sched_getaffinity(0))
    size = max(1, len(before) // count)
    first = rank * size % len(before)
    os.sched_setaffinity(0, before[first : first + size])
    try:
        shared = f", which {count} workers share" if count > len(before) else ""
        yield f"{size} of {len(before)} cores{shared}"
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def _in_company() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # torch has no class of its own for it
        reason = str(error).splitlines()[0]
        raise WorkerError(
            f"another worker of this training has gone ({reason}); go on from the last checkpoint with --resume"
        ) from error
