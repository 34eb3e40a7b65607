"""Searches: the optimum of small functions, the distribution of annealing, any number of threads, limits, Ctrl-C."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
import pytest

import qloom as ql
from qloom import _native, _searches
from qloom.combinatorial import MemeticAnnealing, Model, Quadratic, SimulatedAnnealing
from qloom.combinatorial.qaoa import Polynomial
from qloom.combinatorial.solvers import (
    MemeticTabu,
    ParallelTempering,
    SimulatedBifurcation,
    SimulatedQuantumAnnealing,
    TabuSearch,
)
from qloom.errors import ProblemError
from tests.combinatorial.interrupted import interrupt

SOLVERS = [
    lambda **options: SimulatedAnnealing(100, 8, **options),
    lambda **options: MemeticAnnealing(50, 6, 4, **options),
    lambda **options: MemeticTabu(200, 6, 4, **options),
    lambda **options: TabuSearch(200, 5, **options),
    lambda **options: ParallelTempering(6, 3, 10, **options),
    lambda **options: SimulatedQuantumAnnealing(50, 4, 3, **options),
    lambda **options: SimulatedBifurcation("ballistic", 200, 40, **options),
    lambda **options: SimulatedBifurcation("discrete", 200, 40, **options),
    lambda **options: SimulatedBifurcation("generalized", 200, 40, **options),
]


def random_quadratic(seed: int, n: int, kind: str = "spin", density: float = 1.0) -> Quadratic:
    random = np.random.default_rng(seed)
    pairs = np.triu(random.normal(size=(n, n)) * (random.random((n, n)) < density), 1)
    return Quadratic.from_matrix(pairs, kind, random.normal(size=n), 0.3)


@pytest.mark.parametrize("make", SOLVERS)
@pytest.mark.parametrize(("kind", "density"), [("spin", 1.0), ("binary", 1.0), ("spin", 0.2)])
def test_small_functions_are_solved(make, kind, density):
    for seed in range(4):
        function = random_quadratic(seed, 12, kind, density)
        states = np.array(list(product((-1, 1) if kind == "spin" else (0, 1), repeat=12)))
        lowest = function.energies(states).min()
        found = make().minimize(function, time_limit=5, target=lowest + 1e-9, seed=seed)
        assert found.energy == pytest.approx(lowest)
        assert function.energies(found.state) == pytest.approx(found.energy)
        assert found.seconds < 4
        assert found.seconds_to(lowest + 1e-9) <= found.seconds


def test_energies_of_a_round_are_those_of_its_states_and_no_flip_is_better():
    for density in (1.0, 0.1):
        spins = random_quadratic(0, 40, density=density)
        states, energies = next(SimulatedAnnealing(20, 8).rounds(spins, np.random.default_rng(0)))
        np.testing.assert_allclose(spins.energies(states), energies, atol=1e-9)
        for i in range(40):
            flipped = states.copy()
            flipped[:, i] *= -1
            assert (spins.energies(flipped) >= energies - 1e-4).all()


def test_annealing_at_one_temperature_samples_boltzmanns_distribution():
    """Three spins without descent at inverse temperature .7: counts of the eight states over 20,000 restarts.

    Chi squared of 7 degrees of freedom is above 31 with a probability of 6e-5; the seed is fixed.
    """
    spins = Quadratic.from_pairs("spin", [0, 1], [1, 2], [0.8, -0.5], [0.3, -0.2, 0.1])
    beta, n = 0.7, 20_000
    states = np.random.default_rng(0).integers(0, 2, (n, 3), dtype=np.int8) * 2 - 1
    energies, seeds = np.empty(n), np.arange(n, dtype=np.uint64)
    _searches.anneal(*spins.couplings, spins.linear, np.full(30, beta), False, seeds, states, energies, 1, np.inf)
    every = np.array(list(product((-1, 1), repeat=3)))
    weights = np.exp(-beta * spins.energies(every))
    expected = n * weights / weights.sum()
    counts = np.array([(states == state).all(axis=1).sum() for state in every])
    assert ((counts - expected) ** 2 / expected).sum() < 31
    np.testing.assert_allclose(spins.energies(states) - spins.constant, energies, atol=1e-9)


def found_by(kernels: str) -> subprocess.CompletedProcess:
    """Spins after bifurcation, annealing and tabu search with a set of kernels, in a process of its own."""
    code = (
        "import numpy as np\n"
        "from qloom.combinatorial import Quadratic, SimulatedAnnealing\n"
        "from qloom.combinatorial.solvers import SimulatedBifurcation, TabuSearch\n"
        "random = np.random.default_rng(0)\n"
        "whole = Quadratic.from_matrix(np.triu(random.integers(-3, 4, (70, 70)).astype(float), 1), 'spin')\n"
        "for solver in SimulatedBifurcation('discrete', 20, 40), SimulatedAnnealing(20, 8), TabuSearch(100, 5):\n"
        "    print(*next(solver.rounds(whole, np.random.default_rng(1)))[0].ravel())\n"
    )
    environment = os.environ | {"QLOOM_KERNELS": kernels}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)


def test_kernels_of_every_instruction_set_agree():
    answers = [found_by(kernels) for kernels in _native.kernel_names()[1:]]
    assert {answer.returncode for answer in answers} == {0}, answers[0].stderr
    first, *others = [[np.array(line.split(), int) for line in answer.stdout.splitlines()] for answer in answers]
    assert len(first) == 3
    for other in others:
        for spins, same in zip(other[1:], first[1:], strict=True):  # integers: exact
            np.testing.assert_array_equal(spins, same)
        assert (other[0] == first[0]).mean() > 0.95  # oscillators are rounded otherwise
    bad = found_by("nonsense")
    assert bad.returncode
    assert "QLOOM_KERNELS is 'nonsense', expected one this processor runs" in bad.stderr


def answers_of_both() -> list[np.ndarray]:
    """Of the engine and of a search, on two threads each."""
    circuit = ql.encoders.angle(6) + ql.ansatze.strongly_entangling(6, 2)
    random = np.random.default_rng(0)
    batch = random.normal(size=(100, 6)), random.normal(size=circuit.n_weights)
    values = ql.expectation(circuit, None, *batch, engine=ql.engines.StatevectorEngine(threads=2))
    searched = next(SimulatedAnnealing(50, 8, threads=2).rounds(random_quadratic(1, 60), np.random.default_rng(1)))
    return [values, *searched]


def put_answers(queue) -> None:
    queue.put(answers_of_both())


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_engine_and_searches_work_beside_each_other_and_after_a_fork():
    """Each module has threads of its own."""
    expected = answers_of_both()
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: answers_of_both(), range(8)))
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=put_answers, args=(queue,))
    child.start()
    answers.append(queue.get(timeout=30))
    child.join(timeout=30)
    assert child.exitcode == 0
    for answer in answers:
        for mine, same in zip(answer, expected, strict=True):
            np.testing.assert_array_equal(mine, same)


@pytest.mark.parametrize("make", SOLVERS)
def test_threads_do_not_change_the_result(make):
    spins = random_quadratic(3, 60)
    streams = [make(threads=threads).rounds(spins, np.random.default_rng(1)) for threads in (1, 2)]
    for _ in range(4):
        (states, energies), (others, too) = (next(stream) for stream in streams)
        np.testing.assert_array_equal(states, others)
        np.testing.assert_array_equal(energies, too)


@pytest.mark.alone
@pytest.mark.parametrize("make", SOLVERS)
def test_the_time_limit_holds(make):
    spins, start = random_quadratic(4, 50), time.perf_counter()
    found = make().minimize(spins, time_limit=0.3, seed=0)
    assert 0.3 <= found.seconds <= time.perf_counter() - start < 2
    assert not found.interrupted


CTRL_C = """
import sys, numpy as np
from qloom.combinatorial import Quadratic, SimulatedAnnealing
pairs = np.triu(np.random.default_rng(0).normal(size=(2000, 2000)), 1)
spins = Quadratic.from_matrix(pairs, "spin")
spins.couplings
print("ready", flush=True)
found = SimulatedAnnealing(200 if sys.argv[1] == "rounds" else 10**7, 2).minimize(spins, time_limit=600, seed=0)
assert found.interrupted
assert abs(float(spins.energies(found.state)) - found.energy) < 1e-6
print("best", found.energy)
"""


@pytest.mark.parametrize("when", ["rounds", "within the first round"])
def test_ctrl_c_gives_the_best_so_far(when):
    """Between native calls and in a long one; there the state it began with is all there is."""
    out = interrupt(CTRL_C, when, after=3, within=10)
    best = float(out.split()[1])
    assert best < (-10_000 if when == "rounds" else 10_000)


@pytest.mark.parametrize("make", SOLVERS)
def test_functions_without_pairs_are_solved_too(make):
    found = make().minimize(Quadratic.from_matrix(np.diag([1.0, -2.0, 0.0])), 5, -2.0, seed=0)
    assert found.state[:2].tolist() == [0, 1]


@pytest.mark.parametrize("make", SOLVERS)
@pytest.mark.parametrize("n", [1, 2, 3, 17, 65])
@pytest.mark.parametrize(("density", "fields"), [(0.5, 1.0), (0.5, 0.0), (0.0, 1.0), (0.0, 0.0)])
def test_every_size_has_states_with_their_energies(make, n, density, fields):
    """With and without couplings and fields; without both, nothing is left to minimize."""
    spins = random_quadratic(n, n, density=density)
    spins = Quadratic("spin", spins.first, spins.second, spins.values, fields * spins.linear, spins.constant)
    rounds = make().rounds(spins, np.random.default_rng(0))
    for _ in range(3):
        states, energies = next(rounds)
        assert states.dtype == np.int8
        np.testing.assert_allclose(spins.energies(states), energies, atol=1e-9)


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (lambda: SimulatedAnnealing().minimize(random_quadratic(0, 3), time_limit=0), "time_limit=0, expected seconds"),
        (lambda: SimulatedAnnealing().minimize(Quadratic.from_matrix(np.zeros((0, 0)))), "no variables"),
        (lambda: SimulatedAnnealing(n_sweeps=0), "n_sweeps=0"),
        (lambda: SimulatedAnnealing(hot=-1.0), "hot=-1.0"),
        (lambda: MemeticAnnealing(population=1), "population=1"),
        (lambda: MemeticTabu(patience=0), "patience=0"),
        (lambda: TabuSearch(n_chains=0), "n_chains=0"),
        (lambda: ParallelTempering(1), "n_temperatures=1"),
        (lambda: ParallelTempering(cold=0.0), "cold=0.0"),
        (lambda: SimulatedQuantumAnnealing(n_slices=1), "n_slices=1"),
        (lambda: SimulatedBifurcation("adiabatic"), "mode='adiabatic', expected 'ballistic'"),
        (lambda: SimulatedBifurcation(step=0.0), "step=0.0"),
        (lambda: SimulatedBifurcation("discrete", control=0.5), "control=0.5 and mode='discrete'"),
        (lambda: SimulatedAnnealing(threads=0), "threads=0, expected an integer from 1, or None"),
        (lambda: TabuSearch(n_chains=1.5), "n_chains=1.5, expected an integer from 1"),
        (
            lambda: SimulatedAnnealing().minimize(random_quadratic(0, 5), seed=-1),
            "seed=-1, expected an integer",
        ),
        (
            lambda: SimulatedAnnealing().minimize(random_quadratic(0, 5), "a"),
            "time_limit='a', expected seconds",
        ),
        (lambda: SimulatedAnnealing().minimize(Model("min")), "function is Model, expected Quadratic"),
        (lambda: TabuSearch().minimize(Polynomial.from_terms(2, {(0, 1): 1.0})), "Polynomial, expected Quadratic"),
    ],
)
def test_bad_input_is_refused(run, message):
    with pytest.raises(ProblemError, match=message):
        run()
