"""Noise models from Amazon Braket: its `NoiseModel`, noise by criteria of gates, initial states and measurements.

Braket counts depolarizing noise as we do, p / 3 each; a matrix's first qubit is the most significant bit, as here. All
noise whose criteria match a gate acts, in the order in which it was added; noise on one qubit acts on each of a gate's.
"""

from __future__ import annotations

from typing import Any

from qloom.circuits.circuit import Circuit
from qloom.errors import CircuitError
from qloom.extras import package
from qloom.noise.model import NoiseModel, Note
from qloom.noise.recognition import read_errors, recognized
from qloom.noise.rules import CLASSES, Entry, Readout, Rule

# Braket's gates by the names that are others here.
NAMES = {
    "I": "id", "Si": "sdg", "Ti": "tdg", "V": "sx", "Vi": "sxdg", "PhaseShift": "p", "CNot": "cx",
    "CPhaseShift": "cp", "CV": "csx", "XX": "rxx", "YY": "ryy", "ZZ": "rzz", "CCNot": "ccx", "PRx": "r",
    "Unitary": "unitary", "GPhase": "global_phase",
}  # fmt: skip
SAME = ("H", "X", "Y", "Z", "S", "T", "U", "Rx", "Ry", "Rz", "Swap", "ISwap", "XY", "CY", "CZ", "ECR", "CSwap")
GATES = NAMES | {name: name.lower() for name in SAME}


def from_braket(source: Any) -> NoiseModel:
    """The noise model of Braket's `NoiseModel`.

    Args:
        source: Braket's.

    Raises:
        ExtraError: without Braket's SDK.
        CircuitError: for anything else, or noise at the start of circuits.
    """
    package("braket.circuits", "from_braket", "exchange", brought_by="amazon-braket-sdk")
    kinds = package("braket.circuits.noise_model", "from_braket", "exchange", brought_by="amazon-braket-sdk")
    if not isinstance(source, kinds.NoiseModel):
        raise CircuitError(f"source is a {type(source).__name__}, expected Braket's NoiseModel")
    sorted_noise, notes = source.get_instructions_by_type(), list[Note]()
    if sorted_noise.initialization_noise:
        raise CircuitError("noise of initial states has no place in a NoiseModel, expected that of gates and readout")
    entries = [entry for item in sorted_noise.gate_noise for entry in _entries(item, kinds, notes)]
    readouts = [entry for item in sorted_noise.readout_noise for entry in _readouts(item, kinds)]
    return NoiseModel("Braket's noise model", tuple(entries), tuple(readouts), notes=tuple(dict.fromkeys(notes)))


def _entries(item: Any, kinds: Any, notes: list[Note]) -> list[Entry]:
    noise = recognized(item.noise.to_matrix())
    entries: list[Entry] = []
    for gates in _gates(item.criteria, kinds, noise.n_qubits, notes):
        for qubits in _qubits(item.criteria, kinds):
            if qubits is not None and len(qubits) == 1 and gates == "two_qubit":
                continue
            entries.append(Rule(gates, qubits, tuple(noise.operations), noise.n_qubits))
    return entries


def _gates(criteria: Any, kinds: Any, width: int, notes: list[Note]) -> list[str]:
    """Names of gates; classes where all are meant."""
    if kinds.CriteriaKey.GATE not in criteria.applicable_key_types():
        return ["unitary"]
    keys = criteria.get_keys(kinds.CriteriaKey.GATE)
    if keys == kinds.CriteriaKeyResult.ALL:
        return [name for name, size in CLASSES.items() if width in (1, size)]
    found = []
    for key in keys:
        if key.__name__ in GATES:
            found.append(GATES[key.__name__])
        else:
            notes.append(Note((), f"noise of {key.__name__} is left out, which qloom has no gate for"))
    return sorted(found)


def _qubits(criteria: Any, kinds: Any) -> list[tuple[int, ...] | None]:
    keys = criteria.get_keys(kinds.CriteriaKey.QUBIT)
    if keys == kinds.CriteriaKeyResult.ALL:
        return [None]
    return [*sorted(tuple(int(q) for q in key) if hasattr(key, "__iter__") else (int(key),) for key in keys)]


def _readouts(item: Any, kinds: Any) -> list[Readout]:
    """Noise in front of a measurement, as what it does to the bit."""
    if item.noise.qubit_count != 1:
        raise CircuitError(f"readout noise on {item.noise.qubit_count} qubits, expected noise on one")
    one, zero = read_errors(item.noise.to_matrix())
    operation = Circuit(1).readout_error(one, zero, 0).operations[0]
    return [Readout(qubits, operation) for qubits in _qubits(item.criteria, kinds)]
