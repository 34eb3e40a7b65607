"""Nested states, such as an optimizer's, as tensors by name and plain JSON values; and back. Nothing is pickled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from qloom.errors import UnsupportedError

# What stands in plain values where a tensor, or a mapping with its keys in pairs, was.
_TENSOR, _PAIRS = "tensor", "pairs"


def taken_apart(state: Any, name: str, tensors: dict[str, Tensor]) -> Any:
    """The plain part of a state; copies of its tensors are put into `tensors` under names that begin with `name`.

    Raises:
        UnsupportedError: for a state with something else in it.
    """
    if isinstance(state, Tensor):
        tensors[name] = state.detach().clone()
        return {_TENSOR: name}
    if isinstance(state, Mapping):
        return {_PAIRS: [[key, taken_apart(value, f"{name}.{key}", tensors)] for key, value in state.items()]}
    if isinstance(state, list | tuple):
        return [taken_apart(value, f"{name}.{k}", tensors) for k, value in enumerate(state)]
    if state is None or isinstance(state, bool | int | float | str):
        return state
    raise UnsupportedError(f"{name} is a {type(state).__name__}, expected tensors and plain values; it cannot be saved")


def put_together(plain: Any, tensors: Mapping[str, Tensor]) -> Any:
    """What `taken_apart` took apart; sequences come back as lists."""
    if isinstance(plain, list):
        return [put_together(value, tensors) for value in plain]
    if isinstance(plain, Mapping):
        if _TENSOR in plain:
            return tensors[plain[_TENSOR]].clone()
        return {key: put_together(value, tensors) for key, value in plain[_PAIRS]}
    return plain
