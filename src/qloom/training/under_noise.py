"""A trained run on devices: its hybrid model exact, measured, under a device's noise, mitigated, as if corrected.

All stand beside the same rows' scores of the classical control, which no noise of a circuit touches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from qloom.checks import is_integer
from qloom.circuits.circuit import Circuit
from qloom.correction import logical_noise
from qloom.engines import DensityEngine, Engine, Noisy, OnDevice, Shots, StatevectorEngine
from qloom.engines.measuring.shots import checked_shots
from qloom.engines.noisy import with_noise
from qloom.errors import CircuitError, ConfigError, UnsupportedError
from qloom.mitigation import ReadoutInversion, ZeroNoise
from qloom.models.tables.competitors import COMPETITORS, UNDER_TEST
from qloom.models.tables.served import Predictor, Served, read_served
from qloom.noise import NoiseModel, compiled
from qloom.training.evaluation import score_predictions
from qloom.training.folder import RunFolder
from qloom.training.rounds import KEPT, Plan
from qloom.training.table import load_table

CONTROL = COMPETITORS["hybrid_classical"]
# Corrected at the device's mean rates, which are near the code's threshold or above, and at a tenth of them.
CODE, DISTANCES, FACTORS = "rotated_surface", (3, 5, 7), {1.0: "", 0.1: ", rates a tenth"}
# Of each basis; a logical error rate below some ten-thousandths is then not told from none.
CORRECTION_SHOTS = 20_000
SCALES = (1, 3)

Said = Callable[[str], None]


@dataclass(frozen=True)
class Execution:
    """One way to run the circuit.

    Attributes:
        key: "exact", "shots", "noisy", "noisy-shots", "mitigated", "mitigated-shots", or "corrected", the distance and
            the factor of the rates.
        title: for people.
        make: the engine; may refuse.
    """

    key: str
    title: str
    make: Callable[[], Engine]


def run_under_noise(
    folder: str | Path, devices: Sequence[str | Path], *, shots: int = 1000, most_rows: int = 1000, seed: int = 0,
    corrected: bool = True, say: Said = lambda text: None,
) -> dict[str, Any]:  # fmt: skip
    """Scores of a run's hybrid model under each device's noise, as plain JSON values; kept in the run folder.

    Args:
        folder: of a finished run.
        devices: files of calibrations or noise models.
        shots: measurements of each word in the executions that are measured, all circuits of a value together.
        most_rows: test rows that are taken, the first ones.
        seed: of measurements, codes and the bootstrap.
        corrected: also as if corrected by codes made of the device's mean rates, which takes the extra `correction`.
        say: is told what is being done.

    Raises:
        QloomError: for a folder, a file, or a device that the circuit does not fit on.
    """
    run, models = RunFolder(folder), {str(path): NoiseModel.from_calibration(path) for path in devices}
    if not models:
        raise ConfigError("no device given, expected a file of its calibration, or of a noise model")
    if not is_integer(most_rows) or most_rows < 1:
        raise ConfigError(f"rows={most_rows!r}, expected an integer of at least 1")
    checked_shots(shots)
    metrics = run.metrics()
    hybrid, rows = read_served(run.model(UNDER_TEST)), _test_rows(run, most_rows)
    if not isinstance(hybrid, Served):
        raise ConfigError(f"{folder} has no circuit, expected a run of a hybrid model")
    scorer = Scorer(hybrid.under(StatevectorEngine()), rows, metrics["metric"], seed)
    found: dict[str, Any] = {
        "metric": metrics["metric"], "shots": shots, "seed": seed, "n_rows": rows.num_rows, "scales": list(SCALES),
        "control": {"title": CONTROL.title, **scorer.of(read_served(run.model(CONTROL.key)))},
        "devices": [],
    }  # fmt: skip
    plain = [Execution("exact", "exact values", StatevectorEngine),
             Execution("shots", f"{shots:,} shots", partial(Shots, StatevectorEngine(), shots, seed))]  # fmt: skip
    base = [_scored(each, hybrid, scorer, say) for each in plain]
    for path, model in models.items():
        noisy, stands = _stands(hybrid.circuit_, model)
        name = model.name or Path(path).name
        executions = _executions(noisy, shots, seed, corrected)
        found["devices"].append({
            "file": path, "name": name, **stands, "notes": sorted({note.text for note in model.notes}),
            "executions": [*base, *(_scored(each, hybrid, scorer, say, name) for each in executions)],
        })  # fmt: skip
    run.write_under_noise(found)
    return found


def _stands(circuit: Circuit, model: NoiseModel) -> tuple[Noisy, dict[str, Any]]:
    """The engine with a model's noise, and how the circuit stands on its device, where it is one's."""
    noisy = with_noise(DensityEngine(), model)
    if not isinstance(noisy, OnDevice):
        return noisy, {"qubits": None, "success": None, "gates": circuit.gate_counts()}
    placed = compiled(circuit, model)
    stands = {"qubits": list(placed.qubits), "success": placed.success, "gates": placed.circuit.gate_counts()}
    return OnDevice(DensityEngine(), model, placed.start), stands


def _executions(noisy: Noisy, shots: int, seed: int, corrected: bool) -> Iterator[Execution]:
    yield Execution("noisy", "noise", lambda: noisy)
    yield Execution("noisy-shots", f"noise, {shots:,} shots", lambda: Shots(noisy, shots, seed))
    yield Execution("mitigated", "mitigated", lambda: mitigated(noisy))
    each = max(1, shots // len(SCALES))
    yield Execution(
        "mitigated-shots", f"mitigated, {shots:,} shots in all", lambda: mitigated(Shots(noisy, each, seed))
    )
    for factor, said in FACTORS.items() if corrected else ():
        for distance in DISTANCES:
            yield Execution(f"corrected-{distance}-{factor:g}", f"corrected, distance {distance}{said}",
                            partial(_corrected, distance, noisy.model, factor, seed))  # fmt: skip


def mitigated(noisy: Engine) -> Engine:
    """Readout inverted, then values extrapolated to no noise along a line through circuits run once and three times."""
    return ZeroNoise(ReadoutInversion(noisy), SCALES, "linear")


def _corrected(distance: int, model: NoiseModel, factor: float, seed: int) -> Engine:
    logical = logical_noise(CODE, distance, model.scaled(factor), shots=CORRECTION_SHOTS, seed=seed)
    return Noisy(DensityEngine(), logical)


def _scored(each: Execution, hybrid: Served, scorer: Scorer, say: Said, device: str = "") -> dict[str, Any]:
    """An execution's scores and how far its outputs are from exact ones; why not, where an engine refuses."""
    say(f"{device}: {each.title}" if device else each.title)
    entry: dict[str, Any] = {"key": each.key, "title": each.title, "refused": None}
    try:
        return {**entry, **scorer.of(hybrid.under(each.make()))}
    except (CircuitError, ConfigError, UnsupportedError) as error:
        # Too few logical errors to tell a rate by, or nothing that could be mitigated.
        return {**entry, "refused": str(error), "scores": {}, "off": None}


class Scorer:
    """Scores of predictions on the same rows, the metric and the next, with their 95% intervals.

    Args:
        exact: the model with exact values; distances are from its predictions.
        rows: with a known target.
        metric: to have first.
    """

    def __init__(self, exact: Predictor, rows: pa.Table, metric: str, seed: int):
        self._rows, self._metric, self._seed = rows, metric, seed
        self._truth, self._exact = exact.coding_.truth(rows), exact.predict_table(rows)

    def of(self, model: Predictor) -> dict[str, Any]:
        """scores: name -> [value, low, high]; off: mean distance of predictions from exact ones."""
        predictions = model.predict_table(self._rows)
        scores = score_predictions(model, self._truth, predictions, self._seed, self._metric)
        off = float(np.mean(np.abs(predictions - self._exact)))
        return {"scores": dict(list(scores.items())[:2]), "off": off}


def _test_rows(run: RunFolder, most: int) -> pa.Table:
    """Test rows of the round whose models are kept."""
    configuration = run.configuration()
    loaded = load_table(configuration)
    test = Plan(configuration, loaded).round(KEPT).split.test
    return loaded.table.take(pa.array(test[:most]))
