"""Recurrent layers whose gates are circuits: LSTM and GRU."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from qloom.ansatze import strongly_entangling
from qloom.circuits.circuit import Circuit, checked_count
from qloom.encoders import angle
from qloom.engines.base import Engine
from qloom.errors import ShapeError
from qloom.nn.layer import QuantumLayer


class QuantumRecurrent(nn.Module, ABC):
    """What LSTM and GRU share; use `QuantumLSTM` or `QuantumGRU`.

    What a step takes in and the state before it are mapped to one angle a qubit; each gate is a circuit on these
    angles, and a linear map of its expectation values. The map of the inputs is taken for all times at once; the
    circuits of a step for all sequences at once, since each step waits for the one before.

    Args:
        input_size: F.
        hidden_size: H.
        n_qubits: n.
        n_layers: of the ansatz.
        ansatz: (n, L) -> a trainable circuit; strongly entangling by default.
        engine, dtype, seed: of the gates' `QuantumLayer`; they are seeded one after the other.

    Shapes: x (B, T, F) -> outputs (B, T, H) and the last state.
    """

    gates: tuple[str, ...] = ()

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        n_qubits: int = 4,
        n_layers: int = 1,
        ansatz: Callable[[int, int], Circuit] | None = None,
        engine: Engine | None = None,
        dtype: torch.dtype | None = None,
        seed: int | None = None,
    ):
        super().__init__()
        self.input_size, self.hidden_size = input_size, checked_count("hidden_size", hidden_size)
        circuit = angle(n_qubits) + (ansatz or strongly_entangling)(n_qubits, n_layers)
        self.from_input = nn.Linear(input_size, n_qubits, dtype=dtype)
        self.from_state = nn.Linear(hidden_size, n_qubits, bias=False, dtype=dtype)
        seeds = [None if seed is None else seed + k for k in range(len(self.gates))]
        self.circuits = nn.ModuleDict(
            {
                name: QuantumLayer(circuit, engine=engine, dtype=dtype, seed=s)
                for name, s in zip(self.gates, seeds, strict=True)
            }
        )
        self.to_hidden = nn.ModuleDict({name: nn.Linear(n_qubits, hidden_size, dtype=dtype) for name in self.gates})

    def gate(self, name: str, angles: Tensor) -> Tensor:
        """What a gate says before its own non-linearity: angles (B, n) -> (B, H)."""
        return self.to_hidden[name](self.circuits[name](angles))

    @abstractmethod
    def step(self, angles: Tensor, state: Any) -> Any:
        """The next state from the input's part of the angles (B, n) and the state before."""

    def forward(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        if x.dim() != 3 or x.shape[-1] != self.input_size or x.shape[1] == 0:
            raise ShapeError(f"x has shape {tuple(x.shape)}, expected (B, T, {self.input_size}) with T of at least 1")
        state = self.first_state(x) if state is None else state
        outputs = []
        for angles in self.from_input(x).unbind(1):
            state = self.step(angles, state)
            outputs.append(state[0] if isinstance(state, tuple) else state)
        return torch.stack(outputs, 1), state

    def first_state(self, x: Tensor) -> Any:
        """Zeros (B, H)."""
        return x.new_zeros(len(x), self.hidden_size)


class QuantumLSTM(QuantumRecurrent):
    """Long short-term memory whose four gates are circuits. The state is (h, c), each (B, H).

    Source: Chen, Yoo, Fang 2022, ICASSP, 8622 (arXiv 2009.01783).
    """

    gates = ("forget", "take", "propose", "show")

    def first_state(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return super().first_state(x), super().first_state(x)

    def step(self, angles: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = state
        angles = angles + self.from_state(h)
        forget, take, show = (torch.sigmoid(self.gate(name, angles)) for name in ("forget", "take", "show"))
        c = forget * c + take * torch.tanh(self.gate("propose", angles))
        return show * torch.tanh(c), c


class QuantumGRU(QuantumRecurrent):
    """Gated recurrent unit whose three gates are circuits. The state is h (B, H).

    Source: Cho et al. 2014, arXiv 1406.1078, with circuits as in `QuantumLSTM`.
    """

    gates = ("reset", "keep", "propose")

    def step(self, angles: Tensor, state: Tensor) -> Tensor:
        both = angles + self.from_state(state)
        reset, keep = (torch.sigmoid(self.gate(name, both)) for name in ("reset", "keep"))
        proposed = torch.tanh(self.gate("propose", angles + self.from_state(reset * state)))
        return (1 - keep) * proposed + keep * state
