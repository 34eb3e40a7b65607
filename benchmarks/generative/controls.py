"""What classical models of bits reach on MNIST's black and white images: the discrepancy to 10,000 test rows.

The protocol is that of arXiv:2503.02934 for MNIST: 784 bits, 50,000 training rows, three widths. The restricted
Boltzmann machine has the parameters of all gates on one and two of 784 qubits. Discrepancies of independent bits and
the tree are exact in the model, those of the machine are of 10,000 rows that it drew. "training rows" are the last
10,000 of them in the place of a model: what the test rows' own noise leaves.

Run: python -m benchmarks.generative.controls [--seeds N] [--dry]   (reads ../shared/data; some ten minutes a seed)
"""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.generative.data import MNIST_WIDTHS, N_TEST, mnist_bits
from benchmarks.others import noting_others
from benchmarks.results import append_row, provenance
from qloom.models import ChowLiuTree, IndependentBits, RestrictedBoltzmannMachine
from qloom.models.generative.base import GenerativeModel
from qloom.models.generative.factored import FactoredModel
from qloom.models.generative.words import sample_mmd

# All gates on one and two of 784 qubits.
N_PARAMETERS = 307_720


def competitors(n_seeds: int) -> Iterator[tuple[GenerativeModel, int | None]]:
    """Each model and its seed, if it has one."""
    yield IndependentBits(), None
    yield ChowLiuTree(), None
    for seed in range(n_seeds):
        yield RestrictedBoltzmannMachine(n_parameters=N_PARAMETERS, random_state=seed), seed


def count_parameters(model: GenerativeModel) -> int:
    """Numbers that fitting chose, without those that follow from others."""
    if isinstance(model, RestrictedBoltzmannMachine):
        return model.weights_.size + model.visible_biases_.size + model.hidden_biases_.size
    return model.n_features_in_ if isinstance(model, IndependentBits) else 2 * model.n_features_in_ - 1


def discrepancies(model: GenerativeModel, test: np.ndarray) -> list[float]:
    """At each width; of models that only sample, from as many rows as the test has, drawn once."""
    if isinstance(model, FactoredModel):
        return [model.mmd(test, width) for width in MNIST_WIDTHS]
    return sampled(model.sample(len(test), random_state=0), test)


def sampled(rows: np.ndarray, test: np.ndarray) -> list[float]:
    """Of two samples, at each width."""
    return [sample_mmd(rows, test, width) for width in MNIST_WIDTHS]


def row_of(
    name: str, seed: int | None, n_parameters: int | None, found: list[float], **seconds: float
) -> dict[str, Any]:
    columns = {f"mmd {width:g}": value for width, value in zip(MNIST_WIDTHS, found, strict=True)}
    times = {kind: seconds.get(kind) for kind in ("fit_seconds", "fit_cpu_seconds", "mmd_seconds", "others")}
    return {
        "model": name,
        "data": "mnist",
        "seed": seed,
        "parameters": n_parameters,
        **columns,
        **times,
        **provenance(),
    }


def measured(model: GenerativeModel, seed: int | None, train: np.ndarray, test: np.ndarray) -> dict[str, Any]:
    """Fit a model and compare it."""
    seen = dict[str, float]()
    with noting_others(seen):
        wall, cpu = time.perf_counter(), time.process_time()
        model.fit(train)
        fitted, spent = time.perf_counter(), time.process_time() - cpu
        found = discrepancies(model, test)
        seconds = {"fit_seconds": fitted - wall, "fit_cpu_seconds": spent, "mmd_seconds": time.perf_counter() - fitted}
    return row_of(type(model).__name__, seed, count_parameters(model), found, **seconds, **seen)


def rows(n_seeds: int) -> Iterator[dict[str, Any]]:
    train, test = mnist_bits()
    yield row_of("training rows", None, None, sampled(train[-N_TEST:], test))
    for model, seed in competitors(n_seeds):
        yield measured(model, seed, train, test)


def main() -> None:
    parser = ArgumentParser(description="Measure the classical controls on MNIST.")
    parser.add_argument("--seeds", type=int, default=3, help="of the restricted Boltzmann machine")
    parser.add_argument("--dry", action="store_true", help="print, append nothing")
    chosen = parser.parse_args()
    for row in rows(chosen.seeds):
        found = ", ".join(f"{row[f'mmd {width:g}']:.2e}" for width in MNIST_WIDTHS)
        print(f"{row['model']:28s} {found}, fitted in {row['fit_seconds'] or 0:.1f} s", flush=True)
        if not chosen.dry:
            append_row("controls", row)


if __name__ == "__main__":
    main()
