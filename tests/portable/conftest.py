"""Small models in folders, and the tables that they learnt from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from qloom.models import HybridClassifier, HybridRegressor

if TYPE_CHECKING:
    import pandas as pd

_SMALL = {"n_qubits": 3, "n_layers": 2, "width": 8, "epochs": 2, "random_state": 3}


def mixed_frame(n_rows: int, seed: int) -> pd.DataFrame:
    """Columns of every kind that ONNX can code, with missing cells."""
    import pandas as pd  # which the environment of other packages has not

    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({
        "amount": np.exp(2 * rng.normal(size=n_rows)),
        "age": rng.normal(40, 9, n_rows),
        "grade": rng.integers(1, 5, n_rows),
        "member": rng.choice(["yes", "no"], n_rows),
        "town": rng.choice(["Köln", "Bonn", "Trier", ""], n_rows, p=[0.5, 0.3, 0.15, 0.05]),
        "street": rng.choice([f"street {k}" for k in range(60)], n_rows),
    })  # fmt: skip
    frame.loc[rng.random(n_rows) < 0.1, "age"] = np.nan
    return frame


@pytest.fixture(scope="session")
def classifier(tmp_path_factory) -> tuple[Path, Path]:
    """A model folder of three classes, and a table of other rows."""
    folder = tmp_path_factory.mktemp("classifier")
    frame = mixed_frame(300, 0)
    label = np.where(frame.age.fillna(40) > 45, "old", np.where(frame.amount > 2, "rich", "other"))
    HybridClassifier(**_SMALL).fit(frame, label).save(folder / "model")
    mixed_frame(200, 1).to_csv(folder / "rows.csv", index=False)
    return folder / "model", folder / "rows.csv"


@pytest.fixture(scope="session")
def regressor(tmp_path_factory) -> tuple[Path, Path]:
    """A model folder of a skewed number, its transformation undone over residuals."""
    folder = tmp_path_factory.mktemp("regressor")
    frame = mixed_frame(300, 2)
    target = np.expm1(np.abs(frame.amount.to_numpy()) ** 0.3) - 0.5
    model = HybridRegressor(**_SMALL, target_transformation="yeo_johnson").fit(frame, target)
    assert len(model.readout_.residuals) > 10
    model.save(folder / "model")
    mixed_frame(200, 3).to_csv(folder / "rows.csv", index=False)
    return folder / "model", folder / "rows.csv"
