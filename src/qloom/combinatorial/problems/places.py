"""Places with distances between them: checked where they enter, and drawn as a map."""

from __future__ import annotations

from typing import Any

import numpy as np

from qloom.checks import finite
from qloom.errors import ProblemError


def check_places(distances: Any, coordinates: Any, least: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Both as float64, (N, N) and (N, 2) or None.

    Raises:
        ProblemError: for fewer places than the least, shapes that do not fit, NaN, or distances that differ by
            direction.
    """
    d = finite("distances", distances)
    n = len(d) if d.ndim else 0
    if d.shape != (n, n) or n < least:
        raise ProblemError(f"distances has shape {d.shape}, expected (N, N) with N at least {least}")
    if (d != d.T).any():
        i, j = np.argwhere(d != d.T)[0]
        raise ProblemError(f"distances[{i}, {j}] is {d[i, j]:g} and distances[{j}, {i}] {d[j, i]:g}, expected the same")
    if coordinates is None:
        return d, None
    points = finite("coordinates", coordinates)
    if points.shape != (n, 2):
        raise ProblemError(f"coordinates has shape {points.shape}, expected ({n}, 2)")
    return d, points


def draw_map(distances: np.ndarray, coordinates: np.ndarray | None, axes: Any) -> np.ndarray:
    """Points on the axes, (N, 2); without coordinates the plane's nearest to the distances.

    Source: Torgerson 1952, Psychometrika 17, 401 (classical scaling).
    """
    places = coordinates
    if places is None:
        center = np.eye(len(distances)) - 1 / len(distances)
        values, vectors = np.linalg.eigh(-center @ (distances * (1 - np.eye(len(distances)))) ** 2 @ center / 2)
        places = vectors[:, -2:] * np.sqrt(np.maximum(values[-2:], 0))
    axes.scatter(*places.T, s=14, color="black", zorder=2)
    axes.set_aspect("equal", adjustable="datalim")
    axes.set(xlabel="x" if coordinates is not None else "x (by scaling of the distances)", ylabel="y")
    return places
