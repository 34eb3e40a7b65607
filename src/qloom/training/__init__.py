"""Runs: from a configuration to a folder with five models compared over several rounds."""

from typing import TYPE_CHECKING

from qloom.exports import exported_by

if TYPE_CHECKING:
    from qloom.training.configuration import Configuration, load_configuration
    from qloom.training.evaluation import evaluate
    from qloom.training.run import resume_run, train_run

__all__ = ["Configuration", "evaluate", "load_configuration", "resume_run", "train_run"]
__getattr__ = exported_by(__name__)
