"""The work that engines are compared by, its problem and how many multiply-adds it needs.

RY(x_q) on every qubit, then L times (RZ RY RZ on every qubit, a ring of CNOTs), <Z_q> of every q. W1 is one training
step of it: mean squared loss, forward and full backward to weights and inputs. W3 is forward alone on one large state.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from qloom import ansatze, encoders
from qloom.circuits import Circuit
from qloom.engines import Engine, StatevectorEngine
from qloom.nn import QuantumLayer


@dataclass(frozen=True)
class Work:
    """A size: n qubits, 3 at least for a ring, B samples, L layers; with `reuploading` the inputs enter before every
    layer.

    The counts are derived in benchmarks/floor.md.
    """

    n_qubits: int
    batch: int
    n_layers: int
    reuploading: bool = False

    @property
    def amplitudes(self) -> int:
        """B 2^n, over the whole batch."""
        return self.batch * 2**self.n_qubits

    @property
    def step_multiply_adds(self) -> int:
        """F: forward and backward, rotations of four multiply-adds an amplitude."""
        more = 16 * self.n_qubits * (self.n_layers - 1) if self.reuploading else 0
        return self.amplitudes * (self.n_layers * (16 * self.n_qubits + 14) + more)

    @property
    def forward_multiply_adds(self) -> int:
        """The forward share of F."""
        more = 4 * self.n_qubits * (self.n_layers - 1) if self.reuploading else 0
        return self.amplitudes * (self.n_layers * (4 * self.n_qubits + 4) + more)

    def circuit(self) -> Circuit:
        """The circuit, weights in order of layer, qubit, RZ RY RZ."""

        def layer(n: int) -> Circuit:
            return ansatze.strongly_entangling(n, 1, [1])

        if self.reuploading:
            return encoders.reuploading(self.n_qubits, self.n_layers, layer)
        return encoders.angle(self.n_qubits) + ansatze.strongly_entangling(
            self.n_qubits, self.n_layers, [1] * self.n_layers
        )

    def problem(self, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Inputs (B, n), weights (L n 3,) and targets (B, n): float64 numbers that float32 holds exactly."""
        random = np.random.default_rng([seed, self.n_qubits, self.batch, self.n_layers])
        shapes = (self.batch, self.n_qubits), (self.n_layers * self.n_qubits * 3,), (self.batch, self.n_qubits)
        reach = np.pi, np.pi, 1.0
        drawn = (random.uniform(-r, r, shape) for r, shape in zip(reach, shapes, strict=True))
        x, weights, targets = (array.astype(np.float32).astype(np.float64) for array in drawn)
        return x, weights, targets

    def layer(
        self, threads: int | None = None, dtype: torch.dtype = torch.float32, engine: Engine | None = None,
        device: Any = "cpu",
    ) -> QuantumLayer:  # fmt: skip
        """The circuit as a layer with the problem's weights; on the CPU's engine where no other is given."""
        engine = StatevectorEngine(threads) if engine is None else engine
        return QuantumLayer(self.circuit(), engine=engine, init=self.problem()[1], dtype=dtype).to(device)

    def tensors(self, dtype: torch.dtype = torch.float32, device: Any = "cpu") -> tuple[torch.Tensor, torch.Tensor]:
        """The problem's inputs, which require gradients, and targets."""
        x, _, targets = self.problem()
        made = {"dtype": dtype, "device": device}
        return torch.tensor(x, requires_grad=True, **made), torch.tensor(targets, **made)

    def step(
        self, threads: int | None = None, dtype: torch.dtype = torch.float32, engine: Engine | None = None,
        device: Any = "cpu",
    ) -> Callable[[], Any]:  # fmt: skip
        """A function that does one training step and leaves the gradients in x and weights; it returns these and
        the loss."""
        layer, (x, targets) = self.layer(threads, dtype, engine, device), self.tensors(dtype, device)

        def run() -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]:
            x.grad = layer.weights.grad = None
            loss = (layer(x) - targets).square().sum(dim=1).mean()
            loss.backward()
            return loss, x.grad, layer.weights.grad

        return run

    def forward(
        self, threads: int | None = None, dtype: torch.dtype = torch.float32, engine: Engine | None = None,
        device: Any = "cpu",
    ) -> Callable[[], torch.Tensor]:  # fmt: skip
        """A function that evaluates the outputs (B, n) alone."""
        layer, (x, _) = self.layer(threads, dtype, engine, device), self.tensors(dtype, device)

        def run() -> torch.Tensor:
            with torch.no_grad():
                return layer(x)

        return run
