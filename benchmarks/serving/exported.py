"""Exported models against their originals on 10,000 rows: the largest deviation beside its bound, size and speed.

Goal: every deviation inside its stated bound, row by row. Rows are held-out ones of real tables, as often as it takes
to have 10,000, the repeated ones with numbers moved by a hundredth of their spread.

    python -m benchmarks.serving.exported
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.results import append_row, provenance
from benchmarks.shared import DATA
from qloom.models import HybridClassifier, HybridRegressor
from qloom.portable import export_run
from qloom.portable.onnx_graph import run_model
from qloom.portable.ordinary import Network
from qloom.portable.original import open_original

ROWS = 10_000
TABLES = {
    "telescope": ("magic_telescope/telescope.csv.gz", HybridClassifier, "class"),
    "bikes": ("bike_sharing/hour.csv.gz", HybridRegressor, "count"),
}
# Table, qubits, layers, format, cut.
CASES: tuple[tuple[str, int, int, str, float | None], ...] = (
    ("telescope", 8, 3, "torch", None), ("telescope", 8, 3, "onnx", None), ("telescope", 8, 3, "qasm", None),
    ("telescope", 8, 3, "surrogate", None), ("telescope", 8, 3, "surrogate", 0.0),
    ("telescope", 8, 3, "surrogate", 1e-3),
    ("bikes", 8, 3, "torch", None), ("bikes", 8, 3, "onnx", None), ("bikes", 8, 3, "surrogate", None),
    ("telescope", 11, 1, "surrogate", None), ("telescope", 11, 1, "surrogate", 1e-3),
)  # fmt: skip


def split(name: str) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """Rows to learn from, held-out rows, and the target."""
    place, _, target = TABLES[name]
    frame = pd.read_csv(DATA / place).sample(frac=1, random_state=0)
    target = target if target in frame else str(frame.columns[-1])
    return frame[: len(frame) * 4 // 5], frame[len(frame) * 4 // 5 :], target


def ten_thousand(held_out: pd.DataFrame) -> pd.DataFrame:
    """The rows, again and again; repeated ones moved."""
    rng = np.random.default_rng(0)
    rows = held_out.iloc[np.arange(ROWS) % len(held_out)].reset_index(drop=True)
    for name in rows.select_dtypes("float"):
        moved = rng.normal(size=ROWS) * rows[name].std() / 100
        rows[name] += np.where(np.arange(ROWS) < len(held_out), 0.0, moved)
    return rows


def fit(name: str, n_qubits: int, n_layers: int, folder: Path) -> None:
    """A model, and its 10,000 rows beside it."""
    learnt, held_out, target = split(name)
    kind = TABLES[name][1]
    model = kind(n_qubits=n_qubits, n_layers=n_layers, epochs=6, random_state=0)
    model.fit(learnt.drop(columns=target), learnt[target]).save(folder / "model")
    ten_thousand(held_out.drop(columns=target)).to_parquet(folder / "rows.parquet")


def seconds(run: Callable[[], Any]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def speeds(folder: Path, export: Path) -> tuple[float, float | None]:
    """Rows a second of the original and of the export, in turns; None where the export runs in another's program."""
    original = open_original(folder / "model", None)
    x = np.random.default_rng(0).normal(size=(ROWS, len(original.feature_names))).astype(np.float32)
    theirs: Callable[[], Any] | None = None
    if (export / "network.onnx").exists():
        content = (export / "network.onnx").read_bytes()
        theirs = lambda: run_model(content, {"features": x})  # noqa: E731
    elif (export / "network.npz").exists():
        network = Network(str(export / "network.npz"))
        theirs = lambda: network.predict(x)  # noqa: E731
    ours = lambda: original.predictor.predict_features(x)  # noqa: E731
    each = [(seconds(ours), seconds(theirs) if theirs else 0.0) for _ in range(3)]
    mine, other = (median(column) for column in zip(*each, strict=True))
    return ROWS / mine, ROWS / other if theirs else None


def measure(case: tuple[str, int, int, str, float | None], folder: Path) -> dict[str, Any]:
    name, n_qubits, n_layers, to, cut = case
    output = folder / f"{to}-{cut}"
    _, record = export_run(folder / "model", to, output, data=str(folder / "rows.parquet"), cut=cut)
    checked = record["checked"]
    original, exported = speeds(folder, output)
    return {
        "table": name, "n_qubits": n_qubits, "n_layers": n_layers, "to": to, "cut": cut, "n_rows": checked["n_rows"],
        "largest_deviation": checked["largest_deviation"], "bound": checked["bound"],
        "n_numbers_in_the_circuits_place": record.get("n_coefficients", record.get("n_terms")),
        "megabytes": sum(path.stat().st_size for path in output.iterdir()) / 1e6,
        "original_rows_a_second": original, "export_rows_a_second": exported, **provenance(),
    }  # fmt: skip


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        for case in CASES:
            folder = Path(place) / "-".join(map(str, case[:3]))
            if not folder.exists():
                folder.mkdir()
                fit(*case[:3], folder)
            row = measure(case, folder)
            append_row("serving_exported", row)
            print(*row.values(), flush=True)


if __name__ == "__main__":
    main()
