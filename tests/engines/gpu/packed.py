"""The packed format in numpy: buffers read by the header's own lines, programs run as its comments say, slowly."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

import qloom

HEADER = Path(qloom.__file__).parent / "engines/gpu/kernels/program.h"
NUMBERS = {"double": "f8", "u64": "u8", "u32": "u4", "u8": "u1"}
NUMBER, INPUT, WEIGHT, OWN_NUMBER = range(4)
TERMS, OUTCOMES, AMPLITUDES = range(3)
ZERO, FIXED, FROM_INPUTS = range(3)
NONE = 0xFFFFFFFF


@lru_cache(maxsize=1)
def constants() -> dict[str, int]:
    """The numbers of the header by their names."""
    found = re.findall(r"constexpr u32 (\w+) = (\w+);", HEADER.read_text())
    return {name: int(value.rstrip("u"), 0) for name, value in found}


@lru_cache(maxsize=1)
def structures() -> dict[str, np.dtype]:
    """The structures of the header, laid out as a compiler does."""
    text = re.sub(r"//.*", "", HEADER.read_text())
    out = {}
    for name, body in re.findall(r"struct (\w+) \{(.*?)\};", text, re.DOTALL):
        fields: list[tuple[Any, ...]] = []
        for kind, names in re.findall(r"(\w+) ([^;]+);", body):
            for field, size in re.findall(r"(\w+)(?:\[(\w+)\])?", names):
                shape = (int(constants().get(size, size)),) if size else ()
                fields.append((field, NUMBERS[kind], shape))
        out[name] = np.dtype(fields, align=True)
    return out


def parity(values: np.ndarray) -> np.ndarray:
    return np.bitwise_count(values) & 1


def span(columns: list[int]) -> np.ndarray:
    """Sums of the columns: where bit k of a place is 1, column k is in."""
    out = np.zeros(1, np.uint64)
    for column in columns:
        out = np.concatenate([out, out ^ np.uint64(column)])
    return out


def bits_of(mask: int) -> list[int]:
    return [bit for bit in range(64) if mask >> bit & 1]


class Packed:
    """A program at some place of a buffer: its head and its arrays.

    Args:
        numbers: the circuit's own.
    """

    def __init__(self, table: np.ndarray, start: int = 0, numbers: np.ndarray | None = None):
        self.bytes, self.numbers = table[start:], numbers
        self.head = self._array("Program", 0, 1)[0]
        for name, kind in (
            ("rotations", "Rotation"), ("tiles", "Tile"), ("stages", "Stage"), ("sweeps", "Sweep"), ("slots", "Slot"),
            ("uses", "Use"), ("groups", "Group"), ("terms", "Term"),
        ):  # fmt: skip
            setattr(self, name, self._array(kind, int(self.head[name]), int(self.head[f"n_{name}"])))
        self.size = 1 << int(self.head["bits"])
        self.indices = np.arange(self.size, dtype=np.uint64)

    def _array(self, kind: str, offset: int, count: int) -> Any:
        assert offset % 8 == 0
        dtype = structures()[kind]
        return self.bytes[offset : offset + count * dtype.itemsize].view(dtype)

    def outcomes(self) -> Any:
        return self._array("Outcomes", int(self.head["outcomes"]), 1)[0]

    def amplitudes(self) -> Any:
        return self._array("Amplitudes", int(self.head["amplitudes"]), 1)[0]

    # -- rotations

    def start(self, inputs: np.ndarray) -> np.ndarray:
        used = 1 << int(self.head["used_bits"])
        psi = np.zeros(self.size, complex)
        if self.head["start"] == ZERO:
            psi[0] = 1
        elif self.head["start"] == FIXED:
            first = int(self.head["initial"])
            parts = self.bytes[first : first + 16 * used].view(np.float64)
            psi[:used] = parts[:used] + 1j * parts[used:]
        else:
            real, imaginary = int(self.head["real_column"]), int(self.head["imaginary_column"])
            psi[:used] = inputs[real : real + used]
            if imaginary != NONE:
                psi[:used] += 1j * inputs[imaginary : imaginary + used]
        return psi

    def places(self, tile: Any, sweep: Any) -> tuple[np.ndarray, ...]:
        """Indices of amplitudes (bases, places of bases, registers), and what the three axes stand for."""
        mine, most = int(tile["dims"]), int(sweep["pivots"])
        bases = self.indices[self.indices & tile["pivots"] == 0]
        of_tile = span(tile["columns"][:mine].tolist())
        all_places = np.arange(1 << mine, dtype=np.uint64)
        firsts = all_places[all_places & np.uint64(most) == 0]
        registers = span(sweep["columns"][: most.bit_count()].tolist())
        index = bases[:, None, None] ^ of_tile[(firsts[:, None] ^ registers).astype(np.int64)]
        return index, bases, firsts, np.arange(len(registers), dtype=np.uint64)

    def angle(self, rotation: Any, inputs: np.ndarray, weights: np.ndarray) -> float:
        slots = {NUMBER: np.zeros(1), INPUT: inputs, WEIGHT: weights, OWN_NUMBER: self.numbers}[int(rotation["source"])]
        assert slots is not None
        return float(rotation["scale"] * slots[rotation["index"]] + rotation["offset"] + rotation["turn"])

    def k_times(self, rotation: Any, where: tuple[np.ndarray, ...], psi: np.ndarray) -> np.ndarray:
        """K psi, of a sign that is in the angle."""
        index, bases, firsts, registers = where
        odd = (
            parity(bases & rotation["z_base"])[:, None, None]
            ^ parity(firsts & np.uint64(rotation["z"]))[:, None]
            ^ parity(registers & np.uint64(rotation["z_register"]))
        )
        partners = psi[index[:, :, registers ^ np.uint64(rotation["m"])]]
        out = np.empty_like(psi)
        out[index] = np.where(odd, -1, 1) * (1 if rotation["real"] else -1j) * partners
        return out

    def walk(self):
        """Every rotation in order: its place among all, and where amplitudes are as it is done."""
        for tile in self.tiles:
            first, count = int(tile["first_stage"]), int(tile["n_stages"])
            for stage in self.stages[first : first + count]:
                first, count = int(stage["first_sweep"]), int(stage["n_sweeps"])
                for sweep in self.sweeps[first : first + count]:
                    where = self.places(tile, sweep)
                    for r in range(int(sweep["first"]), int(sweep["first"] + sweep["count"])):
                        yield r, where

    def final_state(self, inputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
        psi = self.start(inputs)
        for r, where in self.walk():
            half = self.angle(self.rotations[r], inputs, weights) / 2
            psi = np.cos(half) * psi + np.sin(half) * self.k_times(self.rotations[r], where, psi)
        return psi

    # -- outputs

    def words(self):
        """Terms, and what their words make of a state."""
        for group in self.groups:
            first, count = int(group["first"]), int(group["count"])
            assert 1 <= count <= constants()["MOST_IN_GROUP"]
            for term in self.terms[first : first + count]:
                phases = np.where(parity(self.indices & term["z"]), -1, 1) * (-1j if group["odd"] else 1)
                yield term, lambda psi, phases=phases, x=group["x"]: phases * psi[self.indices ^ x]

    def values(self, psi: np.ndarray) -> np.ndarray:
        out = np.zeros(int(self.head["n_outputs"]))
        if self.head["kind"] == TERMS:
            for term, word in self.words():
                out[term["output"]] += term["coefficient"] * np.vdot(psi, word(psi)).real
        elif self.head["kind"] == OUTCOMES:
            o, d = self.outcomes(), int(self.outcomes()["d"])
            same = span(o["null"][: int(self.head["bits"]) - d].tolist())
            for lift, place in zip(span(o["lift"][:d].tolist()), span(o["place"][:d].tolist()), strict=True):
                out[o["flips"] ^ place] = (abs(psi[lift ^ same]) ** 2).sum()
        else:
            place, imaginary, phase = self.amplitude_places()
            used = psi[: len(place)] * phase
            out[place], out[place + imaginary] = used.real, used.imag
        return out

    def amplitude_places(self) -> tuple[np.ndarray, int, np.ndarray]:
        """Of each amplitude where its real part goes, how far from there its imaginary part, and its phase."""
        a, used = self.amplitudes(), 1 << int(self.head["used_bits"])
        place, quarter = np.full(used, a["start"]), np.zeros(used, np.int64)
        j = self.indices[:used]
        for b in range(int(self.head["used_bits"])):
            assert int(a["cross"][b]) < 1 << b
            has = (j >> np.uint64(b) & np.uint64(1)).astype(bool)
            place[has] ^= a["target"][b]
            quarter[has] += int(a["quarter"][b]) + 2 * np.bitwise_count(j & a["cross"][b])[has].astype(np.int64)
        phase = complex(*a["phase"]) * np.array([1, 1j, -1, -1j])[quarter % 4]
        split = bool(a["split"])
        return place.astype(np.int64) * (1 if split else 2), 1 << int(a["n_qubits"]) if split else 1, phase

    def reached(self) -> np.ndarray:
        """Of each amplitude the output that it adds to."""
        o = self.outcomes()
        out = np.full(self.size, o["flips"])
        for b in range(int(self.head["bits"])):
            out[(self.indices >> np.uint64(b) & np.uint64(1)).astype(bool)] ^= o["output"][b]
        return out

    # -- slopes

    def slopes(self, psi: np.ndarray, cotangents: np.ndarray, inputs: np.ndarray, weights: np.ndarray) -> tuple:
        """From the final state: derivatives by inputs and by weights."""
        weighed, out = self.weighed(psi, cotangents), (np.zeros_like(inputs), np.zeros_like(weights))
        of_rotations = np.zeros(len(self.rotations))
        for r, where in reversed(list(self.walk())):
            rotation, half = self.rotations[r], self.angle(self.rotations[r], inputs, weights) / 2
            of_rotations[r] = np.vdot(weighed, self.k_times(rotation, where, psi)).real
            psi = np.cos(half) * psi - np.sin(half) * self.k_times(rotation, where, psi)
            weighed = np.cos(half) * weighed - np.sin(half) * self.k_times(rotation, where, weighed)
        for stage in self.stages:
            for slot in self.slots[int(stage["first_slot"]) : int(stage["first_slot"] + stage["n_slots"])]:
                for use in self.uses[int(slot["first"]) : int(slot["first"] + slot["count"])]:
                    slope = use["scale"] * of_rotations[int(stage["first"] + use["rotation"])]
                    out[slot["is_weight"]][slot["index"]] += slope
        self.add_slopes_of_start(weighed, out[0])
        return out

    def weighed(self, psi: np.ndarray, cotangents: np.ndarray) -> np.ndarray:
        """lambda = sum_o g_o O_o psi; where amplitudes are the outputs, half of what is linear in psi."""
        out = np.zeros(self.size, complex)
        if self.head["kind"] == TERMS:
            for term, word in self.words():
                out += cotangents[term["output"]] * term["coefficient"] * word(psi)
        elif self.head["kind"] == OUTCOMES:
            out = cotangents[self.reached()] * psi
        else:
            place, imaginary, phase = self.amplitude_places()
            out[: len(place)] = np.conj(phase) * (cotangents[place] + 1j * cotangents[place + imaginary]) / 2
        return out

    def add_slopes_of_start(self, weighed: np.ndarray, d_inputs: np.ndarray) -> None:
        if self.head["start"] != FROM_INPUTS:
            return
        used = 1 << int(self.head["used_bits"])
        for name, part in (("real_column", weighed.real), ("imaginary_column", weighed.imag)):
            first = int(self.head[name])
            if first != NONE:
                d_inputs[first : first + used] += 2 * part[:used]
