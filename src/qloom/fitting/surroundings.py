"""What a launcher tells a process of the workers around it, by its environment: as torchrun does."""

from __future__ import annotations

import os
from collections.abc import Mapping

RANK, COUNT, RANK_HERE, COUNT_HERE = "RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"
RESTARTS = "TORCHELASTIC_RESTART_COUNT"
# A file by which workers of one machine find each other, so that no port is opened for it; else torchrun's address.
MEETING = "QLOOM_MEETING"


def number_of(name: str, alone: int, environment: Mapping[str, str] = os.environ) -> int:
    """What a launcher said, or what it is for a process that is alone."""
    return int(environment.get(name, alone))


def is_started_again(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a launcher started these workers before, and one of them was lost."""
    return number_of(RESTARTS, 0, environment) > 0
