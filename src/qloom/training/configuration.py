"""The configuration of a run: every key with its default, bounds and one line that says what it does."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Self, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator, ValidationError, model_validator

from qloom.data.columns import SIMILAR
from qloom.data.target_transformation import TRANSFORMATIONS
from qloom.engines.choice import ENGINES, DeviceChoice, EngineChoice, StatevectorChoice, choose_engine, fields_of
from qloom.errors import ConfigError, QloomError
from qloom.gradients import DIFFERENTIATORS
from qloom.models.tables.choices import ANSATZE, CRITERIA, LOSS_NAMES, REFITS
from qloom.models.tables.schedules import SCHEDULES
from qloom.models.tables.scores import METRICS

Change = str | tuple[str, Any]
MOST_ROUNDS = 1000
GRADIENTS = ("auto", *DIFFERENTIATORS)


class Section(BaseModel):
    """A part of the configuration; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DataSection(Section):
    """The table and what is to be learnt from it."""

    source: str = Field(
        description="CSV, Parquet, Arrow or DuckDB file, or demo:breast_cancer, demo:wine, demo:diabetes"
    )
    target: str = Field(description="column to predict")
    query: str | None = Field(default=None, description="SQL on the file; it sees the table `data`")
    task: Literal["classification", "regression"] | None = Field(
        default=None, description="found from the target if empty"
    )
    time: str | None = Field(default=None, description="column that orders the rows in time")
    group: str | None = Field(
        default=None, description="column with one value a person, machine, ...: rows of one value stay together"
    )
    weight: str | None = Field(default=None, description="column that says how much a row counts, no feature")
    drop: tuple[str, ...] = Field(default=(), description="columns to leave out")
    kinds: dict[str, str] = Field(
        default={}, description="column: number, category, boolean, date, text or drop, where another kind was found"
    )
    text_model: str | None = Field(
        default=None, description="folder of a pretrained sentence model that codes free text, in place of its words"
    )
    drop_missing_target: bool = Field(
        default=False, description="leave out rows without a target instead of refusing them"
    )
    stream: bool | None = Field(
        default=None, description="true: rows stay on disk, read a window at a time; empty: where they would not fit"
    )
    window: int = Field(
        default=131_072, ge=256, description="rows of a stream that are shuffled and trained on at once"
    )
    sample: int = Field(
        default=200_000, ge=100,
        description="rows of a stream that are held in memory: to fit baselines, to test; a sixth to validate",
    )  # fmt: skip


class SplitSection(Section):
    """How the rows are cut into training, validation and test rows; all models see the same."""

    kind: Literal["auto", "stratified", "time", "group", "random"] = Field(
        default="auto",
        description="time: the last rows are the test; auto: time or group where data has one, else stratified",
    )
    copies: Literal["together", "anywhere"] = Field(
        default="together", description="rows that are equal in every feature: in one part, or wherever they fall"
    )
    validation: float = Field(default=0.15, gt=0, lt=1, description="share of rows for early stopping")
    test: float = Field(default=0.2, gt=0, lt=1, description="share of rows for the leaderboard")


class ModelSection(Section):
    """The hybrid model: perceptron, circuit, perceptron."""

    n_qubits: int = Field(default=8, ge=1, description="more features than qubits are mapped to angles by the encoder")
    n_layers: int = Field(default=3, ge=1, le=1000, description="blocks of the ansatz")
    ansatz: Literal[ANSATZE] = Field(default="strongly_entangling", description=", ".join(ANSATZE))  # type: ignore[valid-type]
    width: int = Field(default=64, ge=1, le=65536, description="hidden units of encoder and head")
    dropout: float = Field(
        default=0.2, ge=0, lt=1, description="share of the encoder's hidden units left out in training"
    )


EngineSection = Annotated[EngineChoice, PlainValidator(choose_engine), PlainSerializer(EngineChoice.values)]


