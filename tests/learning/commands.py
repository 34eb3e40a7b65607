"""The commands of the README and of the pages in docs/: which there are, what they need, what makes them short."""

from __future__ import annotations

import contextlib
import csv
import gzip
import json
import shlex
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as parquet
import pytest

import qloom as ql
from qloom.cli import main
from qloom.learning.running import command_lines
from qloom.training import demonstration_table
from tests.backbones.tiny_models import WORDS, make_image_model, make_text_model
from tests.learning.guide_names import ASSIGNMENT
from tests.learning.guides import PAGES


def commands() -> list[str]:
    """Each once."""
    parts = (part for page in PAGES for part in page.parts if part.kind == "sh")
    return list(dict.fromkeys(line for part in parts for line in command_lines(part.source)))


# The later of two equal options holds.
_NETWORK = ("--set", "model.n_qubits=2", "--set", "model.n_layers=1", "--epochs", "1")
_TUNED = ("--trials", "1", *_NETWORK[4:])
SHORT = {
    "train": (*_NETWORK, "--seeds", "1"), "tune": _TUNED, "solve": ("--time-limit", "1"),
    "noise": ("--shots", "100", "--rows", "20", "--no-corrected"), "generate": ("--rows", "100", "--time-limit", "1"),
    "explain": ("--background-rows", "5", "--error", "0.5"), "finetune": ("--seeds", "1", "--set", "finetune.epochs=1"),
}  # fmt: skip
"""Command -> what makes it short."""

MORE = {
    "qloom generate demo:wine --target cultivar --rows 1000 --model chow-liu": ("--name", "wine-rows"),
    "qloom tune demo:wine --over model.n_layers=1,2,4 --over model.n_qubits=3,4,6": ("--name", "two-settings"),
    "qloom tune demo:wine --over model.n_layers=1,2,4 --over model.n_qubits=3,4,6"
    " --over training.learning_rate=0.01,0.03 --trials 12": ("--name", "three-settings"),
}
"""Command -> what else it takes here, beside the others in one folder."""

MADE_BY = {
    "runs/customers": "qloom train customers.csv --target Churn",
    "runs/wine": "qloom train demo:wine",
    "runs/first": "qloom train demo:breast_cancer --seeds 3 --epochs 10 --name first",
    "runs/two-workers": "qloom train table --target late --name two-workers --workers 2",
    "runs/messages": "qloom finetune messages.csv --model all-MiniLM-L6-v2 --text text --target label",
    "runs/synthetic": "qloom generate customers.csv --target Churn --rows 10000 --name synthetic --out synthetic.csv",
}
"""Run -> the command that leaves it; others that name it come after."""

COPIED = {"runs/wine-small": "runs/wine", "runs/gpu": "runs/customers"}
"""Run -> one that stands in for it."""

ELSEWHERE = {
    'qloom train postgresql://me@host/shop --query "SELECT ..." --target fault': (
        "tests/data/streams/test_postgres.py::test_rows_are_those_of_the_server", "asks a server"
    ),
    "qloom serve runs/customers": (
        "tests/serving/test_processes.py::test_sigterm_finishes_what_is_in_flight", "answers until it is ended"
    ),
    "qloom train iris.yaml": (
        "tests/training/test_refinement.py::test_a_run_goes_on_under_noise_and_on_a_device", "its device is Qiskit's"
    ),
    "qloom train customers.csv --target Churn --name logged --mlflow sqlite:///mlflow.db": (
        "tests/cli/test_mlflow.py::test_a_database_keeps_its_files_beside_it", "a database takes ten seconds"
    ),
    "qloom runs --log runs/wine --mlflow http://localhost:5000 --experiment wine": (
        "tests/cli/test_mlflow.py::test_a_run_is_logged_whole_and_once", "asks a server"
    ),
    "qloom train config.yaml --on ray --workers 2": (
        "tests/training/test_on_ray.py::test_workers_of_ray_end_as_our_own", "starts a cluster"
    ),
    "qloom tune demo:wine --over model.n_layers=1,2,4 --on ray --workers 2": (
        "tests/training/test_on_ray.py::test_trials_of_ray_are_those_of_one_process", "starts a cluster"
    ),
    **dict.fromkeys((
        "qloom train before.csv --target fails --seeds 1 --epochs 8 --set model.n_qubits=3 --set model.n_layers=1",
        "qloom evaluate runs/before later.csv --metric accuracy",
        "qloom watch runs/before after.csv --update",
    ), ("tests/watching/test_watch_docs.py::test_watch_ends_in_its_numbers", "not made short, to its numbers")),
}  # fmt: skip
"""Command -> the test that runs it, or what it does, and why it is not run here."""

REFUSED = {"qloom watch runs/customers --back": "has no version before 0 to go back to"}
"""Command -> the words that it may end in here."""

LONG = (
    "qloom train customers.csv --target Churn --workers 2 --name together",
    "qloom train table --target late --name two-workers --workers 2",
    "qloom train runs/two-workers --resume --workers 2",
)
"""Run in the slow tests: each of their processes imports torch."""

