"""What predictions hang on: columns over all rows, columns of one row, and the parts of the circuit."""

from qloom.models.explanations.games import ColumnGame
from qloom.models.explanations.shapley import Attribution, attribute

__all__ = ["Attribution", "ColumnGame", "attribute"]