class TrainingSection(Section):
    """How the three networks are trained: AdamW, cosine, early stopping on the validation loss."""

    epochs: int = Field(default=40, ge=1, description="passes over the training rows at most")
    batch_size: int | None = Field(
        default=None, ge=1, description="rows a step; empty takes a 40th of the rows, between 16 and 256"
    )
    learning_rate: float = Field(default=0.003, gt=0, description="of the first step; falls as a cosine")
    weight_decay: float = Field(default=1.0, ge=0, description="of the classical weights")
    patience: int = Field(default=10, ge=1, description="epochs without a better validation loss before training stops")
    schedule: Literal[tuple(SCHEDULES)] = Field(  # type: ignore[valid-type]
        default="together", description="what is trained when: " + ", ".join(SCHEDULES)
    )
    refit: Literal[REFITS] | None = Field(  # type: ignore[valid-type]
        default=None,
        description=f"{' or '.join(REFITS)}: another head, fitted to the trained circuit; kept if it validates better",
    )
    loss: Literal[LOSS_NAMES] = Field(  # type: ignore[valid-type]
        default="auto",
        description="of numbers squared, absolute, poisson for counts, quantile; of classes cross_entropy",
    )
    quantile: float = Field(default=0.5, gt=0, lt=1, description="that the loss quantile is to find")
    class_weight: Literal["balanced"] | dict[str | int | float, float] | None = Field(
        default=None, description="balanced, or a number a class: how much its rows count in training"
    )
    target_transformation: Literal[("auto", *TRANSFORMATIONS)] = Field(  # type: ignore[valid-type]
        default="auto", description="of skewed numbers, undone in predictions; auto: if it validates clearly better"
    )
    threshold: float | Literal[CRITERIA] = Field(  # type: ignore[valid-type]
        default=0.5, description=f"above which the second of two classes is predicted; {', '.join(CRITERIA)}: the best"
    )
    start_from: str | None = Field(
        default=None, description="run folder whose networks and preprocessing these begin with, for changed data"
    )


class Part(NamedTuple):
    """Parameters that a stage trains, and whether slopes of the circuit's inputs and of its weights are then wanted."""

    names: tuple[str, ...]
    wants: tuple[bool, bool]


# The encoder's slopes go through those of the circuit's inputs, which on a device cost two circuits each.
TRAINED_PARTS = {
    "circuit_and_head": Part(("layer.*", "head.*"), (False, True)),
    "circuit": Part(("layer.*",), (False, True)),
    "head": Part(("head.*",), (False, False)),
    "everything": Part(("*",), (True, True)),
}


class RefinementStage(Section):
    """A few further steps of the model that is kept, by an engine of their own.

    Attributes:
        steps: of Adam, each on rows drawn anew.
        batch_size: rows a step.
        learning_rate: of the first step; falls as a cosine.
        train: one of TRAINED_PARTS.
        gradient: how slopes of the circuit are found, one of GRADIENTS.
        judged: validation rows, and test rows in the end, that are measured before and after, at most.
    """

    engine: EngineSection
    steps: int = Field(default=20, ge=1)
    batch_size: int = Field(default=16, ge=1)
    learning_rate: float = Field(default=0.01, gt=0, le=100)
    train: Literal[tuple(TRAINED_PARTS)] = "circuit_and_head"  # type: ignore[valid-type]
    gradient: Literal[GRADIENTS] = "auto"  # type: ignore[valid-type]
    judged: int = Field(default=100, ge=1)

    def rows_a_step(self, n_rows: int) -> int:
        return min(self.batch_size, n_rows)

    def judged_on(self, n_rows: int) -> int:
        return min(self.judged, n_rows)


