"""Images as a pretrained model takes them: in three colours, sized and scaled by the processor beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from qloom.data.pretrained.encoding import hidden_states, rows_of
from qloom.data.pretrained.feature_blocks import key_of
from qloom.data.pretrained.ragged import Ragged
from qloom.errors import DataError
from qloom.extras import package


def image_key(image: Any) -> bytes:
    """What an image is found by in a cache: the bytes of its file, or its numbers with their shape.

    Raises:
        DataError: for a file that cannot be read.
    """
    if isinstance(image, str | Path):
        try:
            return key_of(b"file" + Path(image).read_bytes())
        except OSError as error:
            raise DataError(f"image {str(image)!r} cannot be read ({error.strerror}), expected a file there") from None
    if isinstance(image, np.ndarray):
        return key_of(f"array {image.dtype} {image.shape} ".encode() + image.tobytes())
    return key_of(f"{image.mode} {image.size} ".encode() + image.tobytes()) if hasattr(image, "tobytes") else b"\0" * 16


def as_image(image: Any, row: int) -> Any:
    """A PIL image in three colours.

    Raises:
        DataError: for what is no image.
    """
    pillow = package("PIL.Image", "an image", "llm", brought_by="pillow")
    if isinstance(image, str | Path):
        try:
            image = pillow.open(image)
        except OSError as error:
            raise DataError(f"image {str(image)!r} cannot be read ({error}), expected a picture; check it") from None
    elif isinstance(image, np.ndarray):
        if image.dtype != np.uint8 or image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3):
            raise DataError(
                f"image {row} is an array {image.dtype} {image.shape}, expected uint8 (H, W) or (H, W, 3) from 0 to 255"
            )
        image = pillow.fromarray(image)
    if not isinstance(image, pillow.Image):
        raise DataError(f"image {row} is {type(image).__name__}, expected a PIL image, an array or the path of a file")
    return image.convert("RGB")


def encode_images(model: Any, processor: Any, images: Sequence[Any], pooling: str) -> Ragged:
    """Features of one batch of images in three colours."""
    pixels = processor(list(images), return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        hidden = hidden_states(model, {"pixel_values": pixels.to(model.device, model.dtype)})
    return rows_of(hidden, torch.ones(hidden.shape[:2], device=hidden.device), pooling)
