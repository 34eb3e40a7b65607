"""What is exported: a model of a run as steps, and rows to check its exports on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from qloom.data.category_coding import CategoryCoding
from qloom.data.date_coding import DateCoding
from qloom.data.embedding_coding import EmbeddingCoding
from qloom.data.level_means import LevelMeans
from qloom.data.number_coding import NumberCoding
from qloom.data.text_coding import TextCoding
from qloom.engines import Engine, StatevectorEngine
from qloom.errors import ArtifactError, DataError, UnsupportedError
from qloom.models.artifact import DESCRIPTION, find_model_folder
from qloom.models.tables.served import Predictor, Served, ServedBaseline, read_served
from qloom.portable.rounding import DOUBLE, SINGLE
from qloom.portable.steps import (
    AnyStep,
    CircuitStep,
    Step,
    encoder_steps,
    head_steps,
    readout_steps,
    residual_step,
)
from qloom.training.environment import describe_machine
from qloom.training.folder import RunFolder, find_model
from qloom.training.generation_folder import is_generation
from qloom.training.table import fingerprint, load_table, read_source

# State vectors of the checks; wider circuits run on the engine that the model was trained with.
_MOST_QUBITS = 24


@dataclass(frozen=True)
class Original:
    """A model of a run.

    Attributes:
        folder: of the model.
        run: of the run; None for a model alone.
        name: as it was asked for.
        predictor: by an engine that measures nothing and has no noise.
        steps: from features to outputs, a circuit among them where there is one.
        readout: from outputs to predictions, in double precision.
        unit: unit roundoff of the predictor's own arithmetic.
        engine: of the run where that was another than exact values, for people.
    """

    folder: Path
    run: RunFolder | None
    name: str
    predictor: Predictor
    steps: tuple[AnyStep, ...]
    readout: tuple[Step, ...]
    unit: float
    engine: str | None

    @property
    def place(self) -> int | None:
        """Of the circuit among the steps."""
        return next((k for k, step in enumerate(self.steps) if isinstance(step, CircuitStep)), None)

    @property
    def circuit(self) -> CircuitStep:
        """The circuit.

        Raises:
            UnsupportedError: for a model without one.
        """
        if self.place is None:
            raise UnsupportedError(f"the model {self.name!r} has no circuit, expected one; choose model='hybrid'")
        step = self.steps[self.place]
        assert isinstance(step, CircuitStep)
        return step

    def around(self) -> tuple[list[AnyStep], list[AnyStep]]:
        """The steps before and after the circuit."""
        assert self.place is not None
        return list(self.steps[: self.place]), list(self.steps[self.place + 1 :])

    def with_circuit(self, step: AnyStep) -> list[AnyStep]:
        """All steps, with another one in the circuit's place."""
        before, after = self.around()
        return [*before, step, *after, *self.readout]

    @property
    def execution(self) -> str | None:
        """What is to be known of a run whose engine was not exact, in a sentence; None where it was."""
        if self.engine is None:
            return None
        if self.place is not None and not self.circuit.engine.is_exact:
            return f"The original runs by {self.engine}, whose own bound is part of the one here."
        return (
            f"The run's engine was {self.engine}; exported are the circuit's exact values, without shots and noise, "
            "and deviations are from these."
        )

    @property
    def feature_names(self) -> list[str]:
        return self.predictor.preprocessing_.feature_names


def open_original(path: Path, name: str | None) -> Original:
    """A model of a finished run, or the one in a model folder.

    Raises:
        ArtifactError: for a run that is not finished, or a folder that is none.
        UnsupportedError: for trees behind a circuit.
    """
    run = RunFolder(path)
    if is_generation(path):
        raise ArtifactError(f"{path} is a run of qloom generate, expected one of qloom train: only those are exported")
    if run.is_begun:
        run.metrics()  # refuses what is not finished
    folder = find_model_folder(find_model(path, name))
    predictor: Predictor = read_served(folder)
    choice = predictor.engine_
    engine = None if choice is None or choice.is_exact else choice.title
    if isinstance(predictor, ServedBaseline):
        steps: Sequence[AnyStep] = head_steps(predictor.weights, predictor.kind)
    else:
        assert isinstance(predictor, Served)
        predictor, steps = _exact(predictor)
    readout = readout_steps(predictor.readout_, predictor.coding_)
    unit = DOUBLE if isinstance(predictor, ServedBaseline) else SINGLE
    found = run if run.is_begun else None
    return Original(folder, found, name or "hybrid", predictor, tuple(steps), tuple(readout), unit, engine)


