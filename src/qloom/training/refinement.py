"""Coarse to fine: the model that is kept goes on under dearer executions, such as a noisy simulator, then a device.

Each stage begins with the weights that the one before left. It is judged on the same validation rows before and after
by its own engine, and taken back where it did harm. Last, test rows are measured by the engine of the last stage with
the weights before all stages and after them, beside exact values and the classical control.

A stage that was done is not run again. One that was cut off is run anew from its beginning, by the same numbers: on a
device its journal has what was paid for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from qloom.circuits import Circuit
from qloom.engines import Engine
from qloom.engines.choice import DeviceChoice, choose_engine
from qloom.engines.hardware.jobs import Cost
from qloom.engines.hardware.journal import BudgetError, Journal
from qloom.errors import ConfigError, LossError
from qloom.fitting import Stage, Training, cosine
from qloom.models.saving import load_model
from qloom.models.tables.architecture import observables_of
from qloom.models.tables.competitors import COMPETITORS, UNDER_TEST
from qloom.models.tables.hybrid import HybridNetwork
from qloom.models.tables.losses import Loss
from qloom.models.tables.preparation import PreparedTable
from qloom.models.tables.rows import Rows
from qloom.models.tables.served import Predictor, Served, read_served, stream_of
from qloom.models.tables.tabular import HybridModel
from qloom.models.threads import numeric_threads
from qloom.nn import QuantumLayer
from qloom.training.checkpoints import read_checkpoint, write_checkpoint
from qloom.training.configuration import TRAINED_PARTS, Configuration, RefinementStage
from qloom.training.folder import RunFolder
from qloom.training.progress import Progress
from qloom.training.under_noise import CONTROL, Scorer

# In the streams of random numbers, after those of training and prediction.
_STREAM = 2


def expected_costs(configuration: Configuration, circuit: Circuit, n_rows: Mapping[str, int]) -> list[Cost | None]:
    """What each stage will buy, and the scores in the end; None where nothing is.

    Stages that cannot be are refused.

    Args:
        n_rows: of "train", "validation" and "test" rows in the round that is kept.
    """
    costs = list[Cost | None]()
    if not configuration.refinement:
        return costs
    with TemporaryDirectory() as folder:  # engines are made to be asked, and nothing is sent
        for number, stage in enumerate(configuration.refinement):
            engine = _engine(configuration, stage, number, Path(folder))
            layer = QuantumLayer(circuit, observables_of(circuit.n_qubits), engine, stage.gradient)
            size, n_judged = (
                stage.rows_a_step(n_rows["train"]),
                stage.judged_on(n_rows["validation"] or n_rows["train"]),
            )
            runs = layer.evaluator.walk_runs(TRAINED_PARTS[stage.train].wants)
            costs.append(_cost(layer, [(n_judged, 2), (size, stage.steps), (runs * size, stage.steps)]))
        return [*costs, _cost(layer, [(stage.judged_on(n_rows["test"]), 2)])]


def _cost(layer: QuantumLayer, jobs: Sequence[tuple[int, int]]) -> Cost | None:
    """Of so many rows measured so often."""
    engine: Any = layer.engine
    if engine.jobs is None:
        return None
    each = [
        engine.jobs.device.cost(rows, engine.shots) * (layer.evaluator.n_groups * times) for rows, times in jobs if rows
    ]
    return sum(each, Cost())


def _engine(configuration: Configuration, stage: RefinementStage, number: int, folder: Path) -> Engine:
    choice = stage.engine.seeded(configuration.seed).kept_in(folder)
    return choice.engine((*stream_of("quantum"), configuration.seed, _STREAM + number))


class Refinement:
    """The stages of a run, and what came of them.

    Args:
        data: of the round that is kept.
        test: its test rows as they came.
        expected: what `expected_costs` gave.
    """

    def __init__(
        self, configuration: Configuration, folder: RunFolder, data: PreparedTable, test: pa.Table, metric: str,
        expected: Sequence[Cost | None], progress: Progress,
    ):  # fmt: skip
        self.configuration, self.folder, self.data, self.test = configuration, folder, data, test
        self.metric, self.expected, self.progress = metric, expected, progress

    def run(self) -> dict[str, Any]:
        """Train, keep the model in its folder, and give the record as plain JSON values."""
        model: HybridModel = load_model(self.folder.model(UNDER_TEST))
        stages = self.configuration.refinement
        records = list[dict[str, Any]]()
        with numeric_threads(self.configuration.threads):
            for number, stage in enumerate(stages):
                records.append(self._stage(model, number, stage))
                self.progress.note(describe_stage(records[-1]))
        model.save(self.folder.refined)
        # An engine of its own: its random numbers are the same where stages were done by an earlier process.
        return {"stages": records, **self._scores(stages[-1], self._engine(len(stages), stages[-1]))}

    def _engine(self, number: int, stage: RefinementStage) -> Engine:
        engine = _engine(self.configuration, stage, number, self.folder.path)
        if engine.jobs is not None:
            is_stage = number < len(self.configuration.refinement)
            title = f"stage {number + 1}, {stage.engine.title}" if is_stage else "scores of test rows"
            engine.jobs.on_job = Spending(title, self.expected[number] or Cost(), engine, self.progress)
        return engine

    def _stage(self, model: HybridModel, number: int, stage: RefinementStage) -> dict[str, Any]:
        path, network = self.folder.refinement(number), model.network_
        if path.exists():
            record, tensors = read_checkpoint(path)
            network.load_state_dict(tensors)
            return dict(record["stage"])
        engine = self._engine(number, stage)
        assert isinstance(network.layer, QuantumLayer)
        changed = HybridNetwork(network.encoder, network.layer.with_engine(engine, stage.gradient), network.head)
        record = self._trained(changed, number, stage, engine)
        write_checkpoint(path, {"stage": record}, network.state_dict())
        return record

    def _trained(self, network: HybridNetwork, number: int, stage: RefinementStage, engine: Engine) -> dict[str, Any]:
        """Take the steps, and the weights from before where the loss is no lower after them."""
        start = time.perf_counter()
        held_out = self.data.held_out
        judged = held_out.take(torch.from_numpy(self._drawn(stage, len(held_out.y))))
        first = {name: value.clone() for name, value in network.state_dict().items()}
        before = _mean_loss(network, judged, self.data.loss)
        seed = int(np.random.SeedSequence([self.configuration.seed, _STREAM, number]).generate_state(1)[0])
        train = self.data.train
        training = Training(
            network, partial(_loss, self.data.loss), partial(_batches, train, stage.rows_a_step(len(train.y)), seed),
            torch.optim.Adam(network.parameters(), stage.learning_rate), epochs=stage.steps,
            rate=cosine(stage.learning_rate, stage.steps), seed=seed,
            stages=lambda _: Stage(stage.engine.title, TRAINED_PARTS[stage.train].names),
        )  # fmt: skip
        after: float | None
        try:
            training.run()
            after = _mean_loss(network, judged, self.data.loss)
        except LossError:
            training.finish()
            after = None
        kept = after is not None and after < before
        if not kept:
            network.load_state_dict(first)
        return {
            "title": stage.engine.title, "engine": stage.engine.values(), "train": stage.train,
            "gradient": stage.gradient, "steps": stage.steps, "rows_a_step": stage.rows_a_step(len(train.y)),
            "rows_judged": len(judged.y), "before": before, "after": after, "kept": kept,
            "seconds": time.perf_counter() - start, **self._costs(number, engine),
        }  # fmt: skip

    def _drawn(self, stage: RefinementStage, n_rows: int) -> np.ndarray:
        """Rows that are measured, the same in all stages that judge as many."""
        random = np.random.default_rng([self.configuration.seed, _STREAM])
        return np.sort(random.permutation(n_rows)[: stage.judged_on(n_rows)])

    def _scores(self, stage: RefinementStage, engine: Engine) -> dict[str, Any]:
        """Scores on test rows: before and after by the last engine, exact values, and the control."""
        rows = self.test.take(pa.array(self._drawn(stage, self.test.num_rows)))
        before, after = (_network(place) for place in (self.folder.model(UNDER_TEST), self.folder.refined))
        scorer = Scorer(before, rows, self.metric, self.configuration.seed)
        own = choose_engine(before.engine_).title
        measured = stage.engine.title
        titled: dict[str, Predictor] = {
            f"before, {own}": before,
            f"refined, {own}": after,
            f"before, {measured}": before.under(engine),
            f"refined, {measured}": after.under(engine),
            COMPETITORS[CONTROL.key].title: read_served(self.folder.model(CONTROL.key)),
        }
        scores = [{"title": title, **scorer.of(each)} for title, each in titled.items()]
        return {"n_rows": rows.num_rows, "scores": scores, **self._costs(-1, engine)}

    def _costs(self, number: int, engine: Engine) -> dict[str, Any]:
        """What was told before, and what was asked of a device, as plain values."""
        told, used = self.expected[number], None if engine.jobs is None else engine.jobs.used
        return {"expected": told and asdict(told), "cost": used and asdict(used)}


def _network(folder: Path) -> Served:
    found = read_served(folder)
    assert isinstance(found, Served)
    return found


class Spending:
    """Tells a progress what a stage has bought, and what is left of the time if it goes on like this."""

    def __init__(self, title: str, expected: Cost, engine: Engine, progress: Progress):
        self.title, self.expected, self.engine, self.progress = title, expected, engine, progress
        self.began = time.monotonic()

    def __call__(self, spent: Any) -> None:
        used, whole = self.engine.jobs.used, max(1, self.expected.shots)
        passed = time.monotonic() - self.began
        left = passed * max(0, whole - used.shots) / max(1, used.shots)
        self.progress.spent(self.title, used.shots, whole, f"{used}, {left / 60:.1f} minutes left")


def _batches(rows: Rows, size: int, seed: int, step: int) -> list[Rows]:
    """One batch a step, drawn anew."""
    drawn = np.random.default_rng([seed, step]).choice(len(rows.y), size, replace=False)
    return [rows.take(torch.from_numpy(drawn))]


def _loss(loss: Loss, network: Any, rows: Rows) -> Tensor:
    return loss.mean(network(rows.x), rows.y, rows.weights)


def _mean_loss(network: HybridNetwork, rows: Rows, loss: Loss) -> float:
    network.eval()
    with torch.no_grad():
        return float(_loss(loss, network, rows))


def describe_stage(record: Mapping[str, Any]) -> str:
    """What a stage cost and gained."""
    fate = "" if record["kept"] else ", taken back"
    after = "no number" if record["after"] is None else f"{record['after']:.4f}"
    bought = "" if record["cost"] is None else f"; {Cost(**record['cost'])}"
    return (
        f"refined by {record['title']}: {record['steps']} steps, validation loss {record['before']:.4f} to "
        f"{after}{fate}, {record['seconds']:.1f} s{bought}"
    )


def check_costs(
    expected: Sequence[Cost | None], stages: Sequence[RefinementStage], folder: Path,
    may_buy: Callable[[str], bool], resume: bool = False,
) -> None:  # fmt: skip
    """Raise ConfigError for what will cost more than the budgets of its journals leave, or may not be bought.

    What a journal in the run folder has spent is part of what the run is to buy. Of another one that is not known when
    a run goes on: then budgets hold job by job alone.
    """
    journals = dict[str, list[int]]()
    for number, stage in enumerate(stages):
        if isinstance(stage.engine, DeviceChoice):
            journals.setdefault(str(stage.engine.kept_in(folder).journal), []).append(number)
    whole, limits, names = Cost(), list[int](), list[str]()
    for journal, numbers in journals.items():
        engines: list[Any] = [stages[number].engine for number in numbers]
        is_own = engines[0].journal is None
        if resume and not is_own:
            continue
        numbers += [len(stages)] * (numbers[-1] == len(stages) - 1)  # the scores in the end
        plan = sum((expected[number] or Cost() for number in numbers), Cost())
        spent = Journal(journal).spent if Path(journal).is_file() else Cost()
        left = plan.less(spent) if is_own else plan
        for engine in engines:
            _check_budget(engine, spent, left)
        whole += left
        names += [engine.device for engine in engines]
        limits += [engine.ask_above for engine in engines if engine.ask_above is not None]
    text = f"refinement on {' and '.join(dict.fromkeys(names))} takes {whole}"
    if limits and whole.shots > min(limits) and not may_buy(text):
        raise ConfigError(f"{text}, which was not agreed to; nothing was begun")


def _check_budget(engine: DeviceChoice, spent: Cost, left: Cost) -> None:
    try:
        engine.budget.check(spent, left)
    except BudgetError:
        before = f" after {spent}" if spent.jobs else ""
        raise ConfigError(
            f"refinement on {engine.device} takes {left}{before}, more than {engine.budget}; take fewer steps, rows or "
            "shots, or raise the budget"
        ) from None
