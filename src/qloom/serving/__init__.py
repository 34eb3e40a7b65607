"""A trained model behind HTTP: `qloom serve RUN`."""

from typing import TYPE_CHECKING

from qloom.exports import exported_by

if TYPE_CHECKING:
    from qloom.serving.server import serving
    from qloom.serving.settings import Settings

__all__ = ["Settings", "serving"]
__getattr__ = exported_by(__name__)
