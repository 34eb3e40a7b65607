"""Gates by the names that OpenQASM files call them."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from qloom.circuits.gate import Gate
from qloom.circuits.gates import GATES, controlled_gate

# Of the paper on version 2, arXiv 1707.03429, and of the specification of version 3: these files define them.
QELIB1 = frozenset({
    "u3", "u2", "u1", "cx", "id", "x", "y", "z", "h", "s", "sdg", "t", "tdg", "rx", "ry", "rz", "cz", "cy",
    "ch", "ccx", "crz", "cu1", "cu3",
})  # fmt: skip
STDGATES = frozenset({
    "p", "x", "y", "z", "h", "s", "sdg", "t", "tdg", "sx", "rx", "ry", "rz", "cx", "cy", "cz", "cp", "crx",
    "cry", "crz", "ch", "swap", "ccx", "cswap", "cu", "CX", "phase", "cphase", "id", "u1", "u2", "u3",
})  # fmt: skip
_OTHER_NAMES = {
    "U": "u", "CX": "cx", "u1": "p", "u3": "u", "phase": "p", "cphase": "cp", "cu1": "cp", "toffoli": "ccx",
    "gphase": "global_phase", "cnot": "cx", "phaseshift": "p", "cphaseshift": "cp", "si": "sdg", "ti": "tdg", "v": "sx",
    "vi": "sxdg", "i": "id", "ccnot": "ccx", "cv": "csx", "xx": "rxx", "yy": "ryy", "zz": "rzz",
    "c3sqrtx": "c3sx",
}  # fmt: skip
# A number of any size stands for nothing here: u0 waits.
_WAITS = "u0"


def _controlled(name: str, times: int = 1) -> Gate:
    gate = GATES[name]
    for _ in range(times):
        gate = controlled_gate(gate)
    return gate


_MADE = {
    "cu3": lambda: _controlled("u"), "c3x": lambda: _controlled("x", 3), "c4x": lambda: _controlled("x", 4),
    "mcx": lambda: _controlled("x", 3),
}  # fmt: skip


def known_gate(name: str) -> Gate | None:
    """The gate of a name; None if there is none."""
    if name in _MADE:
        return _MADE[name]()
    found = GATES.get(_OTHER_NAMES.get(name, name))
    return found if found is not None and found.is_unitary else None


def nearest(name: str, defined: Iterable[str]) -> str:
    """A sentence's end that names a known gate that is spelt alike."""
    names = [*defined, *GATES, *_OTHER_NAMES, *_MADE]
    found = get_close_matches(name, names, 1) or get_close_matches(name.lower(), names, 1)
    return f", did you mean {found[0]}?" if found else ", expected one defined before, or in the included file"


def waits(name: str) -> bool:
    """Whether a name is u0, which only takes time."""
    return name == _WAITS
