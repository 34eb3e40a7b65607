"""Rows of text or images as a pretrained model takes them, in batches no wider than their longest row."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from qloom.backbones.images import as_image
from qloom.data.pretrained.encoding import tokenize
from qloom.data.pretrained.folders import (
    checked_length,
    load_processor,
    load_tokenizer,
    longest_text,
)


class Inputs(ABC):
    """N rows that are ready for the model."""

    @abstractmethod
    def batch(self, rows: np.ndarray) -> dict[str, Tensor]:
        """What the model is called with for some rows."""

    @abstractmethod
    def by_length(self) -> np.ndarray:
        """All rows, those of about one length together."""

    @abstractmethod
    def take(self, rows: np.ndarray) -> Inputs:
        """Some of the rows."""


class TextInputs(Inputs):
    """Texts as tokens.

    Args:
        tokenizer: of the model.
        tokens: by name, a list a row, as `tokenize` gives them.
    """

    def __init__(self, tokenizer: Any, tokens: dict[str, list[Any]]):
        self.tokenizer, self.tokens = tokenizer, tokens

    @classmethod
    def of(cls, folder: Path, model: Any, texts: Sequence[str], max_length: int | None = None) -> TextInputs:
        tokenizer = load_tokenizer(folder)
        longest = checked_length(max_length, longest_text(folder, tokenizer, model))
        return cls(tokenizer, {name: list(ids) for name, ids in tokenize(tokenizer, texts, longest).items()})

    def batch(self, rows: np.ndarray) -> dict[str, Tensor]:
        chosen = {name: [ids[row] for row in rows] for name, ids in self.tokens.items()}
        return dict(self.tokenizer.pad(chosen, return_tensors="pt"))

    def by_length(self) -> np.ndarray:
        return np.argsort([len(ids) for ids in self.tokens["input_ids"]], kind="stable")

    def take(self, rows: np.ndarray) -> TextInputs:
        return TextInputs(self.tokenizer, {name: [ids[row] for row in rows] for name, ids in self.tokens.items()})


class ImageInputs(Inputs):
    """Images as numbers, (N, 3, H, W)."""

    def __init__(self, pixels: Tensor):
        self.pixels = pixels

    @classmethod
    def of(cls, folder: Path, images: Sequence[Any]) -> ImageInputs:
        processor = load_processor(folder)
        parts = [
            processor([as_image(image, row)], return_tensors="pt")["pixel_values"] for row, image in enumerate(images)
        ]
        return cls(torch.cat(parts))

    def batch(self, rows: np.ndarray) -> dict[str, Tensor]:
        return {"pixel_values": self.pixels[torch.from_numpy(rows)]}

    def by_length(self) -> np.ndarray:
        return np.arange(len(self.pixels))

    def take(self, rows: np.ndarray) -> ImageInputs:
        return ImageInputs(self.pixels[torch.from_numpy(rows)])
