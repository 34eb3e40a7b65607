"""A wide circuit as a sum of products of cosines and sines of its inputs: observables run backwards, words cut.

Trained angles are numbers, and Clifford gates part of the frame. A rotation about P takes a word W that anticommutes
with P into cos(a) W + sin(a) W'; where a is an input's, the cosine and the sine stay in the term as factors. In the end
words of Z alone are 1 on |0..0>, the others 0, and so is a word as soon as nothing that is left can turn its X or Y.
What is dropped with coefficient c changes the value by |c| at most, whatever the inputs: factors are at most 1.

Source: Begusic, Gray, Chan 2023, arXiv:2308.05077; as a surrogate Rudolph, Fontana, Holmes, Cincio 2023,
arXiv:2308.09109.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qloom.circuits import Circuit
from qloom.errors import UnsupportedError
from qloom.observables import PauliSum, Word, multiply_words, words_commute
from qloom.portable.steps import CircuitStep, Step
from qloom.programs import SOURCES, effective, flat_gates, make_frame, pull_back_sums
from qloom.programs.masks import unpack

# Of one output, on the way.
MOST_WORDS = 200_000
# Terms times their outputs, and their factors, in all.
MOST_NUMBERS = 16_000_000

# Which columns a term is a product of: places in the file's table, rising.
Factors = tuple[int, ...]
Sum = dict[tuple[int, int, Factors], float]


@dataclass(frozen=True)
class _Rotation:
    """About a Hermitian word, by scale * slot + offset."""

    word: Word
    source: str
    index: int
    scale: float
    offset: float


def propagated(step: CircuitStep, cut: float) -> tuple[Step, np.ndarray]:
    """The step that stands for a circuit, and what dropped words can change of each output, (O,).

    Args:
        step: the circuit with its trained weights.
        cut: words with coefficients up to it are dropped; 0 for none.

    Raises:
        UnsupportedError: for more than MOST_WORDS words, and circuits with channels or amplitudes as inputs.
    """
    if step.circuit.initial is not None:
        raise UnsupportedError("a circuit that starts from amplitudes cannot be propagated, expected one from |0..0>")
    columns: dict[tuple[int, float, float], int] = {}
    found = [_walk(step.circuit, one, step.weights, cut, columns) for one in step.observables]
    return _as_step(columns, [terms for terms, _ in found]), np.array([dropped for _, dropped in found])


def _rotations(circuit: Circuit, observable: PauliSum) -> tuple[list[_Rotation], Sum]:
    """A circuit's rotations, first to last, that can change an observable, and the observable before the frame."""
    rotations, terms = pull_back_sums(flat_gates(circuit), [observable], make_frame(circuit.n_qubits, False))
    kept = effective(circuit, rotations, terms)
    words = list(zip(unpack(kept.x), unpack(kept.z), strict=True))
    each = [
        _Rotation(word, SOURCES[source], int(index), float(scale), float(offset))
        for word, source, index, scale, offset in zip(
            words, kept.source, kept.index, kept.scale, kept.offset, strict=True
        )
    ]
    start: Sum = {}
    for c, x, z in zip(terms.coefficient, unpack(terms.x), unpack(terms.z), strict=True):
        start[x, z, ()] = start.get((x, z, ()), 0.0) + float(c)
    return each, start


def _walk(
    circuit: Circuit, observable: PauliSum, weights: np.ndarray, cut: float,
    columns: dict[tuple[int, float, float], int],
) -> tuple[dict[Factors, float], float]:  # fmt: skip
    """The terms of an observable by their factors, and the sum of what was dropped."""
    rotations, terms = _rotations(circuit, observable)
    turnable = _turnable(rotations)
    dropped = 0.0
    for k in range(len(rotations) - 1, -1, -1):
        terms = _turned(terms, rotations[k], weights, columns)
        terms = {key: c for key, c in terms.items() if not key[0] & ~turnable[k]}
        if cut:
            small = [key for key, c in terms.items() if abs(c) <= cut]
            dropped += sum(abs(terms.pop(key)) for key in small)
        if len(terms) > MOST_WORDS:
            given = f"cut at {cut:g}" if cut else "nothing cut"
            raise UnsupportedError(
                f"{observable!r} becomes more than {MOST_WORDS:,} words, {k} of {len(rotations)} rotations before the "
                f"start, {given}; give a larger cut=..."
            )
    ends: dict[Factors, float] = {}
    for (x, _, factors), c in terms.items():
        if not x:
            ends[factors] = ends.get(factors, 0.0) + c
    return ends, dropped


def _turnable(rotations: Sequence[_Rotation]) -> list[int]:
    """By place, the qubits whose X or Y the rotations before it can still take away."""
    masks, reached = [], 0
    for rotation in rotations:
        masks.append(reached)
        reached |= rotation.word[0]
    return masks


def _turned(
    terms: Sum, rotation: _Rotation, weights: np.ndarray, columns: dict[tuple[int, float, float], int]
) -> Sum:  # fmt: skip
    """The sum before a rotation."""
    out: Sum = {}
    symbolic = rotation.source == "input"
    angle = rotation.offset + (rotation.scale * float(weights[rotation.index]) if rotation.source == "weight" else 0.0)
    if symbolic:
        name = (rotation.index, rotation.scale, rotation.offset)
        column = columns.setdefault(name, 1 + 2 * len(columns))
    cosine, sine = (1.0, 1.0) if symbolic else (float(np.cos(angle)), float(np.sin(angle)))
    for (x, z, factors), c in terms.items():
        if words_commute((x, z), rotation.word):
            _add(out, (x, z, factors), c)
            continue
        # exp(i a P / 2) W exp(-i a P / 2) = cos(a) W + sin(a) i P W, and i P W is Hermitian as P and W anticommute.
        power, (x2, z2) = multiply_words(rotation.word, (x, z))
        sign = -1.0 if (power + 1) & 2 else 1.0
        with_cosine, with_sine = (
            (_with(factors, column), _with(factors, column + 1)) if symbolic else (factors, factors)
        )
        _add(out, (x, z, with_cosine), c * cosine)
        _add(out, (x2, z2, with_sine), c * sine * sign)
    return out


def _with(factors: Factors, column: int) -> Factors:
    return tuple(sorted((*factors, column)))


def _add(out: Sum, key: tuple[int, int, Factors], value: float) -> None:
    total = out.get(key, 0.0) + value
    if total:
        out[key] = total
    else:
        out.pop(key, None)


def _as_step(columns: dict[tuple[int, float, float], int], outputs: Sequence[dict[Factors, float]]) -> Step:
    terms = sorted({factors for terms in outputs for factors in terms})
    width = max(map(len, terms), default=0)
    if len(terms) * (len(outputs) + width) > MOST_NUMBERS:
        raise UnsupportedError(
            f"{len(terms):,} terms of up to {width} factors for {len(outputs)} outputs are more than {MOST_NUMBERS:,} "
            "numbers; give a larger cut=..."
        )
    place = {factors: k for k, factors in enumerate(terms)}
    coefficients = np.zeros((len(terms), len(outputs)))
    for output, own in enumerate(outputs):
        for factors, c in own.items():
            coefficients[place[factors], output] = c
    arrays = {
        "inputs": np.array([index for index, _, _ in columns], int),
        "scales": np.array([scale for _, scale, _ in columns], float),
        "offsets": np.array([offset for _, _, offset in columns], float),
        "factors": np.array([[*factors, *[0] * (width - len(factors))] for factors in terms], int).reshape(-1, width),
        "coefficients": coefficients,
    }
    return Step("words", arrays)
