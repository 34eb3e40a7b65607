"""Low-autocorrelation sequences: does a memetic tabu search reach the optimum sooner from samples of QAOA?

Three starts of the same search: random sequences; QAOA's samples, its angles found for 14 signs and taken over with
gammas in units of the cost's field; and samples of Metropolis at the temperature where their mean energy is that of
QAOA's. Counted are energies asked for until the optimum is there (a member of the first population is one, a step of
tabu search N), the making of the samples not: each takes a circuit of 12 layers, or 40 sweeps of Metropolis, which are
40 N energies more. Ratio: mean of the random start over mean of this one, above 1 where this one is faster; over all N
the geometric mean. Growth: of the mean, a factor for each sign more. Intervals are of 95%, by bootstrap over runs.

Published: Shaydulin et al. 2024, Science Advances 10, eadm6761: memetic tabu grows by 1.34 a sign, QAOA of 12 layers
alone by 1.46. Gomez Cadavid et al. 2025, arXiv 2511.04553, abstract: 1.24 with starts from counterdiabatic circuits, N
from 27 to 37; that start is the best of many samples over and over, not a population of samples as here.

Run: python -m benchmarks.combinatorial.autocorrelation [--plot]   (reads ../shared/instances; 30 signs take 7 GB)
"""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np

from benchmarks.combinatorial.best_known import INSTANCES
from benchmarks.results import ROOT, append_row, newest, provenance, read_rows
from qloom.combinatorial.problems.autocorrelation import LowAutocorrelation
from qloom.combinatorial.problems.autocorrelation_search import SequenceSearches, energies
from qloom.combinatorial.qaoa import QAOA, Optimized, Polynomial, qaoa_circuit
from qloom.combinatorial.qaoa.angles import field
from qloom.combinatorial.qaoa.symmetry import RelativeField
from qloom.engines import StatevectorEngine, sample

NAME = "autocorrelation"
LENGTHS, ANGLES_FOR = range(20, 31), 14
LAYERS, THREADS, RUNS, MEMBERS, MOST = 12, 2, 200, 100, 10**8
SWEEPS, RESAMPLED = 40, 4000
STARTS = ("random", "qaoa", "metropolis")


def polynomial(n: int) -> Polynomial:
    model = LowAutocorrelation(n).model
    terms = {tuple(row): value for indices, values in model.terms for row, value in zip(indices, values, strict=True)}
    return Polynomial.from_terms(n, terms | {(): model.constant})


def optimized_angles() -> np.ndarray:
    """(2, p), gammas in units of 1 / field."""
    cost = polynomial(ANGLES_FOR)
    search = QAOA(LAYERS, start="fourier", n_starts=1, n_steps=60, dtype=np.float32, threads=THREADS)
    found: Optimized = search.optimize(cost, seed=0)
    print(f"N = {ANGLES_FOR}: mean energy {found.value:.2f}, {found.n_evaluations} evaluations", flush=True)
    return found.angles.reshape(2, -1) * [[field(cost)], [1]]


def qaoa_samples(n: int, angles: np.ndarray, shots: int) -> np.ndarray:
    """(shots, N). Of one qubit less, relative to the last spin: beyond the width at which QAOA optimizes angles."""
    cost = polynomial(n)
    relative = cost.substitute(n - 1, 1).on(range(n - 1))
    weights = (angles / [[field(cost)], [1]]).ravel().astype(np.float32)
    circuit, engine = qaoa_circuit(relative, LAYERS, RelativeField()), StatevectorEngine(THREADS)
    bits = sample(circuit, shots, weights=weights, seed=n, engine=engine)
    last = np.random.default_rng([n, 2]).choice(np.array([-1, 1], np.int8), (shots, 1))
    return np.hstack([1 - 2 * bits.astype(np.int8), np.ones_like(last)]) * last


