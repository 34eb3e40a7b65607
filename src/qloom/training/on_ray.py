"""Ray: the same training by workers of a cluster, and trials of a tuning as its tasks.

Ray Train starts the workers and their process group; from there on it is the loop of torchrun's and our own workers.
Folders and tables are found by their paths, so all machines of a cluster see the same ones.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from qloom.errors import ArtifactError, QloomError, WorkerError
from qloom.extras import package
from qloom.fitting.workers import joined
from qloom.training.configuration import Configuration, make_configuration
from qloom.training.folder import RunFolder
from qloom.training.progress import LineProgress
from qloom.training.run import train_run
from qloom.training.studies import Proposal
from qloom.training.trials import Trial


def train_on_ray(configuration: Configuration, count: int, *, restarts: int = 3, resume: bool = False) -> Path:
    """Train and compare all models by workers of a Ray cluster; the run folder.

    The cluster is that of RAY_ADDRESS, or one on this machine for the time of the call.

    Args:
        count: of workers.
        restarts: how often all go on from the last checkpoint when a worker is lost.

    Raises:
        ArtifactError: for a folder that is there already, without `resume`.
        WorkerError: if a worker is lost once more than that.
        ExtraError: where Ray is not installed.
    """
    folder = RunFolder(configuration.folder)
    if folder.is_begun and not resume:
        raise ArtifactError(f"run folder {folder.path} exists already; go on with resume=True or choose another name")
    _joined_cluster(count)
    train, torch = package("ray.train", "training on Ray", "ray"), package("ray.train.torch", "training on Ray", "ray")
    # Ray's own records of a job, which has no use for them when it has ended.
    records = Path(configuration.output).resolve() / f".ray-{configuration.name}"
    trainer = torch.TorchTrainer(
        _work,
        train_loop_config={"configuration": configuration.model_dump(mode="json"), "folder": os.getcwd()},
        torch_config=torch.TorchConfig(backend="gloo"),
        scaling_config=train.ScalingConfig(num_workers=count),
        run_config=train.RunConfig(
            name=configuration.name, storage_path=str(records), failure_config=train.FailureConfig(restarts)
        ),
    )
    try:
        trainer.fit()
    except Exception as error:
        raise _mistake_in(error) from error
    finally:
        shutil.rmtree(records, ignore_errors=True)
    return folder.path


def _work(given: Mapping[str, Any]) -> None:
    """A worker's training; Ray Train made the process group."""
    os.chdir(given["folder"])  # paths are relative to where the user is
    configuration = make_configuration(given["configuration"])
    with joined() as workers:
        resume = workers.leads and RunFolder(configuration.folder).is_begun  # what may not be was refused before
        progress = LineProgress(lambda line: print(line, flush=True))
        train_run(configuration, resume=resume, progress=progress, workers=workers)


def _mistake_in(error: BaseException) -> QloomError:
    """What is the user's to mend of all that Ray tells; else that workers were lost."""
    failures = [*getattr(error, "worker_failures", {}).values(), error]
    for failure in failures:
        each: BaseException | None = failure
        while each is not None:
            if isinstance(each, QloomError) and not isinstance(each, WorkerError):
                return each
            each = getattr(each, "cause", None) or each.__cause__
    lines = [line for line in str(error).splitlines() if line.strip()]
    return WorkerError(f"training on Ray failed ({lines[-1] if lines else error}); go on with --resume")


def trials_on_ray(
    count: int,
) -> Callable[[Iterator[Proposal], Callable[[int, Mapping[str, Any]], Trial]], Iterator[Trial]]:
    """A runner of `tune`: so many trials at once, each a task of Ray.

    Raises:
        ExtraError: where Ray is not installed.
    """
    _joined_cluster(count)
    ray = package("ray", "trials on Ray", "ray")

    def run(proposals: Iterator[Proposal], train: Callable[[int, Mapping[str, Any]], Trial]) -> Iterator[Trial]:
        given, task, running = ray.put(train), ray.remote(_train), dict[Any, Callable[[Trial], None]]()
        while True:
            while len(running) < count and (proposal := next(proposals, None)) is not None:
                number, settings, tell = proposal
                running[task.remote(given, number, settings)] = tell
            if not running:
                return
            (done, *_), _ = ray.wait(list(running))
            trial: Trial = ray.get(done)
            running.pop(done)(trial)
            yield trial

    return run


def _train(train: Callable[[int, Mapping[str, Any]], Trial], number: int, settings: Mapping[str, Any]) -> Trial:
    return train(number, settings)


def _joined_cluster(count: int) -> None:
    """Join the cluster of RAY_ADDRESS, or begin one here that has room for so many workers."""
    ray = package("ray", "--on ray", "ray")
    if ray.is_initialized():
        return
    if "RAY_ADDRESS" in os.environ:
        ray.init()
    else:
        ray.init(num_cpus=max(count + 1, os.cpu_count() or 1), include_dashboard=False)