class ComparisonSection(Section):
    """How often every model is trained, and which differences count."""

    seeds: int | None = Field(
        default=None, ge=1, le=MOST_ROUNDS,
        description="rounds: trainings of every model, each on a split of its own; empty: 10, 5 of a large table",
    )  # fmt: skip
    folds: int | None = Field(
        default=None, ge=2, le=MOST_ROUNDS, description="parts that are the test rows in turn, in place of seeds"
    )
    repeats: int = Field(default=1, ge=1, le=MOST_ROUNDS, description="times that the rows are dealt into folds")
    time_limit: float | None = Field(
        default=None, gt=0,
        description="seconds; no round begins that would end later, one is done in any case; empty: 600",
    )  # fmt: skip
    metric: Literal[tuple(METRICS)] | None = Field(  # type: ignore[valid-type]
        default=None, description="the main score; empty: ROC AUC of two classes, accuracy of more, R2 of numbers"
    )
    margin: float = Field(
        default=0.01,
        ge=0,
        description="differences of the main score up to this do not matter; of errors this share",
    )
    fewest_test_rows: int = Field(default=30, ge=1, description="test rows a round below which there is no verdict")


WATCH_METHODS = ("warm", "replay", "elastic")
WATCH_PARTS = ("everything", "circuit_and_head", "circuit", "head")


class WatchSection(Section):
    """When new rows matter to `qloom watch`, and what `--update` may do then."""

    when: Literal["drift", "loss", "either", "always", "never"] = Field(
        default="either",
        description="drift: inputs or predictions have moved; loss: it has risen; either; always, never: whatever came",
    )
    psi: float = Field(default=0.1, gt=0, description="population stability index from which a column has moved far")
    auc: float = Field(
        default=0.6, ge=0.5, lt=1, description="ROC AUC of telling new rows from old, above which they have moved far"
    )
    level: float = Field(
        default=0.05, gt=0, lt=1, description="of all tests together; what matters is far and passes it"
    )
    order: Literal["auto", "file", "random"] = Field(
        default="auto",
        description="of new rows; the last are the fresh ones: by data.time, auto without it at random; file: as given",
    )
    methods: tuple[Literal[WATCH_METHODS], ...] = Field(  # type: ignore[valid-type]
        default=WATCH_METHODS,
        description="what may be tried: warm: new rows alone; replay: with old rows; elastic: weights held by how much "
        "old rows need them",
    )
    parts: tuple[Literal[WATCH_PARTS], ...] = Field(  # type: ignore[valid-type]
        default=("everything", "circuit", "head"), description="of the network that a warm start may train"
    )
    epochs: int | None = Field(
        default=None, ge=1, description="of an update at most, over what it learns from; null: 3, more for few rows"
    )
    learning_rate: float = Field(default=0.003, gt=0, description="of its first step; falls as a cosine")
    old_rows: int = Field(
        default=2000, ge=0, description="training rows for replay and elastic, kept in the run folder; 0: none are"
    )
    elasticity: float = Field(
        default=1.0, gt=0, description="how stiff elastic is; 1: as old rows against new ones by their number"
    )
    every: int = Field(default=500, ge=1, description="prequential: rows between two retrainings")
    window: int = Field(default=2000, ge=1, description="prequential: last rows that a retraining goes over, once")


class FinetuneSection(Section):
    """The pretrained model of `qloom finetune`, its adapter and how that is trained."""

    model: str = Field(description="folder of a pretrained model of texts or images; nothing is downloaded")
    text: str | None = Field(default=None, description="column of texts; of text and image one")
    image: str | None = Field(default=None, description="column of paths of images, from the table's folder")
    adapter: str = Field(default="pauli", description="pauli, two_axis, givens or generated: the one under test")
    settings: dict[str, Any] = Field(
        default={}, description="of the adapter, as its configuration in qloom.adapters has them: {r: 8, n_layers: 6}"
    )
    lora_rank: int = Field(default=8, ge=1, description="of the LoRA that stands beside it, on the same weights")
    pooling: Literal["mean", "first"] = Field(default="mean", description="of tokens, before the linear head")
    max_length: int | None = Field(default=None, ge=1, description="tokens of a text; empty: what the model takes")
    epochs: int = Field(default=8, ge=1, description="passes over the training rows at most")
    batch_size: int = Field(default=16, ge=1, description="rows a step")
    learning_rate: float = Field(default=0.05, gt=0, description="of the adapter and its controls, at first")
    lora_learning_rate: float = Field(default=0.002, gt=0, description="of LoRA, at first")
    head_learning_rate: float = Field(
        default=0.001, gt=0, description="of the head, which begins as the best linear model on frozen features"
    )
    patience: int = Field(default=3, ge=1, description="epochs without a better validation loss before training stops")

    @model_validator(mode="after")
    def _one_column(self) -> Self:
        if (self.text is None) == (self.image is None):
            raise ConfigError(
                f"finetune.text={self.text!r} and finetune.image={self.image!r}, expected one of them; name the column "
                "that the model reads"
            )
        return self

    @property
    def column(self) -> str:
        """The one that the model reads."""
        return str(self.text or self.image)