def metropolis_samples(n: int, mean: float, count: int, random: np.random.Generator) -> tuple[np.ndarray, float]:
    """(count, N) and the temperature, which is turned after each sweep of single flips to where the chains' mean is."""
    spins = np.zeros((3 * n, count), np.float32)
    middle = spins[n : 2 * n]
    middle[:] = random.choice([-1, 1], (n, count))
    lags = np.array([(middle[k:] * middle[: n - k]).sum(axis=0) for k in range(1, n)])
    temperature = mean
    for _ in range(SWEEPS):
        for i in range(n):
            # What the spin meets at each lag, on both sides; see flip_changes.
            sides = spins[n + i + 1 : 2 * n + i] + spins[n + i - 1 : i : -1]
            change = 4 * (sides * (sides - middle[i] * lags)).sum(axis=0)
            taken = np.where(random.random(count) < np.exp(-np.maximum(change, 0) / temperature), middle[i], 0)
            lags -= 2 * taken * sides
            middle[i] -= 2 * taken
        temperature *= np.clip(mean / (lags**2).sum(axis=0).mean(), 0.7, 1.4) ** 0.5
    return middle.T.astype(np.int8), temperature


def populations(n: int, angles: np.ndarray) -> list[np.ndarray]:
    """Of each start, (RUNS, MEMBERS, N)."""
    random, count = np.random.default_rng([n, 0]), RUNS * MEMBERS
    from_qaoa = qaoa_samples(n, angles, count)
    mean = float(energies(from_qaoa).mean())
    thermal, temperature = metropolis_samples(n, mean, count, random)
    print(f"N = {n}: QAOA's mean energy {mean:.1f}, temperature {temperature:.1f}", flush=True)
    flat = [random.choice(np.array([-1, 1], np.int8), (count, n)), from_qaoa, thermal]
    return [one.reshape(RUNS, MEMBERS, n) for one in flat]


def interval(statistic: Callable[..., Any], *runs: np.ndarray) -> tuple[float, float, float]:
    """The statistic of the runs, (R,) each, and its 95% interval; it is taken along the last axis."""
    random = np.random.default_rng(0)
    again = [one[random.integers(0, len(one), (RESAMPLED, len(one)))] for one in runs]
    low, high = np.quantile(statistic(*again), (0.025, 0.975))
    return float(statistic(*runs)), float(low), float(high)


