"""LP and MPS files as problems."""

from __future__ import annotations

from pathlib import Path

from qloom.combinatorial.problems.given import GivenModel
from qloom.combinatorial.problems.text import chosen
from qloom.combinatorial.program_files import read_program


def read_linear_program(path: str | Path, instance: int | None = None) -> GivenModel:
    """A program of binary and integer variables in an LP or MPS file.

    Raises:
        ProblemError: for a file of another ending, a damaged one, or continuous variables.
    """
    problem = GivenModel(read_program(path))
    chosen(path, instance, 1)
    return problem
