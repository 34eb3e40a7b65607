"""Ways to apply a tensor train to rows, and how many multiply-adds each takes.

Rows meet the cores one after another, from the left or from the right, or meet the matrix that the cores are joined
to first. At many rows and large bonds the matrix is cheaper, at few rows the cores are.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor
from torch.nn.functional import linear

from qloom.compression.decomposition import join

Shape = tuple[int, int, int, int]


def costs(shapes: Sequence[Shape]) -> dict[str, tuple[int, int]]:
    """Multiply-adds of a call and of each of its rows by way, of cores of shapes (r_{k-1}, m_k, n_k, r_k)."""
    mirrored = [(q, m, n, r) for r, m, n, q in reversed(shapes)]
    whole = prod(m * n for _, m, n, _ in shapes)
    return {"left": (0, _one_by_one(shapes)), "right": (0, _one_by_one(mirrored)), "dense": (_joining(shapes), whole)}


def operations(known: dict[str, tuple[int, int]], n_rows: int) -> dict[str, int]:
    """Multiply-adds of so many rows, of what `costs` gave."""
    return {way: call + n_rows * row for way, (call, row) in known.items()}


def apply(cores: Sequence[Tensor], rows: Tensor, way: str) -> Tensor:
    """The train's matrix times rows, (N, in) -> (N, out)."""
    if way == "dense":
        return linear(rows, join(cores))
    return _from_left(cores, rows) if way == "left" else _from_right(cores, rows)


def _one_by_one(shapes: Sequence[Shape]) -> int:
    """Multiply-adds of a row that meets cores in this order: outputs so far, times a core, times inputs to come."""
    count, done, to_come = 0, 1, prod(n for _, _, n, _ in shapes)
    for r, m, n, q in shapes:
        to_come //= n
        count += done * r * m * n * q * to_come
        done *= m
    return count


def _joining(shapes: Sequence[Shape]) -> int:
    count, done = 0, shapes[0][1] * shapes[0][2]
    for r, m, n, q in shapes[1:]:
        count += done * r * m * n * q
        done *= m * n
    return count


def _from_left(cores: Sequence[Tensor], rows: Tensor) -> Tensor:
    """Before core k: (N m_1 ... m_{k-1}, r_{k-1}, n_k ... n_d)."""
    (n_rows, to_come), state, done = rows.shape, rows, 1
    for core in cores:
        r, m, n, _ = core.shape
        to_come, done = to_come // n, done * m
        state = torch.einsum("prns,rmnq->pmqs", state.reshape(-1 if n_rows else 0, r, n, to_come), core)
    return state.reshape(n_rows, done)


def _from_right(cores: Sequence[Tensor], rows: Tensor) -> Tensor:
    """Before core k: (N n_1 ... n_{k-1}, n_k, r_k, m_{k+1} ... m_d)."""
    n_rows, state, done = len(rows), rows, 1
    for core in reversed(cores):
        _, m, n, q = core.shape
        state = torch.einsum("pnqs,rmnq->prms", state.reshape(-1 if n_rows else 0, n, q, done), core)
        done *= m
    return state.reshape(n_rows, done)
