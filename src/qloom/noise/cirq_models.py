"""Noise models from Cirq: any `NoiseModel`, asked what it makes of each gate on each qubit.

Cirq counts depolarizing noise as we do, p / (4^k - 1) for each word. Its models rewrite moments; a gate alone in a
moment on its own qubits tells what comes with it. Noise on qubits that wait in a moment is left out, which a note says:
`NoiseModel.idling` has its own way for these.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import permutations
from typing import Any

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.errors import CircuitError
from qloom.extras import package
from qloom.noise.model import NoiseModel, Note
from qloom.noise.recognition import read_errors, recognized
from qloom.noise.rules import Entry, Readout, Rule

# Where these have no noise, the one gate is asked for that devices have in their place.
TURNS = ("x", "y", "h", "sx", "sxdg", "rx", "ry")
ANGLE = 0.3  # of gates that have one; their noise is taken to be the same at every angle


def from_cirq(noise: Any, qubits: Sequence[Any], pairs: Iterable[tuple[Any, Any]] | None = None) -> NoiseModel:
    """The noise model of what Cirq takes as noise, on qubits that become 0, 1, ....

    Args:
        noise: a `cirq.NoiseModel`, or a channel on one qubit that is put in front of each gate.
        qubits: Cirq's, in order.
        pairs: that two-qubit gates are on; None for all.

    Raises:
        ExtraError: without Cirq.
        CircuitError: for what Cirq does not take as noise.
    """
    cirq = package("cirq", "from_cirq", "exchange", brought_by="cirq-core")
    try:
        model = cirq.NoiseModel.from_noise_model_like(noise)
    except (TypeError, ValueError) as error:
        raise CircuitError(f"noise={noise!r} is none that Cirq takes ({error}), expected a cirq.NoiseModel") from None
    number, entries = {q: k for k, q in enumerate(qubits)}, list[Entry]()
    joined = list(permutations(qubits, 2) if pairs is None else pairs)
    for name, gate in _gates(cirq):
        for places in joined if cirq.num_qubits(gate) == 2 else [(q,) for q in qubits]:
            found = list(_entries(cirq, model, name, gate.on(*places), [number[q] for q in places]))
            if not any(rule.operations for rule in found) and name in TURNS:
                turn = cirq.PhasedXZGate.from_matrix(cirq.unitary(gate))
                found = list(_entries(cirq, model, name, turn.on(*places), [number[q] for q in places])) or found
            entries += found
    readouts = [_readout(cirq, model, q, number[q]) for q in qubits]
    notes = []
    if len(qubits) > 1 and _acts_on_waiting(cirq, model, qubits):
        notes.append(Note((), "noise on qubits that wait in a moment is left out"))
    return NoiseModel(
        "Cirq's noise model", tuple(entries), tuple(r for r in readouts if r is not None), is_strict=True,
        n_qubits=len(qubits), labels=tuple(map(str, qubits)), notes=tuple(notes),
    )  # fmt: skip


def _gates(cirq: Any) -> list[tuple[str, Any]]:
    """Gates that have a name in both, one angle for those with one."""
    return [
        ("x", cirq.X), ("y", cirq.Y), ("z", cirq.Z), ("h", cirq.H), ("s", cirq.S), ("sdg", cirq.S**-1),
        ("t", cirq.T), ("tdg", cirq.T**-1), ("sx", cirq.X**0.5), ("sxdg", cirq.X**-0.5), ("id", cirq.I),
        ("rx", cirq.rx(ANGLE)), ("ry", cirq.ry(ANGLE)), ("rz", cirq.rz(ANGLE)), ("p", cirq.ZPowGate(exponent=ANGLE)),
        ("cx", cirq.CX), ("cz", cirq.CZ), ("cp", cirq.CZPowGate(exponent=ANGLE)), ("swap", cirq.SWAP),
        ("iswap", cirq.ISWAP), ("xy", cirq.ISwapPowGate(exponent=ANGLE)), ("rzz", cirq.ZZPowGate(exponent=ANGLE)),
    ]  # fmt: skip


def _noisy(cirq: Any, model: Any, op: Any, qubits: Sequence[Any]) -> tuple[list[Any], list[Any]] | None:
    """What stands before an operation in its noisy moment and behind it; None where the model knows no such gate."""
    try:
        moments = model.noisy_moments([cirq.Moment([op])], list(qubits))
        found = list(cirq.flatten_to_ops(moments))
    except (KeyError, ValueError, TypeError):
        return None
    places = [k for k, each in enumerate(found) if each.untagged == op]
    if len(places) != 1:
        return None
    return found[: places[0]], found[places[0] + 1 :]


def _entries(cirq: Any, model: Any, name: str, op: Any, numbers: Sequence[int]) -> Iterator[Rule]:
    sides = _noisy(cirq, model, op, op.qubits)
    if sides is None:
        return
    for side, precedes in zip(sides, (True, False), strict=True):
        circuit = Circuit(len(op.qubits))
        for each in side:
            noise = recognized([np.asarray(k) for k in cirq.kraus(each)])
            circuit.place(noise, [op.qubits.index(q) for q in each.qubits])
        if circuit.operations or not precedes:
            yield Rule(name, tuple(numbers), tuple(circuit.operations), circuit.n_qubits, precedes)


def _readout(cirq: Any, model: Any, qubit: Any, number: int) -> Readout | None:
    """What comes before a measurement, as what it does to the bit."""
    sides = _noisy(cirq, model, cirq.measure(qubit, key="m"), [qubit])
    if sides is None or not sides[0]:
        return None
    kraus: list[np.ndarray] = [np.eye(2)]
    for each in sides[0]:
        kraus = [np.asarray(b) @ a for a in kraus for b in cirq.kraus(each)]
    one, zero = read_errors(kraus)
    return Readout((number,), Circuit(1).readout_error(one, zero, 0).operations[0])


def _acts_on_waiting(cirq: Any, model: Any, qubits: Sequence[Any]) -> bool:
    sides = _noisy(cirq, model, cirq.X(qubits[0]), qubits[:2])
    return sides is not None and any(qubits[1] in each.qubits for side in sides for each in side)
