"""A trained hybrid model as what predicts: read from its folder, it needs neither torch nor scikit-learn."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from qloom.circuits import Circuit
from qloom.data import Preprocessing, TargetCoding
from qloom.engines import Engine
from qloom.engines.choice import EngineChoice, choose_engine
from qloom.errors import ArtifactError, ConfigError
from qloom.models.artifact import FINETUNED, read_arrays, reading
from qloom.models.tables.forward import Weights, head_outputs, network_outputs
from qloom.models.tables.readout import Readout, read_readout
from qloom.observables import PauliSum

# What model.json calls a baseline.
BASELINE = "Baseline"


class Predictor:
    """Predictions from outputs; networks and baselines share it.

    Attributes:
        preprocessing_, coding_, readout_: how cells become numbers, and outputs predictions.
        engine_: what runs its circuit; None without one.
    """

    preprocessing_: Preprocessing
    coding_: TargetCoding
    readout_: Readout
    engine_: EngineChoice | None = None

    def outputs(self, x: np.ndarray) -> np.ndarray:
        """Shapes: x (B, F) -> (B, C)."""
        raise NotImplementedError

    def predict_table(self, table: Any) -> np.ndarray:
        """Predictions for the rows of a table that has the training columns, in any order, among others.

        Shapes: B rows -> class probabilities (B, C), or values (B,).

        Raises:
            DataError: for a missing column or cells of another kind than in training.
        """
        return self.predict_features(self.preprocessing_.transform(table))

    def predict_features(self, x: Any) -> np.ndarray:
        """Predictions for rows that are preprocessed already.

        Shapes: x (B, F) -> class probabilities (B, C), or values in the target's unit (B,).
        """
        return self.readout_.predictions(self.coding_, self.outputs(np.asarray(x)))

    def with_engine(self, changes: Mapping[str, Any]) -> Self:
        """The same model under another execution.

        Args:
            changes: of the section `engine` of a configuration: {"shots": 1000, "seed": 3}, {"shots": None}.

        Raises:
            ConfigError: for a model without a circuit, or an engine that there is not.
        """
        raise ConfigError(f"a model without a circuit has no engine, got {describe_changes(changes)}; leave it out")


class Served(Predictor):
    """Predictions of a trained network; the estimators share it.

    Attributes:
        circuit_, observables_: of the middle layer.
    """

    circuit_: Circuit
    observables_: list[PauliSum]
    _engine: Engine

    def network_weights(self) -> Weights:
        """The network's numbers by name."""
        raise NotImplementedError

    def network_kinds(self) -> tuple[str, str]:
        """What the middle layer and the head are."""
        raise NotImplementedError

    def outputs(self, x: np.ndarray) -> np.ndarray:
        """Shapes: x (B, F) -> (B, C)."""
        weights, kinds = self.network_weights(), self.network_kinds()
        return network_outputs(weights, *kinds, self.circuit_, self.observables_, x, self._engine)

    def with_engine(self, changes: Mapping[str, Any]) -> Self:
        if self.engine_ is None:
            return super().with_engine(changes)
        other = copy.copy(self)
        other.run_on(self.engine_.changed(changes))
        return other

    def undisturbed(self) -> Self:
        """The same model without noise and measurements, see `EngineChoice.undisturbed`."""
        if self.engine_ is None or self.engine_.is_exact:
            return self
        return self.with_engine(self.engine_.undisturbed().values())

    def under(self, engine: Engine) -> Self:
        """The same model, its circuit run by an engine."""
        other = copy.copy(self)
        other._engine = engine
        return other

    def run_on(self, choice: EngineChoice, *stream: int) -> None:
        """Predict by an engine, measurements with random numbers of that stream."""
        layer = self.network_kinds()[0]
        self.engine_ = None if layer == "classical" else choice
        self._engine = choice.engine((*stream_of(layer), *stream))


class ServedBaseline(Predictor):
    """The baseline in a model folder, for predictions."""

    def __init__(self, record: Mapping[str, Any], weights: Weights):
        self.kind, self.weights = str(record["kind"]), weights
        restore_coding(self, record)

    def outputs(self, x: np.ndarray) -> np.ndarray:
        """Shapes: x (B, F) -> (B, C)."""
        return head_outputs(self.weights, self.kind, x)


class ServedModel(Served):
    """The model in a model folder, for predictions alone.

    Args:
        record: of its model.json.
        weights: by name.
    """

    def __init__(self, record: Mapping[str, Any], weights: Weights):
        self.record, self.weights = record, weights
        restore_data(self, record)

    def network_weights(self) -> Weights:
        return self.weights

    def network_kinds(self) -> tuple[str, str]:
        kinds = self.record["architecture"]
        return kinds["layer"], kinds["head"]


def restore_coding(model: Predictor, record: Mapping[str, Any]) -> None:
    """Put back what a model record says of data and predictions."""
    model.preprocessing_ = Preprocessing.from_json(record["preprocessing"])
    model.coding_ = TargetCoding.from_json(record["target"])
    model.readout_ = read_readout(record.get("readout"), model.coding_.task)


def restore_data(model: Served, record: Mapping[str, Any]) -> None:
    """Put back what a model record says of data, circuit and observables."""
    restore_coding(model, record)
    model.circuit_ = Circuit.from_json(record["circuit"])
    model.observables_ = [PauliSum({(x, z): c for x, z, c in terms}) for terms in record["observables"]]
    model.run_on(choose_engine(record.get("engine")))


def stream_of(layer: str) -> tuple[int, ...]:
    """What tells the random numbers of one kind of middle layer from those of another."""
    return tuple(layer.encode())


def describe_changes(changes: Mapping[str, Any]) -> str:
    """As settings are given."""
    return ", ".join(f"engine.{key}={value}" for key, value in changes.items())


def read_served(path: str | Path) -> ServedModel | ServedBaseline:
    """The model in a model or run folder, or the baseline in its folder.

    Raises:
        ArtifactError: for a missing, damaged or foreign file.
    """
    record, weights = read_arrays(path)
    name = record.get("estimator")
    if name == FINETUNED:
        raise ArtifactError(
            f"{path} holds a fine-tuned model, expected a model of tables; qloom predict and qloom report take it"
        )
    if name not in ("HybridClassifier", "HybridRegressor", BASELINE):
        raise ArtifactError(f"{path} holds a {name!r}, expected a model of tables; use qloom.load_model")
    with reading(path):
        return ServedBaseline(record, weights) if name == BASELINE else ServedModel(record, weights)
