"""Training: one loop for any module, any objective and any batches."""

from typing import TYPE_CHECKING

from qloom.exports import exported_by

if TYPE_CHECKING:
    from qloom.fitting.loop import Loop
    from qloom.fitting.rates import cosine
    from qloom.fitting.stages import Stage
    from qloom.fitting.stepper import Stepper, Taken
    from qloom.fitting.stopping import Flat
    from qloom.fitting.together import run_together
    from qloom.fitting.training import Training
    from qloom.fitting.workers import joined

__all__ = ["Flat", "Loop", "Stage", "Stepper", "Taken", "Training", "cosine", "joined", "run_together"]
__getattr__ = exported_by(__name__)
