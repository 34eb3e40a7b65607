"""A linear map of few weights: a circuit acting on activations as amplitudes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from qloom.ansatze import hardware_efficient
from qloom.checks import checked_count
from qloom.circuits.circuit import Circuit
from qloom.encoders import amplitude
from qloom.engines import Engine, FinalState, state
from qloom.errors import CircuitError, ShapeError
from qloom.nn.layer import QuantumLayer, in_full_precision


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
        engine, init, dtype, seed: of the `QuantumLayer`.

    Shapes: x (..., F) -> (..., F).

    Attributes:
        quantum: the `QuantumLayer`, from amplitudes to amplitudes.

    Raises:
        CircuitError: for a circuit with inputs, or one that is not real where features are.
        ShapeError: for x of another shape or dtype.
    """

    def __init__(
        self,
        n_features: int,
        n_layers: int = 2,
        ansatz: Callable[[int, int], Circuit] | None = None,
        is_complex: bool = False,
        engine: Engine | None = None,
        init: Any = "auto",
        dtype: torch.dtype | None = None,
        seed: int | None = None,
    ):
        super().__init__()
        self.n_features = checked_count("n_features", n_features)
        self.is_complex = is_complex
        n = max(1, (n_features - 1).bit_length())
        trained = ansatz(n, n_layers) if ansatz else hardware_efficient(n, n_layers, ("ry",), "ring")
        if trained.n_inputs or trained.initial is not None:
            raise CircuitError(f"{trained!r}, expected a circuit without inputs")
        if not is_complex:
            _check_real(trained)
        circuit, outputs = Circuit(n), FinalState(n, linear=True)
        circuit.prepare_amplitudes(circuit.inputs(2**n), circuit.inputs(2**n))
        self.quantum = QuantumLayer(circuit + trained, outputs, engine=engine, init=init, dtype=dtype, seed=seed)

    def forward(self, x: Tensor) -> Tensor:
        if x.dtype != self._dtype and not self.is_complex:
            x = in_full_precision(x, self._dtype)
        self._check(x)
        size, rows = self.quantum.n_inputs // 2, x.shape[:-1].numel()
        # Vectors of activations are large: nothing is padded or cut, which copies, without need.
        if size != self.n_features:
            x = pad(x, (0, size - self.n_features))
        flat = x.reshape(rows, size)
        out = (self._map_complex(flat) if self.is_complex else self._map_real(flat)).reshape(x.shape)
        return out if size == self.n_features else out[..., : self.n_features]

    def _map_complex(self, rows: Tensor) -> Tensor:
        parts = torch.cat([rows.real, rows.imag], dim=1)
        return torch.complex(*self.quantum(parts).chunk(2, dim=1))

    def _map_real(self, rows: Tensor) -> Tensor:
        if len(rows) % 2:
            return self._map_real(pad(rows, (0, 0, 0, 1)))[:-1]
        pairs = rows.reshape(len(rows) // 2, 2 * rows.shape[1])
        return self.quantum(pairs).reshape(rows.shape)

    def matrix(self) -> Tensor:
        """The map as a matrix M (F, F): y = M x."""
        return self(torch.eye(self.n_features, dtype=self._dtype, device=self.quantum.weights.device)).T

    @property
    def _dtype(self) -> torch.dtype:
        dtype = self.quantum.weights.dtype
        return dtype.to_complex() if self.is_complex else dtype

    def _check(self, x: Tensor) -> None:
        if x.shape[-1:] != (self.n_features,) or x.dtype != self._dtype:
            raise ShapeError(f"x is {x.dtype} {tuple(x.shape)}, expected {self._dtype} (..., {self.n_features})")


def _check_real(circuit: Circuit) -> None:
    """Raise unless the circuit's matrix is real: a random real vector stays real at random weights, up to rounding."""
    random = np.random.default_rng(0)
    x, w = random.normal(size=2**circuit.n_qubits), random.uniform(0, 6, circuit.n_weights)
    if abs(state(amplitude(len(x)) + circuit, x / np.linalg.norm(x), w).imag).max() > 1e-12:
        raise CircuitError(
            f"{circuit!r} is not real, expected real gates such as ry, cx, cz and h; or use is_complex=True"
        )
