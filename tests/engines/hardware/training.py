"""A small training on a device, to be killed: python training.py DEVICE FOLDER STEPS SHOTS. Prints the weights."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import torch

import qloom as ql
from qloom.engines.hardware import Budget, DeviceEngine, find_device


def layer_on(engine: DeviceEngine) -> ql.nn.QuantumLayer:
    circuit = ql.Circuit(2)
    x, w = circuit.inputs(2, name="x"), circuit.weights(3, name="w")
    circuit.ry(x[0], 0).ry(x[1], 1).ry(w[0], 0).ry(w[1], 1).cx(0, 1).ry(w[2], 1)
    return ql.nn.QuantumLayer(circuit, [ql.Z(1)], engine=engine, dtype=torch.float64, init=[0.1, -0.2, 0.3])


def train(engine: DeviceEngine, n_steps: int) -> list[float]:
    layer = layer_on(engine)
    x = torch.from_numpy(np.random.default_rng(0).uniform(-1, 1, (6, 2)))
    labels = (x[:, :1] * x[:, 1:]).sign()
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.1)
    for _ in range(n_steps):
        optimizer.zero_grad()
        (layer(x) - labels).square().mean().backward()
        optimizer.step()
    return layer.weights.tolist()


if __name__ == "__main__":
    name, folder, steps, shots = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    budget = Budget(shots=int(sys.argv[5])) if len(sys.argv) > 5 else None
    engine = DeviceEngine(find_device(name, folder / "service"), shots, folder / "journal.sqlite", budget)
    print(json.dumps(train(engine, steps)))
