"""Checkpoints: one safetensors file each, with a JSON record in its heading, written whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from qloom.errors import ArtifactError
from qloom.files import replace_file
from qloom.models import Fit

FORMAT, VERSION = "qloom.checkpoint", 1


def write_checkpoint(path: Path, record: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Write tensors and a record of plain JSON values as one file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    heading = json.dumps({"format": FORMAT, "version": VERSION, **record})
    whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
    replace_file(path, safetensors.torch.save(whole, metadata={"record": heading}))


def read_checkpoint(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The record and the tensors of a checkpoint.

    Raises:
        ArtifactError: for a damaged or foreign file, or one of another version.
    """
    try:
        with safe_open(path, framework="pt") as file:
            record = json.loads((file.metadata() or {}).get("record", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError, json.JSONDecodeError) as error:
        raise ArtifactError(f"checkpoint {path} is damaged ({error}); delete it to train this model again") from None
    if (record.get("format"), record.get("version")) != (FORMAT, VERSION):
        raise ArtifactError(
            f"{path} has format {record.get('format')!r} version {record.get('version')!r}, "
            f"expected {FORMAT!r} version {VERSION}; delete it to train this model again"
        )
    return record, tensors


def checkpointing(path: Path) -> tuple[Callable[[Fit], None], Callable[[Fit], None]]:
    """Two callables for a training: one writes its state to `path`, one restores it from there if it can."""

    def keep(fit: Fit) -> None:
        write_checkpoint(path, fit.record(), fit.tensors())

    def restore(fit: Fit) -> None:
        if path.exists():
            record, tensors = read_checkpoint(path)
            _put_back(fit, record, tensors, path)

    return keep, restore


def _put_back(fit: Fit, record: Mapping[str, Any], tensors: Mapping[str, Tensor], path: Path) -> None:
    try:
        fit.restore(tensors, record)
    except (KeyError, RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ArtifactError(
            f"checkpoint {path} is of another network ({reason}); delete it to train this model again"
        ) from None
