"""Tiny models with random weights, made where they are used, and one adapter of each kind for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    ViTConfig,
    ViTForImageClassification,
)

from qloom.adapters import GeneratedConfig, GivensConfig, PauliAdapterConfig, TwoAxisConfig

TOKENS = torch.arange(21).reshape(3, 7)
PIXELS = torch.linspace(-1, 1, 2 * 3 * 8 * 8).reshape(2, 3, 8, 8)


def bert(n_labels: int = 2) -> nn.Module:
    """Widths 24 and 40, which no register has."""
    torch.manual_seed(0)
    sizes = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 40}
    return BertForSequenceClassification(
        BertConfig(vocab_size=50, max_position_embeddings=32, num_labels=n_labels, **sizes)
    ).eval()


def gpt2() -> nn.Module:
    """Its linear layers are Conv1D, weights transposed."""
    torch.manual_seed(0)
    return GPT2LMHeadModel(
        GPT2Config(vocab_size=50, n_positions=32, n_embd=16, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=0)
    ).eval()


def vit() -> nn.Module:
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    return ViTForImageClassification(ViTConfig(image_size=8, patch_size=4, num_labels=3, **sizes)).eval()


ADAPTERS: dict[str, Callable[..., Any]] = {
    "pauli": lambda **more: PauliAdapterConfig(r=3, n_layers=3, **more),
    "pauli rotations": lambda **more: PauliAdapterConfig(r=3, n_layers=3, rotations="pauli", **more),
    "two axes": lambda **more: TwoAxisConfig(axis=4, **more),
    "two axes, chain": lambda **more: TwoAxisConfig(axis=2, pairs="chain", **more),
    "givens": lambda **more: GivensConfig(n_modes=5, **more),
    "givens, order 2": lambda **more: GivensConfig(n_modes=5, order=2, share_blocks=False, **more),
    "generated": lambda **more: GeneratedConfig(r=3, chunk=8, n_hidden=4, **more),
}
CONTROLS: dict[str, dict[str, Any]] = {
    "itself": {},
    "without entanglement": {"entangle": False},
    "random": {"random": True},
    "classical": {"classical": True},
}


def trained(model: nn.Module, n_steps: int = 3, **inputs: Tensor) -> nn.Module:
    """After some steps by which its outputs change."""
    inputs = inputs or {"input_ids": TOKENS}
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=0.03)
    for _ in range(n_steps):
        optimizer.zero_grad()
        model(**inputs).logits.square().mean().backward()
        optimizer.step()
    return model
