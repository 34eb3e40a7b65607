"""The versions of a run's model: what each was made from, whether it was taken, and which one is in force."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from qloom.errors import ArtifactError
from qloom.files import read_json, write_json
from qloom.models.tables.competitors import COMPETITORS, UNDER_TEST

VERSIONS, LEDGER = "versions", "versions.json"
_HEADING = {"format": "qloom.versions", "version": 1}


@dataclass(frozen=True)
class Version:
    """An updated model, taken or not. The run's own model is number 0 and has no entry.

    Attributes:
        number: from 1; the folder of one that was taken is `versions/0001`.
        made: when, as ISO 8601 in UTC.
        base: number of the version that it was made from.
        data: what it learnt from: source, sha256, n_rows, and what else is to be known.
        how: method, trained parts, seconds.
        scores: of the old and the new model on fresh rows: n_rows, loss, difference, interval.
        accepted: whether it was taken.
        rule: by which it was taken or not, in words.
    """

    number: int
    base: int
    data: Mapping[str, Any]
    how: Mapping[str, Any]
    scores: Mapping[str, Any]
    accepted: bool
    rule: str
    made: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))


class Ledger:
    """The versions in a run folder; without any, the run's own model is in force.

    A version's folder is written before its line in `versions.json`, which is replaced as a whole: a process that is
    killed leaves the ledger of before, or the new one.

    Args:
        run: the run folder.

    Raises:
        ArtifactError: for a ledger that is damaged or of another version.
    """

    def __init__(self, run: str | Path):
        self.run = Path(run)
        self.path = self.run / VERSIONS / LEDGER
        self._in_force, self.versions = self._read() if self.path.is_file() else ([0], ())

    @property
    def number(self) -> int:
        """Of the version in force."""
        return self._in_force[-1]

    @property
    def folder(self) -> Path:
        """Of the version in force, laid out as a run folder."""
        return self.folder_of(self.number)

    @property
    def current(self) -> Path:
        """The model folder of the version in force.

        Raises:
            ArtifactError: if it is missing.
        """
        model = self.folder / COMPETITORS[UNDER_TEST].place
        if self.number and not model.is_dir():
            raise ArtifactError(
                f"{model} is missing, expected the model of version {self.number}, which is in force; put it back, or "
                "go back with qloom watch --back"
            )
        return model

    def folder_of(self, number: int) -> Path:
        """The folder of a version; of 0 that of the run."""
        return self.run / VERSIONS / f"{number:04}" if number else self.run

    def next_folder(self) -> tuple[int, Path]:
        """Number and empty folder of a version to be made; what a killed process left there is deleted."""
        number = max((version.number for version in self.versions), default=0) + 1
        folder = self.folder_of(number)
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        return number, folder

    def enter(self, version: Version) -> None:
        """Write a version down; one that is accepted, whose folder is whole by then, is in force from then on."""
        self.versions = (*self.versions, version)
        self._in_force = [*self._in_force, *([version.number] if version.accepted else [])]
        self._write()

    def accept(self, number: int) -> None:
        """Put a version that was taken once, or 0, in force.

        Raises:
            ArtifactError: for another number.
        """
        known = [0, *(version.number for version in self.versions if version.accepted)]
        if number not in known:
            raise ArtifactError(f"{self.run} has no version {number}, expected one of {', '.join(map(str, known))}")
        self._in_force = [*self._in_force, number]
        self._write()

    def back(self) -> int:
        """Put the version in force that was before this one; its number. No folder is deleted.

        Raises:
            ArtifactError: where there is none.
        """
        if len(self._in_force) < 2:
            raise ArtifactError(
                f"{self.run} has no version before {self.number} to go back to, expected one that qloom watch "
                "--update made; nothing was changed"
            )
        self._in_force = self._in_force[:-1]
        self._write()
        return self.number

    def _write(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        entries = [asdict(version) for version in self.versions]
        write_json(self.path, {**_HEADING, "in_force": self._in_force, "versions": entries})

    def _read(self) -> tuple[list[int], tuple[Version, ...]]:
        found = read_json(self.path)
        try:
            heading = {name: found[name] for name in _HEADING}
            names = {each.name for each in fields(Version)}
            versions = tuple(Version(**{name: entry[name] for name in names}) for entry in found["versions"])
            in_force = [int(number) for number in found["in_force"]]
            if not in_force or not set(in_force) <= {0, *(each.number for each in versions if each.accepted)}:
                raise ValueError("what is in force has no entry")
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise ArtifactError(
                f"{self.path} is damaged ({type(error).__name__}: {error}), expected what qloom watch wrote; without "
                "the file the run's own model is in force"
            ) from None
        if heading != _HEADING:
            raise ArtifactError(f"{self.path} is of another version, expected {_HEADING['version']}; update qloom")
        return in_force, versions


def version_in_force(path: Path, name: str | None = None) -> int | None:
    """Number of the version that a run folder gives without the name of a model; None for its own model."""
    return (Ledger(path).number or None) if name is None and (path / VERSIONS / LEDGER).is_file() else None


def version_line(path: Path, name: str | None) -> str:
    """Which version of a run answers, in words; empty for its own model."""
    number = version_in_force(path, name)
    return "" if number is None else f"version {number} of {path}, made by qloom watch"
