"""Runs: from a configuration to a folder with five models compared over several rounds."""

from typing import TYPE_CHECKING

from qloom.exports import exported_by

if TYPE_CHECKING:
    from qloom.training.configuration import Configuration, load_configuration
    from qloom.training.demonstrations import demonstration_table
    from qloom.training.evaluation import evaluate, open_model
    from qloom.training.intervals import estimate
    from qloom.training.run import resume_run, train_run
    from qloom.training.versions import Ledger

__all__ = [
    "Configuration", "Ledger", "demonstration_table", "estimate", "evaluate", "load_configuration", "open_model",
    "resume_run", "train_run",
]  # fmt: skip
__getattr__ = exported_by(__name__)
