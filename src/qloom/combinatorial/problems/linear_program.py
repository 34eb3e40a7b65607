"""LP and MPS files as problems."""

from __future__ import annotations

from pathlib import Path

from qloom.combinatorial.problems.given import GivenModel
from qloom.combinatorial.problems.text import chosen
from qloom.combinatorial.program_files import read_with_notes


def read_linear_program(path: str | Path, instance: int | None = None) -> GivenModel:
    """A program of binary, integer and continuous variables in an LP or MPS file.

    Raises:
        ProblemError: for a file of another ending, or what its reader refuses, with its line.
    """
    model, notes = read_with_notes(path)
    problem = GivenModel.of_model(model, tuple(notes))
    chosen(path, instance, 1)
    return problem
