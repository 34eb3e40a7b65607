"""Noise put into a Stim circuit without any, layer by layer: what stands between two TICKs happens at once."""

from __future__ import annotations

from typing import Any

from qloom.correction.circuit_noise import LayerNoise
from qloom.extras import package

# The Pauli that undoes a reset, by the axis in the name of the operation.
_FLIPS = {"RX": "Z_ERROR", "MRX": "Z_ERROR", "RY": "X_ERROR", "MRY": "X_ERROR"}


def with_layer_noise(circuit: Any, noise: LayerNoise) -> Any:
    """A flattened copy of a stim.Circuit: gates depolarize, resets and outcomes flip, and qubits left alone depolarize.

    Gates, resets and measurements of one layer act before that layer's noise. Noise that stands in the circuit stays.
    """
    stim = package("stim", "a code's circuit", "correction")
    plain = circuit.flattened()
    qubits = sorted({qubit for op in plain if _acts(stim, op) for qubit in _qubits(op)})
    noisy = stim.Circuit()
    busy: set[int] = set()
    channels = stim.Circuit()
    for op in plain:
        if op.name == "TICK":
            _close(noisy, channels, [q for q in qubits if q not in busy], noise.idle)
            busy.clear()
            channels.clear()
            noisy.append(op)
        elif not _acts(stim, op):
            noisy.append(op)
        else:
            busy.update(_qubits(op))
            _append(stim, noisy, channels, op, noise)
    _close(noisy, channels, [q for q in qubits if q not in busy], noise.idle)
    return noisy


def _acts(stim: Any, op: Any) -> bool:
    """Whether it is a gate, reset or measurement, and no noise, mark or TICK."""
    data = stim.gate_data(op.name)
    return data.is_unitary or data.is_reset or data.produces_measurements


def _qubits(op: Any) -> list[int]:
    return [target.qubit_value for target in op.targets_copy() if target.qubit_value is not None]


def _append(stim: Any, noisy: Any, channels: Any, op: Any, noise: LayerNoise) -> None:
    """One operation, with its outcomes' flips, and what its layer's end gets of it."""
    data, targets = stim.gate_data(op.name), op.targets_copy()
    if data.produces_measurements and noise.measurement:
        noisy.append(op.name, targets, [noise.measurement])
    else:
        noisy.append(op)
    if data.is_reset:
        _add(channels, _FLIPS.get(op.name, "X_ERROR"), targets, noise.reset)
    elif data.is_unitary:
        rate, name = (noise.two_qubit, "DEPOLARIZE2") if data.is_two_qubit_gate else (noise.one_qubit, "DEPOLARIZE1")
        _add(channels, name, targets, rate)


def _close(noisy: Any, channels: Any, idle: list[int], rate: float) -> None:
    noisy += channels
    _add(noisy, "DEPOLARIZE1", idle, rate)


def _add(circuit: Any, name: str, targets: Any, rate: float) -> None:
    if rate and targets:
        circuit.append(name, targets, [rate])
