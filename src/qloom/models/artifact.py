"""A model on disk: model.json, which describes it, and weights.safetensors; neither holds code."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
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
FINETUNED = "finetuned"  # what a pretrained model with an adapter is called in a description
_NEW_WEIGHTS = "weights.safetensors.new"


def write_artifact(folder: str | Path, record: Mapping[str, Any], arrays: Mapping[str, Any]) -> Path:
    """Write a model folder. At every moment it holds the old model or the new one, whole.

    The new weights lie beside the old ones until the description, which knows the hash of its weights, is in place.

    Args:
        folder: made if it does not exist.
        record: plain JSON values.
        arrays: the weights by name, of numpy or torch.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    weights = safetensors.numpy.save({name: np.asarray(array, order="C") for name, array in arrays.items()})
    heading = {"format": FORMAT, "version": VERSION, "weights_sha256": _sha256(weights)}
    description = json.dumps({**heading, **record}, indent=1).encode()
    _finish(folder)  # a write that was cut short
    replace_file(folder / _NEW_WEIGHTS, weights)
    replace_file(folder / DESCRIPTION, description)
    _finish(folder)
    return folder


def _finish(folder: Path) -> None:
    """Give new weights their name if the description is theirs."""
    new = folder / _NEW_WEIGHTS
    with suppress(ArtifactError):  # no description, or a damaged one, which the next replaces
        if new.is_file() and _sha256(_read_bytes(new)) == _read_description(folder / DESCRIPTION).get("weights_sha256"):
            os.replace(new, folder / WEIGHTS)


def copy_artifact(source: Path, folder: Path) -> None:
    """Keep an artifact, as it is, in another folder."""
    record = _read_description(source / DESCRIPTION)
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / WEIGHTS, _read_weights(source, record))
    replace_file(folder / DESCRIPTION, _read_bytes(source / DESCRIPTION))


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
    weights = _read_weights(folder, record)
    try:
        return record, {name: np.array(array) for name, array in safetensors.numpy.load(weights).items()}
    except (SafetensorError, ValueError) as error:
        raise ArtifactError(f"{folder / WEIGHTS} is no safetensors file ({error}); train again") from None


def _read_weights(folder: Path, record: Mapping[str, Any]) -> bytes:
    """The weights whose hash the description knows; those of a write that was cut short have not got their name yet."""
    names = [name for name in (_NEW_WEIGHTS, WEIGHTS) if name == WEIGHTS or (folder / name).is_file()]
    for weights in (_read_bytes(folder / name) for name in names):
        if _sha256(weights) == record.get("weights_sha256"):
            return weights
    raise ArtifactError(
        f"{folder / WEIGHTS} is not the file {DESCRIPTION} was written with (sha256 differs), "
        "expected both unchanged; copy the model folder again or train again"
    )


@contextmanager
def reading(path: str | Path) -> Iterator[None]:
    """Make what goes wrong with an artifact's values an ArtifactError of one line."""
    try:
        yield
    except ArtifactError:
        raise
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RuntimeError, MemoryError) as error:
        what = (str(error).splitlines() or [""])[0]
        raise ArtifactError(
            f"the model in {path} is damaged ({type(error).__name__}: {what}), "
            "expected what qloom wrote; train it again"
        ) from None


def estimator_in(path: str | Path) -> str | None:
    """What the model of a run or model folder is, by its description alone; None where there is none."""
    with suppress(ArtifactError):
        return str(_read_description(find_model_folder(path) / DESCRIPTION).get("estimator"))
    return None


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


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read ({error.strerror}), expected a file of a qloom model") from None
