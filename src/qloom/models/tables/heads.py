"""What reads a middle layer's outputs: a perceptron, or a classical model fitted to them and written as a module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from qloom.models.tables.choices import REFITS


def make_perceptron(n_outputs: int, width: int, n_targets: int) -> nn.Module:
    """With one hidden layer, from expectation values to the target.

    Shapes: (B, O) -> (B, C).
    """
    return nn.Sequential(nn.Linear(n_outputs, width), nn.SiLU(), nn.Linear(width, n_targets))


class TreesHead(nn.Module):
    """A sum of regression trees, in tables that all trees walk down at once; no derivatives.

    A leaf leads back to itself. Tables take the sizes of what is loaded.

    Args:
        n_outputs: O of the middle layer.
        n_targets: C.
        tables: the attributes; none until they are loaded.

    Attributes:
        feature, threshold, left, right, value: of each node, (T, M): x[feature] <= threshold goes left.
        share: of each tree in each output, (T, C).
        baseline: of each output, (C,).
        sizes: nodes of each tree, (T,).
        depth: steps from a root to the farthest leaf, ().
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

    def __init__(self, n_outputs: int, n_targets: int, tables: Mapping[str, np.ndarray] | None = None):
        super().__init__()
        self.n_outputs, self.n_targets = n_outputs, n_targets
        for name in self._TABLES:
            given = torch.zeros(0) if tables is None else torch.as_tensor(tables[name])
            self.register_buffer(name, given.to(self._dtype(name)))

    def _dtype(self, name: str) -> torch.dtype:
        return torch.int64 if name in self._INTEGERS else torch.float64

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
        tables = {name: state_dict[prefix + name] for name in self._TABLES if prefix + name in state_dict}
        if len(tables) == len(self._TABLES):
            self._check(tables)
        for name, table in tables.items():
            self.register_buffer(name, torch.empty_like(table))
        super()._load_from_state_dict(state_dict, prefix, *rest)

    def _check(self, tables: Mapping[str, Tensor]) -> None:
        """Raise ValueError for tables that no fitted trees have: what is walked must end within them."""
        n_trees, n_nodes = tables["value"].shape if tables["value"].dim() == 2 else (0, 0)
        shapes = dict.fromkeys(("feature", "threshold", "left", "right", "value"), (n_trees, n_nodes)) | {
            "share": (n_trees, self.n_targets), "baseline": (self.n_targets,), "sizes": (n_trees,), "depth": (),
        }  # fmt: skip
        above = {"feature": self.n_outputs, "left": n_nodes, "right": n_nodes, "sizes": n_nodes + 1, "depth": n_nodes}
        for name, table in tables.items():
            if not n_trees or tuple(table.shape) != shapes[name] or table.dtype != self._dtype(name):
                found = f"{tuple(table.shape)} {table.dtype}"
                raise ValueError(f"trees have a table {name} of {found}, expected {shapes[name]} {self._dtype(name)}")
            fits = (table >= 0) & (table < above[name]) if name in above else torch.isfinite(table)
            if not fits.all():
                raise ValueError(f"trees have numbers out of range in {name}, expected indices within, or finite ones")


# Far below any other class's score: of a class that a fitted model never saw.
NEVER = -30.0


def linear_head(model: Any, n_outputs: int, n_targets: int) -> nn.Module:
    """Of a fitted linear model; of two classes the first one has score 0."""
    head = nn.Linear(n_outputs, n_targets)
    head.load_state_dict({name: torch.from_numpy(table) for name, table in linear_tables(model, n_targets).items()})
    return head


def linear_tables(model: Any, n_targets: int) -> dict[str, np.ndarray]:
    """Weight (C, F) and bias (C,) of a fitted linear model, in double precision."""
    weight, bias = np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_)
    places, start = _places(model, n_targets)
    tables = {"weight": np.zeros((n_targets, weight.shape[1])), "bias": start.astype(np.float64)}
    tables["weight"][places] = weight
    tables["bias"][places] += bias
    return tables


def _places(model: Any, n_targets: int) -> tuple[list[int], np.ndarray]:
    """Which outputs a fitted model's rows or trees belong to, in their order, and what every output begins with."""
    if not hasattr(model, "classes_"):
        return [0], np.zeros(1)
    seen = [int(code) for code in model.classes_]
    start = np.where(np.isin(np.arange(n_targets), seen), 0.0, NEVER)
    return (seen[1:] if len(seen) == 2 else seen), start


# Of a fitted tree's nodes.
_COLUMNS = {"feature": "feature_idx", "threshold": "num_threshold", "left": "left", "right": "right"}


def trees_head(model: Any, n_outputs: int, n_targets: int) -> TreesHead:
    """Of fitted histogram gradient boosting; of two classes the first one has score 0."""
    places, baseline = _places(model, n_targets)
    baseline[places] += np.ravel(model._baseline_prediction)
    trees = [tree.nodes for one_round in model._predictors for tree in one_round]
    width = max(map(len, trees))
    own = np.tile(np.arange(width), (len(trees), 1))
    tables: dict[str, np.ndarray] = {name: np.zeros((len(trees), width)) for name in ("threshold", "value")}
    tables |= {"feature": np.zeros((len(trees), width), int), "left": own, "right": own.copy()}
    for k, nodes in enumerate(trees):
        inner = np.flatnonzero(nodes["is_leaf"] == 0)
        for name, column in _COLUMNS.items():
            tables[name][k, inner] = nodes[column][inner]
        tables["value"][k, : len(nodes)] = nodes["value"]
    share = np.zeros((len(trees), n_targets))
    share[np.arange(len(trees)), np.resize(places, len(trees))] = 1
    depth = np.array(max(int(nodes["depth"].max()) for nodes in trees))
    sizes = np.array([len(nodes) for nodes in trees])
    tables |= {"share": share, "baseline": baseline, "sizes": sizes, "depth": depth}
    return TreesHead(n_outputs, n_targets, tables)


def raw_scores(model: Any, x: np.ndarray, n_targets: int) -> np.ndarray:
    """What `trees_head` computes, by scikit-learn's own walk over the trees.

    Shapes: x (B, O) -> float64 (B, C).
    """
    places, start = _places(model, n_targets)
    scores = np.tile(start, (len(x), 1))
    scores[:, places] += np.asarray(model._raw_predict(x)).reshape(len(x), -1)
    return scores


# (O, hidden units, C) -> a head with fresh or empty weights.
HEADS: dict[str, Callable[[int, int, int], nn.Module]] = {
    "perceptron": make_perceptron,
    "linear": lambda n_outputs, width, n_targets: nn.Linear(n_outputs, n_targets),
    "boosting": lambda n_outputs, width, n_targets: TreesHead(n_outputs, n_targets),
}
# (fitted baseline, O, C) -> the head that computes the same.
FITTED: dict[str, Callable[[Any, int, int], nn.Module]] = dict(zip(REFITS, (linear_head, trees_head), strict=True))
