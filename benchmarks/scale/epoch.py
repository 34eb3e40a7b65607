"""A pass over the training rows of a table on disk, beside the same rows held in memory; and what a whole run takes.

The hybrid model is the default one on 8 qubits, 20 columns of numbers, words, days and truth values. One fit takes its
rows from windows that are read, cut and coded while it trains, the other has the same windows in memory already, coded;
both take the same steps, and end in the same weights, which is checked.

Goals: the streamed pass at most 1.3 times the other; memory of a whole run under 1 GB, whatever the number of rows.

Run: python -m benchmarks.scale.epoch ROWS [FOLDER]       (the folder is made, and removed unless it is named)
     python -m benchmarks.scale.epoch ROWS FOLDER pass    a pass alone, with the peak memory of this process
     python -m benchmarks.scale.epoch ROWS FOLDER run     a whole `qloom train --epochs 1`, with its peak memory
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from benchmarks.results import append_row, provenance
from benchmarks.scale.tables import write_table
from qloom.data.streams.freed import give_back_memory
from qloom.models.tables.competitors import UNDER_TEST
from qloom.models.tables.fitting import Fit
from qloom.models.tables.preparation import PreparedTable
from qloom.models.tables.windows import Windows
from qloom.models.threads import numeric_threads
from qloom.training.competition import prepared
from qloom.training.competitors import make_model
from qloom.training.configuration import Configuration, make_configuration
from qloom.training.folder import RunFolder
from qloom.training.rounds import KEPT, Plan
from qloom.training.table import load_table

GOAL, GOAL_BYTES, TURNS = 1.3, 1e9, 3


def configured(folder: Path, output: str) -> Configuration:
    data = {"source": str(folder), "target": "bought", "stream": True}
    return make_configuration({"name": "scale", "output": output, "data": data, "training": {"epochs": 1}})


def timed(configuration: Configuration, data: object, windows: Windows) -> tuple[float, Fit]:
    """Seconds of a pass, and the fit after it."""
    model = make_model(configuration, data.task, "quantum", {})
    model.begin(data, configuration.seed)
    fit = Fit(model.network_, data.task, model._recipe(0), data.loss, windows=windows)
    with numeric_threads(configuration.threads):
        start = time.perf_counter()
        fit.run(data.train, data.validation)
        return time.perf_counter() - start, fit


class Held(Windows):
    """Windows whose rows are in memory before they are asked for."""

    def __init__(self, windows: Windows):
        self.per_pass, self.n_rows = windows.per_pass, windows.n_rows
        self._held = [windows.rows(k) for k in range(windows.per_pass)]
        windows.forget()

    def rows(self, number: int) -> object:
        return self._held[number]

    def forget(self) -> None:
        pass


def learnt(configuration: Configuration) -> tuple[int, float, PreparedTable]:
    """Rows on disk, seconds that learning from them took, and what came of it."""
    start = time.perf_counter()
    loaded = load_table(configuration)
    seconds = time.perf_counter() - start
    return loaded.n_rows, seconds, prepared(loaded, Plan(configuration, loaded), KEPT, None).data


def compare(folder: Path) -> None:
    """A pass from disk and one from memory, in turns."""
    with tempfile.TemporaryDirectory() as output:
        configuration = configured(folder, output)
        n_rows, seconds, data = learnt(configuration)
        print(f"{n_rows:,} rows looked at, learnt from and sampled in {seconds:.1f} s, {n_rows / seconds:,.0f} rows/s")
        held = Held(data.windows)
        turns = [(timed(configuration, data, data.windows), timed(configuration, data, held)) for _ in range(TURNS)]
    for (_, one), (_, other) in turns:
        for name, value in one.network.state_dict().items():
            assert torch.equal(value, other.network.state_dict()[name]), name
    ratios = sorted(one[0] / other[0] for one, other in turns)
    memory = sorted(other[0] for _, other in turns)[TURNS // 2]
    row = {"rows": n_rows, "learning_seconds": seconds, "training_rows": data.n_train, "held_seconds": memory,
           "ratio": ratios[TURNS // 2], "lowest": ratios[0], "highest": ratios[-1], "goal": GOAL}  # fmt: skip
    append_row("scale_epoch", {**row, **provenance()})
    print(f"a pass over {data.n_train:,} rows: {memory:.1f} s from memory, {row['ratio']:.2f} times that from disk "
          f"({ratios[0]:.2f} to {ratios[-1]:.2f}), goal {GOAL}")  # fmt: skip


def one_pass(folder: Path) -> None:
    """Rows learnt from and one pass of the hybrid model over them, without any held but the sample."""
    with tempfile.TemporaryDirectory() as output:
        configuration = configured(folder, output)
        n_rows, learning, data = learnt(configuration)
        give_back_memory()  # as a run does
        seconds, _ = timed(configuration, data, data.windows)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    row = {"rows": n_rows, "learning_seconds": learning, "training_rows": data.n_train,
           "pass_seconds": seconds, "peak_bytes": peak, "goal_bytes": GOAL_BYTES}  # fmt: skip
    append_row("scale_pass", {**row, **provenance()})
    print(f"{n_rows:,} rows learnt from in {learning:.0f} s, a pass over {data.n_train:,} in {seconds:.0f} s, "
          f"peak {peak / 1e6:.0f} MB, goal {GOAL_BYTES / 1e6:.0f}")  # fmt: skip


def whole_run(folder: Path, n_rows: int) -> None:
    """A run of all five models, its peak memory and time."""
    with tempfile.TemporaryDirectory() as output:
        words = ["train", str(folder), "--target", "bought", "--epochs", "1", "--seeds", "1"]
        words += ["--set", "data.stream=true"]
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "qloom", *words, "--output", output, "--name", "scale"], check=True)
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        score = RunFolder(Path(output) / "scale").metrics()["models"][UNDER_TEST]["test"]["roc_auc"]
    append_row("scale_run", {"rows": n_rows, "seconds": seconds, "peak_bytes": peak, "goal_bytes": GOAL_BYTES,
                             "roc_auc": score, **provenance()})  # fmt: skip
    print(f"{n_rows:,} rows: {seconds:.0f} s, peak {peak / 1e6:.0f} MB, goal {GOAL_BYTES / 1e6:.0f}; {score:.4f}")


def main(words: list[str]) -> None:
    n_rows = int(float(words[0]))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(words[1]) if len(words) > 1 else Path(temporary) / "rows"
        if not folder.exists():
            write_table(folder, n_rows)
        if words[2:] == ["run"]:
            whole_run(folder, n_rows)
        elif words[2:] == ["pass"]:
            one_pass(folder)
        else:
            compare(folder)


if __name__ == "__main__":
    main(sys.argv[1:])
