"""Circuits as data: many different ones, evaluated and differentiated in one call.

Circuits that are equal but for numbers - one encoding at many features, one ansatz at many fitted angles - become
samples of one program, in which those numbers are inputs. All others have programs of their own. Each circuit is one
thread's work, and sums over circuits are taken in a fixed order: results do not depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, overload

import numpy as np

from qloom import _native
from qloom.checks import is_integer
from qloom.circuits.circuit import Circuit
from qloom.circuits.slots import Slots
from qloom.engines.base import checked_threads
from qloom.engines.batch import Batch, check_amplitudes, check_memory, make_batch, starts_from_inputs
from qloom.engines.outputs import Expectations, FinalState, as_expectations
from qloom.engines.statevector.engine import StatevectorEngine
from qloom.engines.statevector.evaluator import MOST_KEPT_BYTES
from qloom.engines.statevector.lowering import WIDE, lower
from qloom.engines.statevector.many import add_lowered
from qloom.engines.statevector.native_program import native_expectations, prepared
from qloom.errors import CircuitError, ShapeError
from qloom.observables import PauliSum


class CircuitBatch:
    """C circuits, whose gates, angles and numbers of qubits may differ.

    Blocks of slots that have one name are one block of the batch: circuits share slots by name. A block without a name
    is called "inputs" or "weights", and so is shared too.

    Args:
        circuits: C of them, copied; later changes to them have no effect.
        threads: how many to use; None for all this process may run on. Results do not depend on it.

    Attributes:
        input_slots, weight_slots: the blocks of all circuits, in order of first appearance.

    Raises:
        CircuitError: for no circuit, for what is none, and for blocks of one name with different shapes.
    """

    def __init__(self, circuits: Iterable[Circuit], threads: int | None = None):
        if isinstance(circuits, Circuit) or not isinstance(circuits, Iterable):
            raise CircuitError(
                f"circuits is a {type(circuits).__name__}, expected several; give a list, CircuitBatch([circuit, ...])"
            )
        listed = list(circuits)
        wrong = next((one for one in listed if not isinstance(one, Circuit)), None)
        if wrong is not None or not listed:
            found = "none" if not listed else f"a {type(wrong).__name__} among them"
            raise CircuitError(f"circuits: {found}, expected one Circuit or more; give a list of circuits")
        self._take([one.copy() for one in listed], checked_threads(threads))

    def _take(self, circuits: Sequence[Circuit], threads: int | None) -> None:
        self._circuits, self.threads = circuits, threads
        self.input_slots, self._input_places = _merged([circuit.input_slots for circuit in circuits])
        self.weight_slots, self._weight_places = _merged([circuit.weight_slots for circuit in circuits])
        self._prepared: tuple[Any, PreparedBatch] | None = None

    @classmethod
    def _of(cls, circuits: Sequence[Circuit], threads: int | None) -> CircuitBatch:
        """Of circuits that nobody else changes."""
        batch = cls.__new__(cls)
        batch._take(circuits, threads)
        return batch

    def __reduce__(self) -> Any:
        return CircuitBatch, (list(self._circuits), self.threads)

    # -- what it is

    @property
    def n_inputs(self) -> int:
        """I, slots of all blocks of inputs together."""
        return self.input_slots.count

    @property
    def n_weights(self) -> int:
        """W, slots of all blocks of weights together."""
        return self.weight_slots.count

    @property
    def names(self) -> dict[str, tuple[str, ...]]:
        """Names of the blocks: of "inputs" and of "weights"."""
        return {
            "inputs": tuple(block.name for block in self.input_slots),
            "weights": tuple(block.name for block in self.weight_slots),
        }

    @property
    def n_threads(self) -> int:
        """Threads that are used: `threads`, or all that this process may run on."""
        return self.threads or int(_native.available_threads())

    def __len__(self) -> int:
        """C, how many circuits there are."""
        return len(self._circuits)

    @overload
    def __getitem__(self, which: int) -> Circuit: ...
    @overload
    def __getitem__(self, which: slice | Sequence[int] | np.ndarray) -> CircuitBatch: ...
    def __getitem__(self, which: Any) -> Any:
        """A copy of one circuit, or a batch of some: a slice, indices, or booleans (C,)."""
        if is_integer(which):
            if not -len(self) <= which < len(self):
                raise IndexError(f"circuit {which} of {len(self)}, expected {-len(self)} to {len(self) - 1}")
            return self._circuits[which].copy()
        try:
            rows = np.arange(len(self))[list(which) if isinstance(which, tuple) else which]
        except (IndexError, TypeError, ValueError):
            raise CircuitError(
                f"circuits {which!r} of {len(self)}, expected a slice, indices or booleans; take those that are there"
            ) from None
        if rows.ndim != 1 or not len(rows):
            raise CircuitError(f"circuits {which!r} of {len(self)} are none, expected one or more; take some")
        return self._of([self._circuits[row] for row in rows], self.threads)

    def __repr__(self) -> str:
        qubits = sorted({circuit.n_qubits for circuit in self._circuits})
        shown = str(qubits[0]) if len(qubits) == 1 else f"{qubits[0]} to {qubits[-1]}"
        return f"CircuitBatch({len(self)} circuits of {shown} qubits, {self.n_inputs} inputs, {self.n_weights} weights)"

    def followed_by(self, circuit: Circuit) -> CircuitBatch:
        """Each circuit, then this one.

        Raises:
            CircuitError: unless all are of as many qubits.
        """
        if not isinstance(circuit, Circuit):
            raise CircuitError(f"followed by a {type(circuit).__name__}, expected a Circuit")
        for place, one in enumerate(self._circuits):
            if one.n_qubits != circuit.n_qubits:
                raise CircuitError(
                    f"circuit {place} has {one.n_qubits} qubits, followed by one of {circuit.n_qubits}, expected as "
                    "many; widen the smaller ones with compose"
                )
        return self._of([one.compose(circuit) for one in self._circuits], self.threads)

    # -- evaluation

    def prepare(self, observables: Any = None) -> PreparedBatch:
        """All circuits lowered for what is measured, once for many calls.

        Args:
            observables: a Pauli sum or several, of every circuit; or a list of such lists, one a circuit and equally
                long; None for Z on every qubit, where all circuits have as many.

        Raises:
            CircuitError: for observables that do not fit the circuits.
            UnsupportedError: for circuits with gates that are not unitary.
        """
        return self._prepare(*self._outputs(observables))

    def expectation(self, observables: Any = None, inputs: Any = None, weights: Any = None) -> np.ndarray:
        """Exact expectation values, (C, O); observables as in `prepare`.

        Shapes: inputs (C, I), or (I,) of all circuits; weights (W,), shared, or (C, W); both also by name.

        Raises:
            CircuitError: for observables that do not fit the circuits.
            ShapeError: for inputs or weights that do not.
            UnsupportedError: for circuits with gates that are not unitary.
        """
        return self._kept(observables).values(inputs, weights)

    def derivatives(
        self, observables: Any = None, cotangents: Any = None, inputs: Any = None, weights: Any = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Values, and derivatives of sum(cotangents * values) by inputs and weights; observables as in `prepare`.

        Shapes: as in `expectation`, cotangents (C, O), ones by default -> values (C, O), d_inputs (C, I), d_weights
        (W,), or (C, W) as weights. A slot that a circuit does not have gets 0 from it.

        Raises:
            ShapeError: for arrays that do not fit; the others as `expectation`.
        """
        return self._kept(observables).derivatives(cotangents, inputs, weights)

    def states(self, inputs: Any = None, weights: Any = None) -> np.ndarray:
        """Final states (C, 2^n), complex, of circuits of equally many qubits; inputs and weights as in `expectation`.

        Raises:
            CircuitError: where circuits have different numbers of qubits.
            MemoryLimitError: for states that do not fit in memory.
        """
        arrays = self._arrays(inputs, weights)
        outputs = FinalState(self._same_width("states in one array"))
        lowered = [prepared.__wrapped__(circuit, outputs) for circuit in self._circuits]
        n_bytes = len(self) * outputs.size * arrays.dtype.itemsize
        check_memory(n_bytes, f"{len(self)} states of {outputs.n_qubits} qubits")
        programs = _native.Programs(len(self), self.n_inputs, self.n_weights, outputs.size)
        for row, (_, native) in enumerate(lowered):
            programs.add(native, [row], self._input_places[row], self._weight_places[row])
        values = np.empty((len(self), outputs.size), arrays.dtype)
        programs.forward(arrays.inputs, arrays.weights, values, None, self.n_threads)
        states = values.view(np.result_type(arrays.dtype, np.complex64))
        engine = StatevectorEngine(self.threads)
        for row, (program, _) in enumerate(lowered):
            if not all(phase.is_number for phase in program.phases):  # such phases are added above the native side
                states[row] = engine.state(self._circuits[row], self._row(arrays, row))[0]
        return states

    # -- between the two

    def _kept(self, observables: Any) -> PreparedBatch:
        """As `prepare`; what was asked for last is not lowered again."""
        outputs, which = self._outputs(observables)
        key = tuple(outputs), which.tobytes()
        if self._prepared is None or self._prepared[0] != key:
            self._prepared = key, self._prepare(outputs, which)
        return self._prepared[1]

    def _prepare(self, outputs: list[Expectations], which: np.ndarray) -> PreparedBatch:
        widest = max(circuit.n_qubits for circuit in self._circuits)
        if WIDE >= widest >= 20:
            at_once = min(self.n_threads, len(self))
            check_memory(32 * 2**widest * at_once, f"states of {widest} qubits for {at_once} threads")
        native = _native.Programs(len(self), self.n_inputs, self.n_weights, outputs[0].size)
        places = self._input_places, self._weight_places
        plain = np.array([c.n_qubits <= WIDE and c.initial is None for c in self._circuits])
        add_lowered(native, self._circuits, np.flatnonzero(plain), outputs, which, places, self.n_threads)
        for row in np.flatnonzero(~plain).tolist():
            circuit = self._circuits[row]
            program = native_expectations(circuit, lower(circuit, outputs[which[row]].observables))
            native.add(program, [row], *(source[row] for source in places))
        return PreparedBatch(self, native, outputs[0].size)

    def _outputs(self, observables: Any) -> tuple[list[Expectations], np.ndarray]:
        """Different lists of observables, and which of them each circuit has, (C,)."""
        if isinstance(observables, Sequence) and observables and _is_list(observables[0]):
            return self._outputs_each(observables)
        widths = [circuit.n_qubits for circuit in self._circuits]
        if observables is None:
            self._same_width("Z on every qubit")
        narrowest = self._circuits[int(np.argmin(widths))]  # what fits it fits all
        outputs = as_expectations(narrowest, observables, "values of a batch of circuits")
        return [outputs], np.zeros(len(self), np.uint32)

    def _outputs_each(self, observables: Sequence[Any]) -> tuple[list[Expectations], np.ndarray]:
        if len(observables) != len(self):
            raise CircuitError(
                f"{len(observables)} lists of observables for {len(self)} circuits, expected one a circuit; or give "
                "one list of Pauli sums for all"
            )
        known: dict[Expectations, int] = {}
        which = np.zeros(len(self), np.uint32)
        for row, (circuit, listed) in enumerate(zip(self._circuits, observables, strict=True)):
            outputs = as_expectations(circuit, listed, f"values of circuit {row}")
            which[row] = known.setdefault(outputs, len(known))
        sizes = sorted({outputs.size for outputs in known})
        if len(sizes) > 1:
            raise CircuitError(
                f"lists of {sizes[0]} to {sizes[-1]} observables, expected equally many for each circuit; fill the "
                "shorter ones up"
            )
        return list(known), which

    def _same_width(self, what: str) -> int:
        """The number of qubits that all circuits have."""
        widths = sorted({circuit.n_qubits for circuit in self._circuits})
        if len(widths) > 1:
            raise CircuitError(
                f"circuits of {widths[0]} to {widths[-1]} qubits, expected equally many for {what}; name observables, "
                "or take circuits of one width"
            )
        return widths[0]

    @cached_property
    def _signature(self) -> Circuit:
        """A circuit without gates that has the slots of the batch: what is given for them is checked by it."""
        circuit = Circuit(1)
        circuit.input_slots, circuit.weight_slots = self.input_slots, self.weight_slots
        return circuit

    def _arrays(self, inputs: Any, weights: Any) -> Batch:
        """Checked inputs (C, I) and weights (W,) or (C, W)."""
        given = make_batch(self._signature, inputs, weights)
        if not given.single and given.size != len(self):
            raise ShapeError(f"inputs and weights have {given.size} rows, expected {len(self)}, one a circuit")
        rows = np.broadcast_to(given.inputs, (len(self), self.n_inputs))
        arrays = Batch(np.ascontiguousarray(rows), given.weights, False)
        for row, circuit in enumerate(self._circuits):
            if starts_from_inputs(circuit):
                check_amplitudes(circuit, self._row(arrays, row))
        return arrays

    def _row(self, arrays: Batch, row: int) -> Batch:
        """What one circuit gets, as a batch of one sample."""
        weights = arrays.weights[row] if arrays.weights.ndim == 2 else arrays.weights
        places = self._input_places[row], self._weight_places[row]
        return Batch(arrays.inputs[row, places[0]][None], np.ascontiguousarray(weights[places[1]]), False)


