"""Many experiments at once, on several processes, through sinter."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from qloom.checks import checked_count
from qloom.correction.codes import find_code
from qloom.correction.decoding import merged
from qloom.correction.memory import MemoryExperiment
from qloom.correction.statistics import LogicalErrors
from qloom.errors import ConfigError
from qloom.extras import package


def collect(
    experiments: Iterable[MemoryExperiment], max_shots: int, max_errors: int | None = None, workers: int = 1, *,
    correlated: bool = False,
) -> list[LogicalErrors]:  # fmt: skip
    """Run experiments until each has had enough shots or errors.

    sinter draws its shots without a seed: two collections differ within their intervals. For figures that come out
    alike use `MemoryExperiment.run` with a seed.

    Args:
        experiments: of `memory_experiment`.
        max_shots: of each.
        max_errors: of each, after which it ends; None for all shots.
        workers: processes. They import the program that is run: guard it by `if __name__ == "__main__"`.
        correlated: as of `MemoryExperiment.run`.

    Returns:
        What was found, in the order of the experiments.

    Raises:
        ConfigError: for what is no experiment, or correlated matching of a color code.
        ExtraError: without the extra `correction`.
    """
    sinter = package("sinter", "collecting errors on several processes", "correction")
    experiments = list(experiments)
    for experiment in experiments:
        if not isinstance(experiment, MemoryExperiment):
            raise ConfigError(f"got {type(experiment).__name__}, expected experiments of memory_experiment(...)")
    tasks = [_task(sinter, place, experiment, correlated) for place, experiment in enumerate(experiments)]
    found = sinter.collect(
        num_workers=checked_count("workers", workers), tasks=tasks, max_shots=checked_count("max_shots", max_shots),
        max_errors=None if max_errors is None else checked_count("max_errors", max_errors),
        custom_decoders=_color_decoders(experiments),
    )  # fmt: skip
    by_place: dict[int, Any] = {stats.json_metadata["place"]: stats for stats in found}
    return [
        experiment.counted(by_place[place].errors, by_place[place].shots, correlated)
        for place, experiment in enumerate(experiments)
    ]


def _task(sinter: Any, place: int, experiment: MemoryExperiment, correlated: bool) -> Any:
    experiment.decoder(correlated)  # refused here, not in another process
    model, decoder = experiment.error_model, "chromobius"
    if find_code(experiment.code).is_matchable:
        model, decoder = merged(model), "pymatching-correlated" if correlated else "pymatching"
    return sinter.Task(
        circuit=experiment.circuit, detector_error_model=model, decoder=decoder, json_metadata={"place": place}
    )


def _color_decoders(experiments: Iterable[MemoryExperiment]) -> Any:
    """What sinter is to know of Chromobius, if it is needed."""
    if all(find_code(experiment.code).is_matchable for experiment in experiments):
        return None
    return package("chromobius", "decoding of color codes", "correction").sinter_decoders()
