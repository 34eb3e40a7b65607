"""The runs below a folder, finished or not, each in a line: what it was for, what came of it, how far it is.

Nothing of a table or a model is read, only the records of each folder; what is wrong with one is its state.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from qloom.engines.choice import choose_engine
from qloom.errors import ArtifactError, ConfigError, QloomError
from qloom.files import read_json
from qloom.models.artifact import find_model_folder
from qloom.models.tables.competitors import UNDER_TEST
from qloom.models.tables.scores import METRICS
from qloom.training.folder import CONFIG, FORMAT, METRICS_FILE, SOLUTION, TRIALS, UNDER_NOISE, RunFolder
from qloom.training.lock import holder

FINISHED = "finished"


@dataclass(frozen=True)
class Score:
    """A model's main score over the rounds of a run.

    Attributes:
        model: its title.
        low, high: the 95% interval; None where rounds carry none.
    """

    model: str
    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class ListedRun:
    """A run in a line.

    Attributes:
        path: of its folder.
        kind: "comparison", "synthetic rows", "trials" or "solution".
        state: "finished", "begun", "in use by process N" or "damaged".
        when: of its last record, ISO 8601 in UTC.
        size: bytes of all its files.
        reason: why it is damaged.
        source: the table.
        rows: of all parts.
        engine: of the circuits, where they are not exact.
        metric: the main score.
        hybrid, control: the scores of the model under test and of the best of its controls.
        verdict: of the hybrid model against the classical layer in the circuit's place: better, worse, equal (no
            difference that matters), undecided or no verdict; of other kinds what came of them.
        noise: whether `qloom noise` was asked.
    """

    path: str
    kind: str
    state: str
    when: str
    size: int
    reason: str | None = None
    source: str | None = None
    target: str | None = None
    rows: int | None = None
    rounds: int | None = None
    engine: str | None = None
    metric: str | None = None
    hybrid: Score | None = None
    control: Score | None = None
    verdict: str | None = None
    noise: bool = False

    @property
    def name(self) -> str:
        return Path(self.path).name

    def record(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"name": self.name, **asdict(self)}


SORTS: Mapping[str, Callable[[ListedRun], Any]] = {
    "name": lambda run: run.path,
    "when": lambda run: run.when,
    "target": lambda run: (run.target or "", run.path),
    "rows": lambda run: run.rows or 0,
    "score": lambda run: _goodness(run),
    "state": lambda run: (run.state, run.path),
    "size": lambda run: run.size,
}


def list_runs(folders: Sequence[Path], sort: str = "name") -> list[ListedRun]:
    """The runs that some folders are, or that lie below them.

    Args:
        sort: one of SORTS; scores of different kinds stay apart, best first.

    Raises:
        ConfigError: for another sort.
        ArtifactError: for a folder that is not there.
    """
    if sort not in SORTS:
        raise ConfigError(f"sort is {sort!r}, expected one of {', '.join(SORTS)}")
    for folder in folders:
        if not folder.is_dir():
            raise ArtifactError(f"no folder {folder}, expected one with runs; qloom train makes runs/NAME")
    found = dict.fromkeys(path for folder in folders for path in _runs_below(folder))
    return sorted((look_at(path) for path in found), key=SORTS[sort])


def _runs_below(folder: Path) -> Iterator[Path]:
    """Folders of runs; what lies inside one belongs to it."""
    if _kind_of(folder) is not None:
        yield folder
        return
    for child in sorted(folder.iterdir()):
        if child.is_dir() and not child.is_symlink() and not child.name.startswith("."):
            yield from _runs_below(child)


def _kind_of(folder: Path) -> str | None:
    """What a folder is of; None where it is no run's."""
    if (folder / SOLUTION).is_file():
        return "solution"
    if (folder / TRIALS).is_file():
        return "trials"
    if (folder / METRICS_FILE).is_file():
        return "comparison" if _format(folder / METRICS_FILE) in (None, FORMAT) else "synthetic rows"
    return "comparison" if (folder / CONFIG).is_file() else None


def _format(path: Path) -> Any:
    try:
        found = read_json(path)
    except QloomError:
        return None
    return found.get("format") if isinstance(found, dict) else None


def look_at(path: Path) -> ListedRun:
    """A run's folder in a line; what is damaged says so."""
    kind = _kind_of(path) or "comparison"
    common: dict[str, Any] = {"path": str(path), "kind": kind, "when": _when(path), "size": _size(path)}
    try:
        return ListedRun(**common, **_READERS[kind](path))
    except QloomError as error:
        reason = " ".join(str(error).split())
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OSError) as error:
        reason = f"{type(error).__name__}: {error}"
    return ListedRun(**common, state="damaged", reason=reason)


