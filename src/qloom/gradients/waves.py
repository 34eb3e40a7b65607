"""The waves that an angle makes of an expectation value: sums over its rotations of their scales."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qloom.errors import CircuitError


def waves_of(scales: Sequence[float]) -> tuple[float, int]:
    """The unit u and number m of the frequencies u, 2 u, ..., m u of an angle that its rotations scale so; m may be 0.

    Raises:
        CircuitError: if the scales are no multiples of one number.
    """
    sizes = np.abs([scale for scale in scales if scale != 0])
    if not len(sizes):
        return 1.0, 0
    for part in range(1, 9):  # the smallest scale, its half, its third, ...
        unit = float(sizes.min()) / part
        multiples = sizes / unit
        if np.allclose(multiples, np.round(multiples), atol=1e-9):
            return unit, round(multiples.sum())
    raise CircuitError(f"an angle scales its rotations by {list(scales)}, expected multiples of one number")