class Configuration(Section):
    """All of a run.

    Attributes:
        name, output: of the run, and the folder that holds its folder.
        seed: fixes splits, weights, order of rows and dropout of all rounds.
        threads: of the classical parts.
        data, split, model, engine, training: sections of their own, as in the YAML file.
        refinement: stages after training.
        comparison, watch, finetune: sections of their own; finetune is None where no model is fine-tuned.

    Raises:
        ConfigError: for values that cannot be together.
    """

    name: str = Field(pattern=r"^[^/\\]+$", description="of the run and its folder")
    output: str = Field(default="runs", description="folder that holds the run's folder")
    seed: int = Field(
        default=0, ge=0, lt=2**32, description="fixes splits, weights, order of rows and dropout of all rounds"
    )
    threads: int = Field(
        default=1,
        ge=1,
        le=1024,
        description="of the classical parts, small ones are fastest on one; circuits use all cores",
    )
    data: DataSection
    split: SplitSection = Field(default_factory=SplitSection)
    model: ModelSection = Field(default_factory=ModelSection)
    engine: EngineSection = Field(default_factory=StatevectorChoice)
    training: TrainingSection = Field(default_factory=TrainingSection)
    refinement: tuple[RefinementStage, ...] = Field(
        default=(),
        description="stages after training, each {engine: {...}, steps, batch_size, learning_rate, "
        f"train: {' or '.join(TRAINED_PARTS)}, gradient: {' or '.join(GRADIENTS)}, judged: rows}}",
    )
    comparison: ComparisonSection = Field(default_factory=ComparisonSection)
    watch: WatchSection = Field(default_factory=WatchSection)
    finetune: FinetuneSection | None = None

    @model_validator(mode="after")
    def _trains_here(self) -> Self:
        if isinstance(self.engine, DeviceChoice):
            raise ConfigError(
                "engine.name is device, expected a simulator: all models of all rounds would be trained there; put the "
                "device into a stage of refinement"
            )
        if self.refinement and self.training.refit == "boosting":
            raise ConfigError(
                "training.refit is boosting and refinement has stages, expected one of them: trees behind the circuit "
                "have no slopes"
            )
        return self

    @property
    def folder(self) -> Path:
        """The run folder."""
        return Path(self.output) / self.name


def make_configuration(values: Mapping[str, Any], changes: Sequence[Change] = ()) -> Configuration:
    """A checked configuration from nested values and changes.

    Args:
        values: sections and keys.
        changes: such as "training.epochs=10" or ("training.epochs", 10), the later ones on top.

    Raises:
        ConfigError: for an unknown key (with the nearest known one) or a value out of range.
    """
    values = {key: dict(value) if isinstance(value, Mapping) else value for key, value in values.items()}
    for change in changes:
        _apply(values, *(parse_change(change) if isinstance(change, str) else change))
    if not values.get("name"):
        data = values.get("data")
        values["name"] = default_name(str(data.get("source", "run")) if isinstance(data, Mapping) else "run")
    try:
        return Configuration.model_validate(values)
    except ValidationError as error:
        raise ConfigError(_one_line(error)) from None


