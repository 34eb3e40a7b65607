"""Two kinds of iris told apart by a circuit that is trained on a fake machine, beside simulator and a classical model.

Versicolor and virginica: 100 rows, 4 features, half of them for training. No goal: it ends, and is told as found.

Run: python -m benchmarks.devices.iris   (needs the extra 'devices')
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import qloom as ql
from benchmarks.results import append_row, provenance
from qloom.engines.hardware import Budget, DeviceEngine, QiskitDevice

STEPS, ROWS, SHOTS = 25, 10, 200


def layer_on(engine: Any) -> ql.nn.QuantumLayer:
    circuit = ql.encoders.angle(4) + ql.ansatze.basic_entangler(4, 2)
    return ql.nn.QuantumLayer(circuit, [ql.Z(0)], engine=engine, dtype=torch.float64, seed=0)


def trained(engine: Any, x: np.ndarray, y: np.ndarray, tests: np.ndarray, right: np.ndarray) -> float:
    layer, random = layer_on(engine), np.random.default_rng(0)
    optimizer = torch.optim.Adam(layer.parameters(), 0.15)
    for _ in range(STEPS):
        rows = random.permutation(len(x))[:ROWS]
        optimizer.zero_grad()
        (layer(torch.from_numpy(x[rows]))[:, 0] - torch.from_numpy(y[rows])).square().mean().backward()
        optimizer.step()
    with torch.no_grad():
        said = layer(torch.from_numpy(tests))[:, 0].sign().numpy()
    return float((said == right).mean())


def main() -> None:
    features, kinds = load_iris(return_X_y=True)
    kept = kinds > 0
    split = train_test_split(features[kept], np.where(kinds[kept] == 1, -1.0, 1.0), test_size=0.5, random_state=0)
    scaler = StandardScaler().fit(split[0])
    x, tests, y, right = scaler.transform(split[0]), scaler.transform(split[1]), split[2], split[3]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        device = QiskitDevice.local("FakeManilaV2", place / "service")
        engine = DeviceEngine(device, SHOTS, place / "journal.sqlite", Budget(shots=2_000_000))
        told = engine.estimate_cost(layer_on(engine), ROWS, STEPS).shots + engine.device.cost(len(tests), SHOTS).shots
        scores = {"FakeManilaV2": trained(engine, x, y, tests, right)}
        spent = engine.spent.shots
    scores["simulator"] = trained(None, x, y, tests, right)
    scores["logistic regression"] = float(LogisticRegression().fit(x, y).score(tests, right))
    row = {**{name.replace(" ", "_"): score for name, score in scores.items()}, "shots": spent, "told_before": told}
    append_row("devices_iris", {**row, **provenance()})
    print(row)


if __name__ == "__main__":
    main()
