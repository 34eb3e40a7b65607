"""What a page's Python takes as given: names and files, small; and what makes it short or keeps it from running."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

import qloom as ql
from tests.backbones.tiny_models import make_text_model

# Two agents, three tasks: the smallest of OR-Library's layout, once named as the first of the file.
ASSIGNMENT = "1\n2 3\n4 5 6\n1 2 3\n1 1 1\n2 2 2\n2 4\n"


def large_models(folder: Path) -> dict[str, Any]:
    make_text_model(folder / "all-MiniLM-L6-v2", width=32)
    return {}


def optimization(folder: Path) -> dict[str, Any]:
    (folder / "gap1.txt").write_text(ASSIGNMENT)
    return {}


class Blocks(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = torch.nn.ModuleList(torch.nn.Linear(3, 3) for _ in range(2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for block in self.blocks:
            x = block(x).tanh()
        return x


class Model(torch.nn.Module):
    """A backbone in blocks, a circuit behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = Blocks()
        self.circuit = ql.nn.QuantumHead(3, 1, n_qubits=2, seed=0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.circuit(self.backbone(x))


class Dataset:
    """What the page asks of Ray's; with Ray's own in tests/training/test_on_ray.py."""

    table = pa.table({"amount": [0.5, 1.5, 2.5]})

    def iter_batches(self, batch_format: str) -> list[pa.Table]:
        assert batch_format == "pyarrow"
        return [self.table.slice(0, 2), self.table.slice(2)]

    def schema(self) -> Any:
        return type("Schema", (), {"base_schema": self.table.schema})


def scale(folder: Path) -> dict[str, Any]:
    """Of the part on FSDP: a group of this process alone, a model, its loss and its rows."""
    torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    return {
        "Model": Model, "batches": lambda rank, count: [torch.rand(8 // count, 3)], "held_out": [torch.rand(4, 3)],
        "loss": lambda model, x: (model(x) - x.mean(1, keepdim=True)).square().mean(), "dataset": Dataset(),
    }  # fmt: skip


def table_to_model(folder: Path) -> dict[str, Any]:
    import pandas

    rng = np.random.default_rng(0)
    frame = pandas.DataFrame({"a": rng.normal(size=120), "b": rng.choice(["u", "v"], 120)})
    return {"frame": frame, "labels": (frame["a"] > 0).astype(int), "other_frame": frame}


def adapters(folder: Path) -> dict[str, Any]:
    from peft import get_peft_model
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=10, hidden_size=64, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8
    )  # fmt: skip
    return {"ql": ql, "get_peft_model": get_peft_model, "base": BertModel(config)}


def layers(folder: Path) -> dict[str, Any]:
    backbone = torch.nn.Sequential(OrderedDict(body=torch.nn.Linear(8, 512), fc=torch.nn.Linear(512, 2)))
    circuit = ql.encoders.angle(4) + ql.ansatze.strongly_entangling(4, 2)
    values = {"inputs": np.zeros((5, 4)), "weights": np.zeros(circuit.n_weights)}
    return {"ql": ql, "torch": torch, "backbone": backbone, "circuit": circuit, **values}


def circuit(folder: Path) -> dict[str, Any]:
    """As sections have it that go on with one."""
    made = ql.encoders.angle(2) + ql.ansatze.basic_entangler(2, 1)
    x, w = np.zeros((3, 2)), np.full(made.n_weights, 0.1)
    return {"ql": ql, "circuit": made, "observables": [ql.Z(0)], "x": x, "w": w}


def gpus(folder: Path) -> dict[str, Any]:
    return circuit(folder) | {"x": torch.rand(3, 2)}


def kernels(folder: Path) -> dict[str, Any]:
    x = np.random.default_rng(0).uniform(-1, 1, (40, 2))
    y = x[:, 0] > 0
    return {"ql": ql, "x": x, "y": y, "x_test": x, "y_test": y, "circuit": ql.encoders.angle(2)}


def bits(folder: Path) -> dict[str, Any]:
    made = np.random.default_rng(0).integers(0, 2, (30, 901))
    return {"bits": made, "test_bits": made[:5]}


def training(folder: Path) -> dict[str, Any]:
    layer = ql.nn.QuantumLayer(ql.encoders.angle(2) + ql.ansatze.basic_entangler(2, 1), seed=0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), layer)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    return {"ql": ql, "torch": torch, "model": model, "x": torch.rand(8, 3), "before": before}


def problem(folder: Path) -> dict[str, Any]:
    edges = np.array([[0, 1], [1, 2], [2, 3], [3, 0]])
    return {"matrix": np.random.default_rng(0).normal(size=(6, 6)), "edges": edges, "weights": np.ones(4)}


NAMES: dict[str, Callable[[Path], dict[str, Any]]] = {
    "large-models": large_models, "optimization": optimization, "scale": scale,
    "README: From a table to a model": table_to_model, "README: Large models": adapters, "README: Layers": layers,
    "README: GPUs": gpus, "README: Devices": circuit, "README: Kernels and published models": kernels,
    "README: Training that knows it is quantum": training, "README: Noise, mitigation, correction": circuit,
    "README: Wide circuits": circuit, "README: Combinatorial optimization": problem,
    "README: Generative models of bits": bits,
}  # fmt: skip
"""Guide -> what makes what it takes as given, in its folder."""

SHORTER = {
    "optimization": {"time_limit=20": "time_limit=1", "time_limit=5": "time_limit=1"},
    "README: Generative models of bits": {"n_steps=2000": "n_steps=1, gates=1"},
}
"""Guide -> what stands there -> what runs in its place."""

NEEDS = {"layers": "pennylane", "devices": "qiskit_ibm_runtime", "README: Devices": "qiskit_ibm_runtime"}
"""Guide -> package that the environment of development has not; `make test-slow` runs these where it is."""

ON_CUDA = ("gpu", "README: GPUs")
"""Guides that end in the words of torch where there is no device."""
