"""What a TorchQuantum module calls while it runs: gates, and expectation values."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from inspect import signature
from types import FunctionType, ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from qloom.errors import UnsupportedError
from qloom.observables import PauliSum, pauli

# Values (B, K), a leaf of the graph of what is made of them, and the K observables.
Measured = tuple[Tensor, list[PauliSum]]
_LETTERS = {"PauliX": "X", "PauliY": "Y", "PauliZ": "Z", "I": "I"}


class Listener:
    """What a module calls while it runs: gates with their parameters, expectation values as leaves of a graph.

    Attributes:
        gates: arguments of `gate_wrapper`, by name, first to last.
        measured: values (B, K), and the K observables.
        n_qubits: of the device.
    """

    def __init__(self, tq: Any, who: str):
        self.gates: list[dict[str, Any]] = []
        self.measured: list[Measured] = []
        self.n_qubits = 1
        self._states: Tensor | None = None
        self._is_measuring = False
        self._tq, self._who = tq, who

    @contextmanager
    def listening(self, module: nn.Module) -> Iterator[Listener]:
        """Stand in for the functions that all gates and measurements go through, wherever they are named."""
        heard = {
            self._tq.functional.gate_wrapper: self.gate,
            self._tq.measurement.expval: self.expval,
            self._tq.measurement.expval_joint_analytical: self.joint_expval,
        }
        self._real = {new.__name__: old for old, new in heard.items()}
        own = {type(part).__module__ for part in module.modules()}
        modules = [
            one for name, one in list(sys.modules.items()) if name in own or name.split(".")[0] == "torchquantum"
        ]
        found = [
            (vars(one), name, value)
            for one in modules
            if isinstance(one, ModuleType)
            for name, value in vars(one).items()
            if isinstance(value, FunctionType) and value in heard
        ]
        try:
            for names, name, value in found:
                names[name] = heard[value]
            yield self
        finally:
            for names, name, value in found:
                names[name] = value

    def gate(self, *args: Any, **kwargs: Any) -> None:
        real = self._real["gate"]
        if not self._is_measuring:
            call = signature(real).bind(*args, **kwargs)
            call.apply_defaults()
            device = call.arguments["q_device"]
            self._check(device)
            self.gates.append(call.arguments)
        real(*args, **kwargs)
        if not self._is_measuring:
            self._states = device.states.detach()

    def expval(self, qdev: Any, wires: Any, observables: Any) -> Tensor:
        self._check(qdev)
        wires, observables = ([one] if not isinstance(one, Iterable) else one for one in (wires, observables))
        sums = [self._observable(type(one).__name__, wire) for wire, one in zip(wires, observables, strict=True)]
        return self._leaf(sums, "expval", qdev, wires, observables)

    def joint_expval(self, qdev: Any, observable: str) -> Tensor:
        self._check(qdev)
        sums = [pauli(observable.upper(), range(len(observable)))]
        return self._leaf(sums, "joint_expval", qdev, observable).reshape(-1)

    def _leaf(self, sums: list[PauliSum], name: str, *args: Any) -> Tensor:
        self._is_measuring = True
        values = self._real[name](*args).detach().double().reshape(-1, len(sums)).requires_grad_()
        self._is_measuring = False
        self.measured.append((values, sums))
        return values

    def _check(self, device: Any) -> None:
        states = device.states.detach()
        start = torch.zeros_like(states).reshape(len(states), -1)
        start[:, 0] = 1
        if not torch.equal(states, start.reshape(states.shape) if self._states is None else self._states):
            raise UnsupportedError(
                f"{self._who} sets states otherwise than by gates (amplitudes, a reset, a second circuit, or a "
                "measurement before the end), expected one circuit that starts from |0>"
            )
        self.n_qubits = device.n_wires

    def _observable(self, name: str, wire: int) -> PauliSum:
        if name not in _LETTERS:
            raise UnsupportedError(f"{self._who} measures {name}, expected PauliX, PauliY, PauliZ or I")
        return pauli(_LETTERS[name], (wire,))
