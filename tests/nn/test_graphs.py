"""Layers in compiled and exported graphs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import qloom as ql
from qloom.engines.outputs import as_outputs
from qloom.nn.documents import document_of, evaluator_of

# A process that only imports qloom, then one that has made another layer: both give what the exporter had.
LOADS = """
import json, sys
import qloom
import torch
results = []
for turn in range(2):
    model = torch.export.load(sys.argv[1]).module()
    y = model(torch.full((5, 2), 0.3))
    y.sum().backward()
    results.append([y.tolist(), [p.grad.tolist() for p in model.parameters()]])
    import qloom.nn
    other = qloom.nn.QuantumLayer(qloom.encoders.angle(2), [qloom.X(0)] * 2)
print(json.dumps(results))
"""


def model() -> torch.nn.Module:
    circuit = ql.encoders.angle(2) + ql.ansatze.strongly_entangling(2, 2)
    layer = ql.nn.QuantumLayer(circuit, [ql.Z(0), 0.5 * ql.X(1) + 0.25], seed=0)
    return torch.nn.Sequential(torch.nn.Linear(2, 2), layer.train_weights([0, 5, 7]), torch.nn.Linear(2, 1))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch itself
def test_an_exported_model_holds_its_circuit(tmp_path: Path):
    network, x = model(), torch.full((5, 2), 0.3)
    batch = torch.export.Dim("batch")
    program = torch.export.export(network, (x[:3],), dynamic_shapes=({0: batch},))
    torch.export.save(program, tmp_path / "model.pt2")
    finished = subprocess.run(
        [sys.executable, "-c", LOADS, str(tmp_path / "model.pt2")],
        env=os.environ | {"PYTHONWARNINGS": "ignore"}, capture_output=True, text=True,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr[-2000:]
    y = network(x)
    y.sum().backward()
    for values, gradients in json.loads(finished.stdout):
        torch.testing.assert_close(torch.tensor(values), y)
        for found, parameter in zip(gradients, network.parameters(), strict=True):
            torch.testing.assert_close(torch.tensor(found), parameter.grad)


@pytest.mark.parametrize("observables", [None, "probabilities", "state", [ql.Z(0) @ ql.X(1) - 2]])
def test_documents_give_the_same_values(observables):
    layer = ql.nn.QuantumLayer(
        ql.encoders.angle(2) + ql.ansatze.strongly_entangling(2, 1), observables, dtype=torch.float64, seed=0
    )
    x = torch.rand(3, 2, dtype=torch.float64)
    again = ql.nn.arrays.forward(evaluator_of(layer._document()), x, layer.weights.detach(), keep=False)[0]
    expected = layer(x) if observables != "state" else torch.view_as_real(layer(x)).flatten(1)
    torch.testing.assert_close(again, expected.detach(), rtol=0, atol=0)


def test_a_circuit_that_was_changed_on_the_way_is_refused():
    document = ql.nn.QuantumLayer(ql.encoders.angle(2))._document()
    with pytest.raises(ql.errors.ArtifactError, match=r"not the one that was exported \(sha256 differs\)"):
        evaluator_of(document.replace('\\"ry\\"', '\\"rx\\"'))
    with pytest.raises(ql.errors.ArtifactError, match="exported layer is damaged"):
        evaluator_of(document[:-20])
    with pytest.raises(ql.errors.ArtifactError, match="version 9, expected 1; update qloom"):
        evaluator_of(document.replace('"version": 1', '"version": 9', 1))


def test_what_cannot_travel_is_refused():
    circuit = ql.encoders.angle(1)
    for options, message in (
        ({"shots": 10}, "shots=10 cannot be exported"),
        ({"engine": ql.engines.ReferenceEngine()}, "ReferenceEngine cannot be exported"),
        ({"differentiator": ql.gradients.FiniteDifference(0.1)}, "cannot be exported, expected one of auto, adjoint"),
    ):
        with pytest.raises(ql.errors.UnsupportedError, match=message):
            ql.nn.QuantumLayer(circuit, **options)._document()
    assert document_of(circuit, as_outputs(circuit), ql.engines.StatevectorEngine(2), "adjoint", None)


def test_many_layers_share_compiled_graphs():
    """More layers than torch compiles one function for: their circuits, numbers of inputs and of outputs differ."""
    torch.compiler.reset()
    for k in range(10):
        n = 2 + k % 3
        circuit = ql.Circuit(n)
        x, (w,) = circuit.inputs(1 + k % 2), circuit.weights(1)
        circuit.rx(x[0], 0).ry(w * (k + 1), 1).cx(0, n - 1)
        layer = ql.nn.QuantumLayer(circuit, init=[0.3])
        data = torch.full((3, circuit.n_inputs), 0.2)
        compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
        torch.testing.assert_close(compiled(data), layer(data), rtol=0, atol=0)
