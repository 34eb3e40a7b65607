"""An update: a few ways to go on from the model in force, one chosen on new rows, taken if better on fresh ones."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from qloom.data import Schema, Split, TargetCoding, split_rows
from qloom.errors import ArtifactError, DataError, LossError
from qloom.fitting.stages import Stage
from qloom.models.saving import load_model
from qloom.models.tables.calibration import learn_readout
from qloom.models.tables.competitors import COMPETITORS, UNDER_TEST
from qloom.models.tables.fitting import Fit, Recipe
from qloom.models.tables.inference import predict_rows
from qloom.models.tables.preparation import PreparedTable, prepare_table
from qloom.models.tables.rows import Rows
from qloom.models.tables.starting import Start, read_start
from qloom.models.tables.tabular import HybridModel
from qloom.models.threads import numeric_threads
from qloom.training.competitors import goal_of
from qloom.training.configuration import TRAINED_PARTS, Configuration
from qloom.training.evaluation import score_predictions
from qloom.training.reference import keep_references, row_losses
from qloom.training.seen_rows import keys_of, read_seen_rows, write_seen_rows
from qloom.training.table import checked_group, fingerprint
from qloom.training.versions import Version
from qloom.watching.elastic import fisher, springs
from qloom.watching.looking import Watched
from qloom.watching.old_rows import OldRows, keep_old_rows
from qloom.watching.resampling import difference_interval

VALIDATION, FRESH = 0.2, 0.2
FEWEST_FRESH = 30
CONTROL = COMPETITORS["hybrid_classical"]
_PATIENCE = 3
# Passes of an update, and the steps that they have together at least.
_EPOCHS, _STEPS = 3, 120


class Way(NamedTuple):
    """A way to go on: warm, replay or elastic, and one of TRAINED_PARTS."""

    method: str
    parts: str

    def __str__(self) -> str:
        what = self.parts.replace("_", " ")
        how = {"warm": "new rows alone", "replay": "new and old rows", "elastic": "new rows, elastic weights"}
        return f"{what}, {how[self.method]}"


@dataclass(frozen=True)
class NewRows:
    """New rows, cut and coded as the model in force reads them.

    Attributes:
        data: rows to learn from, to choose by, and fresh ones as `test`.
        learnt: the table of the first two.
        old: training rows for replay and elastic weights; None without.
        n_old: of which they are a sample.
        in_order: whether fresh rows are the last in time.
        n_repeated: fresh rows left out, as a model has seen equal ones.
        keys: of rows learnt from and chosen by.
    """

    data: PreparedTable
    learnt: pa.Table
    old: Rows | None
    n_old: int
    in_order: bool
    n_repeated: int
    keys: np.ndarray


def update(watched: Watched, say: Callable[[str], None] = lambda text: None) -> dict[str, Any]:
    """Try all ways, judge the best on fresh rows, and write the ledger; the record of the version.

    Raises:
        QloomError: for rows without target, with unknown classes, too few, or seen in training.
    """
    began = time.perf_counter()
    rows, start = cut_new_rows(watched), read_start(watched.ledger.folder, "quantum")
    ways, left_out = ways_of(watched, start)
    for note in left_out:
        say(note)
    with numeric_threads(watched.configuration.threads):
        tried = list(_try_all(watched, rows, ways, say))
        best = min(tried, key=lambda each: each.validation_loss)
        before = _validation_loss(load_model(watched.ledger.current), rows.data)
        return _judge(watched, rows, tried, best, before, left_out, began)


def cut_new_rows(watched: Watched) -> NewRows:
    """The labelled new rows, cut into three parts; fresh rows equal to one that was learnt from are left out."""
    configuration, model = watched.configuration, watched.model
    table = watched.labelled
    if table is None:
        raise DataError(
            f"{watched.source} has no row with a target {watched.target!r}, expected labelled rows to learn from"
        )
    keys = keys_of(model.preprocessing_, model.coding_, table)
    seen = read_seen_rows(watched.ledger.current)
    if seen is not None and seen.flatters(keys):
        raise DataError(
            f"{round(seen.share(keys) * len(keys))} of {len(keys)} rows were learnt from before, expected new ones; "
            "give rows that came later"
        )
    section, in_time = configuration.watch, configuration.data.time is not None
    in_order = section.order == "file" or (section.order == "auto" and in_time)
    cut = cut_rows(table, model.coding_, configuration, in_order)
    known = np.concatenate([keys[cut.train], keys[cut.validation], *([] if seen is None else [seen.keys])])
    fresh = cut.test[~np.isin(keys[cut.test], known)]
    if len(fresh) < FEWEST_FRESH:
        raise DataError(
            f"{len(fresh)} fresh rows of {table.num_rows} labelled ones are left to judge an update by, expected "
            f"{FEWEST_FRESH}; wait for more rows"
        )
    start = read_start(watched.ledger.folder, "quantum")
    data = _coded(table, start, configuration, replace(cut, test=fresh))
    learnt_from = np.sort(np.concatenate([cut.train, cut.validation]))
    old = watched.old if isinstance(watched.old, OldRows) else None
    return NewRows(
        data, table.take(pa.array(learnt_from)), None if old is None else _old_rows(old, start, configuration),
        0 if old is None else old.n_rows, in_order, len(cut.test) - len(fresh), keys[learnt_from],
    )  # fmt: skip


def cut_rows(table: pa.Table, coding: TargetCoding, configuration: Configuration, in_order: bool) -> Split:
    """Rows to learn from, to choose by, and fresh ones; those of one `data.group` in one part, but in order of time."""
    group = checked_group(table, None if in_order else configuration.data.group, coding.name)
    usual = "stratified" if coding.task == "classification" else "random"
    return split_rows(
        table, coding.encode(table), kind="time" if in_order else "group" if group else usual,
        group_column=next(iter(group), None), validation=VALIDATION, test=FRESH, seed=configuration.seed,
    )  # fmt: skip


def _coded(table: pa.Table, start: Start, configuration: Configuration, cut: Any) -> PreparedTable:
    coding = start.coding
    schema = Schema((), coding.name, coding.task, coding.classes, None, table.num_rows, (), ())
    return prepare_table(table, schema, cut, start, goal_of(configuration))


def _old_rows(old: OldRows, start: Start, configuration: Configuration) -> Rows:
    every, none = np.arange(old.table.num_rows), np.zeros(0, dtype=np.int64)
    cut = replace(split_rows(old.table.num_rows, None, kind="random", validation=0, test=0), train=every, test=none)
    return _coded(old.table, start, configuration, cut).train


def ways_of(watched: Watched, start: Start) -> tuple[list[Way], list[str]]:
    """The ways that the configuration allows, and a line for each that is left out."""
    section, left_out = watched.section, list[str]()
    if start.architecture.head == "boosting":
        raise ArtifactError(
            f"the head of {watched.ledger.current} is {start.architecture.head!r}, expected one that is trained by "
            "gradients; train the run without training.refit"
        )
    ways = [Way("warm", parts) for parts in section.parts] if "warm" in section.methods else []
    for method in ("replay", "elastic"):
        if method not in section.methods:
            continue
        if isinstance(watched.old, str):
            left_out.append(f"{method} is left out: {watched.old}")
        else:
            ways.append(Way(method, "everything"))
    if not ways:
        raise DataError(f"no way to update is left, expected one of watch.methods; {'; '.join(left_out)}")
    return ways, left_out


# -- training


class Tried(NamedTuple):
    """A way that was gone."""

    way: Way
    model: HybridModel
    validation_loss: float
    old_loss: float | None
    seconds: float

    def record(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"method": self.way.method, "parts": self.way.parts, "validation_loss": self.validation_loss,
                "old_loss": self.old_loss, "seconds": self.seconds}  # fmt: skip


def _try_all(watched: Watched, rows: NewRows, ways: Sequence[Way], say: Callable[[str], None]) -> Iterator[Tried]:
    for way in ways:
        tried = go(way, watched.ledger.current, rows, watched.configuration)
        if tried is None:
            say(f"{way}: its loss was no number")
            continue
        say(f"{way}: validation loss {tried.validation_loss:.4f}, {tried.seconds:.1f} s")
        yield tried


def go(way: Way, model_folder: Path, rows: NewRows, configuration: Configuration) -> Tried | None:
    """The model in a folder, trained on that way; None where its loss was no number."""
    began = time.perf_counter()
    model, data, section = load_model(model_folder), rows.data, configuration.watch
    is_elastic = way.method == "elastic"  # springs are in place of the decay of weights
    train = _joined(data.train, rows.old) if way.method == "replay" else data.train
    recipe = Recipe(
        batch_size=configuration.training.batch_size, learning_rate=section.learning_rate,
        weight_decay=0.0 if is_elastic else configuration.training.weight_decay, patience=_PATIENCE,
        seed=configuration.seed,
    )  # fmt: skip
    recipe = replace(recipe, epochs=section.epochs or epochs_for(len(train.y), recipe))
    fit = Fit(model.network_, data.task, recipe, data.loss)
    fit.stages = lambda epoch: Stage(str(way), TRAINED_PARTS[way.parts].names)
    if is_elastic:
        assert rows.old is not None
        needed = fisher(model.network_, data.loss, rows.old)
        fit.springs = springs(model.network_, needed, section.elasticity * rows.n_old / len(data.train.y))
    try:
        fit.run(train, data.validation)
    except LossError:
        return None
    _learn_readout(model, data)
    old_loss = None if rows.old is None else _mean_loss(model, data, rows.old)
    return Tried(way, model, _validation_loss(model, data), old_loss, time.perf_counter() - began)


def epochs_for(n_rows: int, recipe: Recipe) -> int:
    """Passes of an update over so many rows."""
    return max(_EPOCHS, math.ceil(_STEPS / math.ceil(n_rows / recipe.rows_a_step(n_rows))))


def _joined(new: Rows, old: Rows | None) -> Rows:
    assert old is not None
    return Rows.joined([each._replace(values=None) for each in (new, old)])


def _learn_readout(model: HybridModel, data: PreparedTable) -> None:
    rows = data.held_out
    outputs = predict_rows(model.network_, rows.x).numpy()
    model.readout_ = learn_readout(data.goal, data.loss, data.coding, rows.y.numpy(), outputs, rows.scored_weights)


def _validation_loss(model: HybridModel, data: PreparedTable) -> float:
    return _mean_loss(model, data, data.validation)


def _mean_loss(model: HybridModel, data: PreparedTable, rows: Rows) -> float:
    return float(data.loss.mean(predict_rows(model.network_, rows.x), rows.y, rows.weights))


# -- the verdict


def _judge(
    watched: Watched, rows: NewRows, tried: Sequence[Tried], best: Tried, before: float, left_out: Sequence[str],
    began: float,
) -> dict[str, Any]:  # fmt: skip
    """Compare the chosen model with the one in force, and write down what came of it."""
    ledger, folder = watched.ledger, watched.ledger.folder
    number, place = ledger.next_folder()
    control = _control(folder, best, rows, watched.configuration)
    scores = _scores(watched, rows, best, control)
    accepted = best.validation_loss < before and scores["interval"][0] > 0
    how = {
        "method": best.way.method, "parts": best.way.parts, "title": str(best.way),
        "validation_loss": [before, best.validation_loss], "tried": [each.record() for each in tried],
        "left_out": list(left_out), "seconds": time.perf_counter() - began,
    }  # fmt: skip
    data = {
        "source": watched.source, "sha256": fingerprint(watched.table), "n_rows": watched.table.num_rows,
        "n_learnt": len(rows.data.train.y), "n_validation": len(rows.data.validation.y),
        "n_fresh": len(rows.data.test.y), "n_repeated": rows.n_repeated, "in_order": rows.in_order,
    }  # fmt: skip
    rule = _rule(best, before, scores)
    if accepted:
        _write_version(place, watched, rows, best, control)
    else:
        place.rmdir()
    version = Version(number, ledger.number, data, how, scores, accepted, rule)
    ledger.enter(version)
    if accepted and watched.section.old_rows and isinstance(watched.old, OldRows):
        keep_old_rows(watched.folder, watched.configuration, watched.old, rows.learnt)
    return {**vars(version), "in_force": ledger.number}


def _rule(best: Tried, before: float, scores: dict[str, Any]) -> str:
    low, high = scores["interval"]
    if best.validation_loss >= before:
        return (
            f"no update had a lower loss on validation rows than the old model ({before:.4f}; best "
            f"{best.validation_loss:.4f}): kept the old one"
        )
    told = f"loss on {scores['n_rows']:,} fresh rows {lower_by(scores['difference'], low, high)}"
    return f"{told}, above 0: taken" if low > 0 else f"{told}; surely lower it is not: kept the old one"


def lower_by(value: float, low: float, high: float) -> str:
    """A difference of losses with its interval, in words that have its sign."""
    if value < 0:
        return f"higher by {-value:.4f} (95% interval {-high:.4f} to {-low:.4f})"
    return f"lower by {value:.4f} (95% interval {low:.4f} to {high:.4f})"


def _control(folder: Path, best: Tried, rows: NewRows, configuration: Configuration) -> Tried | None:
    """The classical layer of equal size, updated in the same way; None of a run without it."""
    place = folder / CONTROL.place
    return go(best.way, place, rows, configuration) if place.is_dir() else None


def _scores(watched: Watched, rows: NewRows, best: Tried, control: Tried | None) -> dict[str, Any]:
    """Losses and scores of the old and the new model on fresh rows, and of the control before and after."""
    fresh, coding = rows.data.test, rows.data.coding
    models = {"old": watched.model, "new": best.model}
    if control is not None:
        models |= {"old_control": load_model(watched.ledger.folder / CONTROL.place), "new_control": control.model}
    predictions = {name: model.predict_features(fresh.x.numpy()) for name, model in models.items()}
    losses = {name: row_losses(coding, fresh.truth, each) for name, each in predictions.items()}
    gained = losses["old"] - losses["new"]
    found = {
        name: {
            "loss": float(losses[name].mean()),
            **{key: value for key, (value, *_) in
               score_predictions(models[name], fresh.truth, predictions[name], None).items()},
        }
        for name in models
    }  # fmt: skip
    interval = difference_interval(gained, watched.configuration.seed, in_order=rows.in_order)
    against_control = None
    if control is not None:
        differences = losses["new_control"] - losses["new"]
        ends = difference_interval(differences, watched.configuration.seed, in_order=rows.in_order)
        against_control = [float(differences.mean()), *ends]
    return {"n_rows": len(gained), "difference": float(gained.mean()), "interval": list(interval), "models": found,
            "against_control": against_control}  # fmt: skip


def _write_version(place: Path, watched: Watched, rows: NewRows, best: Tried, control: Tried | None) -> None:
    """All of the version's folder, laid out as a run folder."""
    own = place / COMPETITORS[UNDER_TEST].place
    best.model.save(own)
    if control is not None:
        control.model.save(place / CONTROL.place)
    keep_references(place, rows.learnt, rows.data)
    seen = read_seen_rows(watched.ledger.current)
    keys = rows.keys if seen is None else np.concatenate([seen.keys, rows.keys])
    write_seen_rows(own, keys, np.arange(len(keys)))
