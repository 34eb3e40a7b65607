"""Noise put into a Stim circuit without any, layer by layer: what stands between two TICKs happens at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from qloom.correction.circuit_noise import LayerNoise
from qloom.extras import package

# The Pauli that undoes a reset, by the axis in the name of the operation.
_FLIPS = {"RX": "Z_ERROR", "MRX": "Z_ERROR", "RY": "X_ERROR", "MRY": "X_ERROR"}


def with_layer_noise(circuit: Any, noise: LayerNoise) -> Any:
    """A flattened copy of a stim.Circuit: gates depolarize, resets and outcomes flip, and qubits left alone depolarize.

    Gates, resets and measurements of one layer act before that layer's noise.
    """
    stim = package("stim", "a code's circuit", "correction")
    plain = circuit.flattened()
    qubits = sorted({target.value for op in _operations(stim, plain) for target in op.targets_copy()})
    noisy = stim.Circuit()
    busy: set[int] = set()
    channels = stim.Circuit()
    for op in plain:
        if op.name == "TICK":
            _close(noisy, channels, [q for q in qubits if q not in busy], noise.idle)
            busy.clear()
            channels.clear()
            noisy.append(op)
        elif op.name in _annotations(stim):
            noisy.append(op)
        else:
            busy.update(target.value for target in op.targets_copy())
            _append(stim, noisy, channels, op, noise)
    _close(noisy, channels, [q for q in qubits if q not in busy], noise.idle)
    return noisy


def _annotations(stim: Any) -> set[str]:
    return {"DETECTOR", "OBSERVABLE_INCLUDE", "QUBIT_COORDS", "SHIFT_COORDS"}


def _operations(stim: Any, circuit: Any) -> Iterator[Any]:
    return (op for op in circuit if op.name != "TICK" and op.name not in _annotations(stim))


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
