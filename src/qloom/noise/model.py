"""The noise model: which channels come with which gates on which qubits, and what readout does. Immutable."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qloom.checks import as_tuple, is_integer, is_real
from qloom.circuits.circuit import Circuit
from qloom.circuits.gate import Scalar
from qloom.circuits.operations import Operation
from qloom.errors import CircuitError
from qloom.noise.rules import (
    Crosstalk,
    Duration,
    Entry,
    Index,
    OverRotation,
    Places,
    Readout,
    Relaxation,
    Rule,
    checked_noise,
)
from qloom.noise.scaling import as_rate, check_rates

if TYPE_CHECKING:
    import numpy as np

# One-qubit gates that turn the frame of later ones and take no time on most devices.
VIRTUAL = ("rz", "z", "s", "sdg", "t", "tdg", "p")


@dataclass(frozen=True)
class Note:
    """What was cut, left out or taken as something else when a model was made.

    Args:
        qubits: on which; () for all.
        text: what.
    """

    qubits: Places
    text: str


@dataclass(frozen=True)
class NoiseModel:
    """What acts where. Rates are numbers, or slots of the circuits that the model is applied to.

    All entries that match a gate act, in the order in which they were given: those before the gate, the gate with its
    over-rotation, those after it, then crosstalk. Gates of 0 qubits, channels, measurements and resets that stand in a
    circuit are left as they are, unless a rule names them. Models are built by methods that return new ones, and are
    compared and hashed by what they hold.

    Args:
        name: of a device, or what the model is.
        entries: rules, over-rotations and durations.
        readouts: of each qubit, and joint ones.
        relaxations: of qubits that wait; they need durations.
        crosstalk: None where there is none.
        free: gates without noise, such as virtual ones.
        is_strict: whether a gate that no rule is for is refused.
        n_qubits: of the device; None for any.
        labels: the device's names of its qubits; None for their numbers.
        unit: of times, for people; any that is the same everywhere will do.
        notes: what was cut or left out when the model was made.
    """

    name: str = ""
    entries: tuple[Entry, ...] = ()
    readouts: tuple[Readout, ...] = ()
    relaxations: tuple[Relaxation, ...] = ()
    crosstalk: Crosstalk | None = None
    free: tuple[str, ...] = ()
    is_strict: bool = False
    n_qubits: int | None = None
    labels: tuple[str, ...] | None = None
    unit: str = ""
    notes: tuple[Note, ...] = field(default=(), compare=False)

    # -- models in one line

    @staticmethod
    def uniform(
        one_qubit: Scalar = 0.0, two_qubit: Scalar = 0.0, readout: Scalar = 0.0, free: Iterable[str] = ()
    ) -> NoiseModel:
        """Depolarizing noise after every gate, the same everywhere, and bits that are read wrong.

        Gates on three and more qubits are refused: write them as gates on one and two.

        Args:
            one_qubit, two_qubit: probability of an error of a gate, 1/3 and 1/15 of it for each Pauli word.
            readout: probability that a bit is read as the other one.
            free: names of gates without noise.

        Raises:
            CircuitError: for a rate that is no probability.
        """
        from qloom.noise.simple import uniform

        return uniform(one_qubit, two_qubit, readout, free)

    @staticmethod
    def relaxation(
        t1: float, t2: float, durations: Mapping[str, float], excited_population: float = 0.0, idle: bool = True
    ) -> NoiseModel:
        """Every qubit relaxes with T1 and T2, in gates and, with `idle`, where it waits for others.

        Args:
            t1, t2: times, T2 at most 2 T1.
            durations: gate name, "one_qubit" or "two_qubit" -> time in the same unit; others take none.
            excited_population: share of |1> that is reached.

        Raises:
            CircuitError: for times or shares out of range.
        """
        from qloom.noise.simple import relaxation

        return relaxation(t1, t2, durations, excited_population, idle)

    @staticmethod
    def from_calibration(path: str | Path, metrics: str = "auto") -> NoiseModel:
        """The model of a device from a file of its calibration, JSON or gzipped JSON; docs/noise.md says how.

        Args:
            path: a file of IBM's or Google's numbers.
            metrics: of Google's two-qubit gates, "parallel" or "isolated"; "auto" for parallel where they are.

        Raises:
            ArtifactError: if it cannot be read, or has neither layout.
        """
        from qloom.noise.calibrations import read_calibration

        return read_calibration(Path(path), metrics)

    # -- building

    def after(self, gates: str, noise: Circuit, qubits: Sequence[int] | None = None) -> NoiseModel:
        """A model with more noise behind a gate.

        Args:
            gates: a name, "one_qubit" or "two_qubit".
            noise: channels or gates that act, on one qubit (on each of the gate's) or on as many as the gate. Slots in
                it are those of the circuits that the model is applied to.
            qubits: which the gate is on, in order; None for any.

        Raises:
            CircuitError: for noise that is no circuit, starts from amplitudes, is on other numbers of qubits, or whose
                rates
                are out of range.
        """
        return self._with_rule(gates, noise, qubits, False)

    def before(self, gates: str, noise: Circuit, qubits: Sequence[int] | None = None) -> NoiseModel:
        """A model with more noise in front of a gate; arguments as in `after`."""
        return self._with_rule(gates, noise, qubits, True)

    def over_rotated(self, gates: str, fraction: Scalar, qubits: Sequence[int] | None = None) -> NoiseModel:
        """A model whose gates turn too far by a fraction of the angles of their Pauli rotations, 0.01 for 1%.

        The angle may also be off by a number of radians about a word: give `after` that rotation.

        Args:
            gates: a name, "one_qubit" or "two_qubit".
            fraction: of the angles; a number or a slot.
            qubits: which the gate is on, in order; None for any.
        """
        return self._with_entry(OverRotation(gates, _places(gates, qubits), as_rate("fraction", fraction)))

    def lasting(self, gates: str, time: float, qubits: Sequence[int] | None = None) -> NoiseModel:
        """A model where a gate takes a time; the last duration given for a gate counts.

        Args:
            gates: a name, "one_qubit" or "two_qubit".
            time: in the unit that all times of the model have.
            qubits: which the gate is on, in order; None for any.

        Raises:
            CircuitError: for a time below 0.
        """
        if not (is_real(time) and 0 <= time < float("inf")):
            raise CircuitError(f"duration of {gates} is {time!r}, expected a time of at least 0")
        return self._with_entry(Duration(gates, _places(gates, qubits), float(time)))

    def idling(
        self, t1: float, t2: float, excited_population: float = 0.0, qubits: Sequence[int] | None = None
    ) -> NoiseModel:
        """A model where qubits relax while they wait for others, from their first gate until all are measured.

        Gates start as soon as their qubits are free and take the time that `lasting` gave them, else none.

        Args:
            t1, t2: times, T2 at most 2 T1.
            excited_population: share of |1> that is reached.
            qubits: that relax so; None for any.

        Raises:
            CircuitError: for times or shares out of range.
        """
        check_rates(Circuit(1).thermal_relaxation(t1, t2, 0.0, excited_population, 0).operations[0], "of idle qubits")
        chosen: Iterable[int | None] = (None,) if qubits is None else as_tuple("idling", qubits)
        new = tuple(Relaxation(q, float(t1), float(t2), float(excited_population)) for q in chosen)
        return replace(self, relaxations=self.relaxations + new)

    def with_crosstalk(self, angle: Scalar, pairs: Iterable[tuple[int, int]]) -> NoiseModel:
        """A model where each two-qubit gate turns pairs of neighbours, one in it and one outside, by rzz(angle).

        Args:
            angle: radians; a number or a slot.
            pairs: of qubits that are neighbours.

        Raises:
            CircuitError: for a pair that is none.
        """
        places = [_places("crosstalk", pair) or () for pair in pairs]
        if any(len(pair) != 2 for pair in places):
            raise CircuitError(f"crosstalk of {places}, expected pairs of two different qubits")
        found = tuple(sorted({(min(pair), max(pair)) for pair in places}))
        return replace(self, crosstalk=Crosstalk(as_rate("angle", angle), found))

    def with_readout(
        self, p1_given0: Scalar, p0_given1: Scalar | None = None, qubits: Iterable[int] | None = None
    ) -> NoiseModel:
        """A model with readout errors on some qubits, or on every one that has none of its own.

        Args:
            p1_given0: probability that 0 is read as 1.
            p0_given1: probability that 1 is read as 0; None for the same.
            qubits: that are misread so; None for every one that has no error of its own.

        Raises:
            CircuitError: for a rate that is no probability.
        """
        other = p1_given0 if p0_given1 is None else p0_given1
        gate = Circuit(1).readout_error(0.0, 0.0, 0).operations[0].gate
        op = Operation(gate, (0,), (as_rate("p1_given0", p1_given0), as_rate("p0_given1", other)))
        check_rates(op)
        places = _places("readout", None if qubits is None else as_tuple("readout", qubits))
        chosen: list[Places | None] = [None] if places is None else [(q,) for q in places]
        kept = [known for known in self.readouts if known.qubits not in chosen]
        return replace(self, readouts=(*kept, *(Readout(places, op) for places in chosen)))

    def with_confusion(self, matrix: np.ndarray, qubits: Sequence[int]) -> NoiseModel:
        """A model where k qubits are misread together: (2^k, 2^k) probabilities, of column j to be read as row i.

        Raises:
            CircuitError: for a matrix of another shape, or columns that are no probabilities.
        """
        places = _places("confusion", qubits)
        assert places is not None
        op = Circuit(len(places)).confusion(matrix, tuple(range(len(places)))).operations[0]
        return replace(self, readouts=(*self.readouts, Readout(places, op)))

    def _with_rule(self, gates: str, noise: Circuit, qubits: Sequence[int] | None, precedes: bool) -> NoiseModel:
        places = _places(gates, qubits)
        width = checked_noise(gates, noise, places)
        for op in noise.operations:
            check_rates(op, f"of {gates}")
        return self._with_entry(Rule(gates, places, tuple(noise.operations), width, precedes))

    def _with_entry(self, entry: Entry) -> NoiseModel:
        return replace(self, entries=(*self.entries, entry))

    def __add__(self, other: NoiseModel) -> NoiseModel:
        """Both: this model's noise of a gate, then the other's."""
        if not isinstance(other, NoiseModel):
            return NotImplemented
        from qloom.noise.changes import joined

        return joined(self, other)

    # -- changing

    def scaled(self, factor: Scalar, only: Collection[str] | str | None = None) -> NoiseModel:
        """Every rate times a factor: probabilities, angles of coherent errors, and of relaxation the duration.

        Args:
            factor: a number, or a slot of the circuits that the model is applied to.
            only: names of gates as rules have them, "readout", "idle" or "crosstalk"; None for all.

        Raises:
            CircuitError: if a rate leaves its range, with the rate; or if an operation has none, as Kraus operators.
        """
        from qloom.noise.changes import scaled_model

        return scaled_model(self, factor, only)

    def without_readout(self) -> NoiseModel:
        """The same without readout errors."""
        return replace(self, readouts=())

    def on(self, qubits: Sequence[int | str]) -> NoiseModel:
        """The model of a circuit whose qubits 0, 1, ... are these of the device, by number or by the device's name.

        Raises:
            CircuitError: for qubits that the device does not have, or that are named twice.
        """
        from qloom.noise.changes import on_qubits

        return on_qubits(self, qubits)

    # -- using

    @cached_property
    def index(self) -> Index:
        """Entries by gate and qubits."""
        return Index(self.entries)

    def apply(self, circuit: Circuit) -> Circuit:
        """The circuit with its noise; slots stay as they are.

        Raises:
            CircuitError: for a circuit that does not fit the device: too many qubits, amplitudes given at the start, or
                a gate without an entry.
        """
        from qloom.noise.application import apply

        return apply(self, circuit)

    def translated(self, circuit: Circuit) -> Circuit:
        """The circuit in gates that the model has entries for, on the same qubits; slots stay, global phases may not.

        Devices have sx or any one-qubit gate, free RZ, and cz, cx or ecr on pairs that are joined; `noise.compiled`
        puts circuits on such pairs first.

        Raises:
            CircuitError: if the model has no such gates, or two qubits of a gate are not joined.
        """
        from qloom.noise.compilation.translation import translated

        return translated(self, circuit)

    @property
    def is_unitary(self) -> bool:
        """Whether it has coherent errors and readout alone, so that every engine runs it."""
        operations = [op for entry in self.entries if isinstance(entry, Rule) for op in entry.operations]
        return not self.relaxations and all(op.gate.is_unitary for op in operations)

    def to_json(self) -> str:
        """The model as versioned JSON text."""
        from qloom.noise.serialization import model_to_json

        return model_to_json(self)

    @staticmethod
    def from_json(text: str) -> NoiseModel:
        """Inverse of `to_json`; ArtifactError for damaged or foreign text."""
        from qloom.noise.serialization import model_from_json

        return model_from_json(text)

    def __reduce__(self) -> Any:  # operations hold functions, which are found again by name
        return NoiseModel.from_json, (self.to_json(),)

    def __str__(self) -> str:
        from qloom.noise.table import table

        return table(self)

    def __repr__(self) -> str:
        where = "" if self.n_qubits is None else f", {self.n_qubits} qubits"
        return (
            f"NoiseModel({self.name or 'unnamed'}{where}: {len(self.entries)} entries, {len(self.readouts)} readouts)"
        )


def _places(what: str, qubits: Sequence[Any] | None) -> Places | None:
    """Qubits that a caller names, as plain integers."""
    if qubits is None:
        return None
    places = as_tuple(what, qubits)
    if not all(is_integer(q) and q >= 0 for q in places) or len(set(places)) != len(places):
        raise CircuitError(f"{what} on qubits {places}, expected different integers of at least 0")
    return tuple(int(q) for q in places)
