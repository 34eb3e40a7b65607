"""Where a run folder keeps its models, by their names there and on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qloom.errors import ArtifactError
from qloom.models.tables.run_files import read_metrics
from qloom.models.tables.scores import METRICS

# A competitor of a run -> its folder there.
PLACES = {
    "hybrid": Path("model"),
    "hybrid_separable": Path("controls", "separable"),
    "hybrid_classical": Path("controls", "classical"),
    "linear": Path("baselines", "linear"),
    "boosting": Path("baselines", "boosting"),
}
BEST = "best"
# As they may be asked for.
NAMES = (*(key.removeprefix("hybrid_") for key in PLACES), BEST)

MODEL_HELP = (
    f"Which model of a run: {', '.join(NAMES)}; by default hybrid. "
    f"{BEST}: the first of the leaderboard, so chosen by its test scores."
)


def find_model(path: Path, name: str | None) -> Path:
    """The folder of a run's model by its name, "best" for the first of the leaderboard; as given without a name.

    Raises:
        ArtifactError: for a name that is none, or a folder that is no run or has no such model.
    """
    if name is None:
        return path
    known = {key.removeprefix("hybrid_"): key for key in PLACES} | {key: key for key in PLACES}
    key = best_model(read_metrics(path)) if name == BEST else known.get(name)
    if key is None:
        raise ArtifactError(f"no model {name!r}, expected one of {', '.join(NAMES)}; choose one of them")
    folder = path / PLACES[key]
    if not folder.is_dir():
        raise ArtifactError(
            f"{path} holds no {name} model in {PLACES[key]}, expected a run folder with it; train the run again"
        )
    return folder


def best_model(metrics: Any) -> str:
    """The key of the model with the best main score."""
    metric = metrics["metric"]
    sign = METRICS[metric].sign
    scores = {key: model["test"].get(metric) for key, model in metrics["models"].items()}
    judged = {key: sign * value for key, value in scores.items() if value is not None}
    return max(judged, key=lambda key: judged[key]) if judged else "hybrid"
