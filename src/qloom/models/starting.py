"""A warm start: a network begins with the weights, preprocessing and target coding of an earlier model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from torch import Tensor

from qloom.data import Preprocessing, TargetCoding
from qloom.errors import ArtifactError
from qloom.models.architecture import Architecture
from qloom.models.artifact import read_artifact
from qloom.models.hybrid import HybridNetwork

# Of a run folder: the fitted controls, each under the name of its layer.
CONTROLS = "controls"


@dataclass(frozen=True)
class Start:
    """An earlier model, as another one begins with it.

    Numbers keep the scale and categories the codes they were learnt with, so that the weights mean what they meant.
    """

    path: Path
    preprocessing: Preprocessing
    coding: TargetCoding
    architecture: Architecture
    tensors: Mapping[str, Tensor]

    def put_into(self, network: HybridNetwork, architecture: Architecture) -> None:
        """Give a network the weights; one whose head was refitted gives those of encoder and middle layer.

        Raises:
            ArtifactError: for a network of other sizes or choices.
        """
        for field in fields(Architecture):
            before, now = (getattr(each, field.name) for each in (self.architecture, architecture))
            if before != now and field.name not in ("head", "dropout"):
                raise ArtifactError(f"{self.path} has {field.name}={before!r}, got {now!r}, expected the same network")
        same_head = self.architecture.head == architecture.head
        kept = {name: value for name, value in self.tensors.items() if same_head or not name.startswith("head.")}
        network.load_state_dict({**network.state_dict(), **kept})


def read_start(path: str | Path, layer: str, task: str) -> Start:
    """The model of a model or run folder whose middle layer is of a kind.

    Raises:
        ArtifactError: for a missing, damaged or foreign file, another kind of layer, or another task.
    """
    control = Path(path) / CONTROLS / layer
    record, tensors = read_artifact(control if control.is_dir() else path)
    found: Any = record.get("hyperparameters", {}).get("layer")
    if found != layer:
        raise ArtifactError(f"{path} holds a model with a {found} layer, expected a {layer} one; give its run folder")
    coding = TargetCoding.from_json(record["target"])
    if coding.task != task:
        raise ArtifactError(f"{path} holds a model for {coding.task}, expected one for {task}")
    architecture = Architecture(**record["architecture"])
    return Start(Path(path), Preprocessing.from_json(record["preprocessing"]), coding, architecture, tensors)