class PreparedBatch:
    """Circuits lowered for what is measured: arrays in, values out, with no Python a circuit. Thread-safe.

    `CircuitBatch.prepare` makes it.

    Attributes:
        batch: the circuits.
        n_outputs: O.
    """

    def __init__(self, batch: CircuitBatch, native: Any, n_outputs: int):
        self.batch, self._native, self.n_outputs = batch, native, n_outputs
        self._elsewhere: dict[str, Any] = {}

    def on(self, device: str) -> Any:
        """The same on a device such as "cuda:0": its `forward_into` and `backward_into` take tensors there."""
        from qloom.engines.gpu import GpuBatch, GpuEngine  # which load torch

        if device not in self._elsewhere:
            self._elsewhere[device] = GpuBatch(self, GpuEngine(device).machine)
        return self._elsewhere[device]

    def __reduce__(self) -> Any:
        raise TypeError("a prepared batch is not pickled; pickle the circuits and prepare them again")

    @property
    def n_programs(self) -> int:
        """Programs that the circuits became: those that are equal but for numbers have one."""
        return len(self._native)

    def values(self, inputs: Any = None, weights: Any = None) -> np.ndarray:
        """Expectation values (C, O); shapes and errors as in `CircuitBatch.expectation`."""
        arrays = self.batch._arrays(inputs, weights)
        values = np.empty((len(self.batch), self.n_outputs), arrays.dtype)
        self.forward_into(values, arrays.inputs, arrays.weights, keep=False)
        return values

    def derivatives(
        self, cotangents: Any = None, inputs: Any = None, weights: Any = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Values and derivatives in one call; shapes and errors as in `CircuitBatch.derivatives`."""
        arrays = self.batch._arrays(inputs, weights)
        values = np.empty((len(self.batch), self.n_outputs), arrays.dtype)
        g = np.asarray(np.ones_like(values) if cotangents is None else cotangents)
        if g.shape != values.shape or g.dtype.kind not in "iuf":
            raise ShapeError(
                f"cotangents has shape {g.shape} and dtype {g.dtype}, expected {values.shape} of real numbers"
            )
        d_inputs, d_weights = np.empty_like(arrays.inputs), np.empty_like(arrays.weights)
        cotangents = np.ascontiguousarray(g, arrays.dtype)
        self.backward_into(d_inputs, d_weights, arrays.inputs, arrays.weights, cotangents, None, values)
        return values, d_inputs, d_weights

    # -- the same on arrays of any library that the native side reads: contiguous, on the CPU, of one dtype

    def forward_into(self, values: Any, inputs: Any, weights: Any, keep: bool) -> Any:
        """Fill `values` (C, O); with `keep` what spares `backward_into` a run, where that is small enough."""
        kept = None
        if keep:
            n_bytes = values.itemsize * self._native.kept_size(values.itemsize == 8)
            kept = _native.Kept(n_bytes) if n_bytes <= MOST_KEPT_BYTES else None
        self._native.forward(inputs, weights, values, kept, self.batch.n_threads)
        return kept

    def backward_into(
        self, d_inputs: Any, d_weights: Any, inputs: Any, weights: Any, cotangents: Any, kept: Any, values: Any = None
    ) -> None:
        """Fill `d_inputs` and `d_weights`, shaped as inputs and weights, and `values`; None is not wanted."""
        threads = self.batch.n_threads
        self._native.backward(inputs, weights, cotangents, values, d_inputs, d_weights, kept, threads)


def _is_list(observables: Any) -> bool:
    return isinstance(observables, Sequence) and not isinstance(observables, PauliSum | str)


def _merged(of_circuits: Iterable[Slots]) -> tuple[Slots, list[np.ndarray]]:
    """The slots of a batch, and where the slots of every circuit stand among them."""
    merged: Slots | None = None
    known: dict[tuple[Any, ...], np.ndarray] = {}
    places = []
    for row, slots in enumerate(of_circuits):
        merged = Slots(slots.source) if merged is None else merged
        blocks = tuple((block.name, block.shape) for block in slots)
        if blocks not in known:
            known[blocks] = _places(merged, slots, row)
        places.append(known[blocks])
    assert merged is not None
    return merged, places


def _places(merged: Slots, slots: Slots, row: int) -> np.ndarray:
    places = [np.arange(0)]
    there = {block.name: block for block in merged}
    for block in slots:
        found = there.get(block.name) or merged.add(block.shape, block.name)
        if found.shape != block.shape:
            raise CircuitError(
                f"{slots.source}s {block.name!r} of circuit {row} have shape {block.shape}, those of circuits before "
                f"{found.shape}, expected one shape; give them another name"
            )
        places.append(np.arange(found.start, found.start + found.size))
    return np.concatenate(places).astype(np.uint32)
