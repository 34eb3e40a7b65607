"""Outputs of a network in blocks of one size: a row's output does not depend on the rows it comes with."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_BLOCK = 256


def predict_rows(network: nn.Module, x: Tensor) -> Tensor:
    """Outputs in evaluation mode without gradients; the last block is filled up with zeros.

    Matrix products of another shape may add in another order; one shape for all gives one result, bit by bit.

    Shapes: (B, F) -> (B, C).
    """
    network.eval()
    with torch.no_grad():
        blocks = [_predict_block(network, block) for block in x.split(_BLOCK)]
    return torch.cat(blocks)


def _predict_block(network: nn.Module, block: Tensor) -> Tensor:
    n_rows = len(block)
    if n_rows < _BLOCK:
        block = torch.cat([block, block.new_zeros(_BLOCK - n_rows, block.shape[1])])
    outputs: Tensor = network(block)
    return outputs[:n_rows]
