"""Ising chains of any length, exactly: Majorana operators that are turned into each other."""

from __future__ import annotations

import numpy as np


def free_fermions(n: int, n_steps: int, coupling: float, field: float) -> tuple[np.ndarray, np.ndarray]:
    """<X_j> and <Z_j Z_j+1> of `ising_chain` from |+..+>, by the covariances of its Majorana operators."""
    covariance = np.zeros((2 * n, 2 * n))  # a_j in row 2 j, b_j in row 2 j + 1
    covariance[::2, 1::2], covariance[1::2, ::2] = np.eye(n), -np.eye(n)

    def turned(first: np.ndarray, second: np.ndarray, angle: float) -> None:
        for axis in (0, 1):
            p, q = covariance.take(first, axis), covariance.take(second, axis)
            here = (first, slice(None)) if axis == 0 else (slice(None), first)
            there = (second, slice(None)) if axis == 0 else (slice(None), second)
            covariance[here] = np.cos(angle) * p + np.sin(angle) * q
            covariance[there] = np.cos(angle) * q - np.sin(angle) * p

    for _ in range(n_steps):
        turned(np.arange(1, 2 * n - 1, 2), np.arange(2, 2 * n, 2), coupling)
        turned(np.arange(0, 2 * n, 2), np.arange(1, 2 * n, 2), field)
    return np.diagonal(covariance, 1)[::2], np.diagonal(covariance, 1)[1::2]
