"""Sums of products of binary variables: expanded from other variables, merged, and brought to order two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import combinations
from typing import NamedTuple

import numpy as np

# By order: variables int (K, order), each row rising and each there once, and values (K,). Order 0 is the constant.
Products = dict[int, tuple[np.ndarray, np.ndarray]]


class Pieces(NamedTuple):
    """Variable i as the sum of weights[p] * bits[p] over p from starts[i] to starts[i + 1]; bit -1 is the number 1."""

    starts: np.ndarray
    bits: np.ndarray
    weights: np.ndarray


def expand(indices: np.ndarray, values: np.ndarray, pieces: Pieces) -> tuple[np.ndarray, np.ndarray]:
    """Products of variables as products of bits. Shapes: indices (K, order), values (K,) -> (L, order), (L,)."""
    bits = np.empty((len(indices), 0), np.int64)
    for column in range(indices.shape[1]):
        first, after = pieces.starts[indices[:, column]], pieces.starts[indices[:, column] + 1]
        source = np.repeat(np.arange(len(indices)), after - first)
        piece = np.arange(len(source)) - np.repeat(np.cumsum(after - first) - after, after - first)
        indices, values = indices[source], values[source] * pieces.weights[piece]
        bits = np.column_stack([bits[source], pieces.bits[piece]])
    return bits, values


def merge(parts: Iterable[tuple[np.ndarray, np.ndarray]]) -> Products:
    """Equal products added up; b b = b, and bit -1 is the number 1."""
    by_order: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {}
    for bits, values in parts:
        bits = np.sort(bits, axis=1)
        bits[:, 1:][bits[:, 1:] == bits[:, :-1]] = -1
        bits, order = np.sort(bits, axis=1), (bits >= 0).sum(axis=1)
        for k in np.unique(order):
            by_order.setdefault(int(k), []).append((bits[order == k, bits.shape[1] - k :], values[order == k]))
    out: Products = {}
    for k, same in sorted(by_order.items()):
        rows, values = np.concatenate([bits for bits, _ in same]), np.concatenate([values for _, values in same])
        order = np.lexsort(rows.T[::-1]) if k else np.arange(len(rows))
        rows = rows[order]
        starts = np.flatnonzero(np.append(True, (rows[1:] != rows[:-1]).any(axis=1)))
        sums = np.add.reduceat(values[order], starts)
        out[k] = rows[starts][sums != 0], sums[sums != 0]
    return out


def reduce(products: Products, n: int) -> tuple[Products, list[tuple[int, int]]]:
    """The same minimum with products of two: bit n + k stands for the product of the k-th pair.

    A pair is taken while some product is longer, the most frequent first; b_i b_j = y is held by
    P (b_i b_j - 2 b_i y - 2 b_j y + 3 y), which is 0 where it is so and at least P elsewhere. P is more than the sizes
    of all products that use y add up to.

    Source: Rosenberg 1975, Cahiers du Centre d'Etudes de Recherche Operationnelle 17, 71.
    """
    if max(products, default=0) <= 2:
        return products, []
    short = {order: part for order, part in products.items() if order <= 2}
    long = [
        (set(row.tolist()), float(value)) for k in products if k > 2 for row, value in zip(*products[k], strict=True)
    ]
    pairs: list[tuple[int, int]] = []
    extra: list[tuple[np.ndarray, np.ndarray]] = []
    while any(len(bits) > 2 for bits, _ in long):
        counts = Counter(pair for bits, _ in long if len(bits) > 2 for pair in combinations(sorted(bits), 2))
        i, j = pair = counts.most_common(1)[0][0]
        y, strength = n + len(pairs), 0.0
        for bits, value in long:
            if len(bits) > 2 and bits >= set(pair):
                bits -= set(pair)
                bits.add(y)
                strength += abs(value)
        pairs.append(pair)
        strength *= 1 + 1e-6
        rows = np.array([[i, j], [i, y], [j, y], [y, y]])
        extra.append((rows, strength * np.array([1.0, -2.0, -2.0, 3.0])))
    extra.extend((np.array([sorted(bits)]), np.array([value])) for bits, value in long)
    return merge([*short.values(), *extra]), pairs
