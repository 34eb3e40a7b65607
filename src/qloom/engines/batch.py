"""The arrays of a call, checked once where they enter."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.circuits.operations import Amplitudes
from qloom.circuits.parameters import Angle
from qloom.circuits.slots import Slots
from qloom.errors import MemoryLimitError, ShapeError

# Outcome tables of at most this many numbers are held at once.
MOST_NUMBERS = 1 << 24
NORM_TOLERANCE = {np.dtype(np.float32): 1e-4, np.dtype(np.float64): 1e-5}


@dataclass(frozen=True)
class Batch:
    """Checked arrays of one call, contiguous and of one dtype.

    Shapes: inputs (B, I); weights (W,), or (B, W) when every sample has its own.

    `single` tells that the caller gave no batch dimension: results lose theirs.
    """

    inputs: np.ndarray
    weights: np.ndarray
    single: bool

    @property
    def size(self) -> int:
        """B, samples."""
        return len(self.inputs)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of both arrays: float32 or float64."""
        return self.inputs.dtype

    def unbatched(self, result: np.ndarray) -> np.ndarray:
        """A result without its batch dimension if the caller gave none."""
        return result[0] if self.single else result

    def rows(self, which: np.ndarray) -> Batch:
        """Some of its samples, by indices or booleans (B,)."""
        return Batch(self.inputs[which], self.weights[which] if self.weights.ndim == 2 else self.weights, self.single)

    def pieces(self, numbers_a_sample: int) -> Iterator[Batch]:
        """The batch in order, in pieces whose samples need at most MOST_NUMBERS numbers each time."""
        step = max(1, MOST_NUMBERS // numbers_a_sample)
        for start in range(0, self.size, step):
            part = slice(start, start + step)
            yield Batch(self.inputs[part], self.weights[part] if self.weights.ndim == 2 else self.weights, self.single)


def make_batch(circuit: Circuit, inputs: Any = None, weights: Any = None) -> Batch:
    """Inputs and weights of a call as a `Batch`.

    Shapes: inputs (B, I) or (I,), None if I = 0; weights (W,) or (B, W), None if W = 0. What is declared in one block,
    as by ``circuit.weights(2, 4, 3)``, may come in its shape, (2, 4, 3) or (B, 2, 4, 3); any blocks as a dictionary of
    arrays by name.

    Raises:
        ShapeError: if a name, shape or dtype does not fit.
    """
    if not isinstance(circuit, Circuit):
        raise ShapeError(f"circuit is a {type(circuit).__name__}, expected a Circuit")
    x, w = _flat(circuit.input_slots, inputs, weights), _flat(circuit.weight_slots, weights, inputs)
    dtype = _common_dtype(x, w)
    n_inputs, n_weights = circuit.n_inputs, circuit.n_weights
    if w is None:
        w = np.zeros(n_weights, dtype) if n_weights == 0 else _missing("weights", n_weights)
    single = w.ndim == 1 and (x is None or x.ndim == 1)
    if x is None:
        x = np.zeros((len(w) if w.ndim == 2 else 1, 0), dtype) if n_inputs == 0 else _missing("inputs", n_inputs)
    if x.ndim == 1:
        x = np.broadcast_to(x, (len(w) if w.ndim == 2 else 1, len(x)))
    if w.ndim == 2 and len(w) != len(x):
        raise ShapeError(f"weights has {len(w)} rows and inputs has {len(x)}, expected the same number of samples")
    batch = Batch(np.ascontiguousarray(x, dtype), np.ascontiguousarray(w, dtype), single)
    _check_finite("inputs", batch.inputs)
    _check_finite("weights", batch.weights)
    check_amplitudes(circuit, batch)
    return batch


def check_shapes(inputs: Any, weights: Any, n_inputs: int, n_weights: int) -> None:
    """Raise ShapeError for arrays that do not fit a prepared circuit."""
    x, w = inputs.shape, weights.shape
    if x[1:] != (n_inputs,) or w not in ((n_weights,), (x[0], n_weights)):
        raise ShapeError(
            f"inputs has shape {tuple(x)} and weights {tuple(w)}, "
            f"expected (B, {n_inputs}) and ({n_weights},) or (B, {n_weights})"
        )


def _flat(slots: Slots, values: Any, beside: Any) -> np.ndarray | None:
    """What was given for slots as one array (count,) or (B, count); None if nothing was."""
    name = f"{slots.source}s"
    if not isinstance(values, Mapping):
        array = _as_floats(name, values, beside)
        return None if array is None else slots.flat(array)
    parts = slots.arranged({key: _as_array(f"{name} {key!r}", value) for key, value in values.items()})
    floats = {part.dtype for part in parts if part.dtype.kind not in "iub"}
    leads = {part.shape[:-1] for part in parts} - {()}
    if len(floats) > 1 or len(leads) > 1:
        mixed = sorted(map(str, floats)) if len(floats) > 1 else sorted(lead[0] for lead in leads)
        what = "dtype" if len(floats) > 1 else "number of samples"
        raise ShapeError(f"{name} given by name have {' and '.join(map(str, mixed))}, expected one {what}")
    lead, dtype = (leads or {()}).pop(), (floats or {np.dtype(np.float64)}).pop()
    whole = [np.broadcast_to(part, lead + part.shape[-1:]).astype(dtype) for part in parts]
    return _as_floats(name, np.concatenate([*whole, np.zeros((*lead, 0), dtype)], axis=-1), beside)


def _as_array(name: str, values: Any) -> np.ndarray:
    try:
        return np.asarray(values)
    except (ValueError, TypeError, RuntimeError):
        raise ShapeError(
            f"{name} is a {type(values).__name__} numpy cannot read, expected an array of numbers"
        ) from None


def _as_floats(name: str, values: Any, beside: Any = None) -> np.ndarray | None:
    """Floats as they are; integers as float64, or as float32 beside an array of that."""
    if values is None:
        return None
    array = _as_array(name, values)
    if array.dtype.kind in "iub":
        array = array.astype(np.float32 if getattr(beside, "dtype", None) == np.float32 else np.float64)
    if array.dtype not in (np.float32, np.float64):
        raise ShapeError(f"{name} has dtype {array.dtype}, expected float32 or float64")
    return array


def _check_finite(name: str, array: np.ndarray) -> None:
    wrong = np.argwhere(~np.isfinite(array))
    if len(wrong):
        raise ShapeError(
            f"{name} holds {array[tuple(wrong[0])]} at {tuple(map(int, wrong[0]))}, expected finite numbers"
        )


def _common_dtype(x: np.ndarray | None, w: np.ndarray | None) -> np.dtype[Any]:
    given = [a for a in (x, w) if a is not None]
    dtypes = [a.dtype for a in given if a.size] or [a.dtype for a in given]
    if len(set(dtypes)) > 1 and all(a.size for a in given):
        raise ShapeError(f"inputs is {dtypes[0]} and weights is {dtypes[1]}, expected one dtype; convert one of them")
    return dtypes[0] if dtypes else np.dtype(np.float64)


def _missing(name: str, count: int) -> np.ndarray:
    raise ShapeError(f"{name} not given, expected {count} of them a sample; the circuit declares {name}({count})")


def value_of(angle: Angle, batch: Batch) -> np.ndarray:
    """Of an angle or a rate in double precision: (B,), or () where all samples share it."""
    if angle.is_number:
        return np.float64(angle.offset)  # type: ignore[return-value]
    array = batch.inputs if angle.source == "input" else batch.weights
    return np.asarray(angle.scale * array[..., angle.index].astype(np.float64) + angle.offset)


def initial_states(initial: Amplitudes, batch: Batch, n_qubits: int) -> np.ndarray:
    """Given states (B, 2^n), complex, or (1, 2^n) where all samples start alike."""
    if initial.values is not None:
        return np.array([initial.values], complex)
    size, real = 2**n_qubits, initial.real
    assert real is not None
    states = batch.inputs[:, real : real + size].astype(complex)
    if initial.imaginary is not None:
        states += 1j * batch.inputs[:, initial.imaginary : initial.imaginary + size]
    return states


def starts_from_inputs(circuit: Circuit) -> bool:
    """Whether initial amplitudes are inputs."""
    return circuit.initial is not None and circuit.initial.values is None


def check_amplitudes(circuit: Circuit, batch: Batch) -> None:
    """Raise ShapeError unless every sample's initial amplitudes have norm 1."""
    if circuit.initial is None or not starts_from_inputs(circuit):
        return
    size, norms = 2**circuit.n_qubits, np.zeros(batch.size)
    for column in (circuit.initial.real, circuit.initial.imaginary):
        if column is not None:
            norms += np.einsum("bi,bi->b", *(batch.inputs[:, column : column + size],) * 2, dtype=np.float64)
    wrong = np.flatnonzero(~(np.abs(norms - 1) <= NORM_TOLERANCE[batch.dtype]))
    if len(wrong):
        norm = np.sqrt(norms[wrong[0]])
        raise ShapeError(f"amplitudes of sample {wrong[0]} have norm {norm:.6g}, expected 1; divide them by their norm")


def available_memory() -> int:
    """Bytes that can be taken now without swapping, inside the limit of a container if there is one."""
    limits = [_system_memory()]
    try:
        limit, used = (Path("/sys/fs/cgroup") / name for name in ("memory.max", "memory.current"))
        limits.append(int(limit.read_text()) - int(used.read_text()))
    except (OSError, ValueError):  # no such limit, or "max"
        pass
    return max(0, min(limits))


def _system_memory() -> int:
    try:
        with open("/proc/meminfo") as file:
            for line in file:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def check_memory(needed: int, what: str) -> None:
    """Refuse a request that would not fit, before it starts."""
    free = available_memory()
    if needed > free:
        raise MemoryLimitError(
            f"{what} needs {needed:,} bytes, {free:,} are free; use fewer qubits, samples or float32"
        )
