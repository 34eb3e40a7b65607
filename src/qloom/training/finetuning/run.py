"""One fine-tuning: a table and a pretrained model in, adapters compared over several rounds, a run folder out."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from qloom.adapters.form import Form
from qloom.adapters.tuner import AdaptedLinear
from qloom.errors import ConfigError
from qloom.models.tables.competitors import UNDER_TEST
from qloom.training.competition import compete, prepared
from qloom.training.competitors import PreparedRound
from qloom.training.configuration import Configuration
from qloom.training.environment import describe_environment
from qloom.training.finetuning.competitors import (
    Finetuning,
    ImageFinetuning,
    make_network,
)
from qloom.training.finetuning.rows import FinetuneRows, load_rows
from qloom.training.folder import RunFolder
from qloom.training.lock import locked
from qloom.training.log import RunLog
from qloom.training.progress import Progress
from qloom.training.record import make_metrics
from qloom.training.rounds import KEPT, Plan, describe
from qloom.training.run import check_folder, check_same_table, predictions_of


def finetune_run(
    configuration: Configuration, *, resume: bool = False, progress: Progress | None = None
) -> Path:  # fmt: skip
    """Train and compare all models of a fine-tuning; the run folder.

    Everything that can be refused is refused before a file of the run is written; features of the frozen model are kept
    beside the runs, where others find them. With `resume`, finished models are kept and the one in training goes on
    from its last epoch, on as many threads of torch to the same weights as without the interruption.

    Raises:
        QloomError: for a table, model, adapter or folder that cannot be used.
    """
    section = configuration.finetune
    if section is None:
        raise ConfigError("the configuration has no section finetune, expected one; name finetune.model and a column")
    folder = RunFolder(configuration.folder)
    with locked(folder.path), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*gradient_checkpointing", category=FutureWarning)
        check_folder(folder, configuration, resume)
        rows = load_rows(configuration, section)
        plan = Plan(configuration, rows.loaded)
        first = prepared(rows.loaded, plan, KEPT, None)
        kind = Finetuning if section.text is not None else ImageFinetuning
        contest = kind(configuration, rows.loaded.schema.task, folder, Progress(), rows=rows)
        described = _tried(contest, first)
        _open(folder, configuration, rows)
        with RunLog(folder.path, progress or Progress()) as log:
            contest = kind(configuration, rows.loaded.schema.task, folder, log, rows=rows)
            notes = [*described["notes"], *describe(plan)]
            for note in notes:
                log.note(note)
            found = compete(contest, rows.loaded, plan, first, None)
            metrics = {
                **make_metrics(configuration, rows.loaded, plan, first.data, found.results, found.seconds),
                "features": [section.column], "notes": described["notes"], "columns": [],
                "circuit": described["circuit"], "refinement": None,
                "adapted": {
                    "model": section.model, "sha256": rows.backbone.sha256, "adapter": section.adapter,
                    "settings": section.settings,
                },
            }  # fmt: skip
            folder.write_results(metrics, predictions_of(rows.loaded, first, found.kept), None)
            log.lines.note(metrics["verdict"])
    return folder.path


def _tried(contest: Finetuning, first: PreparedRound) -> dict[str, Any]:
    """Every network made once, so that what does not fit is refused now; what the adapter is, in words."""
    assert contest.rows is not None
    head, sizes, forms = contest.head(first), dict[str, int](), list[Form[Any]]()
    for key, each in contest.table.items():
        if each.layer is None:
            continue
        network = make_network(contest.section, contest.rows, str(each.layer), head, contest.configuration.seed)
        sizes[key] = network.n_trained
        if key == UNDER_TEST:
            layers = [layer for layer in network.modules() if isinstance(layer, AdaptedLinear)]
            forms = [layer.forms["default"] for layer in layers]
    described = ", ".join(dict.fromkeys(form.described() for form in forms))
    circuit = forms[0].circuit()
    notes = [
        f"{contest.section.adapter} adapters of {len(forms)} weights, {sizes[UNDER_TEST]} numbers: {described}",
        f"LoRA has {sizes['lora']} numbers, the linear head {sum(p.numel() for p in head.parameters())}; all heads "
        "begin as the best linear model on frozen features",
    ]
    return {"notes": notes, "circuit": None if circuit is None else circuit.to_json()}


def _open(folder: RunFolder, configuration: Configuration, rows: FinetuneRows) -> None:
    """Write what a run begins with; on resume, check that table and model are still the same."""
    digests = {"table_sha256": rows.sha256, "pretrained_model_sha256": rows.backbone.sha256}
    if folder.is_begun:
        check_same_table(folder, configuration, rows.sha256)
        if folder.environment().get("pretrained_model_sha256") != rows.backbone.sha256:
            raise ConfigError(
                f"the pretrained model in {rows.backbone.folder} has changed since {folder.path} was begun, expected "
                "the same; put it back or start a run with another name"
            )
    else:
        folder.write_environment({**describe_environment(configuration.seed), **digests})
    folder.write_configuration(configuration)
