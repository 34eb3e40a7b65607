"""Quantum convolution of images: one circuit on every patch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, unfold

from qloom.ansatze import random_layers, strongly_entangling
from qloom.checks import checked_count
from qloom.circuits.circuit import Circuit
from qloom.encoders import angle
from qloom.engines.base import Engine
from qloom.errors import CircuitError, ShapeError, UnsupportedError
from qloom.nn.layer import QuantumLayer
from qloom.nn.words import output_words

MOST_QUBITS_BY_DEFAULT = 16


class QuantumConv2d(nn.Module):
    """A circuit over every patch of every image, all of them one batch of the engine (quanvolution).

    Args:
        in_channels: C.
        out_channels: O, expectation values of a patch: Z on every qubit, then Z Z on pairs, and further words.
        kernel_size: height and width of a patch, or one number for both.
        stride, padding, dilation: as in nn.Conv2d; padding adds zeros, "same" as many as keep the size at stride 1,
            "valid" none.
        n_layers: of the circuit made by default.
        circuit: of C kh kw inputs, in the order of nn.functional.unfold: channel, row, column. By default one qubit a
            pixel turned by RY(scale * pixel), then strongly entangling layers, or random ones if not trainable.
        trainable: False for a fixed circuit, as first proposed: its weights are frozen and nothing is walked for them.
        scale: radians a unit of a pixel, pi by default: pixels from 0 to 1 turn from |0> to |1>.
        engine, init, dtype, seed: of the `QuantumLayer`; the seed also draws the random layers.
        groups: 1 alone; take a layer for each group of channels.

    Shapes: x (B, C, H, W) or (C, H, W) -> (B, O, H', W') or (O, H', W'), H' = (H + 2 padding - dilation (kh - 1) - 1)
    // stride + 1.

    Attributes:
        quantum: the `QuantumLayer`.

    Raises:
        CircuitError: for a circuit of another number of inputs, a padding that is none, or patches of too many pixels.
        UnsupportedError: for several groups.
        ShapeError: for images of other channels, or smaller than a patch.

    Source: Henderson et al. 2020, Quantum Machine Intelligence 2, 2.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] | str = 0,
        n_layers: int = 1,
        circuit: Circuit | None = None,
        trainable: bool = True,
        scale: float = torch.pi,
        engine: Engine | None = None,
        init: Any = "auto",
        dtype: torch.dtype | None = None,
        seed: int | None = None,
        *,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
    ):
        super().__init__()
        if groups != 1:
            raise UnsupportedError(f"groups={groups}, expected 1; take a QuantumConv2d for each group of channels")
        self.in_channels = checked_count("in_channels", in_channels)
        self.out_channels = checked_count("out_channels", out_channels)
        self.kernel_size = _pair("kernel_size", kernel_size)
        self.stride, self.dilation = _pair("stride", stride), _pair("dilation", dilation)
        self.padding = padding if isinstance(padding, str) else _pair("padding", padding, least=0)
        self._margins = self._checked_margins()
        n_pixels = in_channels * self.kernel_size[0] * self.kernel_size[1]
        if circuit is None:
            circuit = _default_circuit(n_pixels, n_layers, trainable, scale, seed)
        elif circuit.n_inputs != n_pixels:
            raise CircuitError(f"circuit takes {circuit.n_inputs} inputs, expected {n_pixels}: the pixels of a patch")
        words = output_words(circuit.n_qubits, out_channels)
        init = init if trainable or init != "auto" else "uniform"
        self.quantum = QuantumLayer(circuit, words, engine=engine, init=init, dtype=dtype, seed=seed)
        self.quantum.weights.requires_grad_(trainable)

    def _checked_margins(self) -> tuple[int, int, int, int]:
        """Zeros added on the left, on the right, above and below."""
        if isinstance(self.padding, tuple):
            height, width = self.padding
            return width, width, height, height
        if self.padding not in ("same", "valid"):
            raise CircuitError(f"padding={self.padding!r}, expected numbers, 'same' or 'valid'")
        if self.padding == "same" and self.stride != (1, 1):
            raise CircuitError(f"padding='same' with stride={self.stride}, expected a stride of 1; give numbers")
        totals = [0 if self.padding == "valid" else extent - 1 for extent in self._extents]
        (top, bottom), (left, right) = ((total // 2, total - total // 2) for total in totals)
        return left, right, top, bottom

    @property
    def _extents(self) -> tuple[int, ...]:
        """Rows and columns that a patch reaches over."""
        return tuple(d * (k - 1) + 1 for d, k in zip(self.dilation, self.kernel_size, strict=True))

    def forward(self, x: Tensor) -> Tensor:
        self._check(x)
        images = pad(x if x.dim() == 4 else x.unsqueeze(0), self._margins)
        patches = unfold(images, self.kernel_size, self.dilation, stride=self.stride)  # (B, C kh kw, H' W')
        values = self.quantum(patches.transpose(1, 2)).transpose(1, 2)
        out = values.reshape(len(images), self.out_channels, *self._out_size(x))
        return out if x.dim() == 4 else out[0]

    def _out_size(self, x: Tensor) -> tuple[int, ...]:
        left, right, top, bottom = self._margins
        padded = (x.shape[-2] + top + bottom, x.shape[-1] + left + right)
        return tuple((p - e) // s + 1 for p, e, s in zip(padded, self._extents, self.stride, strict=True))

    def _check(self, x: Tensor) -> None:
        if x.dim() not in (3, 4) or x.shape[-3] != self.in_channels:
            raise ShapeError(
                f"x has shape {tuple(x.shape)}, expected (B, {self.in_channels}, H, W) or ({self.in_channels}, H, W)"
            )
        if min(self._out_size(x)) < 1:
            raise ShapeError(
                f"x is {x.shape[-2]} x {x.shape[-1]} with padding {self.padding}, expected at least the kernel's "
                f"{self._extents[0]} x {self._extents[1]}"
            )

    def extra_repr(self) -> str:
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"padding={self.padding}, dilation={self.dilation}"
        )


def _default_circuit(n_pixels: int, n_layers: int, trainable: bool, scale: float, seed: int | None) -> Circuit:
    if n_pixels > MOST_QUBITS_BY_DEFAULT:
        raise CircuitError(
            f"a patch has {n_pixels} pixels, expected at most {MOST_QUBITS_BY_DEFAULT} at one qubit each; give a "
            f"circuit of {n_pixels} inputs, such as encoders.dense_angle or hybrid_angle with an ansatz"
        )
    if trainable:
        return angle(n_pixels, scale=scale) + strongly_entangling(n_pixels, n_layers)
    return angle(n_pixels, scale=scale) + random_layers(n_pixels, n_layers, seed=seed or 0)


def _pair(name: str, value: Any, least: int = 1) -> tuple[int, int]:
    height, width = value if isinstance(value, tuple | list) and len(value) == 2 else (value, value)
    return checked_count(name, height, least), checked_count(name, width, least)
