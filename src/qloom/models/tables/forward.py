"""The forward pass of a trained hybrid network on arrays: predicting takes numpy and the engine, no torch.

The network is defined by its modules in `hybrid`, `controls` and `heads`; weights go by their names there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from qloom.circuits import Circuit
from qloom.engines import Engine, StatevectorEngine
from qloom.engines.batch import Batch
from qloom.engines.products import one_thread
from qloom.observables import PauliSum

Weights = Mapping[str, np.ndarray]
Layer = Callable[[np.ndarray], np.ndarray]

_BLOCK = 256


def network_outputs(
    weights: Weights, layer: str, head: str, circuit: Circuit, observables: Sequence[PauliSum], x: np.ndarray,
    engine: Engine | None = None,
) -> np.ndarray:  # fmt: skip
    """Outputs of a network for rows of features, in blocks of one size.

    A circuit's samples may be laid out otherwise in batches of another size, and are added in another order then; one
    size for all rows gives one result, bit by bit, whatever rows a row comes with.

    Args:
        weights: the network's state by name.
        layer: "quantum" or "separable", a circuit; "classical".
        head: one of `heads.HEADS`.
        engine: of the circuit; None for the native one. What measures gets all rows at once, and no others.

    Shapes: x float32 (B, F) -> float32 (B, C).
    """
    engine, x = engine or StatevectorEngine(), x.astype(np.float32, copy=False)
    encoder, last = _encoder(weights), HEADS[head](weights)
    if layer == "classical":
        return _in_blocks((encoder, _classical(weights), last), x)
    middle = _circuit(weights, circuit, observables, engine)
    if engine.is_exact:
        return _in_blocks((encoder, middle, last), x)
    return _in_blocks((last,), middle(_in_blocks((encoder,), x)))


def head_outputs(weights: Weights, head: str, x: np.ndarray) -> np.ndarray:
    """Outputs of a head alone, in double precision: of a baseline, whose inputs are the features.

    Shapes: x (B, F) -> float64 (B, C).
    """
    return _in_blocks((HEADS[head](weights),), x.astype(np.float64))


def _in_blocks(steps: Sequence[Layer], x: np.ndarray) -> np.ndarray:
    blocks = []
    with one_thread():
        for start in range(0, max(len(x), 1), _BLOCK):
            rows = np.zeros((_BLOCK, x.shape[1]), x.dtype)
            part = x[start : start + _BLOCK]
            rows[: len(part)] = part
            for step in steps:
                rows = step(rows)
            blocks.append(rows[: len(part)])
    return np.concatenate(blocks)


def _linear(weights: Weights, name: str) -> Layer:
    weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    return lambda x: _product(x, weight) + bias


def _product(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """x @ weight.T, every sum by itself and in one order.

    Kernels of matrix products take the last rows of a block, and with them whatever rows stand there, in another order.

    Shapes: x (B, K), weight (O, K) -> (B, O).
    """
    return np.asarray(np.einsum("bk,ok->bo", x, weight))


def _silu(x: np.ndarray) -> np.ndarray:
    """x times the logistic function of x, which is (1 + tanh(x / 2)) / 2 without an overflow."""
    return x * (0.5 * (1 + np.tanh(0.5 * x)))


def encoder_units(weights: Weights) -> Layer:
    """From features to the encoder's hidden units."""
    first = _linear(weights, "encoder.0")
    return lambda x: _silu(first(x))


def encoder_angles(weights: Weights) -> Layer:
    """From the encoder's hidden units to the middle layer's inputs, radians."""
    second = _linear(weights, "encoder.3")
    return lambda units: np.float32(np.pi) * np.tanh(second(units))


def _encoder(weights: Weights) -> Layer:
    units, angles = encoder_units(weights), encoder_angles(weights)
    return lambda x: angles(units(x))


def _circuit(weights: Weights, circuit: Circuit, observables: Sequence[PauliSum], engine: Engine) -> Layer:
    evaluator = engine.prepare(circuit, list(observables))
    angles = np.ascontiguousarray(weights["layer.weights"])
    return lambda x: evaluator.values(Batch(np.ascontiguousarray(x), angles, False))


def _classical(weights: Weights) -> Layer:
    """`controls.ClassicalLayer`: shifts and gains that are not trained are 0 and 1."""
    down, up = weights["layer.down"], weights["layer.up"]
    hidden_shifts = _filled(weights["layer.hidden_shifts"], len(down), 0)
    output_shifts = _filled(weights["layer.output_shifts"], len(up), 0)
    gains = _filled(weights["layer.gains"], down.shape[1], 1)
    source = np.arange(len(up)) % down.shape[1]

    def layer(x: np.ndarray) -> np.ndarray:
        hidden = np.tanh(_product(x, down) + hidden_shifts)
        return np.asarray(np.tanh((x * gains)[:, source] + _product(hidden, up) + output_shifts))

    return layer


def _filled(values: np.ndarray, size: int, fill: float) -> np.ndarray:
    return np.concatenate([values, np.full(size - len(values), fill, values.dtype)])


def _perceptron(weights: Weights) -> Layer:
    first, second = _linear(weights, "head.0"), _linear(weights, "head.2")
    return lambda x: second(_silu(first(x)))


def _trees(weights: Weights) -> Layer:
    """`heads.TreesHead`: all trees are walked down at once."""
    feature, threshold, left, right, value, share, baseline, depth = (
        weights[f"head.{name}"]
        for name in ("feature", "threshold", "left", "right", "value", "share", "baseline", "depth")
    )
    # Flat tables: node k of tree t is k + t * M, its leaves lead back to themselves.
    n_trees, n_nodes = value.shape
    roots = np.arange(n_trees) * n_nodes
    left, right = ((table + roots[:, None]).ravel() for table in (left, right))
    feature, threshold, value = feature.ravel(), threshold.ravel(), value.ravel()
    shares = np.ascontiguousarray(share.T)

    def head(x: np.ndarray) -> np.ndarray:
        rows, first = x.astype(np.float64).ravel(), (np.arange(len(x)) * x.shape[1])[:, None]
        node = np.repeat(roots[None], len(x), axis=0)
        for _ in range(int(depth)):
            low = rows.take(feature.take(node) + first) <= threshold.take(node)
            node = np.where(low, left.take(node), right.take(node))
        return np.asarray(baseline + _product(value.take(node), shares), x.dtype)

    return head


HEADS: dict[str, Callable[[Weights], Layer]] = {
    "perceptron": _perceptron,
    "linear": lambda weights: _linear(weights, "head"),
    "boosting": _trees,
}
