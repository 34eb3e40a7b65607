#!/bin/sh
# Two expectation values of a QNode as a layer of torch: does it matter whether they are returned as a list or a tuple?
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet pennylane==0.45.1 torch==2.13.0
cd "$folder"
environment/bin/python -W ignore - <<'PYTHON'
import pennylane as qml
import torch

device = qml.device("default.qubit", wires=2)


def layer(together):
    @qml.qnode(device)
    def circuit(inputs, weights):
        qml.AngleEmbedding(inputs, wires=range(2))
        qml.BasicEntanglerLayers(weights, wires=range(2))
        return together(qml.expval(qml.Z(q)) for q in range(2))

    return qml.qnn.TorchLayer(circuit, {"weights": (1, 2)})


x = torch.rand(5, 2)
shapes = {together.__name__: tuple(layer(together)(x).shape) for together in (list, tuple)}
print(f"pennylane {qml.__version__}: TorchLayer of 5 samples and 2 expectation values gives {shapes}")
try:
    torch.nn.Sequential(layer(tuple), torch.nn.Linear(2, 1))(x)
    follows = True
except RuntimeError as error:
    print(f"  and a Linear(2, 1) after the tuple: {error}")
    follows = False
assert shapes == {"list": (5, 2), "tuple": (2, 5, 1)} and not follows, "outputs stand in the same place now"
PYTHON
