"""A circuit as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from qloom.circuits.circuit import Circuit
from qloom.circuits.drawing.layout import Item, by_column, fold, layout
from qloom.errors import CircuitError

_MIN_WIDTH = 20


def draw_text(circuit: Circuit, max_width: int) -> str:
    """The circuit as text, one row a qubit, folded into numbered blocks of at most max_width characters.

    Controls are ●, X targets ⊕, exchanged qubits ×; a box on several qubits has its sides drawn and says of
    each its Pauli letter or its place among the gate's qubits.

    Raises:
        CircuitError: if `max_width` is below 20.
    """
    if max_width < _MIN_WIDTH:
        raise CircuitError(f"max_width is {max_width}, expected at least {_MIN_WIDTH} characters")
    heads = _row_heads(circuit.n_qubits)
    room = max_width - len(heads[0]) - 1
    columns = [_text_column(items, circuit.n_qubits, room - 1) for items in by_column(layout(circuit))]
    blocks = [columns[i:j] for i, j in fold([len(column[0]) + 1 for column in columns], room)]
    texts = []
    for block in blocks:
        rows = [head + "─" + "".join(column[q] + "─" for column in block) for q, head in enumerate(heads)]
        texts.append("\n".join(rows))
    if len(texts) == 1:
        return texts[0]
    return "\n\n".join(f"[{k} of {len(texts)}]\n{text}" for k, text in enumerate(texts, 1))


def _row_heads(n_qubits: int) -> list[str]:
    width = len(str(n_qubits - 1))
    return [f"q{q}: ".ljust(width + 3) for q in range(n_qubits)]


def _text_column(items: Iterable[Item], n_qubits: int, room: int) -> list[str]:
    cells = {row: cell for item in items for row, cell in _text_cells(item, room)}
    width = max(map(len, cells.values()))
    return [cells.get(row, "").ljust(width, "─") for row in range(n_qubits)]


def _text_cells(item: Item, room: int) -> Iterator[tuple[int, str]]:
    """(row, text) of an item, all of one width, at most `room`."""
    if len(item.rows) == 1:
        yield item.rows[0], _cut(item.label, room)
        return
    box = sorted(item.roles)
    first_line = f"{item.roles[box[0]]} {item.label}".strip() if box else ""
    inner = max(1, len(_cut(first_line, room - 2)))
    for row in item.rows:
        left = "╭" if row == item.rows[0] else "╰" if row == item.rows[-1] else "├"
        if row in item.roles:
            text = _cut(first_line, inner) if row == box[0] else item.roles[row]
            yield row, left + _boxed(text, row, box, inner)
        elif row in item.symbols:
            yield row, left + item.symbols[row].ljust(inner, "─") + _right_side(row, box, "┼")
        else:
            yield row, "┼" + "─" * inner + _right_side(row, box, "┼")


def _boxed(text: str, row: int, box: Sequence[int], inner: int) -> str:
    if len(box) == 1:
        return text.ljust(inner, "─")
    corner = "╮" if row == box[0] else "╯" if row == box[-1] else "┤"
    return text.ljust(inner) + corner


def _right_side(row: int, box: Sequence[int], crossing: str) -> str:
    """What stands in the column of the box's right side on a row outside the box."""
    if len(box) < 2:
        return ""
    return crossing if box[0] < row < box[-1] else "─"


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 1] + "…"
