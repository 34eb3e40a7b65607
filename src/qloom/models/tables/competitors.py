"""The models of every run: what each is called, where it is kept, and what it is there for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Competitor:
    """A model of a run.

    Attributes:
        key: its name in files.
        title: for people; the linear model has others for some losses.
        role: "hybrid", the one under test; "control" or "baseline".
        layer: its middle, one of LAYERS; None for a baseline.
        place: its folder in a run folder.
        explanation: what it is there for.
        against: as verdicts name it, None for the one under test.
    """

    key: str
    title: str
    role: str
    layer: str | None
    place: Path
    explanation: str
    against: str | None

    @property
    def name(self) -> str:
        """On the command line."""
        return self.key.removeprefix("hybrid_")

    def record(self) -> dict[str, Any]:
        """Its entries in metrics.json."""
        return {name: getattr(self, name) for name in RECORDED}


RECORDED = ("title", "role", "layer", "explanation", "against")
COMPETITORS: Mapping[str, Competitor] = {
    each.key: each
    for each in (
        Competitor(
            "hybrid", "hybrid quantum model", "hybrid", "quantum", Path("model"),
            "The model under test: classical encoder, quantum circuit, classical head.", None,
        ),
        Competitor(
            "hybrid_separable", "hybrid without entangling gates", "control", "separable",
            Path("controls", "separable"),
            "The same model without its entangling gates: does entanglement matter?",
            "the same circuit without entangling gates",
        ),
        Competitor(
            "hybrid_classical", "classical layer of equal size", "control", "classical", Path("controls", "classical"),
            "The same model, a classical layer of equal parameter count in place of the circuit: does the quantum "
            "layer matter?",
            "an equal-parameter classical layer in its place",
        ),
        Competitor(
            "linear", "linear model", "baseline", None, Path("baselines", "linear"),
            "Is anything beyond a linear model needed?", "a linear model",
        ),
        Competitor(
            "boosting", "gradient boosting", "baseline", None, Path("baselines", "boosting"),
            "What one would use for a table without a quantum computer.", "gradient boosting",
        ),
    )
}  # fmt: skip
UNDER_TEST = "hybrid"
NETWORKS = tuple(key for key, each in COMPETITORS.items() if each.layer is not None)
_LINEAR = {"poisson": "Poisson regression", "absolute": "median regression", "quantile": "quantile regression"}


def title_of(key: str, task: str, loss: str = "auto") -> str:
    """A model's name for people, in a run of some task and loss."""
    if key != "linear":
        return COMPETITORS[key].title
    return _LINEAR.get(loss, "ridge regression") if task == "regression" else "logistic regression"


def place_of(folder: Path, layer: str) -> Path:
    """Where a run folder keeps the network whose middle layer is of a kind."""
    return folder / next(each.place for each in COMPETITORS.values() if each.layer == layer)
