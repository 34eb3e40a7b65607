"""Parameters of other packages as named slots, and back; expressions a * x + b of one parameter alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.circuits.gate import Scalar
from qloom.circuits.parameters import Angle
from qloom.errors import CircuitError

_ELEMENT = re.compile(r"(.*)\[(\d+)\]", re.DOTALL)


class Symbols:
    """Slots of a circuit by the names of parameters.

    "x[0]", "x[1]", ... are elements of one block "x" in the order of their numbers, however many of them occur. Blocks
    stand in the order of their first parameter. A name that is no word has "_" where it has other characters.

    Args:
        circuit: gets the slots.
        names: of the parameters, in the package's order.
        inputs: names that become inputs, whole blocks or parameters without one; all others are weights.
        sizes: of blocks that may have more elements than occur.

    Raises:
        CircuitError: for names in `inputs` that do not occur, or two names that are one word.
    """

    def __init__(
        self, circuit: Circuit, names: Iterable[str], inputs: Iterable[str] = (), sizes: Mapping[str, int] | None = None
    ):
        listed = list(dict.fromkeys(names))
        found = sizes or {}
        blocks: dict[str, int | None] = {}
        for name in listed:
            stem, place = _element(name)
            known = blocks.get(stem, found.get(stem, 0))
            if (place is None or known is None) and stem in blocks:
                raise CircuitError(f"parameters {stem!r} and {stem!r}[...] both occur, expected one; rename one")
            blocks[stem] = None if place is None else max(known or 0, place + 1)
        self.slots = self._declared(circuit, blocks, _given_names(inputs))
        self.angles = {name: self.slots[_element(name)[0]][_element(name)[1] or 0] for name in listed}

    def _declared(
        self, circuit: Circuit, blocks: Mapping[str, int | None], inputs: Sequence[str]
    ) -> dict[str, np.ndarray]:
        missing = [name for name in inputs if name not in blocks]
        if missing:
            known = ", ".join(map(repr, blocks)) or "none"
            raise CircuitError(f"inputs names {missing[0]!r}, expected parameters of the circuit: {known}")
        words: dict[str, str] = {}
        slots = {}
        for stem, size in blocks.items():
            word = _word(stem)
            if word in words:
                raise CircuitError(f"parameters {words[word]!r} and {stem!r} both become {word!r}; rename one of them")
            words[word] = stem
            declare = circuit.inputs if stem in inputs else circuit.weights
            slots[stem] = np.atleast_1d(declare(*(() if size is None else (size,)), name=word))
        return slots

    def angle(self, expression: Any, what: str) -> Scalar:
        """A number or an expression of a package as an angle.

        Raises:
            CircuitError: for what is no a * x + b of one parameter; `what` names where it stands.
        """
        terms = self.terms(expression, what)
        if len(terms) > 1:
            raise not_linear(expression, what)
        return terms[0]

    def terms(self, expression: Any, what: str) -> list[Scalar]:
        """Angles of one parameter each whose sum an expression is: phases add up, other angles do not."""
        if isinstance(expression, np.ndarray) and expression.ndim == 0:
            expression = expression.item()
        if isinstance(expression, Angle):
            return [expression]
        if isinstance(expression, Real):
            return [float(expression)]
        scales, offset = linear(expression, what)
        missing = [name for name in scales if name not in self.angles]
        if missing:
            raise CircuitError(f"{what} has the parameter {missing[0]!r}, which the circuit does not list; bind it")
        angles: list[Scalar] = [
            self.angles[name] if scale == 1 else scale * self.angles[name] for name, scale in scales.items()
        ]
        if not angles:
            return [offset]
        return angles if offset == 0 else [angles[0] + offset, *angles[1:]]

    def values(self, names: Iterable[str], numbers: Iterable[float]) -> dict[tuple[str, int], float]:
        """(source, slot) -> number, for parameters by their names."""
        found = zip(names, numbers, strict=True)
        return {(self.angles[name].source, self.angles[name].index): float(number) for name, number in found}


def linear(expression: Any, what: str) -> tuple[dict[str, float], float]:
    """Factors of the parameters by name, and the offset, of a sympy expression that is linear in all of them."""
    import sympy

    try:
        expanded = sympy.expand(sympy.sympify(expression))
    except (sympy.SympifyError, TypeError, AttributeError):
        kind = type(expression).__name__
        raise CircuitError(f"{what} has the angle {expression!r}, a {kind}, expected a number or a symbol") from None
    symbols = sorted(expanded.free_symbols, key=str)
    offset = expanded.subs(dict.fromkeys(symbols, 0)) if symbols else expanded
    scales = {symbol.name: sympy.diff(expanded, symbol) for symbol in symbols}
    if not all(number.is_number and number.is_real for number in [*scales.values(), offset]):
        raise not_linear(expression, what)
    return {name: float(scale) for name, scale in scales.items()}, float(offset)


def not_linear(expression: Any, what: str) -> CircuitError:
    """The refusal of an angle that no slot of a circuit can hold."""
    return CircuitError(
        f"{what} has the angle {expression}, expected a number or a * x + b of one parameter; give what it is as a "
        "parameter of its own, or bind it first"
    )


def _given_names(inputs: Any) -> list[str]:
    if isinstance(inputs, str) or not all(isinstance(name, str) for name in inputs):
        raise CircuitError(f"inputs={inputs!r}, expected a list of names such as ['x']")
    return list(inputs)


def _element(name: str) -> tuple[str, int | None]:
    """ "x[3]" as "x" and 3; any other name as itself."""
    match = _ELEMENT.fullmatch(name)
    return (match[1], int(match[2])) if match and match[1] else (name, None)


def _word(name: str) -> str:
    word = re.sub(r"\W+", "_", name).strip("_") or "_"
    return word if word.isidentifier() else f"_{word}"


def slot_names(circuit: Circuit) -> dict[tuple[str, int], tuple[str, int | None, int]]:
    """(source, slot) -> name of its block, its place in it (None in a block without shape) and the block's size.

    Raises:
        CircuitError: where inputs and weights have blocks of one name.
    """
    names: dict[tuple[str, int], tuple[str, int | None, int]] = {}
    for slots in (circuit.input_slots, circuit.weight_slots):
        for block in slots:
            for k in range(block.size):
                names[slots.source, block.start + k] = block.name, k if block.shape else None, block.size
    both = {block.name for block in circuit.input_slots} & {block.name for block in circuit.weight_slots}
    if both:
        raise CircuitError(f"inputs and weights both have a block {min(both)!r}, expected different names; rename one")
    return names


def sympy_symbols(circuit: Circuit, element: str = "{}[{}]") -> dict[tuple[str, int], Any]:
    """(source, slot) -> a sympy symbol: "w", or "w[0]", "w[1]", ... for a block with a shape."""
    import sympy

    return {
        slot: sympy.Symbol(name if place is None else element.format(name, place))
        for slot, (name, place, _) in slot_names(circuit).items()
    }


def expression_of(angle: Angle, symbols: Mapping[tuple[str, int], Any]) -> Any:
    """A number, or scale * symbol + offset in the package's arithmetic, plain where it can be."""
    if angle.is_number:
        return angle.offset
    symbol = symbols[angle.source, angle.index]
    scaled = symbol if angle.scale == 1 else angle.scale * symbol
    return scaled if angle.offset == 0 else scaled + angle.offset
