"""Initial amplitudes as a vector over Pauli words, and slopes by that back to amplitudes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from qloom import _native
from qloom.circuits.operations import Amplitudes
from qloom.engines.density.measurement import pauli_sums


def pauli_vectors(states: np.ndarray, register: Sequence[int]) -> np.ndarray:
    """r_P = <psi| P |psi> (B, 4^m) of states (B, 2^n), for the words on m qubits of a register."""
    n = int(states.shape[1]).bit_length() - 1
    reduced = _reduced(states, n, register)
    m, size = len(register), 2 ** len(register)
    places = np.arange(size)
    out = np.empty((len(states), 4**m))
    for x in range(size):
        # <psi| X^x Z^z |psi> = sum_i (-1)^|i & z| rho[i, i ^ x]; a word of y letters Y is i^y X^x Z^z.
        diagonal = np.ascontiguousarray(reduced[:, places, places ^ x])
        sums = np.stack([diagonal.real, diagonal.imag]).reshape(-1, size)
        _native.walsh(sums, 1)
        real, imaginary = sums.reshape(2, len(states), size)
        turns = np.bitwise_count(x & places) % 4
        out[:, _words(x, places, m)] = np.choose(turns, [real, -imaginary, -real, imaginary])
    return out


def _reduced(states: np.ndarray, n: int, register: Sequence[int]) -> np.ndarray:
    """Density matrices (B, 2^m, 2^m) of the register's qubits."""
    others = [q for q in range(n) if q not in register]
    cube = states.reshape(-1, *[2] * n).transpose(0, *(1 + q for q in register), *(1 + q for q in others))
    flat = cube.reshape(len(states), 2 ** len(register), -1)
    return np.asarray(np.einsum("bik,bjk->bij", flat, flat.conj()))


def _words(x: int, z: np.ndarray, m: int) -> np.ndarray:
    """Numbers of the words with these masks of bits, the most significant bit for the first qubit."""
    out = np.zeros_like(z)
    for bit in range(m):
        flip, sign = x >> bit & 1, z >> bit & 1
        out += np.where(sign, 2 if flip else 3, flip) << 2 * bit
    return out


def add_slopes(
    initial: Amplitudes, states: np.ndarray, by_words: np.ndarray, register: Sequence[int], d_inputs: Any
) -> None:
    """Add derivatives by amplitudes to d_inputs (B, I): 2 Lambda psi, Lambda = sum of slopes (B, 4^m) times words."""
    n, m = int(states.shape[1]).bit_length() - 1, len(register)
    order = [*register, *(q for q in range(n) if q not in register)]
    cube = states.reshape(-1, *[2] * n).transpose(0, *(1 + q for q in order))
    turned = pauli_sums(by_words, m) @ cube.reshape(len(states), 2**m, -1)
    back = turned.reshape(cube.shape).transpose(0, *(1 + k for k in np.argsort(order))).reshape(states.shape)
    size = states.shape[1]
    assert initial.real is not None
    d_inputs[:, initial.real : initial.real + size] += 2 * back.real
    if initial.imaginary is not None:
        d_inputs[:, initial.imaginary : initial.imaginary + size] += 2 * back.imag