# Of Fisher and Thompson 1963 too, six jobs on six machines: a third of ft10.
JOBS = """6 6
2 1 0 3 1 6 3 7 5 3 4 6
1 8 2 5 4 10 5 10 0 10 3 4
2 5 3 4 5 8 0 9 1 1 4 7
1 5 0 5 2 5 3 3 4 8 5 9
2 9 1 3 4 5 5 4 0 3 3 1
1 3 3 3 5 9 0 10 4 4 2 1
"""


@dataclass
class Shell:
    """A folder with the files that pages name, in which each command runs once, after those that it builds on."""

    folder: Path
    done: dict[str, int] = field(default_factory=dict)

    def run(self, line: str) -> int:
        """Its exit code."""
        if line not in self.done:
            for word in shlex.split(line):
                self.provide(word, line)
            words = shlex.split(line)[1:]
            short = () if "--resume" in words else SHORT.get(words[0], ())
            with contextlib.chdir(self.folder), pytest.raises(SystemExit) as ended:
                main([*words, *short, *MORE.get(line, ())])
            self.done[line] = int(ended.value.code or 0)
        return self.done[line]

    def provide(self, run: str, line: str) -> None:
        """A run that a command names, unless it is the one that makes it."""
        if run in COPIED and not (self.folder / run).exists():
            self.provide(COPIED[run], line)
            shutil.copytree(self.folder / COPIED[run], self.folder / run)
        if run in MADE_BY and MADE_BY[run] != line:
            assert self.run(MADE_BY[run]) == 0


def fill(folder: Path) -> None:
    """Put there what pages name."""
    rng = np.random.default_rng(0)
    for name, first in (("customers", 0), ("new", 200)):
        months, plan = rng.integers(1, 60, 200), rng.choice(["monthly", "yearly"], 200)
        churn = np.where(months / 60 + (plan == "yearly") + rng.normal(size=200) < 0.7, "Yes", "No")
        ids = [f"C{number}" for number in range(first, first + 200)]
        write(
            folder / f"{name}.csv",
            ["customerID", "tenure", "plan", "Churn"],
            zip(ids, months, plan, churn, strict=True),
        )
    for name in ("messages", "new_messages"):
        texts = [[" ".join(words), "early" if words[0] < "m" else "late"] for words in rng.choice(WORDS, (80, 4))]
        write(folder / f"{name}.csv", ["text", "label"], texts)
    pa.csv.write_csv(demonstration_table("demo:wine").slice(0, 5), folder / "new_wines.csv")
    bands = rng.normal(size=(120, 4))
    write(
        folder / "satellite.csv",
        ["b1", "b2", "b3", "b4", "Class"],
        [[*row, f"soil {int(row[0] > 0)}"] for row in bands],
    )
    for name, target in (("measurements", "fault"), ("table", "late")):
        (folder / name).mkdir()
        for part in range(2):
            amount = rng.lognormal(size=300)
            columns = {"amount": amount, target: amount * rng.uniform(size=300) > 1}
            parquet.write_table(pa.table(columns), folder / name / f"{part}.parquet")
    (folder / "ft10").write_text(JOBS)
    (folder / "gap1.txt").write_text(ASSIGNMENT)
    (folder / "circuit.qasm").write_text(ql.Circuit(2).h(0).cx(0, 1).to_qasm())
    for name in ("manila", "lagos"):
        (folder / f"ibm_{name}.json.gz").write_bytes(calibration())
    make_text_model(folder / "all-MiniLM-L6-v2", width=64)
    pictures(folder, rng)


def write(path: Path, columns: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])


def pictures(folder: Path, rng: np.random.Generator) -> None:
    """Dark ones and light ones, and a model of images."""
    from PIL import Image

    make_image_model(folder / "vit", width=64)
    (folder / "pictures").mkdir()
    rows = []
    for number in range(60):
        pixels = rng.integers(0, 128, (16, 16, 3)) + 127 * (number % 2)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / "pictures" / f"{number}.png")
        rows.append([f"pictures/{number}.png", ("dark", "light")[number % 2]])
    write(folder / "pictures.csv", ["path", "label"], rows)


def calibration() -> bytes:
    """A device of five qubits in a row, in the layout of IBM's, gzipped."""
    qubits = [{"q": q, "T1_us": 100.0 + q, "T2_us": 80.0, "p_meas1_given0": 0.02, "p_meas0_given1": 0.03}
              for q in range(5)]  # fmt: skip
    gates = [[name, [q], 4e-4, 35.0] for q in range(5) for name in ("sx", "x")]
    gates += [["cx", pair, 0.01, 300.0] for q in range(4) for pair in ([q, q + 1], [q + 1, q])]
    return gzip.compress(json.dumps({"device": "row of five", "qubits": qubits, "gates": gates}).encode(), mtime=0)
