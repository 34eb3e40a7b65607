"""Circuits with labels for torch's DataLoader."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from qloom.circuits.circuit import Circuit
from qloom.engines.circuit_batch import CircuitBatch
from qloom.errors import DataError


class CircuitDataset(Dataset[tuple[Circuit, Tensor]]):
    """N circuits, each with its label: ``DataLoader(CircuitDataset(circuits, y), 32, collate_fn=collate_circuits)``.

    Args:
        circuits: a list of them, or a `CircuitBatch`.
        labels: (N, ...), numbers or a tensor.

    Raises:
        DataError: where there are not as many labels as circuits.
    """

    def __init__(self, circuits: CircuitBatch | Iterable[Circuit], labels: Any):
        batch = circuits if isinstance(circuits, CircuitBatch) else CircuitBatch(circuits)
        self.circuits = [batch[k] for k in range(len(batch))]
        self.labels = torch.as_tensor(labels)
        n_labels = len(self.labels) if self.labels.dim() else None
        if n_labels != len(self.circuits):
            found = "one number" if n_labels is None else f"{n_labels} labels"
            raise DataError(f"{found} for {len(self.circuits)} circuits, expected a label for each")

    def __len__(self) -> int:
        return len(self.circuits)

    def __getitem__(self, index: int) -> tuple[Circuit, Tensor]:
        return self.circuits[index], self.labels[index]


def collate_circuits(samples: Sequence[tuple[Circuit, Any]]) -> tuple[CircuitBatch, Tensor]:
    """(circuit, label) pairs as a `CircuitBatch` and a tensor of labels (B, ...), for a DataLoader's `collate_fn`."""
    circuits, labels = zip(*samples, strict=True)
    return CircuitBatch(circuits), torch.stack([torch.as_tensor(label) for label in labels])
