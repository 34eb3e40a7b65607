"""Ising chains of any length, exactly: Majorana operators that are turned into each other."""

from __future__ import annotations

import numpy as np
from scipy import sparse


def free_fermions(n: int, n_steps: int, coupling: float, field: float) -> tuple[np.ndarray, np.ndarray]:
    """<X_j> and <Z_j Z_j+1> of `ising_chain` from |+..+>, by how its Majorana operators turn among their neighbours."""
    a, b = np.arange(0, 2 * n, 2), np.arange(1, 2 * n, 2)  # the rows of a_j and b_j
    step = _turning(2 * n, a, b, field) @ _turning(2 * n, b[:-1], a[1:], coupling)
    turned = sparse.identity(2 * n, format="csr")
    for _ in range(n_steps):
        turned = step @ turned
    start = sparse.coo_matrix((np.repeat([1.0, -1.0], n), (np.append(a, b), np.append(b, a)))).tocsr()
    neighbours = np.asarray((turned @ start)[:-1].multiply(turned[1:]).sum(axis=1)).ravel()
    return neighbours[::2], neighbours[1::2]


def _turning(size: int, first: np.ndarray, second: np.ndarray, angle: float) -> sparse.csr_matrix:
    turning = sparse.identity(size, format="lil")
    turning[first, first] = turning[second, second] = np.cos(angle)
    turning[first, second], turning[second, first] = np.sin(angle), -np.sin(angle)
    return turning.tocsr()
