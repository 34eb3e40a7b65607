"""Data and published accuracies of Bowles, Ahmed, Schuld 2024 (arXiv 2403.07059), from ../shared."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch.nn.functional import interpolate

from benchmarks.published.mnist import images
from benchmarks.shared import DATA

FOLDER = DATA / "qml_benchmarks"


@dataclass(frozen=True)
class Published:
    """One row of the published scores: a model on a data set with its best setting.

    Attributes:
        setting: hyperparameters by name, as text.
        accuracies: on the test set for seeds 0, 1, ...
    """

    model: str
    dataset: str
    setting: dict[str, str]
    accuracies: tuple[float, ...]

    def number(self, name: str) -> float:
        """A hyperparameter as a number."""
        return float(self.setting[name])

    def count(self, name: str) -> int:
        return int(self.number(name))


@dataclass(frozen=True)
class Sets:
    """Training and test rows. Shapes: x (N, F), y (N,) of -1 and 1."""

    x: np.ndarray
    y: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


@cache
def published() -> tuple[Published, ...]:
    """All published scores."""
    with gzip.open(FOLDER / "published_scores.csv.gz", "rt", newline="") as file:
        return tuple(
            Published(row["model"], row["dataset"], _setting(row["best_hyperparams"]), _numbers(row["test_accs"]))
            for row in csv.DictReader(file)
        )


def scores_of(model: str, *benchmarks: str) -> Iterator[Published]:
    """The published rows of a model whose data sets' names start so, each data set once.

    The curves were published under two names, as curves and as manifolds, with the same settings and accuracies.
    """
    for row in published():
        if row.model == model and row.dataset.startswith(benchmarks):
            yield row


def load(dataset: str) -> Sets:
    """A data set by its published name; the last column is the label."""
    if dataset.startswith("mnist_pixels_3-5_"):
        return _small_digits(int(dataset.rpartition("x")[2]))
    (train,) = FOLDER.glob(f"generated/*/{dataset}_train.csv.gz")
    (test,) = FOLDER.glob(f"generated/*/{dataset}_test.csv.gz")
    parts = [np.loadtxt(path, delimiter=",") for path in (train, test)]
    return Sets(*(array for part in parts for array in (part[:, :-1], part[:, -1])))


def _small_digits(side: int) -> Sets:
    """MNIST 3 against 5 at side x side pixels, interpolated without smoothing as the published program did."""
    parts = []
    for part in ("train", "t10k"):
        pixels, first = images(part, (3, 5))
        small = interpolate(torch.from_numpy(pixels * 255)[:, None], (side, side), mode="bilinear").round()
        parts += [small.flatten(1).numpy(), np.where(first, -1, 1)]
    return Sets(*parts)


def scaled(sets: Sets, low: float, high: float) -> Sets:
    """Each feature's range on the training rows goes to (low, high)."""
    from sklearn.preprocessing import MinMaxScaler

    scaler = MinMaxScaler((low, high)).fit(sets.x)
    return Sets(scaler.transform(sets.x), sets.y, scaler.transform(sets.x_test), sets.y_test)


def _setting(text: str) -> dict[str, str]:
    return {name: value for name, _, value in (word.partition("=") for word in text.split(";"))}


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(map(float, text.split()))
