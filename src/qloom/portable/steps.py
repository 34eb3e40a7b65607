"""A model as a list of steps: ordinary ones, which any library computes, and at most one circuit among them."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from qloom.circuits import Circuit
from qloom.data import TargetCoding
from qloom.engines import Engine
from qloom.engines.base import DifferentiableEvaluator
from qloom.engines.batch import Batch
from qloom.errors import UnsupportedError
from qloom.models.tables.forward import Weights
from qloom.models.tables.readout import Readout
from qloom.observables import PauliSum
from qloom.portable.ordinary import STEPS

_TREES = ("feature", "threshold", "left", "right", "value", "share", "baseline", "depth")
_LINKS = {"softmax": "softmax", "exponential": "exponential"}


@dataclass(frozen=True, eq=False)
class Step:
    """One ordinary step.

    Attributes:
        kind: of `ordinary.STEPS`, and of the tables beside it: torch, ONNX, rounding.
        arrays: its numbers, float64 and integers.
    """

    kind: str
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)

    def values(self, x: np.ndarray) -> np.ndarray:
        """Shapes: (B, M) -> (B, K)."""
        return STEPS[self.kind](x, self.arrays)


class CircuitStep:
    """A circuit with its trained weights, by an engine of double precision.

    Shapes: angles (B, I) -> expectation values (B, O).
    """

    kind = "circuit"

    def __init__(self, circuit: Circuit, observables: Sequence[PauliSum], weights: np.ndarray, engine: Engine):
        self.circuit, self.observables = circuit, list(observables)
        self.weights, self.engine = np.ascontiguousarray(weights, np.float64), engine
        self.evaluator = engine.prepare(circuit, self.observables)

    def values(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(self.evaluator.values(self.batch(x)))

    def pull_back(self, x: np.ndarray, cotangents: np.ndarray) -> np.ndarray:
        """Derivatives (B, I) of sum(cotangents * values), cotangents (B, O)."""
        assert isinstance(self.evaluator, DifferentiableEvaluator)
        slopes, _ = self.evaluator.backward(self.batch(x), np.ascontiguousarray(cotangents), None, (True, False))
        assert slopes is not None
        return slopes

    def batch(self, x: np.ndarray) -> Batch:
        """Angles with the trained weights."""
        return Batch(np.ascontiguousarray(x, np.float64), self.weights, False)

    @property
    def sizes(self) -> np.ndarray:
        """What the values may be at most, (O,): the sums of the coefficients' sizes."""
        return np.array([sum(abs(c) for c, _ in sum_) for sum_ in self.observables])


AnyStep = Step | CircuitStep


def run(steps: Sequence[AnyStep], x: np.ndarray) -> np.ndarray:
    """The outputs of the last of some steps."""
    for step in steps:
        x = step.values(x)
    return x


def affine_step(weights: Weights, name: str) -> Step:
    """A linear map by its name in a network's state."""
    return Step("affine", {each: weights[f"{name}.{each}"].astype(np.float64) for each in ("weight", "bias")})


def encoder_steps(weights: Weights) -> list[Step]:
    """Features (B, F) -> angles (B, I)."""
    return [affine_step(weights, "encoder.0"), Step("silu"), affine_step(weights, "encoder.3"), Step("angles")]


def head_steps(weights: Weights, kind: str) -> list[Step]:
    """What reads a middle layer, or of a baseline the features: (B, O) -> (B, C)."""
    if kind == "boosting":
        return [Step("trees", {name: weights[f"head.{name}"] for name in _TREES})]
    if kind == "linear":
        return [affine_step(weights, "head")]
    return [affine_step(weights, "head.0"), Step("silu"), affine_step(weights, "head.2")]


def residual_step(weights: Weights) -> Step:
    """The classical layer: shifts and gains that are not trained are 0 and 1."""
    down, up = (weights[f"layer.{name}"].astype(np.float64) for name in ("down", "up"))
    sizes = {"hidden_shifts": (len(down), 0.0), "output_shifts": (len(up), 0.0), "gains": (down.shape[1], 1.0)}
    arrays = {"down": down, "up": up}
    for name, (size, fill) in sizes.items():
        arrays[name] = np.full(size, fill)
        arrays[name][: len(weights[f"layer.{name}"])] = weights[f"layer.{name}"]
    return Step("residual", arrays)


def readout_steps(readout: Readout, coding: TargetCoding) -> list[Step]:
    """Outputs (B, C) -> class probabilities (B, C), or numbers in the target's unit (B,)."""
    link = [Step(_LINKS[readout.link])] if readout.link in _LINKS else []
    if coding.task == "classification":
        return link
    transformation = coding.transformation
    ends = np.array([transformation.low, transformation.high])
    low, high = transformation.forward(ends) if transformation.kind != "none" else ends
    numbers = {
        "mean": coding.mean, "scale": coding.scale, "low": low, "high": high, "unit": transformation.unit,
        "exponent": transformation.exponent, "residuals": list(readout.residuals) or [0.0],
    }  # fmt: skip
    kind = "power" if transformation.kind in ("log1p", "yeo_johnson") else transformation.kind
    return [
        *link,
        Step("target", {name: np.array(value) for name, value in numbers.items()} | {"kind": np.array(kind)}),
    ]


def network_file(steps: Sequence[AnyStep]) -> bytes:
    """The .npz file that `ordinary.Network` reads.

    Raises:
        UnsupportedError: for a circuit among the steps.
    """
    arrays: dict[str, np.ndarray] = {"steps": np.array([step.kind for step in steps])}
    for place, step in enumerate(steps):
        if not isinstance(step, Step):
            raise UnsupportedError("a circuit is no ordinary step, expected a polynomial in its place")
        arrays |= {f"{place}.{name}": np.asarray(array) for name, array in step.arrays.items()}
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()
