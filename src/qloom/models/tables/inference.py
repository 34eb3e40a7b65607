"""Outputs of a network in blocks of one size: a row's output does not depend on the rows it comes with."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from qloom.fitting.workers import Workers

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


def predict_shared(network: nn.Module, x: Tensor, n_outputs: int, workers: Workers) -> Tensor:
    """What `predict_rows` gives, on every worker, each of which walks some of the blocks.

    Shapes: (B, F) -> (B, C).
    """
    if workers.count == 1:
        return predict_rows(network, x)
    network.eval()
    outputs = x.new_zeros(len(x), n_outputs)
    with torch.no_grad():
        for start in range(workers.rank * _BLOCK, len(x), workers.count * _BLOCK):
            outputs[start : start + _BLOCK] = _predict_block(network, x[start : start + _BLOCK])
    workers.add(outputs)
    return outputs


def _predict_block(network: nn.Module, block: Tensor) -> Tensor:
    n_rows = len(block)
    if n_rows < _BLOCK:
        block = torch.cat([block, block.new_zeros(_BLOCK - n_rows, block.shape[1])])
    outputs: Tensor = network(block)
    return outputs[:n_rows]
