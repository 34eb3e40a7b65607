"""Widths of layers as products of axes."""

from __future__ import annotations

from collections.abc import Iterator


def factorize(width: int, n_axes: int) -> tuple[int, ...] | None:
    """Axes whose product is a width: as equal as they can be, the smallest in the middle; None if there are none.

    384 in three axes is 8, 6, 8, and 1536 is 12, 8, 16. Every axis is above 1, so a prime has one axis alone. The
    smallest stands in the middle as the cores there have two bonds.

    Args:
        width: the product.
        n_axes: how many.
    """
    choices = list(_ascending(width, n_axes, 2))
    if not choices:
        return None
    # Of factors with one product, those with the smallest sum are the most equal.
    smallest, *others = min(choices, key=lambda axes: (sum(axes), axes))
    left, right = others[::2], others[1::2]
    if len(left) > len(right):
        left, right = right, left
    return (*left[::-1], smallest, *right) if len(others) > 1 else (smallest, *others)


def _ascending(width: int, n_axes: int, least: int) -> Iterator[tuple[int, ...]]:
    """Every way to write a width as that many factors in ascending order."""
    if n_axes == 1:
        if width >= least:
            yield (width,)
        return
    factor = least
    while factor**n_axes <= width:
        if width % factor == 0:
            yield from ((factor, *rest) for rest in _ascending(width // factor, n_axes - 1, factor))
        factor += 1
