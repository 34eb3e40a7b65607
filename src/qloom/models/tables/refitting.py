"""Quantum coarse, classical fine: with encoder and circuit frozen, a classical model is fitted to what they give."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass, replace
from typing import Any

from torch import Tensor, nn

from qloom.errors import ConfigError
from qloom.models.tables.baselines import BASELINES
from qloom.models.tables.heads import FITTED
from qloom.models.tables.hybrid import HybridNetwork
from qloom.models.tables.inference import predict_rows
from qloom.models.tables.preparation import PreparedTable
from qloom.models.tables.rows import Rows


@dataclass(frozen=True)
class Refit:
    """A head fitted anew, and whether it took the place of the trained one.

    Attributes:
        kind: one of `FITTED`.
        before, after: losses on the validation rows with the trained head and with the new one.
        error: standard error of their difference.
        seconds: to fit it.
    """

    kind: str
    before: float
    after: float
    error: float
    seconds: float

    @property
    def kept(self) -> bool:
        """Whether it is better by more than two standard errors: the same rows chose its strength or size."""
        return self.before - self.after > 2 * self.error

    def record(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**asdict(self), "kept": self.kept}


def check_refit(kind: str | None, data: PreparedTable) -> None:
    """Raise ConfigError for a kind of head that there is not, or without rows to verify it on."""
    if kind is not None and kind not in FITTED:
        raise ConfigError(f"refit is {kind!r}, expected None or one of {', '.join(FITTED)}")
    if kind is not None and not len(data.validation.y):
        raise ConfigError(
            f"refit={kind!r} is verified on validation rows, got 0 of them; raise validation_fraction or give more rows"
        )


def refit_head(network: HybridNetwork, data: PreparedTable, kind: str, seed: int) -> Refit:
    """Fit a baseline to the middle layer's outputs, and make it the head if it validates clearly better.

    "linear" is ridge regression, in closed form, or logistic regression; "boosting" gradient boosting.
    """
    start = time.perf_counter()
    features = replace(data, train=_features(network, data.train), validation=_features(network, data.validation))
    fitted = BASELINES[kind](features, seed)
    head = FITTED[kind](fitted, features.n_features, data.coding.n_outputs)
    before, after = (_losses(part, features) for part in (network.head, head))
    gain = before - after
    error = float(gain.std() / len(gain) ** 0.5) if len(gain) > 1 else math.inf
    found = Refit(kind, float(before.mean()), float(after.mean()), error, time.perf_counter() - start)
    if found.kept:
        network.head = head
    return found


def _features(network: HybridNetwork, rows: Rows) -> Rows:
    return rows._replace(x=predict_rows(nn.Sequential(network.encoder, network.layer), rows.x))


def _losses(head: nn.Module, data: PreparedTable) -> Tensor:
    """Of every validation row, (B,)."""
    rows = data.validation
    losses = data.loss.of_rows(predict_rows(head, rows.x), rows.y)
    return losses if rows.weights is None else losses * rows.weights
