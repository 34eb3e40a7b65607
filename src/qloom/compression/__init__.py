"""Smaller models: linear layers as tensor trains, beside low rank, with what each costs in accuracy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qloom.exports import exported_by

if TYPE_CHECKING:
    from qloom.compression.axes import factorize
    from qloom.compression.compressing import compress, to_dense
    from qloom.compression.compression import CompressedLayer, Compression
    from qloom.compression.healing import heal
    from qloom.compression.layers import CompressedLinear
    from qloom.compression.low_rank import LowRankLinear
    from qloom.compression.saving import load_compressed, save_compressed
    from qloom.compression.tensor_train import TensorTrainLinear

__all__ = [
    "CompressedLayer", "CompressedLinear", "Compression", "LowRankLinear", "TensorTrainLinear", "compress",
    "factorize", "heal", "load_compressed", "save_compressed", "to_dense",
]  # fmt: skip

__getattr__ = exported_by(__name__)
