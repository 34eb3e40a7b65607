"""A page as a notebook of Jupyter: prose, Python in cells, commands with an exclamation mark, no outputs."""

from __future__ import annotations

import json
from collections.abc import Iterator

from qloom.learning import Page, Part
from qloom.learning.running import command_lines


def notebook(page: Page) -> str:
    """The text of an .ipynb file; answers to exercises stand in it too, after their questions."""
    head = [Part("prose", line, 0) for line in wants(page)]
    found = (cell for part in (*head, *page.everything) for cell in _cells(part))
    cells = [cell | {"id": f"cell-{number}"} for number, cell in enumerate(found)]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    document = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def wants(page: Page) -> list[str]:
    """What a reader must have for a page, a sentence each."""
    extra, data, source = (page.facts.get(key) for key in ("needs", "data", "from"))
    found = [f"Needs the extra `{extra}`: `pip install '.[{extra}]'`"] if extra else []
    return [*found, f"Needs a file, `{data}`: {source}."] if data else found


def _cells(part: Part) -> Iterator[dict[str, object]]:
    if part.kind == "prose":
        yield {"cell_type": "markdown", "metadata": {}, "source": part.source}
    elif part.runs:
        source = part.source
        if part.kind == "sh":
            source = "\n".join(f"!{line}" for line in command_lines(source))
        yield {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
        if part.output is not None:
            yield {"cell_type": "markdown", "metadata": {}, "source": f"prints\n\n```text\n{part.output}\n```"}
    else:
        yield {"cell_type": "markdown", "metadata": {}, "source": f"```{part.kind}\n{part.source}\n```"}
