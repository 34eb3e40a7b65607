"""Tensors for a circuit's slots in the forms that callers give: flat, as declared, or by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from qloom.circuits.slots import Slots
from qloom.errors import ShapeError


def joined(slots: Slots, values: Mapping[str, Tensor]) -> Tensor:
    """Tensors by name as one, (count,) or (B, count), through which gradients flow.

    Raises:
        ShapeError: for names, shapes or dtypes that do not fit.
    """
    parts = slots.arranged(values)
    leads, dtypes = {part.shape[:-1] for part in parts} - {()}, {part.dtype for part in parts}
    if len(leads) > 1 or len(dtypes) > 1:
        rows = sorted(lead[0] for lead in leads)
        raise ShapeError(
            f"{slots.source}s given by name have {rows or 'no'} samples and {', '.join(sorted(map(str, dtypes)))}, "
            "expected one number of samples and one dtype"
        )
    lead = leads.pop() if leads else ()
    return torch.cat([part.expand(*lead, part.shape[-1]) for part in parts], dim=-1)


def as_one_tensor(slots: Slots, values: Any) -> Tensor:
    """Numbers of any kind in any of the forms as one tensor (count,)."""
    if isinstance(values, Mapping):
        return joined(slots, {name: _as_tensor(value) for name, value in values.items()})
    return slots.flat(_as_tensor(values))  # type: ignore[no-any-return]


def _as_tensor(values: Any) -> Tensor:
    return torch.as_tensor(values if isinstance(values, Tensor) else np.asarray(values)).detach()
