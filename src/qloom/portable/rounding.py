"""How far rounding can take an exported model from its original, row by row.

Both come from one list of steps with the same numbers. A step whose result is rounded is off by at most e (its standard
bound: gamma_k sum |w| |x| for sums, a few units for functions); what that changes of a prediction is J e, with the
derivatives J of the prediction by that step's result at that row. The bound is 2 sum |J| e over all steps, of the
original and of the export: the sum is of first order, and twice it leaves room for what is of second.

Source: Higham 2002, Accuracy and Stability of Numerical Algorithms, chapter 3.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from qloom.portable.ordinary import STEPS
from qloom.portable.steps import AnyStep, CircuitStep, Step, run

# Unit roundoff.
SINGLE, DOUBLE = 2.0**-24, 2.0**-53
_SECOND_ORDER = 2.0
_ROWS = 2048
# (input, result) of the circuit's place -> what an export's stand-in for the circuit may be off, (B, O).
MiddleError = Callable[[np.ndarray, np.ndarray], np.ndarray]


def engine_rounding(step: CircuitStep, unit: float) -> np.ndarray:
    """What an engine's values may be off, (O,): a few units for each rotation, and for the sums at the end.

    A rotation of a normalised state is off by at most 4 units, which counts twice in a value; tests hold engines to it.
    """
    n_gates = sum(len(op.angles) + 1 for op in step.circuit.operations)
    return np.asarray((8 * n_gates + 2 * step.circuit.n_qubits + 16) * unit * step.sizes)


def _affine(step: Step, x: np.ndarray, y: np.ndarray, unit: float) -> np.ndarray:
    weight, bias = np.abs(step.arrays["weight"]), np.abs(step.arrays["bias"])
    return np.asarray((weight.shape[1] + 2) * unit * (np.abs(x) @ weight.T + bias))


def _residual(step: Step, x: np.ndarray, y: np.ndarray, unit: float) -> np.ndarray:
    a = {name: np.abs(array) for name, array in step.arrays.items()}
    hidden = (x.shape[1] + 10) * unit * (np.abs(x) @ a["down"].T + a["hidden_shifts"] + 1)
    carried = (np.abs(x) * a["gains"])[:, np.arange(len(a["up"])) % x.shape[1]]
    summed = (len(a["down"]) + 10) * unit * (carried + a["up"].sum(axis=1) + a["output_shifts"] + 1)
    return np.asarray(hidden @ a["up"].T + summed)


def _trees(step: Step, x: np.ndarray, y: np.ndarray, unit: float) -> np.ndarray:
    """Features and thresholds are compared exactly; leaves are rounded and added up."""
    a = step.arrays
    sizes = {name: np.abs(a[name]) for name in ("value", "baseline")}
    return np.asarray((len(a["value"]) + 4) * unit * STEPS["trees"](x, {**a, **sizes}))


def _polynomial(step: Step, x: np.ndarray, y: np.ndarray, unit: float) -> np.ndarray:
    a, out = step.arrays, np.zeros(y.shape[1])
    for group in range(int(a["n_groups"])):
        coefficients, units = a[f"{group}.coefficients"], a[f"{group}.units"]
        turns = float((4 * (a[f"{group}.degrees"] * units * math.pi + 2)).sum())
        operations = coefficients.shape[0] + coefficients.shape[1] + turns + 8
        out[a[f"{group}.outputs"]] = operations * unit * np.abs(coefficients).sum(axis=(0, 1))
    return np.broadcast_to(out, y.shape)


def _words(step: Step, x: np.ndarray, y: np.ndarray, unit: float) -> np.ndarray:
    a = step.arrays
    largest = float((np.abs(a["scales"]) * math.pi + np.abs(a["offsets"])).max(initial=0))
    operations = len(a["factors"]) + a["factors"].shape[1] * (4 * largest + 8) + 8
    return np.broadcast_to(operations * unit * np.abs(a["coefficients"]).sum(axis=0), y.shape)


def _target(step: Step, x: np.ndarray, y: np.ndarray, unit: float) -> np.ndarray:
    a = step.arrays
    size = np.abs(y) + float(a["unit"]) + abs(float(a["mean"])) + abs(float(a["scale"])) * (
        np.abs(x[:, 0]) + np.abs(a["residuals"]).max()
    )  # fmt: skip
    return np.asarray((len(a["residuals"]) + 64) * unit * size * (1 + np.log1p(size / float(a["unit"]))))


# Kind of step -> (step, its input, its result, unit roundoff) -> what its result may be off.
ROUNDING: dict[str, Callable[[Step, np.ndarray, np.ndarray, float], np.ndarray]] = {
    "affine": _affine,
    "silu": lambda step, x, y, unit: 8 * unit * np.abs(x),
    "angles": lambda step, x, y, unit: 16 * unit * np.abs(y),
    "residual": _residual,
    "trees": _trees,
    "polynomial": _polynomial,
    "words": _words,
    "softmax": lambda step, x, y, unit: (y.shape[1] + 16) * unit * y * (1 + np.abs(x - x.max(axis=1, keepdims=True))),
    "exponential": lambda step, x, y, unit: 8 * unit * y * (1 + np.abs(x)),
    "target": _target,
}


def _back_through_silu(step: Step, x: np.ndarray, y: np.ndarray, g: np.ndarray) -> np.ndarray:
    logistic = 0.5 * (1 + np.tanh(0.5 * x))
    return np.asarray(g * logistic * (1 + x * (1 - logistic)))


def _back_through_residual(step: Step, x: np.ndarray, y: np.ndarray, g: np.ndarray) -> np.ndarray:
    a = step.arrays
    hidden = np.tanh(x @ a["down"].T + a["hidden_shifts"])
    g = g * (1 - y**2)
    carried = np.zeros_like(x)
    np.add.at(carried.T, np.arange(len(a["up"])) % x.shape[1], g.T)
    return np.asarray(((g @ a["up"]) * (1 - hidden**2)) @ a["down"] + carried * a["gains"])


# Kind of step -> (step, its input, its result, cotangents of the result) -> cotangents of its input.
PULLBACKS: dict[str, Callable[[Step, np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    "affine": lambda step, x, y, g: g @ step.arrays["weight"],
    "silu": _back_through_silu,
    "angles": lambda step, x, y, g: g * (math.pi - y**2 / math.pi),
    "residual": _back_through_residual,
    "softmax": lambda step, x, y, g: y * (g - (g * y).sum(axis=1, keepdims=True)),
}


def rounding_bound(
    steps: Sequence[AnyStep], readout: Sequence[Step], x: np.ndarray, original: float, exported: float,
    middle: MiddleError | None = None,
) -> np.ndarray:  # fmt: skip
    """How far predictions of an export may be from those of the original, row by row.

    Args:
        steps, readout: of the model.
        original, exported: unit roundoffs of both; the original reads its outputs in double precision.
        middle: what the export's stand-in for the circuit may be off; None where a circuit runs there too.

    Shapes: x (B, F) -> (B, C), or (B,) for numbers.
    """
    parts = [
        _bound(steps, readout, part, original, exported, middle)
        for part in np.split(x.astype(np.float64), range(_ROWS, len(x), _ROWS))
    ]
    return np.concatenate(parts)


def _bound(
    steps: Sequence[AnyStep], readout: Sequence[Step], x: np.ndarray, original: float, exported: float,
    middle: MiddleError | None,
) -> np.ndarray:  # fmt: skip
    is_classes = bool(readout) and readout[-1].kind == "softmax"
    walked, errors = [x], []
    chain = [*steps, *readout] if is_classes else list(steps)
    for step in chain:
        walked.append(step.values(walked[-1]))
        own = DOUBLE if step in readout else original
        errors.append(_errors(step, walked[-2], walked[-1], own, exported, middle))
    outputs = walked[-1]
    totals = [_total(chain, walked, errors, output) for output in range(outputs.shape[1])]
    bound = _SECOND_ORDER * np.stack(totals, axis=1)
    return bound if is_classes else _through(readout, outputs, bound, exported)


def _errors(
    step: AnyStep, x: np.ndarray, y: np.ndarray, own: float, exported: float, middle: MiddleError | None
) -> np.ndarray:  # fmt: skip
    if isinstance(step, Step):
        rule = ROUNDING[step.kind]
        return rule(step, x, y, own) + rule(step, x, y, exported)
    theirs = np.broadcast_to(engine_rounding(step, exported), y.shape) if middle is None else middle(x, y)
    return engine_rounding(step, own) + theirs


def _total(
    steps: Sequence[AnyStep], walked: Sequence[np.ndarray], errors: Sequence[np.ndarray], output: int
) -> np.ndarray:
    """sum |J| e of one output, (B,)."""
    g = np.zeros_like(walked[-1])
    g[:, output] = 1
    total = np.zeros(len(g))
    for k in range(len(steps) - 1, -1, -1):
        total += (np.abs(g) * errors[k]).sum(axis=1)
        if k:
            step, x, y = steps[k], walked[k], walked[k + 1]
            g = step.pull_back(x, g) if isinstance(step, CircuitStep) else PULLBACKS[step.kind](step, x, y, g)
    return total


def _through(readout: Sequence[Step], outputs: np.ndarray, bound: np.ndarray, exported: float) -> np.ndarray:
    """Of numbers: what is read of an output grows with it, so that the ends of its interval are the ends there too."""
    read, low, high = (run(readout, outputs + sign * bound) for sign in (0, -1, 1))
    rounded, walked = np.zeros_like(read), outputs
    for step in readout:
        result = step.values(walked)
        own = ROUNDING[step.kind](step, walked, result, exported).reshape(len(result), -1).max(axis=1)
        # Means, which an exponential gives, are coded linearly.
        rounded, walked = rounded * abs(float(step.arrays.get("scale", 1.0))) + own, result
    return np.asarray(np.maximum(high - read, read - low) + _SECOND_ORDER * rounded)
