"""A compressed model on disk: compression.json, which says the form of each layer, and a safetensors file.

The safetensors file is named after its content and there before the description names it, so that a folder holds the
old model or the new one, whole. Neither file holds code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from qloom.compression.layers import CompressedLinear
from qloom.compression.linear import is_linear, matrix_of
from qloom.compression.low_rank import LowRankLinear
from qloom.compression.targets import names_of, put
from qloom.compression.tensor_train import TensorTrainLinear
from qloom.errors import ArtifactError, ConfigError
from qloom.files import replace_file, write_json

FORMAT, VERSION = "qloom.compression", 1
DESCRIPTION = "compression.json"
CLASSES: dict[str, type[CompressedLinear]] = {"tensor-train": TensorTrainLinear, "svd": LowRankLinear}
Model = TypeVar("Model", bound=nn.Module)


def save_compressed(model: nn.Module, folder: str | Path) -> Path:
    """Write all of a compressed model's numbers, and the forms of its layers.

    Args:
        model: with compressed layers.
        folder: made if it does not exist.

    Raises:
        ConfigError: for a model without compressed layers.
    """
    layers = {name: module for name, module in model.named_modules() if isinstance(module, CompressedLinear)}
    if not layers:
        raise ConfigError(f"{type(model).__name__} has no compressed layers, expected some; call compress first")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tensors, same = _once(model.state_dict())
    digest = _digest(tensors)
    weights = f"weights-{digest[:16]}.safetensors"
    replace_file(folder / weights, safetensors.torch.save(tensors))
    heading = {"format": FORMAT, "version": VERSION, "model": type(model).__name__}
    forms = {name: layer.form() for name, layer in layers.items()}
    write_json(folder / DESCRIPTION, {**heading, "weights": weights, "sha256": digest, "same": same, "layers": forms})
    for old in folder.glob("weights-*.safetensors"):
        if old.name != weights:
            old.unlink()
    return folder


def load_compressed(model: Model, folder: str | Path) -> Model:
    """Put a saved compression into a model as it was before, with any weights, such as one freshly made of its config.

    The model is changed in place, and only if everything fits; all of its numbers are those of the file.

    Args:
        model: with ordinary layers where compressed ones are to be.
        folder: what `save_compressed` wrote.

    Raises:
        ArtifactError: for files that are missing, damaged or of another version, and for another model than theirs.
    """
    record, tensors = _read(Path(folder))
    made = {name: _made(model, name, form, tensors, record["model"]) for name, form in record["layers"].items()}
    _check_rest(model, made, tensors, record["model"])
    for name, layer in made.items():
        put(model, model.get_submodule(name), layer)
    model.load_state_dict(tensors)
    return model


def _once(state: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors of a state, each once, and further names of those that have several."""
    first: dict[Any, str] = {}
    tensors, same = dict[str, Tensor](), dict[str, str]()
    for name, tensor in state.items():
        place = (tensor.data_ptr(), tensor.shape, tensor.stride(), tensor.dtype) if tensor.numel() else name
        if first.setdefault(place, name) == name:
            tensors[name] = tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        else:
            same[name] = first[place]
    return tensors, same


def _digest(tensors: Mapping[str, Tensor]) -> str:
    """A hash of names, shapes, types and numbers."""
    content = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        content.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        content.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return content.hexdigest()


def _read(folder: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    record = _read_description(folder / DESCRIPTION)
    path = folder / str(record.get("weights"))
    try:
        tensors = safetensors.torch.load_file(path)
        damaged = _digest(tensors) != record["sha256"]
        whole = {name: tensors[first] for name, first in record["same"].items()} | tensors
        forms = {form["form"] for form in record["layers"].values()}
        record = {"model": str(record["model"]), "layers": dict(record["layers"])}
    except (OSError, SafetensorError, LookupError, TypeError, AttributeError) as error:
        what = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
        raise ArtifactError(f"the compressed model in {folder} is damaged ({what}), copy or save it again") from None
    if damaged or not forms <= CLASSES.keys():
        raise ArtifactError(f"{path} is not what {DESCRIPTION} was written with, expected both unchanged; copy again")
    return record, whole


def _read_description(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_bytes())
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read ({error.strerror}), expected what save_compressed wrote") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ArtifactError(f"{path} is not JSON ({error}), expected what save_compressed wrote; copy again") from None
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise ArtifactError(f"{path} is no compressed model, expected JSON with format {FORMAT!r}; give its folder")
    if record.get("version") != VERSION:
        raise ArtifactError(
            f"{path} has version {record.get('version')!r}, expected {VERSION}; load it with the qloom that wrote it"
        )
    return record


def _made(
    model: nn.Module, name: str, form: dict[str, Any], tensors: Mapping[str, Tensor], told: str
) -> CompressedLinear:
    """An empty layer of a form, in the place of a linear one of the same size."""
    old: Any = dict(model.named_modules()).get(name)
    if old is None or not is_linear(old):
        found = "no such layer" if old is None else f"a {type(old).__name__}"
        raise ArtifactError(f"the file is of a {told} with a linear layer {name}, the model has {found} there; {_HINT}")
    try:
        like = torch.empty(0, dtype=tensors[f"{name}.factors.0"].dtype, device=old.weight.device)
        made: CompressedLinear = CLASSES[form["form"]].empty(form, like, old.bias, type(old))
    except (LookupError, TypeError, ValueError, RuntimeError) as error:
        raise ArtifactError(f"the form of layer {name} is damaged ({error}), copy or save it again") from None
    if (shape := tuple(matrix_of(old).shape)) != (made.out_features, made.in_features):
        expected = (made.out_features, made.in_features)
        raise ArtifactError(f"layer {name} is {shape} in the model and {expected} in the file of a {told}; {_HINT}")
    made.requires_grad_(old.weight.requires_grad)
    return made.train(old.training)


def _check_rest(
    model: nn.Module, made: Mapping[str, CompressedLinear], tensors: Mapping[str, Tensor], told: str
) -> None:
    """Raise unless names, shapes and dtypes are those that the model will have."""
    expected = model.state_dict()
    for name, layer in made.items():
        for place in names_of(model, model.get_submodule(name)):
            del expected[f"{place}.weight"]
            expected |= {f"{place}.{key}": value for key, value in layer.state_dict().items()}
    for name in [*expected, *tensors]:
        theirs, ours = (
            f"{tuple(found[name].shape)} {found[name].dtype}" if name in found else "missing"
            for found in (tensors, expected)
        )
        if theirs != ours:
            raise ArtifactError(f"{name} is {ours} in the model and {theirs} in the file of a {told}; {_HINT}")


_HINT = "give the same model as before it was compressed"
