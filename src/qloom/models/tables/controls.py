"""The classical layer of equal size that a quantum layer is compared with."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ClassicalLayer(nn.Module):
    """A classical layer with exactly as many parameters as the quantum layer it replaces.

    out_j = tanh(s_m x_m + sum_k u_jk tanh(v_k . x + c_k) + b_j) with m = j mod I: a residual layer, so that a
    small parameter count is no bottleneck. The W numbers are dealt out to u and v (as many hidden units k as
    fit), then to the hidden shifts c, the output shifts b and the input gains s; what is not trained stays at
    c = b = 0, s = 1.

    Args:
        n_inputs: I, angles in.
        n_outputs: O, numbers between -1 and 1 out.
        n_parameters: W.

    Shapes: (B, I) -> (B, O).
    """

    source: Tensor

    def __init__(self, n_inputs: int, n_outputs: int, n_parameters: int):
        super().__init__()
        self.n_inputs, self.n_outputs = n_inputs, n_outputs
        self.n_hidden = n_parameters // (n_inputs + n_outputs)
        left = n_parameters - self.n_hidden * (n_inputs + n_outputs)
        sizes = []
        for room in (self.n_hidden, n_outputs, n_inputs):
            sizes.append(min(room, left))
            left -= sizes[-1]
        self.down = nn.Parameter(torch.randn(self.n_hidden, n_inputs) / n_inputs**0.5)
        self.up = nn.Parameter(torch.randn(n_outputs, self.n_hidden) / max(self.n_hidden, 1) ** 0.5)
        self.hidden_shifts = nn.Parameter(torch.zeros(sizes[0]))
        self.output_shifts = nn.Parameter(torch.zeros(sizes[1]))
        self.gains = nn.Parameter(torch.ones(sizes[2]))
        self.register_buffer("source", torch.arange(n_outputs) % n_inputs, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Shapes: (B, I) -> (B, O)."""
        return self.of(x, self.down, self.up, self.hidden_shifts, self.output_shifts, self.gains)

    def of(
        self, x: Tensor, down: Tensor, up: Tensor, hidden_shifts: Tensor, output_shifts: Tensor, gains: Tensor
    ) -> Tensor:
        """The same with given weights, or those of R layers at once.

        Shapes: x (B, I) or (R, B, I), weights as the attributes or (R, ...) -> (B, O) or (R, B, O).
        """
        hidden = torch.tanh(x @ down.mT + _padded(hidden_shifts, self.n_hidden, 0.0))
        carried = (x * _padded(gains, self.n_inputs, 1.0))[..., self.source]
        return torch.tanh(carried + hidden @ up.mT + _padded(output_shifts, self.n_outputs, 0.0))


def _padded(values: Tensor, size: int, fill: float) -> Tensor:
    """Weights (k,) or (R, k) filled up to a size, as one row: (1, size) or (R, 1, size)."""
    return torch.nn.functional.pad(values, (0, size - values.shape[-1]), value=fill).unsqueeze(-2)
