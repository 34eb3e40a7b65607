"""Coarse to fine: a run of `qloom train` that goes on under recorded noise, then on a fake machine of the same name.

Versicolor and virginica, 100 rows of four numbers; twice, with slopes by parameter shift and by simultaneous
perturbation in the last stage. No goal: what each stage cost and gained is told as found, beside the classical layer.

Run: python -m benchmarks.devices.coarse_to_fine   (needs the extra 'devices')
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
from sklearn.datasets import load_iris

from benchmarks.results import append_row, provenance
from benchmarks.shared import DATA
from qloom.training import train_run
from qloom.training.configuration import make_configuration
from qloom.training.folder import RunFolder

NOISE = DATA / "device_calibrations" / "ibm_manila.json.gz"
DEVICE = {"name": "device", "device": "qiskit FakeManilaV2", "shots": 200, "budget_shots": 1_000_000}


def write_table(path: Path) -> None:
    """Two kinds of iris."""
    data = load_iris()
    kept = data.target > 0
    columns = {name.replace(" (cm)", ""): data.data[kept, k] for k, name in enumerate(data.feature_names)}
    columns["kind"] = data.target_names[data.target[kept]].astype(str)
    pa.csv.write_csv(pa.table(columns), path)


def run(folder: Path, gradient: str, steps: int) -> dict[str, Any]:
    """The record of the refinement of a run."""
    values = {
        "name": gradient, "output": str(folder), "data": {"source": str(folder / "iris.csv"), "target": "kind"},
        "model": {"n_qubits": 4, "n_layers": 1}, "training": {"epochs": 15}, "comparison": {"seeds": 1},
        "refinement": [
            {"engine": {"noise": str(NOISE)}, "steps": 20, "learning_rate": 0.02},
            {"engine": DEVICE, "steps": steps, "batch_size": 8, "judged": 20, "gradient": gradient},
        ],
    }  # fmt: skip
    found: dict[str, Any] = RunFolder(train_run(make_configuration(values))).metrics()["refinement"]
    return found


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_table(folder / "iris.csv")
        for gradient, steps in (("parameter-shift", 8), ("spsa", 40)):
            found = run(folder, gradient, steps)
            for stage in found["stages"]:
                cost, told = stage["cost"] or {}, stage["expected"] or {}
                row = {
                    "gradient": gradient, "what": stage["title"], "steps": stage["steps"], "before": stage["before"],
                    "after": stage["after"], "kept": stage["kept"], "shots": cost.get("shots"),
                    "told_before": told.get("shots"), "seconds": round(stage["seconds"], 1),
                }  # fmt: skip
                append_row("devices_coarse_to_fine", {**row, **provenance()})
                print(row, flush=True)
            for each in found["scores"]:
                print(f"{gradient}, {found['n_rows']} test rows, {each['title']}: {each['scores']}", flush=True)


if __name__ == "__main__":
    main()
