"""TSPLIB's format, of round trips and of vehicles: keywords with values, then sections of numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from qloom.combinatorial.problems.text import FormatError, Words, plain_rows, text_of

KEYWORDS = {
    "NAME", "TYPE", "COMMENT", "DIMENSION", "CAPACITY", "VEHICLES", "EDGE_WEIGHT_TYPE", "EDGE_WEIGHT_FORMAT",
    "NODE_COORD_TYPE", "DISPLAY_DATA_TYPE",
}  # fmt: skip
SECTIONS = {
    "NODE_COORD_SECTION", "EDGE_WEIGHT_SECTION", "DISPLAY_DATA_SECTION", "DEMAND_SECTION", "DEPOT_SECTION",
}  # fmt: skip
# Distances are kept for each pair: 3 GB.
MOST_NODES = 20_000
# Kilometres, and the value of pi that GEO is defined with.
EARTH_RADIUS, GEO_PI = 6378.388, 3.141592


@dataclass(frozen=True)
class Tsplib:
    """A file's parts.

    Attributes:
        path: named in errors.
        values: of the keywords.
        lines: where the keywords stand.
        sections: the text of each section, and the line that it begins in.
        n: N nodes.
    """

    path: Path
    values: dict[str, str]
    lines: dict[str, int]
    sections: dict[str, tuple[str, int]]
    n: int

    def section(self, name: str) -> Words:
        """Raises:
        FormatError: if the file has none of that name."""
        if name not in self.sections:
            raise FormatError(f"{self.path} has no {name}, expected one for what its keywords say")
        return Words(self.path, *self.sections[name])

    def words(self, keyword: str) -> Words:
        """The value of a keyword, empty if there is none."""
        return Words(self.path, self.values.get(keyword, ""), self.lines.get(keyword, 1))

    def one_of(self, keyword: str, known: list[str]) -> str:
        """The value of a keyword.

        Raises:
            FormatError: if it is not there, or unknown.
        """
        value = self.values.get(keyword, "")
        if value not in known:
            where = f", line {self.lines[keyword]}" if keyword in self.lines else ""
            raise FormatError(f"{self.path}{where}: {keyword} {value!r}, expected one of {', '.join(known)}")
        return value

    def rows(self, name: str, width: int, what: str) -> np.ndarray:
        """A section's lines: a node from 1, then numbers. Float64 (N, width), by node.

        Raises:
            FormatError: for a node out of range or twice, or a section that is too short or too long.
        """
        words = self.section(name)
        words.expect(f"node, {what}", self.n * (1 + width))
        at_once = plain_rows([line for line in self.sections[name][0].splitlines() if line.strip()], 1 + width)
        if at_once is not None and np.array_equal(np.sort(at_once[:, 0]), np.arange(1, self.n + 1)):
            return at_once[at_once[:, 0].argsort(), 1:]
        out = np.full((self.n, width), np.nan)
        for _ in range(self.n):
            line = words.line
            node = words.integer("node", 1, self.n) - 1
            if not np.isnan(out[node, 0]):
                raise FormatError(f"{self.path}, line {line}: node {node + 1} again, expected each once")
            out[node] = words.numbers(what, width)
        words.end()
        return out

    @cached_property
    def distances(self) -> np.ndarray:
        """Between the nodes, float64 (N, N), its diagonal 0.

        Raises:
            FormatError: for a kind of distances that is unknown, or numbers that do not fit it.
        """
        kind = self.one_of("EDGE_WEIGHT_TYPE", [*MEASURES, "EXPLICIT"])
        out = self._explicit() if kind == "EXPLICIT" else MEASURES[kind](self.points("NODE_COORD_SECTION"))
        np.fill_diagonal(out, 0)
        return out

    def points(self, section: str) -> np.ndarray:
        """Coordinates of the nodes, (N, 2), of kinds of distances in space (N, 3)."""
        is_space = self.values.get("EDGE_WEIGHT_TYPE", "").endswith("_3D") and section == "NODE_COORD_SECTION"
        return self.rows(section, 3 if is_space else 2, "x, y, z" if is_space else "x, y")

    @cached_property
    def coordinates(self) -> np.ndarray | None:
        """Where to draw the nodes, x to the right and y up, (N, 2); None if the file does not say."""
        for name in ("DISPLAY_DATA_SECTION", "NODE_COORD_SECTION"):
            if name in self.sections:
                points = self.points(name)[:, :2]
                is_geographic = "GEO" in self.values.get("EDGE_WEIGHT_TYPE", "")
                return points[:, ::-1] if is_geographic and name == "NODE_COORD_SECTION" else points
        return None

    def _explicit(self) -> np.ndarray:
        """The matrix; by columns a triangle is the other one's rows."""
        layout = self.one_of("EDGE_WEIGHT_FORMAT", ["FULL_MATRIX", *TRIANGLES])
        words, n = self.section("EDGE_WEIGHT_SECTION"), self.n
        if layout == "FULL_MATRIX":
            out = words.numbers("distances", n * n).reshape(n, n)
        else:
            indices, offset = TRIANGLES[layout]
            values = words.numbers("distances", n * (n + 1 - 2 * abs(offset)) // 2)
            out = np.zeros((n, n))
            out[indices(n, offset)] = values
            out = out + out.T
        words.end()
        return out


def read_tsplib(path: str | Path, *kinds: str) -> Tsplib:
    """The parts of a file of one of these TYPEs.

    Raises:
        FormatError: for a file that cannot be read, is of another type or has what is unknown here, with the line.
    """
    path, values, lines, sections = Path(path), dict[str, str](), dict[str, int](), dict[str, tuple[str, int]]()
    text = text_of(path).splitlines()
    starts = [k for k, line in enumerate(text) if line.strip()[:1].isalpha()]
    if not starts:
        raise FormatError(f"{path} has no keywords such as {', '.join(sorted(KEYWORDS)[:3])}, expected TSPLIB's")
    Words(path, "\n".join(text[: starts[0]])).end()
    for k, following in zip(starts, [*starts[1:], len(text)], strict=True):
        keyword, _, value = (part.strip() for part in text[k].partition(":"))
        if keyword == "EOF":
            break
        if keyword not in KEYWORDS | SECTIONS or (keyword in lines and keyword != "COMMENT"):
            raise FormatError(
                f"{path}, line {k + 1}: {keyword!r}, expected each once of {', '.join(sorted(KEYWORDS | SECTIONS))}"
            )
        lines[keyword], below = k + 1, ("\n".join(text[k + 1 : following]), k + 2)
        if keyword in SECTIONS:
            sections[keyword] = below
        else:
            values[keyword] = f"{values[keyword]} {value}" if keyword in values else value
            Words(path, *below).end()
    if values.get("TYPE", "").split()[:1] not in [[kind] for kind in kinds]:
        where = f", line {lines['TYPE']}: TYPE {values['TYPE']!r}" if "TYPE" in lines else " has no TYPE"
        raise FormatError(f"{path}{where}, expected {' or '.join(kinds)}")
    n = Words(path, values.get("DIMENSION", ""), lines.get("DIMENSION", 1)).integer("DIMENSION", 1, MOST_NODES)
    return Tsplib(path, values, lines, sections, n)


def _rounded(points: np.ndarray) -> np.ndarray:
    lengths = _euclidean(points)
    lengths += 0.5
    return np.floor(lengths, out=lengths)


def _rounded_up(points: np.ndarray) -> np.ndarray:
    return np.ceil(_euclidean(points))


def _manhattan(points: np.ndarray) -> np.ndarray:
    return np.floor(_steps(points).sum(axis=-1) + 0.5)


def _maximum(points: np.ndarray) -> np.ndarray:
    return np.floor(_steps(points) + 0.5).max(axis=-1)


def _steps(points: np.ndarray) -> np.ndarray:
    """By how much they differ in each coordinate."""
    return np.abs(points[:, None] - points)


def _pseudo_euclidean(points: np.ndarray) -> np.ndarray:
    exact = _euclidean(points) / np.sqrt(10)
    near = np.floor(exact + 0.5)
    return np.where(near < exact, near + 1, near)


def _geographic(points: np.ndarray) -> np.ndarray:
    """Whole kilometres on a sphere. Shapes: points (N, 2), latitude and longitude as degrees.minutes."""
    degrees = np.trunc(points)
    latitude, longitude = (GEO_PI * (degrees + 5 * (points - degrees) / 3) / 180).T
    q1 = np.cos(longitude[:, None] - longitude)
    q2, q3 = np.cos(latitude[:, None] - latitude), np.cos(latitude[:, None] + latitude)
    return np.trunc(EARTH_RADIUS * np.arccos(np.clip(((1 + q1) * q2 - (1 - q1) * q3) / 2, -1, 1)) + 1)


def _euclidean(points: np.ndarray) -> np.ndarray:
    """A coordinate at a time, so that no more than two matrices are there at once."""
    out = np.zeros((len(points), len(points)))
    for own in points.T:
        steps = own[:, None] - own
        steps *= steps
        out += steps
    return np.sqrt(out, out=out)


# Source: Reinelt 1995, TSPLIB 95, section 2. XRAY1 and XRAY2, of two machines, and SPECIAL are not read.
MEASURES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "EUC_2D": _rounded, "EUC_3D": _rounded, "CEIL_2D": _rounded_up, "MAN_2D": _manhattan, "MAN_3D": _manhattan,
    "MAX_2D": _maximum, "MAX_3D": _maximum, "ATT": _pseudo_euclidean, "GEO": _geographic,
}  # fmt: skip
TRIANGLES: dict[str, tuple[Callable[..., Any], int]] = {
    "UPPER_ROW": (np.triu_indices, 1), "LOWER_ROW": (np.tril_indices, -1),
    "UPPER_DIAG_ROW": (np.triu_indices, 0), "LOWER_DIAG_ROW": (np.tril_indices, 0),
    "LOWER_COL": (np.triu_indices, 1), "UPPER_COL": (np.tril_indices, -1),
    "LOWER_DIAG_COL": (np.triu_indices, 0), "UPPER_DIAG_COL": (np.tril_indices, 0),
}  # fmt: skip
