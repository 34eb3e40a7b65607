"""Images as a pretrained model takes them: in three colours, sized and scaled by the processor beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image  # which matplotlib brings

from qloom.data.pretrained.encoding import hidden_states, rows_of
from qloom.data.pretrained.feature_blocks import key_of
from qloom.data.pretrained.ragged import Ragged
from qloom.errors import DataError


def image_key(image: Any, row: int) -> bytes:
    """What an image is found by in a cache: the bytes of its file, or its numbers with their shape.

    Raises:
        DataError: for what is no image, or a file that cannot be read.
    """
    if isinstance(image, str | Path):
        try:
            return key_of(b"file" + Path(image).read_bytes())
        except OSError as error:
            raise DataError(f"image {str(image)!r} cannot be read ({error.strerror}), expected a file there") from None
    if isinstance(image, np.ndarray):
        return key_of(f"array {image.dtype} {image.shape} ".encode() + image.tobytes())
    if isinstance(image, Image.Image):
        return key_of(f"colours {image.size} ".encode() + image.convert("RGB").tobytes())
    raise DataError(f"image {row} is {type(image).__name__}, expected a PIL image, an array or the path of a file")


def as_image(image: Any, row: int) -> Any:
    """A PIL image in three colours of what `image_key` knows.

    Raises:
        DataError: for an array of other numbers, or a file that holds no picture.
    """
    if isinstance(image, str | Path):
        try:
            image = Image.open(image)
        except OSError as error:
            raise DataError(f"image {str(image)!r} cannot be read ({error}), expected a picture; check it") from None
    elif isinstance(image, np.ndarray):
        if image.dtype != np.uint8 or image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3):
            raise DataError(
                f"image {row} is an array {image.dtype} {image.shape}, expected uint8 (H, W) or (H, W, 3) from 0 to 255"
            )
        image = Image.fromarray(image)
    return image.convert("RGB")


def encode_images(model: Any, processor: Any, images: Sequence[Any], pooling: str) -> Ragged:
    """Features of one batch of images in three colours."""
    pixels = processor(list(images), return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        hidden = hidden_states(model, {"pixel_values": pixels.to(model.device, model.dtype)})
    return rows_of(hidden, torch.ones(hidden.shape[:2], device=hidden.device), pooling)
