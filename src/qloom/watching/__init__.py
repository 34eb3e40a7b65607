"""A trained model and rows that came later: what has moved, what to do about it, what it is worth over time."""

from typing import TYPE_CHECKING

from qloom.exports import exported_by

if TYPE_CHECKING:
    from qloom.watching.looking import Watched, look, open_watched
    from qloom.watching.row_by_row import prequential
    from qloom.watching.updating import update

__all__ = ["Watched", "look", "open_watched", "prequential", "update"]
__getattr__ = exported_by(__name__)
