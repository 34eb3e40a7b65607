"""A fine-tuned model on disk: peft's own folder of the adapter, the head, and what the model was made from."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import peft
import pyarrow as pa
import torch
from torch import Tensor, nn

from qloom.adapters.finetuned import FineTuned, outputs
from qloom.adapters.inputs import ImageInputs, Inputs, TextInputs
from qloom.backbones import Backbone
from qloom.data import TargetCoding
from qloom.data.columns import require_columns
from qloom.data.pretrained.folders import load_model, model_digest
from qloom.data.pretrained.text_model import checked_folder
from qloom.errors import ArtifactError, DataError
from qloom.models.artifact import FINETUNED, find_model_folder, read_artifact, reading, write_artifact
from qloom.training.finetuning.models import MODELS
from qloom.training.finetuning.rows import read_cells

ADAPTER = "adapter"


def save_finetuned(folder: Path, network: FineTuned, backbone: Backbone, column: str, coding: TargetCoding) -> Path:
    """Write a model folder; `adapter` in it is one that peft reads, model.json comes last.

    Args:
        backbone: the pretrained model, which is not written again: its folder and hash are.
        column: of tables, that the model reads.
        coding: of the target.
    """
    new, place = folder / f"{ADAPTER}.new", folder / ADAPTER
    folder.mkdir(parents=True, exist_ok=True)
    for old in (new, place):
        shutil.rmtree(old, ignore_errors=True)
    network.backbone.save_pretrained(str(new))  # type: ignore[operator]
    new.rename(place)
    record = {
        "estimator": FINETUNED, "column": column, "base": str(backbone.folder.resolve()),
        "base_sha256": backbone.sha256,
        "takes": backbone.takes, "pooling": network.pooling, "max_length": backbone.max_length,
        "coding": coding.to_json(),
    }  # fmt: skip
    return write_artifact(folder, record, {name: p.detach() for name, p in network.head.state_dict().items()})


class FinetunedModel:
    """A fine-tuned model, for predictions.

    Attributes:
        network: the adapted model with its head.
        coding_: of the target.
        column: of tables, that the model reads.
    """

    def __init__(self, network: FineTuned, record: dict[str, Any], folder: Path):
        self.network, self.coding_ = network, TargetCoding.from_json(record["coding"])
        self.column, self._record, self._base = str(record["column"]), record, folder

    def predict_table(self, table: pa.Table, folder: Path = Path()) -> np.ndarray:
        """Probabilities (B, C), or values in the target's unit (B,).

        Args:
            folder: from which paths of images count.
        """
        require_columns(table, [self.column], "that the model reads")
        if not table.num_rows:
            raise DataError("the table has no rows, expected at least one to predict; give rows")
        return self.predict_cells(read_cells(table, self.column, self._record["takes"], folder))

    def predict_cells(self, cells: Iterable[Any]) -> np.ndarray:
        """The same of texts, or of images as `qloom.backbones.Backbone` takes them."""
        return as_predictions(outputs(self.network, self._inputs(list(cells))), self.coding_)

    def _inputs(self, cells: list[Any]) -> Inputs:
        if self._record["takes"] == "texts":
            return TextInputs.of(self._base, self.network.backbone, cells, self._record["max_length"])
        return ImageInputs.of(self._base, cells)


def as_predictions(made: Tensor, coding: TargetCoding) -> np.ndarray:
    """Outputs (B, C) as probabilities (B, C), or values in the target's unit (B,)."""
    if coding.task == "classification":
        return made.double().softmax(1).numpy()
    return np.asarray(coding.decode(made[:, 0].numpy()))


def finetuned_folder(path: Path, name: str | None) -> Path:
    """The folder of a fine-tuned model of a run, by its name: "lora", "classical", ...; None for the one under test.

    Raises:
        ArtifactError: for a name that is none, or a model that is not kept.
    """
    known = {each.name: each for each in MODELS.values()}
    if name is None:
        return find_model_folder(path)
    if name not in known or not (path / known[name].place / ADAPTER).is_dir():
        kept = ", ".join(each for each, model in known.items() if (path / model.place / ADAPTER).is_dir())
        raise ArtifactError(f"no fine-tuned model {name!r} in {path}, expected one of {kept}; choose one of them")
    return path / known[name].place


def load_finetuned(path: str | Path) -> FinetunedModel:
    """The model of a run or model folder.

    Raises:
        ArtifactError: for another model, or a pretrained model that is gone or has changed since.
    """
    folder = find_model_folder(path)
    record, weights = read_artifact(folder)
    if record.get("estimator") != FINETUNED:
        raise ArtifactError(f"{path} is no fine-tuned model, expected one of qloom finetune; use qloom.load_model")
    with reading(folder):
        base = checked_folder(record["base"], record["base_sha256"])
        if model_digest(base) != record["base_sha256"]:
            raise ArtifactError(
                f"the pretrained model in {base} has changed since training, expected the same; put it back"
            )
        head = nn.Linear(weights["weight"].shape[1], len(weights["bias"]))
        network = FineTuned(load_model(base, torch.float32, "cpu"), None, head, record["pooling"])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of transformers about what peft asks it for
            network.backbone = peft.PeftModel.from_pretrained(network.backbone, str(folder / ADAPTER))
        head.load_state_dict(weights)
        network.requires_grad_(False)
        return FinetunedModel(network.eval(), record, base)
