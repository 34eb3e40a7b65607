"""A linear map of few weights: a circuit acting on activations as amplitudes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from qloom.ansatze import hardware_efficient
from qloom.circuits.circuit import Circuit, checked_count
from qloom.engines import FinalState, StatevectorEngine, make_batch
from qloom.errors import CircuitError, ShapeError
from qloom.nn.bridge import evaluate
from qloom.nn.initialization import initial_weights
from qloom.nn.operators import register


class QuantumLinear(nn.Module):
    """An orthogonal map of 2^n features by a circuit of O(n L) angles; unitary on complex features.

    The features are the amplitudes of n qubits, of any norm, since a circuit is linear in them. A circuit of real gates
    takes two real vectors at once, as real and imaginary parts.

    Args:
        n_features: F; if not a power of two, vectors are padded with zeros to the next one and cut again, and the map
            is a part of an orthogonal one.
        n_layers: L.
        ansatz: (n, L) -> the circuit; for real features of real gates only (ry, cx, cz, x, z, h, swap, ...). By default
            RY on every qubit and a ring of CX.
        is_complex: for complex features and any circuit.
        threads: of the engine; None for all.
        init, dtype, seed: of the weights, as in `QuantumLayer`.

    Shapes: x (..., F) -> (..., F).

    Attributes:
        weights: nn.Parameter (W,).

    Raises:
        CircuitError: for a circuit that is not real where features are.
    """

    weights: nn.Parameter

    def __init__(
        self,
        n_features: int,
        n_layers: int = 2,
        ansatz: Callable[[int, int], Circuit] | None = None,
        is_complex: bool = False,
        threads: int | None = None,
        init: Any = "auto",
        dtype: torch.dtype | None = None,
        seed: int | None = None,
    ):
        super().__init__()
        self.n_features = checked_count("n_features", n_features)
        self.is_complex = is_complex
        n = max(1, (n_features - 1).bit_length())
        map_of = ansatz or (lambda n, layers: hardware_efficient(n, layers, ("ry",), "ring"))
        trained = map_of(n, n_layers)
        if trained.n_inputs or trained.initial is not None:
            raise CircuitError(f"{trained!r}, expected a circuit without inputs")
        if not is_complex:
            _check_real(trained)
        circuit = Circuit(n)
        size = 2**n
        circuit.prepare_amplitudes(circuit.inputs(size), circuit.inputs(size))
        self.circuit, self._threads = circuit + trained, threads
        self._prepare()
        self.weights = nn.Parameter(initial_weights(init, trained.n_weights, dtype or torch.get_default_dtype(), seed))

    def _prepare(self) -> None:
        outputs = FinalState(self.circuit.n_qubits, linear=True)
        self._evaluator = StatevectorEngine(self._threads).prepare_exact(self.circuit, outputs)
        self._handle = register(self._evaluator)

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        del state["_evaluator"], state["_handle"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._prepare()

    def forward(self, x: Tensor) -> Tensor:
        self._check(x)
        size, rows = 2**self.circuit.n_qubits, x.shape[:-1].numel()
        # Vectors of activations are large: nothing is padded or cut, which copies, without need.
        if size != self.n_features:
            x = pad(x, (0, size - self.n_features))
        flat = x.reshape(rows, size)
        out = (self._map_complex(flat) if self.is_complex else self._map_real(flat)).reshape(x.shape)
        return out if size == self.n_features else out[..., : self.n_features]

    def _map_complex(self, rows: Tensor) -> Tensor:
        parts = torch.cat([rows.real, rows.imag], dim=1)
        return torch.complex(*evaluate(parts, self.weights, self._evaluator, self._handle).chunk(2, dim=1))

    def _map_real(self, rows: Tensor) -> Tensor:
        if len(rows) % 2:
            return self._map_real(pad(rows, (0, 0, 0, 1)))[:-1]
        pairs = rows.reshape(len(rows) // 2, 2 * rows.shape[1])
        return evaluate(pairs, self.weights, self._evaluator, self._handle).reshape(rows.shape)

    def matrix(self) -> Tensor:
        """The map as a matrix M (F, F): y = M x."""
        dtype = self.weights.dtype.to_complex() if self.is_complex else self.weights.dtype
        return self(torch.eye(self.n_features, dtype=dtype)).T

    def _check(self, x: Tensor) -> None:
        dtype = self.weights.dtype.to_complex() if self.is_complex else self.weights.dtype
        if x.shape[-1:] != (self.n_features,) or x.dtype != dtype:
            raise ShapeError(f"x is {x.dtype} {tuple(x.shape)}, expected {dtype} (..., {self.n_features})")

    def extra_repr(self) -> str:
        return f"{self.n_features}, {self.circuit!r}"


def _check_real(circuit: Circuit) -> None:
    """Raise unless the circuit's matrix is real: a random real vector stays real at random weights, up to rounding."""
    start, size = Circuit(circuit.n_qubits), 2**circuit.n_qubits
    start.prepare_amplitudes(start.inputs(size))
    x = torch.nn.functional.normalize(
        torch.randn(1, size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    )
    w = torch.rand(circuit.n_weights, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) * 6
    engine = StatevectorEngine()
    state = engine.state(start + circuit, make_batch(start + circuit, x.numpy(), w.numpy()))
    if abs(state.imag).max() > 1e-12:
        raise CircuitError(
            f"{circuit!r} is not real, expected real gates such as ry, cx, cz and h; or use is_complex=True"
        )
