"""Models that hold all outcomes, each beside classical controls: bars and stripes, rows around centers, a log-normal.

Bars and stripes: every image whose rows, or whose columns, are of one colour, once. Goal: relative entropy below 0.01
and 99% on valid images of 2 x 2 pixels, on each of five seeds.

Rows around centers: 8 bits, 8 centers, each bit turned with probability 0.1 (Amin and others 2018), 20,000 rows; the
relative entropy is of the known distribution, over five draws of centers. Goal: words of X bring the Boltzmann machine
nearer, by the median.

Log-normal: (1, 1), rounded and cut to 0 to 7, 20,000 rows (Zoufal, Lucchi, Woerner 2019). Goal: relative entropy below
0.02 and a Kolmogorov-Smirnov distance below 0.0859, which tells two samples of 500 apart at 95%, by the median of ten
seeds; beside the same circuit trained by likelihood.

Run: python -m benchmarks.generative.small [bars | centers | log-normal]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from scipy.special import softmax
from scipy.stats import ks_2samp

from benchmarks.results import append_row, provenance
from qloom.models import (
    QCBM,
    QGAN,
    ChowLiuTree,
    IndependentBits,
    QuantumBoltzmannMachine,
    RestrictedBoltzmannMachine,
)
from qloom.models.generative.words import bits_of, outcomes_of

LOG_NORMAL = np.array([0.05351218, 0.2732358, 0.22554288, 0.15756508, 0.1102137, 0.07884732, 0.05778668, 0.04329635])
ACCEPTED = 0.0859
CLASSICAL = ("Z", "ZZ")


class Task(NamedTuple):
    """Rows to learn from, the distribution they are from, and a further measure of what was found."""

    bits: np.ndarray
    truth: np.ndarray
    measure: Callable[[np.ndarray, int], float] | None = None


# A seed -> a model.
Models = Mapping[str, Callable[[int], Any]]


def bars_and_stripes(side: int, _: int = 0) -> Task:
    """The measure is the share of valid images."""
    colours = np.array(list(product([0, 1], repeat=side)))
    images = np.unique(np.concatenate([np.repeat(colours, side, axis=1), np.tile(colours, side)]), axis=0)
    truth = np.bincount(outcomes_of(images), minlength=1 << side**2) / len(images)
    return Task(images, truth, lambda found, _: float(found[truth > 0].sum()))


def around_centers(seed: int, n: int = 8, n_centers: int = 8, turned: float = 0.1, n_rows: int = 20_000) -> Task:
    """Equally likely centers, each bit of a row turned with the same probability."""
    random = np.random.default_rng(seed)
    centers = random.integers(0, 2, (n_centers, n))
    differing = (bits_of(np.arange(1 << n), n)[:, None] != centers).sum(axis=2)
    truth = (turned**differing * (1 - turned) ** (n - differing)).mean(axis=1)
    return Task(bits_of(random.choice(1 << n, n_rows, p=truth), n), truth)


def log_normal(seed: int, n_rows: int = 20_000) -> Task:
    """The measure is the distance of two samples of 500."""
    drawn = np.rint(np.random.default_rng(seed).lognormal(1, 1, 2 * n_rows))
    truth = LOG_NORMAL / LOG_NORMAL.sum()

    def distance(found: np.ndarray, seed: int) -> float:
        random = np.random.default_rng(1000 + seed)
        return float(ks_2samp(*(random.choice(8, 500, p=shares / shares.sum()) for shares in (found, truth))).statistic)

    return Task(bits_of(drawn[drawn <= 7][:n_rows].astype(int), 3), truth, distance)


def boltzmann(seed: int, **settings: Any) -> QuantumBoltzmannMachine:
    return QuantumBoltzmannMachine(**settings, max_steps=400, random_state=seed)


CONTROLS: Models = {
    "independent bits": lambda _: IndependentBits(1e-9),
    "Chow-Liu tree": lambda _: ChowLiuTree(1e-9),
    "restricted Boltzmann machine": lambda seed: RestrictedBoltzmannMachine(random_state=seed),
}
MACHINES: Models = {
    "classical Boltzmann machine": partial(boltzmann, operators=CLASSICAL),
    "quantum, pure data state": boltzmann,
    "quantum, by likelihood": partial(boltzmann, data_state="measured"),
}
HIDDEN: Models = {
    "classical, 1 hidden": partial(boltzmann, operators=CLASSICAL, n_hidden=1, data_state="measured"),
    "classical, 2 hidden": partial(boltzmann, operators=CLASSICAL, n_hidden=2, data_state="measured"),
}


def born_machines(tree_layers: int) -> Models:
    ways: dict[str, dict[str, Any]] = {
        "all pairs, likelihood": {}, "all pairs, discrepancy": {"objective": "mmd"},
        "Chow-Liu entanglers, likelihood": {"ansatz": "chow_liu", "n_layers": tree_layers},
    }  # fmt: skip
    return {f"QCBM, {name}": partial(_born_machine, way) for name, way in ways.items()}


def _born_machine(way: dict[str, Any], seed: int) -> QCBM:
    return QCBM(**way, random_state=seed)


def adversarial(seed: int) -> QGAN:
    return QGAN(random_state=seed)


def by_likelihood(seed: int) -> QCBM:
    """The circuit of the adversarial training, one start."""
    circuit = QGAN(max_steps=1).fit([[0, 0, 0]]).circuit_
    return QCBM(circuit, n_restarts=1, random_state=seed)


def probabilities(model: Any) -> np.ndarray:
    if hasattr(model, "probabilities"):
        return np.asarray(model.probabilities())
    n = model.n_features_in_
    return np.asarray(softmax(model.score_samples(bits_of(np.arange(1 << n), n))))


def n_numbers(model: Any) -> int:
    """Of what was learnt."""
    n = model.n_features_in_
    counted = {"IndependentBits": n, "ChowLiuTree": 2 * n - 1}
    learnt = ("theta_", "weights_", "visible_biases_", "hidden_biases_")
    return counted.get(type(model).__name__) or sum(np.size(getattr(model, name, ())) for name in learnt)


def divergence(truth: np.ndarray, found: np.ndarray) -> float:
    there = truth > 0
    with np.errstate(divide="ignore"):
        return float(np.sum(truth[there] * np.log(truth[there] / found[there])))


def measure(data: str, make: Callable[[int], Task], models: Models, seeds: Iterable[int], higher: bool = True) -> None:
    """Append a row a model: medians and the worst over the seeds."""
    for name, model_of in models.items():
        start, entropies, measures, numbers = time.perf_counter(), list[float](), list[float](), 0
        for seed in seeds:
            task = make(seed)
            model = model_of(seed).fit(task.bits)
            found, numbers = probabilities(model), n_numbers(model)
            entropies.append(divergence(task.truth, found))
            if task.measure is not None:
                measures.append(task.measure(found, seed))
        row = {
            "data": data, "model": name, "numbers": numbers, "seeds": len(entropies),
            "relative_entropy": float(np.median(entropies)), "worst_entropy": max(entropies),
            "measure": float(np.median(measures)) if measures else None,
            "worst_measure": (min if higher else max)(measures) if measures else None,
            "seconds": time.perf_counter() - start,
        }  # fmt: skip
        print({key: round(value, 6) if isinstance(value, float) else value for key, value in row.items()}, flush=True)
        append_row("generative_small", row | provenance())


def main(only: str = "") -> None:
    if only in ("", "bars"):
        for side in (2, 3):
            machine = {name: MACHINES[name] for name in ("classical Boltzmann machine",)}
            models = {**CONTROLS, **machine, **born_machines(4 * (side - 1))}
            measure(f"bars and stripes {side}x{side}", partial(bars_and_stripes, side), models, range(5))
    if only in ("", "centers"):
        measure("rows around 8 centers, 8 bits", around_centers, {**CONTROLS, **MACHINES, **HIDDEN}, range(5))
    if only in ("", "log-normal"):
        models = {**CONTROLS, "QGAN": adversarial, "QCBM, the same circuit by likelihood": by_likelihood}
        measure("log-normal in 8 bins", log_normal, models, range(10), higher=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
