"""Whether states have room on a device, asked before they are made."""

from __future__ import annotations

import torch

from qloom.engines.batch import available_memory
from qloom.engines.gpu.launches import pieces_of
from qloom.engines.gpu.packing import Packed
from qloom.engines.gpu.shapes import NUMBER_BYTES
from qloom.errors import MemoryLimitError

# Smaller states are not worth asking for.
LEAST_CHECKED_BITS = 20


def check_room(packed: Packed, n_samples: int, states: int, what: str) -> None:
    """MemoryLimitError unless so many states at once have room for the samples that are worked on together."""
    if packed.is_whole or packed.bits < LEAST_CHECKED_BITS:
        return
    together = pieces_of(packed, n_samples)[0][1]
    needed = states * together * NUMBER_BYTES[packed.variant.real] * packed.variant.components << packed.bits
    free = free_bytes(packed.machine.device)
    if needed > free:
        raise MemoryLimitError(
            f"states of {what} need {needed:,} bytes on {packed.machine.name}, {free:,} are free; use fewer qubits, "
            "samples or float32"
        )


def free_bytes(device: torch.device) -> int:
    """What can be taken there now, torch's own reserves included."""
    if device.type == "cpu":
        return available_memory()
    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
