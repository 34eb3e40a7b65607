"""Checkpoints: one safetensors file each, with a JSON record in its heading, written whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from qloom.errors import ArtifactError
from qloom.files import replace_file
from qloom.fitting.workers import ALONE, Workers
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
        return _parsed(path.read_bytes(), path)
    except OSError as error:
        raise ArtifactError(f"checkpoint {path} cannot be read ({error.strerror}); delete it to train again") from None


def _parsed(content: bytes, path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The same of its bytes; `path` is only named."""
    try:
        tensors = safetensors.torch.load(content)
        size = int.from_bytes(content[:8], "little")
        record = json.loads(json.loads(content[8 : 8 + size]).get("__metadata__", {}).get("record", "{}"))
    except (SafetensorError, json.JSONDecodeError) as error:
        raise ArtifactError(f"checkpoint {path} is damaged ({error}); delete it to train this model again") from None
    if (record.get("format"), record.get("version")) != (FORMAT, VERSION):
        raise ArtifactError(
            f"{path} has format {record.get('format')!r} version {record.get('version')!r}, "
            f"expected {FORMAT!r} version {VERSION}; delete it to train this model again"
        )
    return record, tensors


def checkpointing(path: Path, workers: Workers = ALONE) -> tuple[Callable[[Fit], None], Callable[[Fit], None]]:
    """Two callables for a training: one writes its state to `path`, one restores it from there if it can.

    Of several workers the first one has the file; what it reads is for all.
    """

    def keep(fit: Fit) -> None:
        if workers.leads:
            write_checkpoint(path, fit.record(), fit.tensors())

    def restore(fit: Fit) -> None:
        content = workers.told_bytes(path.read_bytes() if workers.leads and path.exists() else b"")
        if content:
            _put_back(fit, *_parsed(content, path), path)

    return keep, restore


def _put_back(fit: Fit, record: Mapping[str, Any], tensors: Mapping[str, Tensor], path: Path) -> None:
    try:
        fit.restore(tensors, record)
    except (KeyError, RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ArtifactError(
            f"checkpoint {path} is of another network ({reason}); delete it to train this model again"
        ) from None
