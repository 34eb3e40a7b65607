"""An update after drift beside a full retraining: seconds of CPU, and accuracy on rows that neither has seen.

A run on the first half of a stream meets the next 4,000 rows: 2,400 to learn from, 800 to choose by, 800 fresh ones.
Retrained is the same network from scratch on the run's rows and the 2,400. Each is timed in one process, in turns.

An update's passes (3) were chosen on these streams, among 3, 5 and 10.

Whole commands stand beside each other too: `qloom watch --update`, which tries all ways and the control, and
`qloom train` on all rows, with its controls, baselines and report.

Goal: an update in at most 10% of a full retraining's time, with a difference in accuracy whose interval holds 0 or is
in its favour.

Run: python -m benchmarks.streams.updating [elec2|noaa_weather]
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv

from benchmarks.results import append_row, provenance
from benchmarks.streams.tables import STREAMS, read_stream
from qloom.data import Split, inspect_table
from qloom.models.tables.preparation import prepare_table
from qloom.models.threads import numeric_threads
from qloom.training import train_run
from qloom.training.competitors import goal_of, make_model
from qloom.training.configuration import make_configuration
from qloom.watching.looking import open_watched
from qloom.watching.resampling import difference_interval
from qloom.watching.updating import Way, cut_new_rows, go

N_NEW, PAIRS = 4000, 3
WAYS = (Way("warm", "everything"), Way("warm", "head"), Way("replay", "everything"), Way("elastic", "everything"))


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What it gives, and seconds of CPU."""
    began = time.process_time()
    return work(), time.process_time() - began


def measure(name: str) -> None:
    """A row of results a way."""
    table, target = read_stream(name)
    half = table.num_rows // 2
    first, new = table.slice(0, half), table.slice(half, N_NEW)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{part}.csv" for part in ("first", "new")]
        for part, path in zip((first, new), paths, strict=True):
            csv.write_csv(part, path)
        configuration = make_configuration({
            "name": name, "output": folder, "data": {"source": str(paths[0]), "target": target},
            "split": {"kind": "time"}, "comparison": {"seeds": 1}, "watch": {"order": "file"},
        })  # fmt: skip
        run = train_run(configuration)
        watched = open_watched(run, str(paths[1]))
        rows, current = cut_new_rows(watched), watched.ledger.current
        n_learnt, fresh = len(rows.data.train.y), new.slice(rows.learnt.num_rows)
        both = pa.concat_tables([first, new])
        split = Split(np.arange(half + n_learnt), np.arange(half + n_learnt, half + rows.learnt.num_rows),
                      np.arange(half + rows.learnt.num_rows, both.num_rows), "time")  # fmt: skip
        schema = inspect_table(both, target)

        def retrained() -> Any:
            data = prepare_table(both, schema, split, None, goal_of(configuration))
            model = make_model(configuration, schema.task, "quantum", {})
            model.fit_prepared(data, seed=configuration.seed)
            return model

        with numeric_threads(configuration.threads):
            for way in WAYS:
                go(way, current, rows, configuration)  # what is loaded once
            whole = [timed(retrained) for _ in range(PAIRS)]
            tried = {way: [timed(lambda way=way: go(way, current, rows, configuration)) for _ in range(PAIRS)]
                     for way in WAYS}  # fmt: skip
        full, seconds = whole[0][0], median(each[1] for each in whole)
        hits = {None: _hits(full, fresh), "frozen": _hits(watched.model, fresh)}
        print(
            f"{name}: retrained {seconds:.2f} s, accuracy {hits[None].mean():.4f}; frozen {hits['frozen'].mean():.4f}"
        )
        for way, each in tried.items():
            own, cost = _hits(each[0][0].model, fresh), median(every[1] for every in each)
            gained = own - hits[None]
            low, high = difference_interval(gained, 0, in_order=True)
            row = {"stream": name, "way": str(way), "cpu_seconds": cost, "retraining_cpu_seconds": seconds,
                   "share": cost / seconds, "accuracy": own.mean(), "retrained_accuracy": hits[None].mean(),
                   "frozen_accuracy": hits["frozen"].mean(), "difference": gained.mean(), "low": low, "high": high,
                   "goal": 0.1}  # fmt: skip
            append_row("updates", {**{key: _plain(value) for key, value in row.items()}, **provenance()})
            print(f"  {way}: {cost:.2f} s, {cost / seconds:.1%}; accuracy {own.mean():.4f}, "
                  f"{gained.mean():+.4f} ({low:+.4f} to {high:+.4f})", flush=True)  # fmt: skip
        csv.write_csv(both, Path(folder) / "both.csv")
        whole_commands(name, run, paths[1], Path(folder) / "both.csv", target)


def whole_commands(name: str, run: Path, new: Path, both: Path, target: str) -> None:
    """Seconds of CPU of an update and of a training, each a command, in turns."""
    updates, trainings = list[float](), list[float]()
    train = ("train", both, "--target", target, "--set", "split.kind=time", "--seeds", "1")
    for k in range(PAIRS):
        copy = shutil.copytree(run, run.with_name(f"{name}-{k}"))
        updates.append(cpu_of("watch", copy, new, "--update", "--set", "watch.when=always"))
        trainings.append(cpu_of(*train, "--output", run.parent / f"again-{k}"))
    update, training = median(updates), median(trainings)
    row = {"stream": name, "update_cpu_seconds": update, "training_cpu_seconds": training, "share": update / training}
    append_row("update_commands", {**row, **provenance()})
    print(f"  commands: qloom watch --update {update:.1f} s, qloom train {training:.1f} s, {update / training:.0%}")


def cpu_of(*words: object) -> float:
    """Of a command of qloom and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "qloom", *map(str, words)], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, np.floating) else value


def _hits(model: Any, table: pa.Table) -> np.ndarray:
    """1 for a right class. Shapes: B rows -> (B,)."""
    return (model.predict_table(table).argmax(axis=1) == model.coding_.truth(table)).astype(float)


def main() -> None:
    for name in sys.argv[1:] or list(STREAMS):
        measure(name)


if __name__ == "__main__":
    main()
