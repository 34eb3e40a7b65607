"""Google's calibrations: metrics by name, each of qubits `row_col` or pairs of them, as Cirq reads them.

- `single_qubit_rb_pauli_error_per_gate`, `two_qubit_*_gate_xeb_pauli_error_per_cycle`: probability of an error, all
  Pauli words alike, of any one-qubit gate that is no change of frame, and of the two-qubit gate. A cycle of
  cross-entropy benchmarking holds one-qubit gates too; its error is the two-qubit gate's, as in Cirq.
- `single_qubit_idle_t1_micros`: T1. Dephasing is what `single_qubit_rb_incoherent_error_per_gate` leaves over it.
- `*_entangler_theta_error`, `*_entangler_phi_error`: radians by which the fSim gate turns too far.
- `single_qubit_p00_error`, `single_qubit_p11_error`, `parallel_*`: that 0 is read as 1, and 1 as 0.

The Pauli error is that of all of these together, so depolarizing noise has what is left of it beside relaxation over
the gate's time and the error of the angles. It comes first, then the turn, then relaxation. Files tell no times; they
are those that Cirq assumes.
"""

from __future__ import annotations

from cmath import exp as phase_of
from math import cos, exp
from typing import Any

from qloom.circuits.circuit import Circuit
from qloom.errors import ArtifactError, ConfigError
from qloom.noise.calibrations.coherence import ENDLESS, Coherence
from qloom.noise.model import VIRTUAL, NoiseModel, Note
from qloom.noise.rules import Duration, Entry, Readout, Rule

# Nanoseconds that Cirq assumes of Google's devices.
ONE_QUBIT_NS, TWO_QUBIT_NS = 25.0, 32.0
# Our gate of a benchmarked one; a Sycamore gate, fSim(pi/2, pi/6), is none of one name.
GATES = {"cz": "cz", "sqrt_iswap": "xy"}
WAYS = {"parallel": "parallel_", "isolated": ""}
Metric = dict[tuple[int, ...], float]


def google_model(document: dict[str, Any], where: str, metrics: str = "auto") -> NoiseModel:
    """The model of a calibration. Times are in nanoseconds; qubits are in order of row and column.

    Args:
        metrics: "parallel", of gates and readout on all qubits at once, "isolated", or "auto": the first where it is.
    """
    if metrics not in ("auto", *WAYS):
        raise ConfigError(f"metrics={metrics!r}, expected 'auto', 'parallel' or 'isolated'")
    device = Device(document, where, metrics)
    entries = [*device.one_qubit_entries(), *device.two_qubit_entries()]
    if not entries:
        raise ArtifactError(
            f"{where} has no errors of gates that qloom knows, expected {', '.join(GATES)} or one-qubit"
        )
    return NoiseModel(
        str(document.get("device", where)),
        tuple(entries),
        tuple(device.readouts()),
        free=VIRTUAL,
        is_strict=True,
        unit="ns",
        n_qubits=len(device.labels),
        labels=device.labels,
        notes=tuple(device.notes),
    )


