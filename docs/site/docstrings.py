"""Docstrings are plain text with `code`, indented blocks and Google's sections; Sphinx wants reStructuredText."""

from __future__ import annotations

import re
from typing import Any

_SPECIAL = re.compile(r"([\\*|_`])")


def as_restructured(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Code becomes literals, an indented block after a colon a block of code; nothing else is markup."""
    text = "\n".join(lines)
    text = re.sub(r"``([^`\n]+)``", r"`\1`", text)
    # "n_qubits, n_angles: how many" is one entry for both; Sphinx takes the first word of two for a type.
    text = re.sub(r"^( {4,}\w+(?:, \w+)+)(?=: \S)", lambda found: found[1].replace(", ", "/"), text, flags=re.MULTILINE)
    pieces = re.split(r"(`[^`]+`)", text)
    text = "".join(_literal(piece) if at % 2 else _SPECIAL.sub(r"\\\1", piece) for at, piece in enumerate(pieces))
    # "F. One qubit each" is no list, and what a section of one line is called is bold.
    text = re.sub(r"(?<![\w.])(\w)\. ", r"\1\\. ", text)
    text = re.sub(r"^(Shapes|Source|Errors): (?=\S)", r"**\1:** ", text, flags=re.MULTILINE)
    lines[:] = _with_blocks(text.split("\n"))


def _literal(piece: str) -> str:
    return "``" + " ".join(piece.strip("`").split()) + "``"


def _with_blocks(lines: list[str]) -> list[str]:
    """A line that ends in a colon, an empty one, and a deeper one begin a block of code; nothing is escaped there."""
    found: list[str] = []
    block: int | None = None
    for place, line in enumerate(lines):
        depth = len(line) - len(line.lstrip())
        if block is not None and line.strip() and depth <= block:
            block = None
        if block is not None:
            line = re.sub(r"\\([\\*|_`])", r"\1", line).replace("``", "`")
        elif line.rstrip().endswith(":") and _begins_block(lines[place + 1 : place + 3], depth):
            block, line = depth, line.rstrip() + ":"
        found.append(line)
    return found


def _begins_block(following: list[str], depth: int) -> bool:
    return len(following) == 2 and not following[0].strip() and following[1].startswith(" " * (depth + 4))
