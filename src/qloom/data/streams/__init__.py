"""Tables larger than memory: rows on disk that are read block by block, and what is learnt from them in one pass."""

from typing import TYPE_CHECKING

from qloom.exports import exported_by

if TYPE_CHECKING:
    from qloom.data.streams.learning import Learnt, learn_stream
    from qloom.data.streams.opening import open_stream
    from qloom.data.streams.parts import hash_parts, time_parts
    from qloom.data.streams.row_stream import Block, HeldRows, RowStream

__all__ = ["Block", "HeldRows", "Learnt", "RowStream", "hash_parts", "learn_stream", "open_stream", "time_parts"]
__getattr__ = exported_by(__name__)
