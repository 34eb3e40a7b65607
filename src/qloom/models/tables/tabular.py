"""What the hybrid estimators for tables share: parameters, fitting, prediction, saving and loading."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from qloom.data import Preprocessing, inspect_table, split_rows
from qloom.engines.choice import choose_engine
from qloom.models.artifact import reading, write_artifact
from qloom.models.saving import Saved
from qloom.models.tables.architecture import Architecture, build_network, observables_of, threads_for
from qloom.models.tables.calibration import learn_readout
from qloom.models.tables.choices import GOAL_FIELDS
from qloom.models.tables.features import feature_table, weighted_rows, with_target
from qloom.models.tables.fitting import Fit, Recipe
from qloom.models.tables.forward import Weights
from qloom.models.tables.goals import Goal
from qloom.models.tables.hybrid import HybridNetwork
from qloom.models.tables.inference import predict_rows
from qloom.models.tables.judging import Judge
from qloom.models.tables.persistence import describe_model, restore_model
from qloom.models.tables.preparation import PreparedTable, prepare_table
from qloom.models.tables.refitting import check_refit, refit_head
from qloom.models.tables.served import Served, stream_of
from qloom.models.tables.starting import Start, read_start
from qloom.models.threads import numeric_threads
from qloom.nn import QuantumLayer

_FEWEST_VALIDATION_ROWS = 10


class HybridModel(Served, Saved, BaseEstimator):  # type: ignore[misc]
    """What classifier and regressor share; use `HybridClassifier` or `HybridRegressor`.

    A perceptron maps the features to one angle a qubit, the circuit turns them, and a second perceptron reads
    Z of every qubit and Z Z of neighbours. Columns of a frame may be numbers, categories, booleans or dates,
    with missing cells; their preprocessing is part of the model.

    Args:
        n_qubits: n; more features than qubits are mapped to n angles by the encoder.
        n_layers: blocks of the ansatz.
        ansatz: one of `qloom.models.ANSATZE`.
        width: hidden units of the encoder and of the head.
        dropout: share of the encoder's hidden units left out in training.
        layer: "quantum", or a control: "separable" (no entangling gates), "classical" (equal parameters).
        engine: what runs the circuit, as the section `engine` of a configuration has it; None for exact values.
            {"shots": 1000, "seed": 3} trains, by parameter shift, and predicts from that many measurements a word.
        epochs: passes over the rows at most.
        batch_size: rows a step; None takes a 40th of the rows, between 16 and 256.
        learning_rate: of the first step; falls as a cosine.
        weight_decay: of the classical weights.
        patience: epochs without a better validation loss after which training stops.
        schedule: what is trained when: "together"; "layer_by_layer" of the circuit in the first half of the epochs,
            then all; "layers_in_turn"; "circuit_only", between random classical parts; "classical_last", the classical
            parts alone in the last third.
        refit: "linear" or "boosting", a head that is fitted to the trained circuit's outputs in the end, and takes the
            place of the trained one if it is clearly better on the validation rows; None for none.
        start_from: a model or run folder to begin with, or what `read_start` gave of it: the weights of its model with
            the same layer, its preprocessing and its coding of the target, for rows that have changed; None for a fresh
            start.
        loss: "auto"; of numbers "squared", "absolute", "poisson" for counts, "quantile".
        quantile: that the loss "quantile" is to find.
        class_weight: None, "balanced" or a number a label: how much rows of a class count in fitting.
        target_transformation: "auto" chooses one for skewed numbers on the validation rows; "none", "log", "log1p",
            "yeo_johnson". Predictions are in the target's own unit.
        threshold: of two classes the second is predicted above this probability; "accuracy", "balanced_accuracy" or
            "f1" takes that which is best on the validation rows.
        validation_fraction: share of the rows held out for early stopping; below 10 rows none are.
        threads: of torch, and of circuits of up to 10 qubits; wider ones use all cores. Results do not depend on it.
        random_state: seed of everything random.
        kinds: column -> number, category, boolean, date, text or drop, where another kind is found than is meant; a
            number or date may say how it is written: "number:1.234,5", "date:%d/%m/%Y".
        text_model: folder of a pretrained sentence model; columns of free text are then coded by it, frozen, in place
            of counts of words. What was fitted needs the folder to predict.
        verbose: print a line an epoch.

    Attributes:
        network_: the trained `HybridNetwork`.
        circuit_: the circuit of its middle layer.
        engine_: what runs it, see `with_engine`; None for the layer "classical".
        preprocessing_, coding_: how cells become numbers.
        history_: one record an epoch.
        best_epoch_: the epoch whose weights are kept.
        readout_: the threshold, and the residuals that undo a transformation.
        refit_: what came of `refit`: kind, losses before and after, error, seconds, kept; None without.
        notes_: findings about the table and the model, one line each.
        n_features_in_, feature_names_in_: as in scikit-learn.
    """

    _task = ""
    network_: HybridNetwork
    architecture_: Architecture

    def __init__(
        self,
        n_qubits: int = 8,
        n_layers: int = 3,
        ansatz: str = "strongly_entangling",
        width: int = 64,
        dropout: float = 0.2,
        layer: str = "quantum",
        engine: Mapping[str, Any] | None = None,
        epochs: int = 40,
        batch_size: int | None = None,
        learning_rate: float = 0.003,
        weight_decay: float = 1.0,
        patience: int = 10,
        schedule: str = "together",
        refit: str | None = None,
        start_from: str | Path | Start | None = None,
        loss: str = "auto",
        quantile: float = 0.5,
        class_weight: Any = None,
        target_transformation: str = "auto",
        threshold: float | str = 0.5,
        validation_fraction: float = 0.15,
        threads: int = 1,
        random_state: Any = 0,
        kinds: Mapping[str, str] | None = None,
        text_model: str | None = None,
        verbose: bool = False,
    ):
        self.n_qubits = n_qubits
        self.n_layers = n_layers
        self.ansatz = ansatz
        self.width = width
        self.dropout = dropout
        self.layer = layer
        self.engine = engine
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.patience = patience
        self.schedule = schedule
        self.refit = refit
        self.start_from = start_from
        self.loss = loss
        self.quantile = quantile
        self.class_weight = class_weight
        self.target_transformation = target_transformation
        self.threshold = threshold
        self.validation_fraction = validation_fraction
        self.threads = threads
        self.random_state = random_state
        self.kinds = kinds
        self.text_model = text_model
        self.verbose = verbose

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    # -- fitting

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from rows; those of weight 0 are left out.

        Shapes: X (B, F), a frame or an array; y (B,); sample_weight (B,), None for equal ones.

        Raises:
            DataError: for columns, cells or a target that cannot be learnt from.
            ConfigError: for settings that cannot be.
        """
        table, target = with_target(self, feature_table(self, X, y, reset=True), y)
        table, weights = weighted_rows(self, table, sample_weight)
        schema = inspect_table(table, target, task=self._task, kinds=self.kinds)
        seed = self._draw_seed()
        share = self.validation_fraction if self.validation_fraction * table.num_rows >= _FEWEST_VALIDATION_ROWS else 0
        split = split_rows(table, schema, validation=share, test=0, seed=seed)
        start = self.read_start()
        fresh = Preprocessing(text_model=self.text_model)
        data = prepare_table(table, schema, split, start, self.goal, weights, fresh)
        self.notes_ = [*schema.notes, *schema.warnings, *data.notes, *data.preprocessing.notes]
        self.fit_prepared(data, seed=seed, watch=_print_epoch if self.verbose else None, start=start)
        return self

    def fit_prepared(
        self,
        data: PreparedTable,
        *,
        seed: int,
        watch: Callable[[Fit], None] | None = None,
        resume: Callable[[Fit], Any] | None = None,
        start: Start | None = None,
    ) -> Fit:
        """Learn from a prepared table; `qloom train` calls this.

        Args:
            data: rows for training and validation with their preprocessing.
            seed: of weights, order of rows and dropout.
            watch: called after every epoch.
            resume: called before the first one; may restore an earlier state of the training.
            start: what `read_start` gave, if it was read before.
        """
        fit = self.begin_fit(data, seed, resume, start)
        with numeric_threads(self.threads):
            fit.run(data.train, data.validation, watch)
            self.end_fit(fit, data)
        return fit

    def begin_fit(
        self, data: PreparedTable, seed: int, resume: Callable[[Fit], Any] | None = None, start: Start | None = None
    ) -> Fit:
        """The training of `fit_prepared` before its first epoch, or where it was left.

        Returns:
            The training, to be run and then given to `end_fit` with the same table.
        """
        check_refit(self.refit, data)
        self.begin(data, seed, start)
        fit = Fit(self.network_, self._task, self._recipe(seed), data.loss, Judge(data), data.windows)
        if resume:
            resume(fit)
        return fit

    def end_fit(self, fit: Fit, data: PreparedTable) -> None:
        """What `fit_prepared` does after the last epoch."""
        self._fit_head(data, fit.recipe.seed)
        self._learn_readout(data)
        self.history_, self.best_epoch_ = fit.history, fit.best_epoch

    @property
    def goal(self) -> Goal:
        """What the parameters ask for."""
        return Goal(**{name: getattr(self, name) for name in GOAL_FIELDS})

    def _learn_readout(self, data: PreparedTable) -> None:
        rows = data.held_out
        outputs = predict_rows(self.network_, rows.x).numpy()
        self.readout_ = learn_readout(data.goal, data.loss, data.coding, rows.y.numpy(), outputs, rows.scored_weights)

    def read_start(self) -> Start | None:
        """What `start_from` holds for this layer and task; None for a fresh start."""
        given = self.start_from
        return given if given is None or isinstance(given, Start) else read_start(given, self.layer, self._task)

    def _fit_head(self, data: PreparedTable, seed: int) -> None:
        self.refit_ = None
        if self.refit is not None:
            found = refit_head(self.network_, data, self.refit, seed)
            self.refit_ = found.record()
            if found.kept:
                self.architecture_ = replace(self.architecture_, head=self.refit)

    def _draw_seed(self) -> int:
        if isinstance(self.random_state, int | np.integer):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _recipe(self, seed: int) -> Recipe:
        names = ("epochs", "batch_size", "learning_rate", "weight_decay", "patience", "schedule", "n_layers")
        return Recipe(**{name: getattr(self, name) for name in names}, seed=seed)

    def begin(self, data: PreparedTable, seed: int, start: Start | None = None) -> None:
        """Make the network as it is before the first epoch, `network_`, with fresh or with earlier weights."""
        self.preprocessing_, self.coding_ = data.preprocessing, data.coding
        names = ("n_qubits", "n_layers", "ansatz", "width", "dropout", "layer")
        options = {name: getattr(self, name) for name in names}
        self.architecture_ = Architecture(data.n_features, data.coding.n_outputs, **options)
        self.circuit_ = self.architecture_.circuit()
        self.observables_ = observables_of(self.n_qubits)
        choice = choose_engine(self.engine).seeded(seed)
        self.run_on(choice, seed)
        engine = choice.engine((*stream_of(self.layer), seed, 1), threads_for(self.circuit_, self.threads))
        self.network_ = build_network(self.architecture_, self.circuit_, self.observables_, seed, engine)
        if start := start or self.read_start():
            start.put_into(self.network_, self.architecture_, self.circuit_)

    # -- prediction

    def predict_table(self, table: Any) -> np.ndarray:
        """Predictions for the rows of a table that has the training columns, in any order, among others.

        Shapes: B rows -> class probabilities (B, C), or values (B,).

        Raises:
            DataError: for a missing column or cells of another kind than in training.
        """
        check_is_fitted(self, "network_")
        return super().predict_table(table)

    def network_weights(self) -> Weights:
        return {name: tensor.numpy() for name, tensor in self.network_.state_dict().items()}

    def network_kinds(self) -> tuple[str, str]:
        return self.architecture_.layer, self.architecture_.head

    def with_engine(self, changes: Mapping[str, Any]) -> Self:
        check_is_fitted(self, "network_")
        other, network = super().with_engine(changes), self.network_
        assert isinstance(network.layer, QuantumLayer)
        other.network_ = HybridNetwork(network.encoder, network.layer.with_engine(other._engine), network.head).eval()
        return other

    def _predict(self, X: Any) -> np.ndarray:
        check_is_fitted(self, "network_")
        return self.predict_table(feature_table(self, X, reset=False))

    # -- disk

    def save(self, path: str | Path) -> Path:
        """Write model.json and weights.safetensors into the folder `path`."""
        check_is_fitted(self, "network_")
        return write_artifact(path, describe_model(self), self.network_weights())

    @classmethod
    def restored(cls, record: Mapping[str, Any], arrays: Mapping[str, np.ndarray], path: str | Path) -> Self:
        """The model of an artifact's record and weights; `path` is only named in errors."""
        with reading(path):
            model = cls(**record["hyperparameters"])
            restore_model(model, record, {name: torch.from_numpy(array) for name, array in arrays.items()})
        return model


def _print_epoch(fit: Fit) -> None:
    record = fit.history[-1]
    shown = "" if record["validation_loss"] is None else f", validation {record['validation_loss']:.4f}"
    print(f"epoch {record['epoch']:3d}: loss {record['train_loss']:.4f}{shown}")
