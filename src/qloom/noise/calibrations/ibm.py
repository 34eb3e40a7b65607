"""IBM's calibrations: T1, T2 and readout of each qubit, error and length of each gate.

The rule is that of Aer's device models. A gate's reported error e is the average infidelity of a depolarizing channel
and the relaxation of its qubits over its length together. With F, the average fidelity of the relaxation alone, the
depolarizing channel, which comes first, mixes in a share (e - (1 - F)) d / (d F - 1) of the fully mixed state. A share
l is a probability of an error of l (4^k - 1) / 4^k. RZ is a change of frame. Nothing happens to qubits that wait.
Readout errors are taken as they are, one for each bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qloom.circuits.circuit import Circuit
from qloom.circuits.operations import Operation
from qloom.errors import ArtifactError
from qloom.noise.calibrations.coherence import Coherence, average_fidelity, coherence
from qloom.noise.model import VIRTUAL, NoiseModel, Note
from qloom.noise.rules import Duration, Entry, Readout, Rule

# A gate of this error does nothing but errors: what is not calibrated is reported so.
BROKEN = 1.0
READOUT = ("p_meas1_given0", "p_meas0_given1")
NS_A_US = 1000.0


def ibm_model(document: dict[str, Any], where: str) -> NoiseModel:
    """The model of a calibration. Times are in nanoseconds.

    Raises:
        ArtifactError: if a gate is on qubits that the file does not list, or an error is none.
    """
    name, n_qubits = str(document.get("device", where)), len(document["qubits"])
    coherences, notes = _coherences(document["qubits"])
    readouts, more = _readouts(document["qubits"])
    notes += more
    entries: list[Entry] = []
    for gate, qubits, error, length in document["gates"]:
        places = tuple(int(q) for q in qubits)
        if not all(0 <= q < n_qubits for q in places):
            raise ArtifactError(f"{where} has {gate} on qubits {places}, expected those of its {n_qubits} qubits")
        if gate in VIRTUAL:
            continue
        found, more = gate_entries(gate, places, error, length, [coherences[q] for q in places])
        entries += found
        notes += more
    return NoiseModel(
        name,
        tuple(entries),
        tuple(readouts),
        free=VIRTUAL,
        is_strict=True,
        unit="ns",
        n_qubits=n_qubits,
        notes=tuple(notes),
    )


def gate_entries(
    gate: str, qubits: tuple[int, ...], error: float | None, length: float | None,
    coherences: Sequence[Coherence | None],
) -> tuple[list[Entry], list[Note]]:  # fmt: skip
    """The entries of one gate: depolarizing noise, then relaxation of its qubits over its length."""
    notes, width = [], len(qubits)
    if error is None:
        notes.append(Note(qubits, f"error of {gate} is missing, relaxation alone"))
    elif error >= BROKEN:
        notes.append(Note(qubits, f"{gate} has error 1 (not calibrated, or broken): taken as an error each time"))
    if length is None:
        notes.append(Note(qubits, f"length of {gate} is missing, no relaxation"))
    time = float(length or 0.0)
    operations = _depolarizing(float(error or 0.0), average_fidelity(coherences, time), width)
    if time > 0:
        operations += [each.relaxation(time, k, width) for k, each in enumerate(coherences) if each is not None]
    return [Rule(gate, qubits, tuple(operations), width), Duration(gate, qubits, time)], notes


def _depolarizing(error: float, fidelity: float, width: int) -> list[Operation]:
    """What an average error leaves for depolarizing noise beside relaxation of an average fidelity."""
    rate = depolarizing_rate(error, fidelity, width)
    return list(Circuit(width).depolarizing(rate, *range(width)).operations) if rate > 0 else []


def depolarizing_rate(error: float, fidelity: float, width: int) -> float:
    """Probability of an error, 0 to 1, that makes of relaxation of a fidelity a gate of an average error."""
    size = 2**width
    most = size / (size + 1)  # average infidelity of an error each time
    share = size * (min(error, most) - (1 - fidelity)) / (size * fidelity - 1)
    return min(1.0, max(0.0, share * (1 - 1 / size**2)))


def _coherences(qubits: Sequence[dict[str, Any]]) -> tuple[list[Coherence | None], list[Note]]:
    found, notes = [], []
    for q, entry in enumerate(qubits):
        times = [None if entry.get(key) is None else NS_A_US * float(entry[key]) for key in ("T1_us", "T2_us")]
        each, more = coherence(times[0], times[1], q)
        found.append(each)
        notes += more
    return found, notes


def _readouts(qubits: Sequence[dict[str, Any]]) -> tuple[list[Readout], list[Note]]:
    found, notes = [], []
    for q, entry in enumerate(qubits):
        rates = [float(entry[key]) for key in READOUT if entry.get(key) is not None]
        if len(rates) < len(READOUT):
            notes.append(Note((q,), "a readout error is missing, read without error"))
            continue
        if max(rates) > 0.5:
            notes.append(Note((q,), "a bit is read wrong more often than not, taken as it is"))
        found.append(Readout((q,), Circuit(1).readout_error(*rates, 0).operations[0]))
    return found, notes
