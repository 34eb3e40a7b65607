"""Self-attention whose queries, keys and values are expectation values of circuits."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from qloom.engines.base import Engine
from qloom.errors import ShapeError
from qloom.nn.entangling import EntanglingLayer
from qloom.nn.initialization import derived_seeds


class QuantumAttention(nn.Module):
    """Tokens attend to each other by exp(-|q_s - k_t|^2); queries, keys and what is taken are expectation values.

    All tokens of all sequences are one batch of each of the three circuits.

    Args:
        n_features: F of a token, in and out.
        n_projections: numbers in a query and in a key.
        n_qubits, n_layers: of each circuit, as in `EntanglingLayer`.
        engine, dtype, seed: of the three, each with numbers of its own.

    Shapes: x (B, T, F) -> (B, T, F).

    Raises:
        CircuitError: as `EntanglingLayer`.
        ShapeError: for tokens of another number of features, or masks of another shape or dtype.

    Source: Li, Zhao, Wang 2024, Science China Information Sciences 67, 142501 (arXiv 2205.05625).
    """

    def __init__(
        self,
        n_features: int,
        n_projections: int = 1,
        n_qubits: int | None = None,
        n_layers: int | None = None,
        engine: Engine | None = None,
        dtype: torch.dtype | None = None,
        seed: int | None = None,
    ):
        super().__init__()
        self.n_features = n_features
        self.query, self.key, self.value = (
            EntanglingLayer(n_features, n_outputs, n_qubits, n_layers, engine=engine, dtype=dtype, seed=part)
            for n_outputs, part in zip((n_projections, n_projections, n_features), derived_seeds(seed, 3), strict=True)
        )

    def forward(self, x: Tensor, mask: Tensor | None = None, key_padding_mask: Tensor | None = None) -> Tensor:
        """Tokens with what they took from others.

        A token whose every other is masked out takes nothing.

        Shapes: x (B, T, F); mask (T, T) or (B, T, T), True where row s must not look at column t; key_padding_mask
            (B, T), True where token t is padding -> (B, T, F).
        """
        self._check(x, mask, key_padding_mask)
        query, key = self.query(x), self.key(x)
        shares = torch.exp(-(query.unsqueeze(2) - key.unsqueeze(1)).square().sum(-1))  # (B, T, T)
        if mask is not None:
            shares = shares.masked_fill(mask, 0.0)
        if key_padding_mask is not None:
            shares = shares.masked_fill(key_padding_mask.unsqueeze(1), 0.0)
        total = shares.sum(-1, keepdim=True)
        return x + shares / total.where(total > 0, 1.0) @ self.value(x)

    def _check(self, x: Tensor, mask: Tensor | None, padding: Tensor | None) -> None:
        if x.dim() != 3 or x.shape[-1] != self.n_features:
            raise ShapeError(f"x has shape {tuple(x.shape)}, expected (B, T, {self.n_features})")
        b, t = x.shape[:2]
        for name, given, expected in (
            ("mask", mask, ((t, t), (b, t, t))),
            ("key_padding_mask", padding, ((b, t),)),
        ):
            if given is not None and (given.dtype != torch.bool or tuple(given.shape) not in expected):
                shapes = " or ".join(map(str, expected))
                raise ShapeError(f"{name} is {given.dtype} {tuple(given.shape)}, expected torch.bool {shapes}")
