"""A pretrained model of texts or images whose weights stand still: rows in, features out, computed once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from qloom.backbones.images import as_image, encode_images, image_key
from qloom.checks import checked_count
from qloom.data.pretrained.encoding import check_pooling, encode_batches
from qloom.data.pretrained.feature_blocks import FeatureBlocks, key_of
from qloom.data.pretrained.folders import (
    checked_length,
    load_model,
    load_processor,
    load_tokenizer,
    longest_text,
    model_digest,
    model_folder,
)
from qloom.data.pretrained.ragged import Ragged
from qloom.data.pretrained.text_model import made_by
from qloom.errors import ConfigError, DataError, ShapeError

_IMAGES = "pixel_values"


class TokenFeatures(NamedTuple):
    """Features of every token.

    Shapes: values (N, T, F), zeros where there is padding; padding bool (N, T), True there, as `QuantumAttention`
    takes it for `key_padding_mask`.
    """

    values: Tensor
    padding: Tensor


class Backbone:
    """A pretrained model from its folder, as frozen features.

    What transformers' AutoModel reads, with the tokenizer or the image processor beside it: BERT, MiniLM, ViT. Folders
    are read, nothing is ever downloaded.

    Texts are computed in batches of about one length. A row's features depend on the rows beside it by rounding alone,
    at most about 1e-6 of their size in float32.

    Args:
        folder: of the model, as `save_pretrained` writes it.
        pooling: of a row's tokens (words, or patches of an image): "mean", without padding; "first", such as [CLS];
            "tokens", none.
        max_length: tokens after which a text is cut; None for as many as the model takes.
        batch_size: rows that are computed at once.
        cache: folder where features are kept by what rows hold, for all models and poolings; rows that are found there
            are read, in other processes too. None for memory alone.
        dtype, device: of the model. Features have this dtype and are on the CPU.

    Attributes:
        model, sha256: the module and the hash of its folder.
        takes: "texts" or "images".
        n_features: F.
        blocks: what was computed; `blocks.n_computed` counts its rows.

    Raises:
        ArtifactError: for a name that is no folder, a folder without one of the files, or one that cannot be read.
        ExtraError: where transformers is not installed.
        ConfigError: for a pooling that there is not, or a length for images.
    """

    def __init__(
        self,
        folder: str | Path,
        pooling: str = "mean",
        max_length: int | None = None,
        batch_size: int = 32,
        cache: str | Path | None = None,
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = "cpu",
    ):
        check_pooling(pooling)
        self.folder, self.pooling = model_folder(folder), pooling
        self.batch_size = checked_count("batch_size", batch_size)
        self.model = load_model(self.folder, dtype, device)
        self.takes = "images" if self.model.main_input_name == _IMAGES else "texts"
        self.max_length: int | None = None
        if self.takes == "texts":
            self.tokenizer = load_tokenizer(self.folder)
            self.max_length = checked_length(max_length, longest_text(self.folder, self.tokenizer, self.model))
        else:
            self.processor = load_processor(self.folder)
            if max_length is not None:
                raise ConfigError(f"max_length={max_length!r} for a model of images, expected None; leave it out")
        self.sha256 = model_digest(self.folder)
        self.n_features = _width(self.model)
        about = {
            "model": self.sha256, "pooling": pooling, "max_length": self.max_length, "dtype": str(dtype),
            "alone": False, "made_by": made_by(str(device)),
        }  # fmt: skip
        self.blocks = FeatureBlocks(cache, about)

    def features(self, rows: Iterable[Any]) -> Any:
        """Features of texts, or of images: PIL images, uint8 arrays (H, W) or (H, W, 3), or paths of files.

        Shapes: N rows -> (N, F), or `TokenFeatures` with pooling="tokens".

        Raises:
            DataError: for no rows, or a row that is no text or no image.
            ArtifactError: for a damaged file of the cache.
        """
        given = self._checked(rows)
        if self.takes == "texts":
            found = self.blocks.features([key_of(text.encode()) for text in given], lambda k: self._texts(given, k))
        else:
            found = self.blocks.features(
                [image_key(image, k) for k, image in enumerate(given)], lambda k: self._images(given, k)
            )
        return TokenFeatures(*found.padded()) if self.pooling == "tokens" else found.values

    def _checked(self, rows: Iterable[Any]) -> list[Any]:
        if isinstance(rows, str | bytes):
            raise DataError(f"features of one {type(rows).__name__}, expected a sequence of {self.takes}; give a list")
        given = list(rows)
        if not given:
            raise DataError(f"features of 0 rows, expected at least one of {self.takes}")
        for k, row in enumerate(given):
            if self.takes == "texts" and not isinstance(row, str):
                raise DataError(
                    f"row {k} is {type(row).__name__}, expected a text; the model in {self.folder} takes texts"
                )
        return given

    def _texts(self, texts: Sequence[str], rows: list[int]) -> Ragged:
        chosen = [texts[row] for row in rows]
        assert self.max_length is not None
        return encode_batches(self.model, self.tokenizer, chosen, self.max_length, self.pooling, self.batch_size)

    def _images(self, images: Sequence[Any], rows: list[int]) -> Ragged:
        parts = []
        for start in range(0, len(rows), self.batch_size):
            chosen = [as_image(images[row], row) for row in rows[start : start + self.batch_size]]
            parts.append(encode_images(self.model, self.processor, chosen, self.pooling))
        return Ragged.joined(parts)


def _width(model: Any) -> int:
    """F. Convolutional models name it otherwise."""
    found = getattr(model.config, "hidden_size", None) or getattr(model.config, "hidden_sizes", [None])[-1]
    if found is None:
        raise ShapeError(f"{type(model).__name__} does not say how wide it is, expected config.hidden_size")
    return int(found)
