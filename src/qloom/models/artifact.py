"""A model on disk: model.json, which describes it, and weights.safetensors; neither holds code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from qloom.errors import ArtifactError
from qloom.files import replace_file

if TYPE_CHECKING:
    from torch import Tensor

FORMAT, VERSION = "qloom.model", 1
DESCRIPTION, WEIGHTS = "model.json", "weights.safetensors"


def write_artifact(folder: str | Path, record: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Path:
    """Write a model folder; the description goes last, and only it makes the weights beside it valid.

    Args:
        folder: made if it does not exist.
        record: plain JSON values.
        tensors: the weights by name.
    """
    import safetensors.torch

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    weights = safetensors.torch.save({name: tensor.contiguous() for name, tensor in tensors.items()})
    heading = {"format": FORMAT, "version": VERSION, "weights_sha256": hashlib.sha256(weights).hexdigest()}
    replace_file(folder / WEIGHTS, weights)
    replace_file(folder / DESCRIPTION, json.dumps({**heading, **record}, indent=1).encode())
    return folder


def read_artifact(folder: str | Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The record and the weights of a model folder, or of the run folder around it.

    Raises:
        ArtifactError: for a missing, damaged or foreign file, or one of another version.
    """
    import torch

    record, arrays = read_arrays(folder)
    return record, {name: torch.from_numpy(array) for name, array in arrays.items()}


def read_arrays(folder: str | Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The same with the weights as numpy arrays; torch is not loaded."""
    folder = find_model_folder(folder)
    record = _read_description(folder / DESCRIPTION)
    weights = _read_bytes(folder / WEIGHTS)
    if hashlib.sha256(weights).hexdigest() != record.get("weights_sha256"):
        raise ArtifactError(
            f"{folder / WEIGHTS} is not the file {DESCRIPTION} was written with (sha256 differs), "
            "expected both unchanged; copy the model folder again or train again"
        )
    try:
        return record, {name: np.array(array) for name, array in safetensors.numpy.load(weights).items()}
    except (SafetensorError, ValueError) as error:
        raise ArtifactError(f"{folder / WEIGHTS} is no safetensors file ({error}); train again") from None


@contextmanager
def reading(path: str | Path) -> Iterator[None]:
    """Make what goes wrong with an artifact's values an ArtifactError of one line."""
    try:
        yield
    except ArtifactError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise ArtifactError(
            f"the model in {path} is damaged ({type(error).__name__}: {str(error).splitlines()[0]}), "
            "expected what qloom wrote; train it again"
        ) from None


def find_model_folder(path: str | Path) -> Path:
    """The folder that holds model.json: the path itself, its parent, or `model` in it."""
    path = Path(path)
    for folder in (path, path / "model", path.parent if path.name in (DESCRIPTION, WEIGHTS) else path):
        if (folder / DESCRIPTION).is_file():
            return folder
    what = "is no model" if path.exists() else "does not exist"
    raise ArtifactError(f"{path} {what}, expected a model or run folder with {DESCRIPTION}; make one with qloom train")


def _read_description(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(_read_bytes(path))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ArtifactError(
            f"{path} is not JSON ({error}), expected a qloom model; copy it again or train again"
        ) from None
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise ArtifactError(f"{path} is not a qloom model, expected JSON with format {FORMAT!r}; give a model folder")
    if record.get("version") != VERSION:
        raise ArtifactError(
            f"{path} has version {record.get('version')!r}, expected {VERSION}; "
            f"load it with the qloom that wrote it ({record.get('qloom', 'unknown')})"
        )
    return record


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read ({error.strerror}), expected a file of a qloom model") from None
