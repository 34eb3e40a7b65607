"""Pretrained models of random weights, small enough to be made in a test's folder."""

from __future__ import annotations

from pathlib import Path

import torch

WORDS = [
    "a", "the", "you", "to", "is", "free", "prize", "win", "winner", "claim", "call", "now", "ok", "later", "home",
    "sorry", "go", "come", "see", "at", "lunch", "money", "mobile", "txt", "meet", "love", "day", "time", "good",
]  # fmt: skip
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *_LETTERS, *(f"##{each}" for each in _LETTERS),
              *(word for word in WORDS if len(word) > 1)]  # fmt: skip


def make_text_model(folder: Path, *, width: int = 16, seed: int = 0, length: int = 48) -> Path:
    """A BERT of two layers with a tokenizer whose words are WORDS and letters; weights are drawn from the seed."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        config = BertConfig(
            vocab_size=len(VOCABULARY), hidden_size=width, num_hidden_layers=2, num_attention_heads=2,
            intermediate_size=2 * width, max_position_embeddings=length, initializer_range=0.3,
        )  # fmt: skip
        BertModel(config).save_pretrained(folder)
    BertTokenizerFast(vocab={word: k for k, word in enumerate(VOCABULARY)}).save_pretrained(folder)
    return folder


def make_image_model(folder: Path, *, width: int = 16, seed: int = 0) -> Path:
    """A ViT of one layer over 16 x 16 pixels in four patches; weights are drawn from the seed."""
    from transformers import ViTConfig, ViTModel
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        config = ViTConfig(
            hidden_size=width, num_hidden_layers=1, num_attention_heads=2, intermediate_size=2 * width, image_size=16,
            patch_size=8, initializer_range=0.3,
        )  # fmt: skip
        ViTModel(config).save_pretrained(folder)
    ViTImageProcessorPil(size={"height": 16, "width": 16}).save_pretrained(folder)
    return folder
