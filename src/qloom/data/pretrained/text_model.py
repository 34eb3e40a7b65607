"""The frozen model of a column of text: one vector of length 1 a text, the same bits whatever texts it comes with."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from qloom.data.pretrained.encoding import encode_alone
from qloom.data.pretrained.feature_blocks import FeatureBlocks, key_of
from qloom.data.pretrained.folders import (
    load_model,
    load_tokenizer,
    longest_text,
    model_digest,
    model_folder,
    usual_pooling,
)
from qloom.data.pretrained.ragged import Ragged
from qloom.errors import ArtifactError

_FEWEST_KEPT = 64  # new texts from which on they are written to disk: a server meets them one by one


class TextModel:
    """A sentence model read from its folder; use `open_text_model`, which reads each once.

    Args:
        folder: of the model, checked.
        sha256: of it.
        cache: folder of what it made of texts before; None for memory alone.

    Attributes:
        max_length: tokens after which texts are cut.
        n_features: F.
    """

    def __init__(self, folder: Path, sha256: str, cache: Path | None = None):
        import torch

        self.sha256 = sha256
        self.tokenizer = load_tokenizer(folder)
        self.model = load_model(folder, torch.float32, "cpu")
        self.pooling = usual_pooling(folder)
        self.max_length = longest_text(folder, self.tokenizer, self.model)
        self.n_features = int(self.model.config.hidden_size)
        least = _FEWEST_KEPT if cache is None or _may_write(cache) else sys.maxsize
        self.blocks = FeatureBlocks(cache, {"alone": True, **self._about(sha256)}, least)

    def _about(self, sha256: str) -> dict[str, str | int]:
        return {
            "model": sha256, "pooling": self.pooling, "max_length": self.max_length, "dtype": "torch.float32",
            "made_by": made_by("cpu"),
        }  # fmt: skip

    def vectors(self, texts: Sequence[str]) -> np.ndarray:
        """Shapes: N texts, at least one -> float32 (N, F), each of length 1."""
        found = self.blocks.features(
            [key_of(text.encode()) for text in texts], lambda rows: self._computed(texts, rows)
        )
        values = found.values.numpy()
        lengths = np.sqrt(np.square(values, dtype=np.float64).sum(axis=1, keepdims=True))
        return (values / np.maximum(lengths, 1e-12)).astype(np.float32)

    def _computed(self, texts: Sequence[str], rows: list[int]) -> Ragged:
        return encode_alone(self.model, self.tokenizer, [texts[row] for row in rows], self.max_length, self.pooling)


def made_by(device: str) -> str:
    """What computes features: with another version, or on another kind of processor, last digits are others."""
    import torch
    import transformers

    kind = torch.cuda.get_device_name(device) if device.startswith("cuda") else torch.backends.cpu.get_cpu_capability()
    return f"torch {torch.__version__}, transformers {transformers.__version__}, {device} {kind}"


def open_text_model(folder: str, sha256: str | None = None, cache: str | None = None) -> TextModel:
    """The model in a folder, read once in a process.

    Args:
        sha256: that it had in training; None in training.
        cache: folder of what it made of texts before; where it may not be written to, it is read.

    Raises:
        ArtifactError: for a folder that is gone, has changed since training, or holds no model of texts.
        ExtraError: where transformers is not installed.
    """
    found = model_digest(checked_folder(folder, sha256))
    if sha256 is not None and found != sha256:
        raise ArtifactError(
            f"the text model in {folder} has changed since training (sha256 {found[:12]}, then {sha256[:12]}), "
            "expected the same; put that one back, or train again"
        )
    return _opened(folder, found, cache)


def checked_folder(folder: str, sha256: str | None = None) -> Path:
    """The folder, in which there is a model; of one that is gone since training that is said."""
    if sha256 is not None and not Path(folder).is_dir():
        raise ArtifactError(
            f"the text model is gone: {folder} is no folder, expected the model of training (sha256 {sha256[:12]}); "
            "put it back"
        )
    return model_folder(folder)


@lru_cache(maxsize=4)
def _opened(folder: str, sha256: str, cache: str | None) -> TextModel:
    return TextModel(Path(folder), sha256, None if cache is None else Path(cache))


def _may_write(cache: Path) -> bool:
    """Whether blocks may be written there, now or after the folder is made."""
    place = next((each for each in (cache, *cache.parents) if each.exists()), None)
    return place is not None and place.is_dir() and os.access(place, os.W_OK | os.X_OK)