def _comparison(path: Path) -> dict[str, Any]:
    folder, process = RunFolder(path), holder(path)
    used = None if process is None else f"in use by process {process}"
    configuration = folder.configuration() if folder.is_begun else None
    source = None if configuration is None else configuration.data.source
    if not (path / METRICS_FILE).is_file():
        assert configuration is not None
        choice = configuration.engine
        return {
            "state": used or "begun", "source": source, "target": configuration.data.target,
            "engine": None if choice.is_exact else choice.title,
            "rounds": sum(int(group["size"]) for group in folder.groups()),
        }  # fmt: skip
    metrics = folder.metrics()
    unrefined = configuration is not None and configuration.refinement and metrics["refinement"] is None
    choice, rounds = choose_engine(metrics["engine"]), metrics["rounds"]
    find_model_folder(folder.model(UNDER_TEST))
    return {
        "state": used or ("begun" if unrefined else FINISHED), "source": source, "target": metrics["target"],
        "rows": sum(metrics["n_rows"].values()), "rounds": 1 if rounds is None else rounds["n"],
        "engine": None if choice.is_exact else choice.title, "metric": metrics["metric"],
        "hybrid": _score(metrics, UNDER_TEST), "control": _best_control(metrics), "verdict": _verdict(metrics),
        "noise": (path / UNDER_NOISE).is_file(),
    }  # fmt: skip


def _score(metrics: Mapping[str, Any], key: str) -> Score:
    model = metrics["models"][key]
    low, high = model["interval"] or (None, None)
    return Score(model["title"], model["test"][metrics["metric"]], low, high)


def _best_control(metrics: Mapping[str, Any]) -> Score | None:
    sign = METRICS[metrics["metric"]].sign
    controls = [_score(metrics, key) for key, model in metrics["models"].items() if model["role"] == "control"]
    judged = [score for score in controls if score.value is not None]
    return max(judged, key=lambda score: sign * (score.value or 0.0), default=None)


def _verdict(metrics: Mapping[str, Any]) -> str:
    """The hybrid model against the classical layer in the circuit's place."""
    difference = metrics["comparison"].get("hybrid_classical")
    outcome = None if difference is None or metrics["unjudged"] else difference.get("outcome")
    return outcome or "no verdict"


def _synthetic(path: Path) -> dict[str, Any]:
    from qloom.training.generation_folder import GenerationFolder  # brings all generative models along

    metrics = GenerationFolder(path).metrics()
    return {"state": FINISHED, "target": metrics["target"], "verdict": f"rows by {metrics['chosen']}"}


def _trials(path: Path) -> dict[str, Any]:
    trials = read_json(path / TRIALS)
    losses = [trial["loss"] for trial in trials if trial["loss"] is not None]
    best = f", lowest validation loss {min(losses):.4f}" if losses else ""
    return {"state": FINISHED, "rounds": len(trials), "verdict": f"{len(trials)} trials{best}"}


def _solution(path: Path) -> dict[str, Any]:
    found = read_json(path / SOLUTION)
    gap = "" if found["gap"] is None else f", gap {found['gap']:.2%}"
    feasible = "" if found["feasible"] else ", not feasible"
    return {
        "state": FINISHED,
        "target": found["problem"],
        "verdict": f"objective {found['objective']:.6g}{gap}{feasible}",
    }


_READERS: Mapping[str, Callable[[Path], dict[str, Any]]] = {
    "comparison": _comparison, "synthetic rows": _synthetic, "trials": _trials, "solution": _solution,
}  # fmt: skip


def _goodness(run: ListedRun) -> tuple[str, float]:
    """Best first among runs of one score; those without one last."""
    if run.metric is None or run.hybrid is None or run.hybrid.value is None:
        return "~", 0.0
    return run.metric, -METRICS[run.metric].sign * run.hybrid.value


def _when(path: Path) -> str:
    """When the last record was written."""
    times = [file.stat().st_mtime for file in path.iterdir() if file.is_file() and file.name != "lock"]
    seconds = max(times, default=path.stat().st_mtime)
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _size(path: Path) -> int:
    """Bytes of all files; one that goes away meanwhile counts nothing."""
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_size
            except OSError:
                continue
    return total
