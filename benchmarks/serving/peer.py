"""The same server with its circuit run by PennyLane: a TorchLayer between the same encoder and head, the same weights.

What requests are, how they are read, batched and answered is the same code; predictions agree to single precision.

Run: python -m benchmarks.serving.peer RUN PORT [ROWS]   (needs pennylane; ROWS: of a batch, 1 for every request alone)
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pennylane as qml
import torch

from qloom.serving.live_model import LiveModel
from qloom.serving.settings import Settings
from qloom.serving.workers import serve


def torch_model(weights: dict[str, np.ndarray], n_qubits: int, n_observables: int) -> Any:
    """The network of a run in torch and PennyLane.

    Shapes: x float32 (B, F) -> (B, C).
    """
    device = qml.device("default.qubit", wires=n_qubits)
    n_layers = len(weights["layer.weights"]) // (3 * n_qubits)
    pairs = [(q, q + 1) for q in range(n_qubits - 1)] + [(0, n_qubits - 1)]

    @qml.qnode(device, interface="torch")
    def circuit(inputs: Any, weights: Any) -> list[Any]:
        qml.AngleEmbedding(inputs, range(n_qubits), rotation="Y")
        qml.StronglyEntanglingLayers(weights, range(n_qubits))
        singles = [qml.PauliZ(q) for q in range(n_qubits)]
        products = [qml.PauliZ(a) @ qml.PauliZ(b) for a, b in pairs]
        return [qml.expval(observable) for observable in (singles + products)[:n_observables]]

    layer = qml.qnn.TorchLayer(circuit, {"weights": (n_layers, n_qubits, 3)})
    layer.weights.data = torch.from_numpy(weights["layer.weights"].reshape(n_layers, n_qubits, 3).copy())
    tensors = {name: torch.from_numpy(array) for name, array in weights.items() if array.dtype == np.float32}

    def linear(name: str, x: Any) -> Any:
        return torch.nn.functional.linear(x, tensors[f"{name}.weight"], tensors[f"{name}.bias"])

    def forward(x: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            hidden = torch.nn.functional.silu(linear("encoder.0", torch.from_numpy(x)))
            values = layer(torch.pi * torch.tanh(linear("encoder.3", hidden))).to(torch.float32)
            head = torch.nn.functional.silu(linear("head.0", values))
            return np.asarray(linear("head.2", head))

    return forward


def peer_of(run: str) -> LiveModel:
    """The model of a run as it is served, its circuit run by PennyLane.

    Raises:
        SystemExit: if that predicts something else.
    """
    model = LiveModel(run)
    predictor: Any = model.predictor
    forward = torch_model(predictor.weights, predictor.circuit_.n_qubits, len(predictor.observables_))
    x = np.random.default_rng(0).normal(size=(40, predictor.preprocessing_.n_features)).astype(np.float32)
    worst = float(np.abs(forward(x) - predictor.outputs(x)).max())
    if worst > 1e-4:
        raise SystemExit(f"outputs of PennyLane differ by {worst:.2g}, expected the same circuit")
    predictor.outputs = forward
    return model


def main() -> None:
    run, port, rows = sys.argv[1], int(sys.argv[2]), int((*sys.argv, 256)[3])
    torch.set_num_threads(2)
    settings = Settings(run, port=port, batch_rows=rows, timeout=300.0)
    serve(settings, peer_of(run), lambda ready: print(f"ready on {ready.address}", flush=True))


if __name__ == "__main__":
    main()
