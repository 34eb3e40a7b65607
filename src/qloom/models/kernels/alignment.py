"""Training of a kernel's circuit: its weights are turned so that the kernel matrix resembles that of the targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from qloom.circuits import Circuit
from qloom.errors import ConfigError, ShapeError
from qloom.fitting import Training
from qloom.models.kernels.kernels import KERNELS, projected_words
from qloom.models.threads import torch_threads
from qloom.nn import QuantumLayer


@dataclass(frozen=True)
class Alignment:
    """What training gave.

    Attributes:
        weights: of the circuit, (W,).
        values: the alignment of every step's batch, from -1 to 1.
    """

    weights: np.ndarray
    values: np.ndarray


def ideal_kernel(y: Any) -> np.ndarray:
    """The kernel that tells all about the targets: 1 for equal labels and -1 for others; products of numbers.

    Floating-point targets are numbers, about their mean; all others are labels.

    Shapes: y (N,) -> (N, N).
    """
    y = np.asarray(y)
    if y.dtype.kind == "f":
        centered = y - y.mean()
        return np.outer(centered, centered)
    return np.where(y[:, None] == y[None, :], 1.0, -1.0)


def kernel_alignment(kernel: Any, y: Any) -> float:
    """Cosine of the angle between a kernel matrix and the ideal one of the targets, both centered; from -1 to 1.

    Args:
        y: labels, or numbers if they are floating-point.

    Shapes: kernel (N, N), y (N,).

    Raises:
        ShapeError: for a matrix of another shape than the targets ask for.

    Source: Cortes, Mohri, Rostamizadeh 2012, Journal of Machine Learning Research 13, 795.
    """
    kernel = torch.as_tensor(np.asarray(kernel, np.float64))
    if kernel.shape != (len(y), len(y)):
        raise ShapeError(f"kernel has shape {tuple(kernel.shape)}, expected ({len(y)}, {len(y)}) for {len(y)} targets")
    return float(_alignment(kernel, torch.from_numpy(ideal_kernel(y))))


def align_kernel(
    circuit: Circuit, x: Any, y: Any, weights: Any = None, *, kernel: str = "fidelity", gamma: float = 1.0,
    n_steps: int = 100, learning_rate: float = 0.05, batch_size: int = 64, seed: int = 0,
    sample_weight: np.ndarray | None = None,
) -> Alignment:  # fmt: skip
    """Turn a circuit's weights toward the best alignment of its kernel with the targets, by Adam on batches of rows.

    Weights behind the last input drop out of a fidelity kernel; put them between inputs.

    Args:
        circuit: with weights.
        x: inputs of samples.
        y: labels, or numbers if they are floating-point.
        weights: to begin with; small random ones if None.
        kernel: "fidelity" or "projected".
        gamma: of the projected kernel.
        n_steps, learning_rate, batch_size: of Adam; rows of a step are drawn without replacement.
        seed: of the first weights and the batches.
        sample_weight: how much more likely than others rows are drawn; None for equal.

    Shapes: x (N, I), y (N,), weights (W,), sample_weight (N,).

    Raises:
        ConfigError: for another kernel, or a circuit without weights.
        ShapeError: for arrays that do not fit, or fewer than 2 rows.

    Source: Hubregtsen et al. 2022, Phys. Rev. A 106, 042431.
    """
    if kernel not in KERNELS:
        raise ConfigError(f"kernel={kernel!r}, expected one of {', '.join(KERNELS)}")
    if not circuit.n_weights:
        raise ConfigError("circuit has no weights, expected some between its inputs; there is nothing to align")
    x, y = torch.as_tensor(np.asarray(x, np.float64)), np.asarray(y)
    if x.dim() != 2 or len(x) != len(y) or len(y) < 2:
        raise ShapeError(
            f"x has shape {tuple(x.shape)} and y {y.shape}, expected (N, {circuit.n_inputs}) and (N,) of at least 2 "
            "rows"
        )
    layer = _kernel_layer(circuit, kernel, "auto" if weights is None else weights, seed)
    shares = None if sample_weight is None else np.asarray(sample_weight) / np.sum(sample_weight)
    random, best = np.random.default_rng(seed), torch.from_numpy(ideal_kernel(y))

    def draw(step: int) -> list[np.ndarray]:
        return [random.choice(len(y), min(batch_size, len(y)), replace=False, p=shares)]

    def loss(layer: QuantumLayer, rows: np.ndarray) -> Tensor:
        return -_alignment(_kernel(layer(x[rows]), gamma), best[np.ix_(rows, rows)])

    adam = torch.optim.Adam(layer.parameters(), learning_rate)
    training = Training(layer, loss, draw, adam, epochs=n_steps, random=[random], seed=None)
    with torch_threads(1):
        training.run()
    return Alignment(layer.weights.detach().numpy().copy(), -np.array(training.losses))


def _kernel_layer(circuit: Circuit, kernel: str, init: Any, seed: int) -> QuantumLayer:
    outputs = "state" if kernel == "fidelity" else projected_words(circuit.n_qubits)
    return QuantumLayer(circuit, outputs, init=init, dtype=torch.float64, seed=seed)


def _kernel(outputs: Tensor, gamma: float) -> Tensor:
    """Of states, complex, or of expectation values."""
    if not outputs.is_complex():
        return torch.exp(-gamma * (outputs[:, None] - outputs[None]).square().sum(dim=2))
    return fidelities(outputs)


def fidelities(states: Tensor) -> Tensor:
    """|<a|b>|^2 of every two states, differentiably. Shapes: (B, 2^n), complex -> (B, B)."""
    overlaps = states @ states.conj().T
    return overlaps.real**2 + overlaps.imag**2


def _alignment(kernel: Tensor, best: Tensor) -> Tensor:
    centered = [m - m.mean(dim=0) - m.mean(dim=1, keepdim=True) + m.mean() for m in (kernel, best)]
    norms = [m.norm().clamp(min=1e-12) for m in centered]  # 0 for one class alone: nothing to align with
    return (centered[0] * centered[1]).sum() / (norms[0] * norms[1])
