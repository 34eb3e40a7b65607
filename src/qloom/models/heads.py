"""What reads a middle layer's outputs: a perceptron, or a classical model fitted to them and written as a module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


def make_perceptron(n_outputs: int, width: int, n_targets: int) -> nn.Module:
    """With one hidden layer, from expectation values to the target.

    Shapes: (B, O) -> (B, C).
    """
    return nn.Sequential(nn.Linear(n_outputs, width), nn.SiLU(), nn.Linear(width, n_targets))


class TreesHead(nn.Module):
    """A sum of regression trees, in tables that all trees walk down at once; no derivatives.

    A leaf leads back to itself. Tables take the sizes of what is loaded.

    Attributes:
        feature, threshold, left, right, value: of each node, (T, M): x[feature] <= threshold goes left.
        share: of each tree in each output, (T, C).
        baseline: of each output, (C,).
        sizes: nodes of each tree, (T,).
        depth: steps from a root to the farthest leaf.
    """

    feature: Tensor
    threshold: Tensor
    left: Tensor
    right: Tensor
    value: Tensor
    share: Tensor
    baseline: Tensor
    sizes: Tensor
    depth: Tensor
    _INTEGERS = ("feature", "left", "right", "sizes", "depth")
    _TABLES = (*_INTEGERS, "threshold", "value", "share", "baseline")

    def __init__(self, tables: Mapping[str, np.ndarray] | None = None):
        super().__init__()
        for name in self._TABLES:
            dtype = torch.int64 if name in self._INTEGERS else torch.float64
            self.register_buffer(name, torch.as_tensor(np.zeros(0) if tables is None else tables[name]).to(dtype))

    @property
    def n_nodes(self) -> int:
        """Of all trees; each is a threshold or a value."""
        return int(self.sizes.sum())

    def forward(self, x: Tensor) -> Tensor:
        """Shapes: (B, O) -> (B, C)."""
        rows, trees = x.double(), torch.arange(len(self.value))
        node = torch.zeros(len(x), len(trees), dtype=torch.int64)
        for _ in range(int(self.depth)):
            low = rows.gather(1, self.feature[trees, node]) <= self.threshold[trees, node]
            node = torch.where(low, self.left[trees, node], self.right[trees, node])
        return (self.baseline + self.value[trees, node] @ self.share).to(x.dtype)

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *rest: Any) -> None:
        for name in self._TABLES:
            if prefix + name in state_dict:
                self.register_buffer(name, torch.empty_like(state_dict[prefix + name]))
        super()._load_from_state_dict(state_dict, prefix, *rest)


def linear_head(model: Any, n_targets: int) -> nn.Module:
    """Of a fitted ridge or logistic regression; of two classes the first one has score 0."""
    weight, bias = np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_)
    missing = n_targets - len(weight)
    head = nn.Linear(weight.shape[1], n_targets)
    with torch.no_grad():
        head.weight.copy_(torch.from_numpy(np.pad(weight, ((missing, 0), (0, 0)))))
        head.bias.copy_(torch.from_numpy(np.pad(bias, (missing, 0))))
    return head


# Of a fitted tree's nodes.
_COLUMNS = {"feature": "feature_idx", "threshold": "num_threshold", "left": "left", "right": "right"}


def trees_head(model: Any, n_targets: int) -> TreesHead:
    """Of fitted histogram gradient boosting; of two classes the first one has score 0."""
    rounds = model._predictors
    trees = [tree.nodes for one_round in rounds for tree in one_round]
    width, missing = max(map(len, trees)), n_targets - len(rounds[0])
    tables: dict[str, np.ndarray] = {name: np.zeros((len(trees), width)) for name in ("threshold", "value")}
    own = np.tile(np.arange(width), (len(trees), 1))
    tables |= {"feature": np.zeros((len(trees), width), int), "left": own, "right": own.copy()}
    for k, nodes in enumerate(trees):
        inner = np.flatnonzero(nodes["is_leaf"] == 0)
        for name, column in _COLUMNS.items():
            tables[name][k, inner] = nodes[column][inner]
        tables["value"][k, : len(nodes)] = nodes["value"]
    share = np.zeros((len(trees), n_targets))
    share[np.arange(len(trees)), missing + np.arange(len(trees)) % len(rounds[0])] = 1
    baseline = np.pad(np.ravel(model._baseline_prediction), (missing, 0))
    depth = np.array(max(int(nodes["depth"].max()) for nodes in trees))
    sizes = np.array([len(nodes) for nodes in trees])
    return TreesHead({**tables, "share": share, "baseline": baseline, "sizes": sizes, "depth": depth})


# (O, hidden units, C) -> a head with fresh or empty weights.
HEADS: dict[str, Callable[[int, int, int], nn.Module]] = {
    "perceptron": make_perceptron,
    "linear": lambda n_outputs, width, n_targets: nn.Linear(n_outputs, n_targets),
    "boosting": lambda n_outputs, width, n_targets: TreesHead(),
}
# (fitted baseline, C) -> the head that computes the same.
FITTED: dict[str, Callable[[Any, int], nn.Module]] = {"linear": linear_head, "boosting": trees_head}