def load_configuration(path: str | Path, changes: Sequence[Change] = ()) -> Configuration:
    """The configuration in a YAML file, with changes on top.

    Args:
        path: of the file.
        changes: "key=value" as the command line has it, or pairs of a key such as "model.n_qubits" and its value.

    Raises:
        ConfigError: for a file that is missing or no YAML mapping, an unknown key or a value out of range.
    """
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not YAML ({' '.join(str(error).split())}); make one with qloom init") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}), expected a YAML file; check the path") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{path} holds {type(values).__name__}, expected a mapping of keys; make one with qloom init")
    return make_configuration(values, changes)


def known_keys(section: type[BaseModel] = Configuration, prefix: str = "") -> Iterator[str]:
    """Every key of the configuration, dotted, those of all engines among them."""
    for name, field in section.model_fields.items():
        if field.annotation is EngineChoice:
            yield from dict.fromkeys(f"{prefix}{name}.{key}" for engine in ENGINES for key in fields_of(engine))
        elif (part := section_of(field.annotation)) is not None:
            yield from known_keys(part, f"{prefix}{name}.")
        else:
            yield prefix + name


def section_of(annotation: Any) -> type[Section] | None:
    """The section that a field holds, always or where it is wanted."""
    parts = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    for kind in parts:
        if isinstance(kind, type) and issubclass(kind, Section):
            return kind
    return None


def unknown_key(key: str) -> str:
    """What is wrong with a key that is none: the known key or section most like it is named, if one is like it."""
    last = key.rsplit(".", 1)[-1]
    if own := [known for known in known_keys() if known.startswith(f"{key}.")]:
        return f"{key} is a section, expected one of its keys: {', '.join(own)}"

    def likeness(known: str) -> tuple[float, bool, float]:
        """Of the last parts, then what a training is asked for, then of the whole."""
        part = difflib.SequenceMatcher(None, last, known.rsplit(".", 1)[-1]).ratio()
        asked = all(known.startswith(own) == key.startswith(own) for own in ("watch.", "finetune."))
        return part, asked, difflib.SequenceMatcher(None, key, known).ratio()

    nearest = max([*known_keys(), *Configuration.model_fields], key=likeness)
    if likeness(nearest)[0] < SIMILAR:
        return f"unknown key {key!r}; qloom init writes a configuration with every key"
    return f"unknown key {key!r}, did you mean {nearest!r}?"


def parse_change(text: str) -> tuple[str, Any]:
    """Key and value of "key=value", the value read as YAML.

    Raises:
        ConfigError: without a value, or for one that is not YAML.
    """
    key, equals, value = text.partition("=")
    if not equals:
        raise ConfigError(f"setting {text!r} has no value, expected key=value such as training.epochs=10")
    try:
        return key, yaml.safe_load(value)
    except yaml.YAMLError:
        raise ConfigError(f"setting {text!r} is not YAML after =, expected a number, a word or a [list]") from None


def _apply(values: dict[str, Any], key: str, value: Any) -> None:
    if key not in known_keys():
        raise ConfigError(unknown_key(key))
    *sections, name = key.split(".")
    for section in sections:
        values = values.setdefault(section, {})
        if not isinstance(values, dict):
            raise ConfigError(f"{section} is {values!r}, expected a section with keys")
    values[name] = value


def default_name(source: str) -> str:
    """Of a run on a table."""
    return Path(source.removeprefix("demo:")).name.split(".")[0] or "run"


def _one_line(error: ValidationError) -> str:
    first = min(error.errors(), key=lambda entry: entry["type"] != "extra_forbidden")
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return unknown_key(key)
    if first["type"] == "missing":
        return f"{key} is missing, expected a value; write {key}=... in the configuration"
    if isinstance(told := first.get("ctx", {}).get("error"), QloomError):
        return str(told)
    message = first["msg"][0].lower() + first["msg"][1:]
    return f"{key} is {first['input']!r}: {message}; write another {key}=... in the configuration"
