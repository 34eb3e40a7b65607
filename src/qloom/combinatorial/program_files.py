"""Models in LP and MPS files: own readers, which name lines; see `program_formats`."""

from __future__ import annotations

from pathlib import Path

from qloom.combinatorial.model import Model
from qloom.combinatorial.problems.text import FormatError, text_of
from qloom.combinatorial.program_formats.lp import read_lp
from qloom.combinatorial.program_formats.modelling import model_of
from qloom.combinatorial.program_formats.mps import read_mps
from qloom.combinatorial.program_formats.writing import lp_text, mps_text
from qloom.errors import ProblemError
from qloom.files import replace_file

READERS = {".lp": read_lp, ".mps": read_mps}


def read_program(path: str | Path) -> Model:
    """A program of binary, integer and continuous variables in an LP or MPS file; products of whole ones.

    Args:
        path: of a file that ends in .lp or .mps.

    Raises:
        ProblemError: for what the format, or most of its readers, do not take, with its line.
    """
    return read_with_notes(path)[0]


def read_with_notes(path: str | Path) -> tuple[Model, list[str]]:
    """The model, and what of the file was left out or taken for granted.

    Raises:
        ProblemError: as `read_program`.
    """
    path = Path(path)
    if path.suffix.lower() not in READERS:
        raise FormatError(f"{path} cannot be read, expected a file that ends in {' or '.join(READERS)}")
    written = READERS[path.suffix.lower()](path, text_of(path))
    if not written.columns:
        raise ProblemError(f"{path} holds no variables, expected the {path.suffix[1:].upper()} format")
    model = model_of(written)
    return model, written.notes


def write_program(model: Model, path: str | Path) -> Path:
    """The model as an LP file, or a linear one as MPS, whole or not at all; names become what the formats take.

    Args:
        model: to be written.
        path: of a file that ends in .lp or .mps.

    Raises:
        ProblemError: for another ending, a folder that is not there, spins, products of more than two, in MPS of two.
    """
    path = Path(path)
    if path.suffix.lower() not in READERS or not path.parent.is_dir():
        raise ProblemError(f"{path}, expected a name that ends in {' or '.join(READERS)} in a folder that is there")
    most = 2 if path.suffix.lower() == ".lp" else 1
    if model.is_spin.any() or any(indices.shape[1] > most for indices, _ in model.terms):
        raise ProblemError(f"spins or products of more than {most}, which {path.suffix[1:].upper()} files do not have")
    return replace_file(path, lp_text(model) if path.suffix.lower() == ".lp" else mps_text(model))
