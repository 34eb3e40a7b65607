"""Noise models from Qiskit: a model of Aer, or a backend with its reported errors.

Aer's depolarizing parameter l mixes in the fully mixed state; a probability of an error is l (4^k - 1) / 4^k. Qiskit's
first qubit is the least significant bit of a matrix. In Aer an error for certain qubits takes the place of the one for
all qubits. `NoiseModel.from_backend` of Aer makes readout errors of a V2 backend symmetric (both their mean); here a
backend's own two are taken where it tells them, and a note says where it does not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.circuits.gates import GATES
from qloom.errors import CircuitError
from qloom.extras import package
from qloom.noise.calibrations.coherence import coherence
from qloom.noise.calibrations.ibm import gate_entries
from qloom.noise.model import VIRTUAL, NoiseModel, Note
from qloom.noise.recognition import recognized, reversed_qubits
from qloom.noise.rules import Entry, Readout, Rule

NS_A_SECOND = 1e9
# Instructions that are no gates.
OTHERS = {"measure", "reset", "delay", "barrier", "roerror", "kraus", "superop", "save_density_matrix"}


def from_qiskit(source: Any, is_strict: bool = True) -> NoiseModel:
    """The noise model of Aer's `NoiseModel`, or of a backend of Qiskit with a target.

    Args:
        source: Aer's model, or the backend.
        is_strict: whether gates are refused on qubits that the source has no error for; without noise there in Aer.

    Raises:
        ExtraError: without Qiskit.
        CircuitError: for anything else.
    """
    package("qiskit", "from_qiskit", "exchange")
    if hasattr(source, "noise_instructions") and hasattr(source, "to_dict"):
        return replace(_from_aer(source), is_strict=is_strict)
    if getattr(source, "target", None) is not None:
        return replace(_from_backend(source), is_strict=is_strict)
    raise CircuitError(f"source is a {type(source).__name__}, expected Aer's NoiseModel or a backend with a target")


# -- Aer's models


def _from_aer(source: Any) -> NoiseModel:
    notes: list[Note] = []
    entries: list[Entry] = []
    for name, error in source._default_quantum_errors.items():
        entries += _rule(name, None, error, notes, True)
    for name, errors in source._local_quantum_errors.items():
        for qubits, error in errors.items():
            entries += _rule(name, tuple(int(q) for q in qubits), error, notes, False)
    readouts = [_confusion(tuple(map(int, q)), error) for q, error in source._local_readout_errors.items()]
    if source._default_readout_error is not None:
        readouts.append(_confusion(None, source._default_readout_error))
    if source._custom_noise_passes:
        notes.append(Note((), "noise of delays is left out"))
    noisy = {entry.gates for entry in entries}
    free = tuple(sorted(name for name in source.basis_gates if name not in noisy and name in GATES))
    return NoiseModel(
        "Aer's noise model", tuple(entries), tuple(readouts), free=free, is_strict=True, notes=tuple(notes)
    )


def _rule(name: str, qubits: tuple[int, ...] | None, error: Any, notes: list[Note], yields: bool) -> list[Entry]:
    """The rule of one quantum error; a note where the gate has no name here."""
    if name not in GATES:
        notes.append(Note(qubits or (), f"noise of {name} is left out, which qloom has no gate for"))
        return []
    info = package("qiskit.quantum_info", "from_qiskit", "exchange")
    kraus = info.Kraus(info.SuperOp(error.to_quantumchannel())).data
    if isinstance(kraus, tuple):
        raise CircuitError(f"error of {name} is no channel, expected one whose Kraus operators are the same both sides")
    noise = recognized([reversed_qubits(np.asarray(operator)) for operator in kraus])
    return [Rule(name, qubits, tuple(noise.operations), noise.n_qubits, yields=yields)]


def _confusion(qubits: tuple[int, ...] | None, error: Any) -> Readout:
    """A readout error; Aer has the true outcome in rows."""
    matrix = np.asarray(error.probabilities).T
    if len(matrix) == 2:
        rates = float(matrix[1, 0]), float(matrix[0, 1])
        return Readout(qubits, Circuit(1).readout_error(*rates, 0).operations[0])
    if qubits is None:
        raise CircuitError("readout error on several qubits for any qubits, expected qubits of its own")
    width = len(qubits)
    return Readout(qubits, Circuit(width).confusion(reversed_qubits(matrix).real, tuple(range(width))).operations[0])


# -- backends


def _from_backend(backend: Any) -> NoiseModel:
    """By the rule of calibrations: depolarizing noise, then relaxation over the gate's time."""
    target, notes = backend.target, list[Note]()
    coherences = []
    for q in range(target.num_qubits):
        properties = target.qubit_properties[q] if target.qubit_properties else None
        times = [getattr(properties, name, None) for name in ("t1", "t2")]
        t1, t2 = (None if time is None else NS_A_SECOND * float(time) for time in times)
        each, more = coherence(t1, t2, q)
        coherences.append(each)
        notes += more
    entries: list[Entry] = []
    for name in target.operation_names:
        if name in OTHERS or name in VIRTUAL or target[name] is None:
            continue
        if name not in GATES:
            notes.append(Note((), f"{name} is left out, which qloom has no gate for"))
            continue
        for qubits, properties in target[name].items():
            error, seconds = (getattr(properties, key, None) for key in ("error", "duration"))
            length = None if seconds is None else NS_A_SECOND * seconds
            found, more = gate_entries(name, tuple(qubits), error, length, [coherences[q] for q in qubits])
            entries += found
            notes += more
    readouts, more = _backend_readouts(backend)
    return NoiseModel(
        str(getattr(backend, "name", "backend")), tuple(entries), tuple(readouts), free=VIRTUAL, is_strict=True,
        n_qubits=target.num_qubits, unit="ns", notes=tuple(notes + more),
    )  # fmt: skip


def _backend_readouts(backend: Any) -> tuple[list[Readout], list[Note]]:
    found, notes = [], list[Note]()
    for (q,), properties in (backend.target.get("measure", None) or {}).items():
        rates = _both_errors(backend, q, properties)
        if rates is None:
            error = getattr(properties, "error", None)
            if error is None:
                notes.append(Note((q,), "the readout error is missing, read without error"))
                continue
            notes.append(Note((q,), "only the mean of the readout errors is told, taken for both"))
            rates = float(error), float(error)
        found.append(Readout((q,), Circuit(1).readout_error(*rates, 0).operations[0]))
    return found, notes


def _both_errors(backend: Any, qubit: int, properties: Any) -> tuple[float, float] | None:
    """1 read for 0, and 0 for 1, where a backend tells both: with the measurement, or in its properties."""
    names = ("prob_meas1_prep0", "prob_meas0_prep1")
    if all(getattr(properties, name, None) is not None for name in names):
        return float(getattr(properties, names[0])), float(getattr(properties, names[1]))
    told = backend.properties() if callable(getattr(backend, "properties", None)) else None
    if told is None:
        return None
    known = told.qubit_property(qubit)
    if not all(name in known for name in names):
        return None
    return float(known[names[0]][0]), float(known[names[1]][0])
