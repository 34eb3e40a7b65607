"""Whether a run's rows go into memory, told before anything is read: what they take there, and what is free."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as parquet

from qloom.data.compression import inner_suffix, is_compressed
from qloom.data.streams.files import spoken_bytes
from qloom.errors import ConfigError
from qloom.fitting.surroundings import COUNT_HERE, number_of
from qloom.training.configuration import Configuration
from qloom.training.demonstrations import PREFIX

# What is left to others, and to what is not counted here.
_SHARE = 0.7
# Below this a table is read without a further look: less than the libraries themselves take.
_SMALL = 100e6
# Bytes in memory for each byte on disk. Text formats spell a number in about as many bytes as it takes; compressed
# ones are taken for five times smaller. Reading needs the columns twice for a moment.
_TEXT, _COMPRESSED, _READING = 1.0, 5.0, 2.0
# A coded cell is four bytes, categories and codes have several; networks, baselines and importance have copies.
_CODED, _COPIES = 1.5 * 4, 3
_TEXT_CELL = 24
# Files of Linux's control groups, second and first version: the most that a group may take, and what it takes.
_GROUPS = (
    ("memory.max", "memory.current"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
)


@dataclass(frozen=True)
class HowHeld:
    """Whether rows are streamed, and why.

    Attributes:
        note: for the log; empty where there is nothing to say.
    """

    is_streamed: bool
    note: str = ""


def how_held(configuration: Configuration) -> HowHeld:
    """In memory where the rows fit, else streamed, or as the configuration says.

    Raises:
        ConfigError: where they do not fit and `data.stream` is false.
    """
    section = configuration.data
    if section.stream:
        return HowHeld(True, "the rows stay on disk, as data.stream says, and are read a window at a time")
    if "://" in section.source:
        return HowHeld(True, "the rows come from a service: they are written to disk and read a window at a time")
    needed = expected_bytes(section.source)
    if needed is None or needed < _SMALL:
        return HowHeld(False)
    free = available_bytes() // number_of(COUNT_HERE, 1)  # each worker of a machine holds the rows
    sizes = f"about {spoken_bytes(needed)} in memory, and {spoken_bytes(free)} are free"
    if needed <= _SHARE * free:
        return HowHeld(False, f"the rows are held in memory: they take {sizes}")
    if section.stream is False:
        raise ConfigError(
            f"{section.source} takes {sizes}, expected a table that fits, as data.stream is false; leave it out and "
            "the rows are read from disk"
        )
    return HowHeld(True, f"the rows stay on disk and are read a window at a time: they would take {sizes}")


def expected_bytes(source: str) -> int | None:
    """What a table takes in memory while models are trained on it, roughly; None for what only reading would say."""
    path = Path(source)
    if source.startswith(PREFIX) or not path.exists():
        return None
    files = [each for each in path.rglob("*") if each.is_file()] if path.is_dir() else [path]
    return sum(_of_file(each) for each in files)


def _of_file(path: Path) -> int:
    with path.open("rb") as file:
        start = file.read(12)
    if start[:4] == b"PAR1":
        return _of_parquet(path)
    size = path.stat().st_size * (_COMPRESSED if is_compressed(start) or inner_suffix(path) != path.suffix else _TEXT)
    return int(size * (_READING + _COPIES / 2))


def _of_parquet(path: Path) -> int:
    try:
        metadata = parquet.read_metadata(path)
    except (OSError, pa.ArrowException):
        return path.stat().st_size  # reading says what is wrong with it
    kinds = metadata.schema.to_arrow_schema().types
    cells = sum(kind.bit_width / 8 if pa.types.is_primitive(kind) else _TEXT_CELL for kind in kinds)
    return int(metadata.num_rows * (_READING * cells + _COPIES * _CODED * len(kinds)))


def available_bytes() -> int:
    """Memory that this process may still take: of the machine, of its control group, and below its own limit."""
    found = [psutil.virtual_memory().available]
    for limit, used in _GROUPS:
        found += _of_group(Path("/sys/fs/cgroup") / limit, Path("/sys/fs/cgroup") / used)
    if sys.platform != "win32":
        import resource

        most = resource.getrlimit(resource.RLIMIT_AS)[0]
        found += [] if most == resource.RLIM_INFINITY else [most - psutil.Process().memory_info().vms]
    return max(0, min(found))


def _of_group(limit: Path, used: Path) -> list[int]:
    try:
        return [int(limit.read_text()) - int(used.read_text())]
    except (OSError, ValueError):  # not there, or "max"
        return []