def mean_ratio(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return first.mean(axis=-1) / second.mean(axis=-1)


def geometric_ratio(*runs: np.ndarray) -> np.ndarray:
    """Of the first half of the lengths to the second half."""
    half = len(runs) // 2
    ratios = [mean_ratio(*pair) for pair in zip(runs[:half], runs[half:], strict=True)]
    return np.exp(np.mean(np.log(ratios), axis=0))


def growth(*runs: np.ndarray) -> np.ndarray:
    """By how much means grow a sign, fitted to their logarithms."""
    logs = np.log([one.mean(axis=-1) for one in runs])
    return np.exp(np.tensordot(np.arange(len(runs)) - (len(runs) - 1) / 2, logs, 1) * 12 / (len(runs) ** 3 - len(runs)))


def columns(name: str, values: tuple[float, float, float] | None) -> dict[str, float | None]:
    low, middle, high = (values[1], values[0], values[2]) if values else (None, None, None)
    return {name: middle, f"{name}_low": low, f"{name}_high": high}


def report(
    n: int | str, start: str, mean_energy: float | None = None, optimal_share: float | None = None, **measured: Any
) -> None:  # fmt: skip
    row: dict[str, object] = {
        "n": n, "start": start, "layers": LAYERS, "runs": RUNS, "members": MEMBERS, "sample_mean_energy": mean_energy,
        "sample_optimal_share": optimal_share,
    }  # fmt: skip
    for name in ("median", "mean", "ratio", "growth"):
        row |= columns(name, measured.get(name))
    print({key: value for key, value in row.items() if value is not None}, flush=True)
    append_row(NAME, row | provenance())


def search(starts: list[np.ndarray], optimum: int) -> list[np.ndarray]:
    """Energies asked for by each run, (RUNS,) for each start; all runs go side by side."""
    n = starts[0].shape[-1]
    searches = SequenceSearches(np.concatenate(starts), np.random.default_rng([n, 1]))
    searches.run(optimum, MOST)
    assert (searches.lowest == optimum).all(), "a run ended above the optimum; give it more than MOST energies"
    return list(searches.evaluations.reshape(len(starts), -1))


def report_length(starts: list[np.ndarray], found: list[np.ndarray], optimum: int) -> None:
    for start, population, times in zip(STARTS, starts, found, strict=True):
        levels = energies(population)
        report(
            starts[0].shape[-1], start, float(levels.mean()), float((levels == optimum).mean()),
            median=interval(lambda one: np.median(one, axis=-1), times),
            mean=interval(lambda one: one.mean(axis=-1), times),
            ratio=None if start == STARTS[0] else interval(mean_ratio, found[0], times),
        )  # fmt: skip


def optima() -> dict[int, int]:
    with (INSTANCES / "labs" / "LABS_optimal_merit_factors.csv").open(newline="") as file:
        return {int(row["N"]): int(row["E"]) for row in csv.DictReader(file)}


def plot() -> None:
    """Mean energies asked for, and their ratios, from the newest rows."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    from benchmarks.plots import save

    rows = newest(read_rows(NAME), lambda row: (row["n"], row["start"]))
    with mpl.rc_context({"svg.hashsalt": "qloom", "font.size": 9}):
        figure = Figure(figsize=(8.5, 3.2), layout="constrained")
        for axes, quantity in zip(figure.subplots(1, 2), ("mean", "ratio"), strict=True):
            keys = "n", quantity, f"{quantity}_low", f"{quantity}_high"
            for k, start in enumerate(STARTS):
                mine = [row for row in rows if row["start"] == start and row["n"].isdigit() and row[quantity]]
                if mine:
                    n, middle, low, high = np.array([[float(row[key]) for key in keys] for row in mine]).T
                    axes.errorbar(n + 0.12 * k, middle, (middle - low, high - middle), fmt=f"C{k}o", label=start)
            axes.set(xlabel="signs N", yscale="log")
        figure.axes[0].set_title("Energies asked for until the optimum")
        figure.axes[0].legend(title="start")
        figure.axes[1].axhline(1, color="black", linewidth=0.8)
        figure.axes[1].set_title("Random start over this one")
        save(figure, ROOT / "docs" / "plots" / f"{NAME}.svg")


def main(words: list[str]) -> None:
    if words not in ([], ["--plot"]):
        raise SystemExit(f"{words}, expected nothing or --plot, which draws what is measured already")
    if words:
        plot()
        return
    if not INSTANCES.is_dir():
        raise SystemExit(f"{INSTANCES} does not exist, expected the instances; put them there")
    begun, angles, known, waiting = time.perf_counter(), optimized_angles(), optima(), []
    with ProcessPoolExecutor(THREADS, get_context("spawn")) as pool:
        for n in LENGTHS:
            starts = populations(n, angles)
            waiting.append((starts, pool.submit(search, starts, known[n]), known[n]))
        print(f"all samples are there after {time.perf_counter() - begun:.0f} s", flush=True)
        for starts, searches, optimum in waiting:
            report_length(starts, searches.result(), optimum)
    found = [searches.result() for _, searches, _ in waiting]
    by_start = list(zip(*found, strict=True))
    for start, times in zip(STARTS, by_start, strict=True):
        ratio = None if start == STARTS[0] else interval(geometric_ratio, *by_start[0], *times)
        report(f"{LENGTHS[0]}-{LENGTHS[-1]}", start, ratio=ratio, growth=interval(growth, *times))
    print(f"{time.perf_counter() - begun:.0f} s in all")


if __name__ == "__main__":
    main(sys.argv[1:])
