"""A circuit as the trigonometric polynomial that it is: exact, for as long as its terms have room.

A rotation by scale * x + offset brings the frequencies 0 and +-scale into an expectation value, so that of each input
only whole multiples of a unit occur, up to a degree that can be read off the circuit. A value with d_i of input i has
prod(2 d_i + 1) coefficients, which are found from as many values on a grid by a discrete Fourier transform, axis by
axis. Outputs look at the inputs of their own light cone only; those with the same are one group.

Source: Schuld, Sweke, Meyer 2021, Phys. Rev. A 103, 032430.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm, prod

import numpy as np

from qloom.circuits import Circuit
from qloom.errors import UnsupportedError
from qloom.observables import PauliSum
from qloom.portable.rounding import DOUBLE, engine_rounding
from qloom.portable.steps import CircuitStep, Step
from qloom.programs import SOURCES, effective, flat_gates, make_frame, pull_back_sums

# Coefficients of all outputs together: 128 MB.
MOST_COEFFICIENTS = 16_000_000
# Factors of an input have ratios with denominators up to here.
_MOST_PARTS = 1000
_POINTS = 4096


@dataclass(frozen=True)
class Waves:
    """The frequencies of one input: whole multiples of a unit, up to a degree."""

    input: int
    unit: float
    degree: int

    @property
    def size(self) -> int:
        return 2 * self.degree + 1


def waves_of(circuit: Circuit, observable: PauliSum) -> tuple[Waves, ...]:
    """The inputs that a value depends on, each with its frequencies.

    Raises:
        UnsupportedError: for an input whose factors have no common unit, amplitudes as inputs, and channels.
    """
    if circuit.initial is not None:
        raise UnsupportedError("a circuit that starts from amplitudes is no trigonometric polynomial of its inputs")
    rotations, terms = pull_back_sums(flat_gates(circuit), [observable], make_frame(circuit.n_qubits, False))
    kept = effective(circuit, rotations, terms)
    of_inputs = kept.source == SOURCES.index("input")
    index, scale = kept.index[of_inputs], np.abs(kept.scale[of_inputs])
    return tuple(_waves(int(i), scale[index == i]) for i in np.unique(index))


def _waves(index: int, scales: np.ndarray) -> Waves:
    largest = float(scales.max())
    if largest == 0:
        return Waves(index, 1.0, 0)
    parts = [Fraction(float(s) / largest).limit_denominator(_MOST_PARTS) for s in scales]
    if max(abs(float(part) - s / largest) for part, s in zip(parts, scales, strict=True)) > 1e-12:
        shown = ", ".join(f"{s:.6g}" for s in sorted(set(scales.tolist())))
        raise UnsupportedError(
            f"input {index} turns by factors {shown}, expected multiples of one number: no polynomial of whole "
            "frequencies; give cut=1e-3 for a propagated surrogate"
        )
    whole = lcm(*(part.denominator for part in parts))
    return Waves(index, largest / whole, int(sum(part * whole for part in parts)))


def n_coefficients(circuit: Circuit, observables: Sequence[PauliSum]) -> int:
    """How many a circuit's polynomials have, all outputs together."""
    return sum(prod(each.size for each in waves_of(circuit, one)) for one in observables)


def exact_polynomial(step: CircuitStep) -> tuple[Step, np.ndarray]:
    """The step that gives the circuit's values, and what the coefficients' rounding can change of each, (O,).

    Raises:
        UnsupportedError: for more than MOST_COEFFICIENTS, with their number.
    """
    each = [waves_of(step.circuit, one) for one in step.observables]
    count = sum(prod(waves.size for waves in found) for found in each)
    if count > MOST_COEFFICIENTS:
        raise UnsupportedError(
            f"the exact trigonometric polynomial of {step.circuit!r} has {count:.3g} coefficients, expected at most "
            f"{MOST_COEFFICIENTS:,}; give cut=1e-3 for a propagated surrogate"
        )
    groups: dict[tuple[Waves, ...], list[int]] = {}
    for output, found in enumerate(each):
        groups.setdefault(found, []).append(output)
    arrays = {"n_groups": np.array(len(groups)), "n_outputs": np.array(len(each))}
    error = np.zeros(len(each))
    for number, (found, outputs) in enumerate(groups.items()):
        arrays |= {f"{number}.{name}": array for name, array in _group(step, found, outputs).items()}
        error[outputs] = prod(_lebesgue(waves.degree) for waves in found) * engine_rounding(step, DOUBLE)[outputs]
    return Step("polynomial", arrays), error


def _group(step: CircuitStep, found: Sequence[Waves], outputs: Sequence[int]) -> dict[str, np.ndarray]:
    coefficients = _on_grid(step, found, outputs)
    for axis, waves in enumerate(found):
        coefficients = np.moveaxis(np.tensordot(_analysis(waves.degree), coefficients, (1, axis)), 0, axis)
    split = _split([waves.size for waves in found], len(outputs))
    left = prod(waves.size for waves in found[:split])
    return {
        "inputs": np.array([waves.input for waves in found], int),
        "units": np.array([waves.unit for waves in found], float),
        "degrees": np.array([waves.degree for waves in found], int),
        "coefficients": np.ascontiguousarray(coefficients.reshape(left, -1, len(outputs))),
        "outputs": np.array(outputs, int),
        "split": np.array(split),
    }


def _on_grid(step: CircuitStep, found: Sequence[Waves], outputs: Sequence[int]) -> np.ndarray:
    """Values at all combinations of 2 d_i + 1 equally spaced points of each input, the others at 0."""
    sizes = [waves.size for waves in found]
    n_points = prod(sizes)
    values = np.empty((n_points, len(outputs)))
    for start in range(0, n_points, _POINTS):
        numbers = np.arange(start, min(start + _POINTS, n_points))
        x = np.zeros((len(numbers), step.circuit.n_inputs))
        for waves, place in zip(found, np.unravel_index(numbers, sizes) if sizes else (), strict=True):
            x[:, waves.input] = 2 * np.pi * place / (waves.size * waves.unit)
        values[numbers] = step.values(x)[:, outputs]
    return values.reshape(*sizes, len(outputs))


def _analysis(degree: int) -> np.ndarray:
    """From values at 2 d + 1 points to coefficients of 1, cos, sin, cos 2, ...: the real Fourier transform."""
    size = 2 * degree + 1
    phases = 2 * np.pi * np.outer(np.arange(1, degree + 1), np.arange(size)) / size
    out = np.full((size, size), 1 / size)
    out[1::2], out[2::2] = 2 / size * np.cos(phases), 2 / size * np.sin(phases)
    return out


def _lebesgue(degree: int) -> float:
    """By how much interpolation at 2 d + 1 points enlarges errors of the values: largest midway between points."""
    size = 2 * degree + 1
    away = (np.arange(size) + 0.5) * 2 * np.pi / size
    kernel = 1 + 2 * sum((np.cos(k * away) for k in range(1, degree + 1)), np.zeros(size))
    return float(np.abs(kernel).sum() / size)


def _split(sizes: Sequence[int], n_outputs: int) -> int:
    """How many inputs stand on the left: as few as make its products as many as the others' times the outputs."""
    return next((k for k in range(len(sizes)) if prod(sizes[:k]) >= prod(sizes[k:]) * n_outputs), len(sizes))