class Device:
    """The metrics of a file by number of qubit."""

    def __init__(self, document: dict[str, Any], where: str, metrics: str):
        self._metrics, self._where, self._ways = document["metrics"], where, metrics
        names = {name for rows in self._metrics.values() for target, _ in rows for name in target.split("-")}
        self.labels = tuple(sorted(names, key=_row_and_column))
        self._number = {name: k for k, name in enumerate(self.labels)}
        self.notes: list[Note] = [
            Note((), f"times are not in the file: {ONE_QUBIT_NS:g} ns for one-qubit gates, {TWO_QUBIT_NS:g} for others")
        ]
        self._coherence = self._coherences()

    def _metric(self, name: str) -> Metric:
        """Values by qubits, both ways round; none where the file has no such metric."""
        found: Metric = {}
        for target, value in self._metrics.get(name, ()):
            places = tuple(self._number[label] for label in target.split("-"))
            found[places] = found[places[::-1]] = float(value)
        return found

    def _of_way(self, before: str, after: str) -> Metric:
        """A metric that was taken on all qubits at once, or on each alone."""
        ways = WAYS if self._ways == "auto" else {self._ways: WAYS[self._ways]}
        found = [self._metric(f"{before}{text}{after}") for text in ways.values()]
        return next(filter(None, found), {})

    def _coherences(self) -> dict[int, Coherence]:
        incoherent, found = self._metric("single_qubit_rb_incoherent_error_per_gate"), {}
        for (q,), micros in self._metric("single_qubit_idle_t1_micros").items():
            t1 = 1000.0 * micros
            left = incoherent.get((q,), 0.0) - ONE_QUBIT_NS / (3 * t1)
            dephasing = 3 * left / ONE_QUBIT_NS if left > 0 else 1 / ENDLESS
            found[q] = Coherence(t1, 1 / (1 / (2 * t1) + dephasing))
        self.notes += [Note((q,), "T1 is missing, no relaxation") for q in range(len(self.labels)) if q not in found]
        return found

    def one_qubit_entries(self) -> list[Entry]:
        """Of any one-qubit gate that is no change of frame."""
        entries: list[Entry] = []
        errors = self._metric("single_qubit_rb_pauli_error_per_gate")
        for (q,), error in errors.items():
            entries += self._entries("one_qubit", (q,), error, ONE_QUBIT_NS, Circuit(1))
        lacking = [q for q in range(len(self.labels)) if (q,) not in errors]
        self.notes += [Note((q,), "one-qubit gates have no error, refused") for q in lacking]
        return entries

    def two_qubit_entries(self) -> list[Entry]:
        """Of gates that have a name here; their qubits in both orders."""
        entries: list[Entry] = []
        for known, gate in GATES.items():
            errors = self._of_way("two_qubit_", f"{known}_gate_xeb_pauli_error_per_cycle")
            theta, phi = (
                self._metric(f"two_qubit_parallel_{known}_gate_xeb_entangler_{angle}_error_per_cycle")
                for angle in ("theta", "phi")
            )
            for pair, error in errors.items():
                turn = Circuit(2)
                if pair in theta or pair in phi:
                    turn.xy(-2 * theta.get(pair, 0.0), 0, 1).cp(-phi.get(pair, 0.0), 0, 1)
                entries += self._entries(gate, pair, error, TWO_QUBIT_NS, turn)
            if errors and gate == "xy":
                self.notes.append(Note((), "xy has the error of sqrt(iSWAP) at any angle"))
        if any("sycamore" in name for name in self._metrics):
            self.notes.append(Note((), "errors of Sycamore gates are left out, which qloom has no gate for"))
        return entries

    def _entries(self, gate: str, qubits: tuple[int, ...], error: float, time: float, turn: Circuit) -> list[Entry]:
        """Depolarizing noise with what is left of a Pauli error, the turn, relaxation."""
        found = [self._coherence.get(q) for q in qubits]
        left = error - _turned(turn) - sum(decoherence(each, time) for each in found if each is not None)
        width = len(qubits)
        if left < 0:
            what = "one-qubit gates'" if width == 1 else f"{gate}'s"
            self.notes.append(Note(qubits, f"{what} error is less than relaxation and angles make, no depolarizing"))
        noise = Circuit(width)
        if left > 0:
            noise.depolarizing(min(left, 1.0), *range(width))
        operations = [*noise.operations, *turn.operations]
        operations += [each.relaxation(time, k, width) for k, each in enumerate(found) if each is not None]
        return [Rule(gate, qubits, tuple(operations), width), Duration(gate, qubits, time)]

    def readouts(self) -> list[Readout]:
        """Of each qubit whose two errors are known."""
        alone = [self._metric(f"single_qubit_{bits}_error") for bits in ("p00", "p11")]
        at_once = [self._metric(f"parallel_{bits}_error") for bits in ("p00", "p11")]
        zero, one = at_once if self._ways != "isolated" and all(at_once) else alone
        found = []
        for q in range(len(self.labels)):
            if (q,) not in zero or (q,) not in one:
                self.notes.append(Note((q,), "a readout error is missing, read without error"))
                continue
            rates = zero[(q,)], one[(q,)]
            if max(rates) > 0.5:
                self.notes.append(Note((q,), "a bit is read wrong more often than not, taken as it is"))
            found.append(Readout((q,), Circuit(1).readout_error(*rates, 0).operations[0]))
        return found


def decoherence(times: Coherence, time: float) -> float:
    """Probability of an error by relaxation over a time, its Pauli words alone."""
    return (1 - exp(-time / times.t1)) / 4 + (1 - exp(-time / times.t2)) / 2


def _turned(turn: Circuit) -> float:
    """Probability of an error by an fSim turn: 1 - |Tr / 4|^2."""
    if not turn.operations:
        return 0.0
    theta, phi = -turn.operations[0].angles[0].offset / 2, -turn.operations[1].angles[0].offset
    trace = 1 + 2 * cos(theta) + phase_of(-1j * phi)
    return 1 - abs(trace / 4) ** 2


def _row_and_column(label: str) -> tuple[int, ...]:
    return tuple(int(part) for part in label.split("_"))
