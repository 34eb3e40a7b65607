"""Models that others can use: a run's model as a torch program, ONNX, OpenQASM, or an ordinary network."""

from typing import TYPE_CHECKING

from qloom.exports import exported_by

if TYPE_CHECKING:
    from qloom.portable.exporting import export_run
    from qloom.portable.formats import FORMATS

__all__ = ["FORMATS", "export_run"]
__getattr__ = exported_by(__name__)
