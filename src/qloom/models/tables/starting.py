"""A warm start: a network begins with the weights, preprocessing and target coding of an earlier model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from qloom.circuits import Circuit
from qloom.data import Preprocessing, TargetCoding
from qloom.data.embedding_coding import EmbeddingCoding
from qloom.data.pretrained.folders import model_digest, model_folder
from qloom.errors import ArtifactError
from qloom.models.artifact import copy_artifact, find_model_folder, read_artifact, reading
from qloom.models.tables.architecture import Architecture
from qloom.models.tables.competitors import place_of
from qloom.models.tables.hybrid import HybridNetwork
from qloom.nn import QuantumLayer


@dataclass(frozen=True)
class Start:
    """An earlier model, as another one begins with it.

    Numbers keep the scale and categories the codes they were learnt with, so that the weights mean what they meant.

    Attributes:
        path: as it was given.
        folder: of its artifact.
    """

    path: Path
    folder: Path
    preprocessing: Preprocessing
    coding: TargetCoding
    architecture: Architecture
    circuit: Circuit
    tensors: Mapping[str, Tensor]

    def check_target(self, target: str) -> None:
        """Raise ArtifactError if a column to predict is one that the earlier model predicts from."""
        if target in {coding.name for coding in self.preprocessing.codings}:
            raise ArtifactError(f"{self.path} predicts from {target!r}, expected a model without it; start afresh")

    def check_text_model(self, folder: str | None) -> None:
        """Raise ArtifactError if texts are to be coded by a model that the earlier one does not code them by."""
        codings = self.preprocessing.codings
        known = {coding.sha256 for coding in codings if isinstance(coding, EmbeddingCoding)}
        if folder is not None and known != {model_digest(model_folder(folder))}:
            raise ArtifactError(
                f"{self.path} does not code texts by the model in {folder}, expected the same: a start keeps its own "
                "preprocessing; leave the text model out, or start afresh"
            )

    def layer_of(self, circuit: Circuit) -> QuantumLayer:
        """A quantum layer with the earlier one's weights.

        Raises:
            ArtifactError: if that has another circuit.
        """
        self._check_circuit(circuit)
        with reading(self.path):
            return QuantumLayer(circuit, init=self.tensors["layer.weights"], dtype=torch.float64)

    def _check_circuit(self, circuit: Circuit) -> None:
        if self.circuit != circuit:
            raise ArtifactError(f"{self.path} has another circuit, expected the same network; change the model")

    def put_into(self, network: HybridNetwork, architecture: Architecture, circuit: Circuit) -> None:
        """Give a network the weights; one whose head was refitted gives those of encoder and middle layer.

        Raises:
            ArtifactError: for a network of other sizes, choices or gates.
        """
        for field in fields(Architecture):
            before, now = (getattr(each, field.name) for each in (self.architecture, architecture))
            if before != now and field.name not in ("head", "dropout"):
                raise ArtifactError(
                    f"{self.path} has {field.name}={before!r}, got {now!r}, expected the same network; change the model"
                )
        self._check_circuit(circuit)
        own, same_head = network.state_dict(), self.architecture.head == architecture.head
        with reading(self.path):
            taken = {name: self.tensors[name] for name in own if same_head or not name.startswith("head.")}
            network.load_state_dict({**own, **taken})

    def copy_to(self, folder: Path) -> None:
        """Keep the artifact, as it is, in another folder."""
        copy_artifact(self.folder, folder)


def read_start(path: str | Path, layer: str, task: str | None = None) -> Start:
    """The model of a model or run folder whose middle layer is of a kind.

    Raises:
        ArtifactError: for a missing, damaged or foreign file, another kind of layer, or another task if one is given.
    """
    own = place_of(Path(path), layer)
    folder = own if own.is_dir() else find_model_folder(path)
    record, tensors = read_artifact(folder)
    with reading(path):
        found: Any = record["hyperparameters"]["layer"]
        if found != layer:
            raise ArtifactError(
                f"{path} holds a {found} model and no {layer} one, expected both; a run of an older qloom gets its "
                "controls by going on with resume=True"
            )
        coding = TargetCoding.from_json(record["target"])
        if task not in (None, coding.task):
            raise ArtifactError(f"{path} holds a model for {coding.task}, expected one for {task}; start afresh")
        architecture, circuit = Architecture(**record["architecture"]), Circuit.from_json(record["circuit"])
        preprocessing = Preprocessing.from_json(record["preprocessing"])
    return Start(Path(path), folder, preprocessing, coding, architecture, circuit, tensors)
