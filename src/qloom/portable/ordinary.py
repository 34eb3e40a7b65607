"""An exported model as plain numpy: this file and network.npz beside it are all that predicting takes.

    python predict.py features.npy          # predictions as CSV
    from predict import Network; Network("network.npz").predict(features)

Features (B, F) are the numbers of preprocessing.json, in the order of export.json. A network is a list of steps, each a
kind of STEPS with arrays of its own.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping

import numpy as np

Arrays = Mapping[str, np.ndarray]
# Rows worked on at a time.
_BLOCK = 256


def affine(x: np.ndarray, a: Arrays) -> np.ndarray:
    """Weight (K, M), bias (K,)."""
    return np.asarray(x @ a["weight"].T + a["bias"])


def silu(x: np.ndarray, a: Arrays) -> np.ndarray:
    """x times the logistic function of x."""
    return np.asarray(x * (0.5 * (1 + np.tanh(0.5 * x))))


def angles(x: np.ndarray, a: Arrays) -> np.ndarray:
    """Numbers as angles between -pi and pi."""
    return np.asarray(math.pi * np.tanh(x))


def residual(x: np.ndarray, a: Arrays) -> np.ndarray:
    """The classical layer in a circuit's place: gains (I,), down (k, I), up (O, k), shifts (k,) and (O,)."""
    hidden = np.tanh(x @ a["down"].T + a["hidden_shifts"])
    carried = (x * a["gains"])[:, np.arange(len(a["up"])) % x.shape[1]]
    return np.asarray(np.tanh(carried + hidden @ a["up"].T + a["output_shifts"]))


def trees(x: np.ndarray, a: Arrays) -> np.ndarray:
    """Regression trees (T, M) walked down at once: x[feature] <= threshold goes left, a leaf leads back to itself."""
    rows, each = np.arange(len(x))[:, None], np.arange(len(a["value"]))[None]
    node = np.zeros((len(x), len(a["value"])), int)
    for _ in range(int(a["depth"])):
        low = x[rows, a["feature"][each, node]] <= a["threshold"][each, node]
        node = np.where(low, a["left"][each, node], a["right"][each, node])
    return np.asarray(a["baseline"] + a["value"][each, node] @ a["share"])


def waves(x: np.ndarray, unit: float, degree: int) -> np.ndarray:
    """1, cos(u x), sin(u x), cos(2 u x), ... of an input (B,): (B, 2 d + 1)."""
    phases = np.arange(1, degree + 1) * (unit * x)[:, None]
    both = np.stack([np.cos(phases), np.sin(phases)], axis=2).reshape(len(x), -1)
    return np.concatenate([np.ones((len(x), 1)), both], axis=1)


def products(parts: list[np.ndarray], n_rows: int) -> np.ndarray:
    """Products of one number of each part: (B, m_1), (B, m_2), ... -> (B, m_1 m_2 ...), the last the fastest."""
    out = np.ones((n_rows, 1))
    for part in parts:
        out = (out[:, :, None] * part[:, None, :]).reshape(n_rows, -1)
    return out


def polynomial(x: np.ndarray, a: Arrays) -> np.ndarray:
    """Trigonometric polynomials of groups of inputs: coefficients (L, R, O) over products of the first `split` inputs'
    waves and of the others', into some of the outputs."""
    out = np.zeros((len(x), int(a["n_outputs"])))
    for group in range(int(a["n_groups"])):
        inputs, units, degrees, coefficients, outputs = (
            a[f"{group}.{name}"] for name in ("inputs", "units", "degrees", "coefficients", "outputs")
        )
        each = [waves(x[:, i], u, d) for i, u, d in zip(inputs, units, degrees, strict=True)]
        split = int(a[f"{group}.split"])
        left, right = products(each[:split], len(x)), products(each[split:], len(x))
        inner = (left @ coefficients.reshape(len(coefficients), -1)).reshape(len(x), *coefficients.shape[1:])
        out[:, outputs] = (inner * right[:, :, None]).sum(axis=1)
    return out


def words(x: np.ndarray, a: Arrays) -> np.ndarray:
    """A sum of products of cosines and sines: column 0 is 1, then the cosine and the sine of each angle scale * input +
    offset; a term is a product of columns, factors (T, w), with coefficients (T, O)."""
    phases = a["scales"] * x[:, a["inputs"]] + a["offsets"]
    columns = np.stack([np.cos(phases), np.sin(phases)], axis=2).reshape(len(x), -1)
    columns = np.concatenate([np.ones((len(x), 1)), columns], axis=1)
    term = np.ones((len(x), len(a["factors"])))
    for factor in a["factors"].T:
        term *= columns[:, factor]
    return np.asarray(term @ a["coefficients"])


def softmax(x: np.ndarray, a: Arrays) -> np.ndarray:
    """Class scores (B, C) as probabilities."""
    powers = np.exp(x - x.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def exponential(x: np.ndarray, a: Arrays) -> np.ndarray:
    """Logarithms of means as means."""
    return np.exp(x)


def target(x: np.ndarray, a: Arrays) -> np.ndarray:
    """Coded numbers (B, 1) in the target's own unit (B,): means over the residuals (K,) of what was coded."""
    coded = (x[:, :1] + a["residuals"]) * a["scale"] + a["mean"]
    within = np.clip(coded, a["low"], a["high"])
    if a["kind"] == "none":
        taken_back = coded
    elif a["kind"] == "log":
        taken_back = np.exp(within)
    else:
        exponent = float(a["exponent"])
        negative = -_power_back(np.maximum(-within, 0), 2 - exponent)
        taken_back = a["unit"] * np.where(within < 0, negative, _power_back(np.maximum(within, 0), exponent))
    return np.asarray(taken_back.mean(axis=1))


def _power_back(x: np.ndarray, exponent: float) -> np.ndarray:
    """What ((1 + y)^e - 1) / e is x for; of e = 0, log(1 + y)."""
    return np.expm1(x if exponent == 0 else np.log1p(exponent * x) / exponent)


STEPS: dict[str, Callable[[np.ndarray, Arrays], np.ndarray]] = {
    step.__name__: step
    for step in (affine, silu, angles, residual, trees, polynomial, words, softmax, exponential, target)
}


class Network:
    """The model of a file that `qloom export --to surrogate` wrote.

    Args:
        path: of network.npz.
    """

    def __init__(self, path: str = "network.npz"):
        with np.load(path, allow_pickle=False) as file:
            self.kinds = [str(kind) for kind in file["steps"]]
            self.arrays: list[dict[str, np.ndarray]] = [{} for _ in self.kinds]
            for name in set(file.files) - {"steps"}:
                place, own = name.split(".", 1)
                self.arrays[int(place)][own] = file[name]

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Features (B, F) -> class probabilities (B, C), or numbers (B,)."""
        rows = np.asarray(features, np.float64)
        blocks = [rows[start : start + _BLOCK] for start in range(0, max(len(rows), 1), _BLOCK)]
        return np.concatenate([self._block(block) for block in blocks])

    def _block(self, x: np.ndarray) -> np.ndarray:
        for kind, arrays in zip(self.kinds, self.arrays, strict=True):
            x = STEPS[kind](x, arrays)
        return x


if __name__ == "__main__":
    np.savetxt(sys.stdout, Network().predict(np.load(sys.argv[1])), delimiter=",")
