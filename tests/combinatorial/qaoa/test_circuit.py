"""QAOA states: against dense matrix exponentials for every mixer, and what mixers keep to."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
from scipy.linalg import expm

import qloom as ql
from qloom.combinatorial import Quadratic
from qloom.combinatorial.qaoa import (
    GroverLandscape,
    Mixer,
    Polynomial,
    TransverseField,
    WarmStart,
    XYRing,
    qaoa_circuit,
    relax,
)  # fmt: skip
from qloom.errors import ProblemError
from tests.circuits.dense import embed, word_matrix

N, P = 5, 3


def on(letters: str, *qubits: int) -> np.ndarray:
    """A word as a dense matrix on N qubits."""
    return embed(word_matrix(letters), qubits, N)


def exchange(a: int, b: int) -> np.ndarray:
    return (on("XX", a, b) + on("YY", a, b)) / 2


CHANCES = np.array([0.3, 0.9, 0.5, 0.05, 0.6])
TURNS = 2 * np.arccos(np.sqrt(np.clip(CHANCES, 0.1, 0.9)))
# Parts of a layer in order, and the start as amplitudes; bit 0 is the variable that is 1.
ONE_HOT = np.zeros(8)
ONE_HOT[[0b011, 0b101, 0b110]] = 1 / np.sqrt(3)
UNEVEN = np.zeros(16)
UNEVEN[[0b0111, 0b1011, 0b1101, 0b1110]] = np.sqrt([0.1, 0.4, 0.0, 0.5])
MIXERS: dict[str, tuple[Mixer, list[np.ndarray], np.ndarray]] = {
    "x": (TransverseField(), [on("X", q) for q in range(N)], np.full(32, 32**-0.5)),
    "odd ring": (
        XYRing([[0, 1, 2]]),
        [exchange(0, 1), exchange(1, 2), exchange(2, 0), on("X", 3), on("X", 4)],
        np.kron(ONE_HOT, np.full(4, 0.5)),
    ),
    "even ring": (
        XYRing([[0, 1, 2, 3], [4]], [[0.1, 0.4, 0.0, 0.5], [1.0]]),
        [exchange(0, 1), exchange(2, 3), exchange(1, 2), exchange(3, 0)],
        np.kron(UNEVEN, [1, 0]),
    ),
    "pairs": (
        XYRing([[0, 1], [2, 4]]),
        [exchange(0, 1), exchange(2, 4), on("X", 3)],
        np.einsum("ab,ce,d->abcde", *[np.array([[0, 1], [1, 0]]) / np.sqrt(2)] * 2, np.full(2, 0.5**0.5)).ravel(),
    ),
    "warm": (
        WarmStart(CHANCES, margin=0.1),
        [np.sin(t) * on("X", q) + np.cos(t) * on("Z", q) for q, t in enumerate(TURNS)],
        reduce(np.kron, [[np.cos(t / 2), np.sin(t / 2)] for t in TURNS]),
    ),
}  # fmt: skip


def random_cost(seed: int = 0) -> Polynomial:
    random = np.random.default_rng(seed)
    terms = {(0,): 0.7, (1, 3): 1.1, (0, 2, 4): -0.8, (1, 2, 3, 4): 0.4, (2, 4): -0.9, (): 0.3}
    return Polynomial.from_terms(N, {term: value * random.normal() for term, value in terms.items()})


def expected_state(cost, parts, start, gammas, betas) -> np.ndarray:
    """Gammas (p, terms), betas (p, parts): products of exponentials, term by term and part by part."""
    state = start.astype(complex)
    for gamma, beta in zip(gammas, betas, strict=True):
        for g, (term, value) in zip(gamma, cost.terms.items(), strict=True):
            state = expm(-1j * g * value * on("Z" * len(term), *term)) @ state
        for b, part in zip(beta, parts, strict=True):
            state = expm(1j * b * part) @ state
    return state


@pytest.mark.parametrize("name", MIXERS)
@pytest.mark.parametrize("multi_angle", [False, True])
def test_states_are_those_of_dense_exponentials(name, multi_angle):
    mixer, parts, start = MIXERS[name]
    cost, random = random_cost(), np.random.default_rng(1)
    n_terms, n_parts = (len(cost.terms), len(parts)) if multi_angle else (1, 1)
    gammas, betas = random.uniform(-2, 2, (P, n_terms)), random.uniform(-2, 2, (P, n_parts))
    circuit = qaoa_circuit(cost, P, mixer, multi_angle)
    found = ql.state(circuit, weights=np.concatenate([gammas.ravel(), betas.ravel()]))
    named = {"betas": betas, "gammas": gammas} if multi_angle else {"betas": betas[:, 0], "gammas": gammas[:, 0]}
    np.testing.assert_array_equal(ql.state(circuit, weights=named), found)
    shape = (P, len(cost.terms)), (P, len(parts))
    expected = expected_state(cost, parts, start, np.broadcast_to(gammas, shape[0]), np.broadcast_to(betas, shape[1]))
    assert abs(np.vdot(expected, found)) == pytest.approx(1, abs=1e-10)


@pytest.mark.parametrize("allowed", [None, [1, 2, 4, 8, 16, 31]])
def test_grovers_mixer_is_the_dense_one(allowed):
    cost, random = random_cost(), np.random.default_rng(2)
    start = np.zeros(32)
    start[slice(None) if allowed is None else allowed] = 1
    start /= np.linalg.norm(start)
    gammas, betas = random.uniform(0, 2, P), random.uniform(0, 2, P)
    energies, state = cost.diagonal(), start.astype(complex)
    for gamma, beta in zip(gammas, betas, strict=True):
        state = expm(1j * beta * np.outer(start, start)) @ (np.exp(-1j * gamma * energies) * state)
    landscape = GroverLandscape(cost, P, allowed=allowed)
    angles = np.concatenate([gammas, betas])
    p = np.abs(state) ** 2
    assert landscape(angles[None])[0][0] == pytest.approx(p @ energies)
    held = [p[np.isclose(energies, level)].sum() for level in landscape.levels]
    np.testing.assert_allclose(landscape.probabilities(angles), held, atol=1e-12)


def test_one_hot_groups_stay_one_hot():
    cost, random = random_cost(), np.random.default_rng(3)
    circuit = qaoa_circuit(cost, P, XYRing([[3, 0, 1], [4, 2]]))
    p = ql.probabilities(circuit, weights=random.uniform(-2, 2, 2 * P)).reshape((2,) * N)
    for bits in np.ndindex(p.shape):
        one_hot = bits[3] + bits[0] + bits[1] == 2 and bits[4] + bits[2] == 1
        assert p[bits] < 1e-12 or one_hot
    assert p.sum() == pytest.approx(1)


def test_a_warm_start_begins_at_the_relaxed_solution():
    """A portfolio: covariances and returns. Chances of x = 1 are the relaxed values, kept off 0 and 1."""
    random = np.random.default_rng(4)
    factor = random.normal(size=(N, N))
    function = Quadratic.from_matrix(factor @ factor.T, "binary", -2 * random.uniform(0, 3, N))
    relaxed = relax(function)
    cost = Polynomial.from_quadratic(function)
    circuit = qaoa_circuit(cost, 2, WarmStart(relaxed, margin=0.1))
    means = (1 + ql.expectation(circuit, weights=np.zeros(4))) / 2
    np.testing.assert_allclose(means, np.clip(relaxed, 0.1, 0.9), atol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_no_point_of_the_box_is_below_the_relaxed_one(seed):
    random = np.random.default_rng(seed)
    function = Quadratic.from_matrix(random.normal(size=(6, 6)), "spin", random.normal(size=6))
    matrix = function.matrix()
    lowest = np.linalg.eigvalsh(matrix)[0]

    def convex(s: np.ndarray) -> np.ndarray:
        return np.einsum("bi,ij,bj->b", s, matrix, s) + s @ function.linear - lowest * (s**2 - 1).sum(axis=1)

    vertices = np.array(np.meshgrid(*[[-1, 1]] * 6)).reshape(6, -1).T
    np.testing.assert_allclose(convex(vertices) + function.constant, function.energies(vertices), atol=1e-12)
    found = 2 * relax(function)[None] - 1
    around = np.clip(found + 0.1 * random.normal(size=(2000, 6)), -1, 1)
    assert (convex(np.vstack([around, vertices])) >= convex(found) - 1e-7).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: XYRing([[0, 1], [1, 2]]), "expected different qubits"),
        (lambda: XYRing([[]]), "at least one a group"),
        (lambda: XYRing([[0, 1]], [[0.5, 0.4]]), "add up to 1 in each group"),
        (lambda: XYRing([[0, 1]], [[1.0]]), r"expected one for each qubit of groups of \[2\]"),
        (lambda: qaoa_circuit(random_cost(), 1, XYRing([[4, 5]])), "hold qubit 5, expected qubits from 0 to 4"),
        (lambda: WarmStart([0.5, 1.2]), "expected numbers from 0 to 1"),
        (lambda: qaoa_circuit(random_cost(), 1, WarmStart([0.5])), "warm start of 1 variables, expected 5"),
        (lambda: GroverLandscape(random_cost(), 1, allowed=[32]), "expected indices of basis states from 0 to 31"),
    ],
)
def test_bad_input_is_refused(make, message):
    with pytest.raises(ProblemError, match=message):
        make()
