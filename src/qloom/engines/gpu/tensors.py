"""What kernels may be given: they take a tensor's address and read on, so that what does not fit is refused before."""

from __future__ import annotations

import torch
from torch import Tensor

from qloom.engines.gpu.packing import REALS
from qloom.errors import ShapeError


def check_tensors(device: torch.device, inputs: Tensor, **others: Tensor | None) -> None:
    """Raise ShapeError unless all are on the device, in one piece, and of the inputs' dtype; None is not there."""
    _check_there("inputs", inputs, device)
    if inputs.dtype not in REALS:
        raise ShapeError(f"inputs is {inputs.dtype}, expected torch.float32 or torch.float64; convert it")
    for name, tensor in others.items():
        if tensor is None:
            continue
        _check_there(name, tensor, device)
        if tensor.dtype != inputs.dtype and tensor.numel():
            raise ShapeError(f"inputs is {inputs.dtype} and {name} is {tensor.dtype}, expected one dtype; convert one")


def check_shape(name: str, tensor: Tensor, expected: tuple[int, ...]) -> None:
    """Raise ShapeError for another one."""
    if tensor.shape != expected:
        raise ShapeError(f"{name} has shape {tuple(tensor.shape)}, expected {expected}")


def _check_there(name: str, tensor: Tensor, device: torch.device) -> None:
    if tensor.device != device:
        raise ShapeError(
            f'{name} is on {tensor.device}, expected {device}, where the engine runs; move it with .to("{device}")'
        )
    if tensor.numel() and not tensor.data_ptr():  # as of tensors that only stand for others
        raise ShapeError(f"{name} is a {type(tensor).__name__} without numbers, expected a tensor with its memory")
    if not tensor.is_contiguous():
        raise ShapeError(f"{name} has strides {tensor.stride()}, expected one row after the other; use .contiguous()")
