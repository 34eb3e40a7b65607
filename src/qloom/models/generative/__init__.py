"""Generative models of bits and tables, quantum and classical."""

from typing import TYPE_CHECKING

from qloom.exports import exported_by

if TYPE_CHECKING:
    pass

__all__: list[str] = []

__getattr__ = exported_by(__name__)


def __dir__() -> list[str]:
    return __all__
