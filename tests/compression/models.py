"""Small models to compress, made in place."""

from __future__ import annotations

import torch
from torch import nn


def perceptron(seed: int = 0, bias: bool = True) -> nn.Sequential:
    """24 -> 36 -> 12 -> 3; the last layer is called as any other."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(24, 36, bias=bias), nn.Tanh(), nn.Linear(36, 12, bias=bias), nn.Dropout(0.5), nn.Linear(12, 3)
    )


def one(matrix: torch.Tensor) -> nn.Sequential:
    """A model of one layer with this matrix (out, in)."""
    layer = nn.Linear(matrix.shape[1], matrix.shape[0], dtype=matrix.dtype)
    layer.weight = nn.Parameter(matrix.clone())
    return nn.Sequential(layer)


def bert(seed: int = 0, n_labels: int | None = None):
    """A BERT of two layers of random weights; with labels a classifier."""
    from transformers import BertConfig, BertForSequenceClassification, BertModel

    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=60, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48,
        max_position_embeddings=16, num_labels=n_labels or 2,
    )  # fmt: skip
    return BertModel(config, add_pooling_layer=False) if n_labels is None else BertForSequenceClassification(config)