def _exact(model: Served) -> tuple[Served, list[AnyStep]]:
    weights, (layer, head) = model.network_weights(), model.network_kinds()
    if head == "boosting":
        raise UnsupportedError(
            "the model's head is boosting (training.refit), which jumps at its thresholds: no bound holds for rounded "
            "values; train without refit, or with refit: linear"
        )
    before, after = encoder_steps(weights), head_steps(weights, head)
    if layer == "classical":
        return model, [*before, residual_step(weights), *after]
    engine = _engine_for(model)
    circuit = CircuitStep(model.circuit_, model.observables_, weights["layer.weights"], engine)
    return model.under(engine), [*before, circuit, *after]


def _engine_for(model: Served) -> Engine:
    """State vectors; for wide circuits the run's own engine without shots and noise."""
    if model.circuit_.n_qubits <= _MOST_QUBITS or model.engine_ is None:
        return StatevectorEngine()
    return model.engine_.changed({"shots": None, "noise": None}).engine()


@dataclass(frozen=True)
class Rows:
    """Rows to check exports on.

    Attributes:
        table: as it was read; None for rows that were drawn.
        source: what they are, for people.

    Shapes: features float32 (B, F).
    """

    features: np.ndarray
    table: pa.Table | None
    source: str


def rows_for(original: Original, data: str | None, most: int) -> Rows:
    """Rows of a table that is given; else the run's test rows, where its table is there; else rows drawn at random."""
    preprocessing = original.predictor.preprocessing_
    if data is not None:
        table, source = read_source(data, known=preprocessing.queried), f"rows of {data}"
    else:
        found, why = _test_rows(original)
        if found is None:
            return Rows(_drawn(original, most), None, f"rows drawn at random in the features' range, as {why}")
        table, source = found, "test rows of the run"
    table = table.slice(0, most)
    if not table.num_rows:
        raise DataError(f"{data or 'the run'} has no rows to check the export on, expected some; give another table")
    return Rows(preprocessing.transform(table), table, f"{table.num_rows:,} {source}")


def _test_rows(original: Original) -> tuple[pa.Table | None, str]:
    """The test rows of the round that is kept; else why there are none."""
    if original.run is None:
        return None, "a model folder says nothing of a table"
    try:
        data = load_table(original.run.configuration())
    except (DataError, OSError) as error:
        return None, f"the run's table cannot be read ({' '.join(str(error).split())})"
    known = original.run.environment().get("table_sha256")
    if known is not None and known != fingerprint(data.table):
        return None, "the run's table has changed"
    return data.table.take(pa.array(data.split.test)), ""


def _drawn(original: Original, count: int) -> np.ndarray:
    """Features as a table might give them, (B, F): numbers within their bounds, one level of a category."""
    rng = np.random.default_rng(0)
    return np.column_stack([_draw(c, count, rng) for c in original.predictor.preprocessing_.codings]).astype(np.float32)


def _draw(coding: Any, count: int, rng: np.random.Generator) -> np.ndarray:
    width = len(coding.feature_names)
    if isinstance(coding, CategoryCoding):
        return np.eye(width)[rng.integers(width, size=count)] if width else np.zeros((count, 0))
    out = rng.normal(size=(count, width))
    if isinstance(coding, NumberCoding):
        out[:, 1:] = rng.integers(0, 2, size=(count, width - 1))
    elif not isinstance(coding, DateCoding | LevelMeans | TextCoding | EmbeddingCoding):
        raise TypeError(f"{type(coding).__name__} is no coding")
    return np.clip(out, -5, 5)


def versions() -> dict[str, Any]:
    """What the export was made with."""
    machine = describe_machine()
    return {"python": machine["python"], **machine["packages"]}


def model_hash(folder: Path) -> dict[str, str]:
    """The sha256 of the model's two files."""
    import hashlib

    from qloom.models.artifact import WEIGHTS

    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in (DESCRIPTION, WEIGHTS)}
