"""What the optimizers of circuits share: which layers they turn, what those were last given, and what it all cost."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from qloom.engines import Engine
from qloom.errors import ConfigError
from qloom.nn import QuantumLayer

Closure = Callable[[], Any]


@dataclass
class Cost:
    """What was run for the layers of an optimizer since it was made.

    Attributes:
        evaluations: runs of a circuit at one sample: forward runs, and what walks back and metrics come to in these;
            by parameter shift walks are counted with the slopes of inputs, wanted or not.
        shots: measurements.
    """

    evaluations: int = 0
    shots: int = 0


def quantum_layers(model: Any) -> list[QuantumLayer]:
    """The QuantumLayers of a module, or of several, whose weights are trained.

    Args:
        model: a module, or several.

    Raises:
        ConfigError: if there are none.
    """
    modules = [model] if isinstance(model, nn.Module) else list(model) if isinstance(model, Iterable) else [model]
    strange = [module for module in modules if not isinstance(module, nn.Module)]
    if strange:
        raise ConfigError(
            f"model holds a {type(strange[0]).__name__}, expected modules with QuantumLayers; give the model itself, "
            "not its parameters"
        )
    found = [part for module in modules for part in module.modules() if isinstance(part, QuantumLayer)]
    trained = [layer for layer in dict.fromkeys(found) if layer.weights.requires_grad and layer.weights.numel()]
    if not trained:
        raise ConfigError(f"{len(found)} QuantumLayers, none with weights to train, expected at least one")
    return trained


def classical_parameters(model: nn.Module) -> list[nn.Parameter]:
    """The trained parameters of a module that belong to no circuit, for another optimizer beside.

    Args:
        model: a module that may hold QuantumLayers.
    """
    quantum = {id(part.weights) for part in model.modules() if isinstance(part, QuantumLayer)}
    return [parameter for parameter in model.parameters() if id(parameter) not in quantum and parameter.requires_grad]


def engine_of_states(layer: QuantumLayer, engine: Engine | None) -> Engine:
    """What gives a layer's states: an engine asked for, else the layer's own.

    Raises:
        ConfigError: if it gives none.
    """
    found = engine or layer.engine
    if "state" not in found.gives:
        raise ConfigError(
            f"the metric is found from states, which {found!r} does not give; pass engine=StatevectorEngine() to take "
            "it from exact ones beside the layer's own values"
        )
    return found


class QuantumOptimizer(torch.optim.Optimizer):
    """Base of the optimizers of circuits: a parameter group a QuantumLayer, beside any other optimizer of the rest.

    Args:
        model: a module, or several, with QuantumLayers in it; only their weights are turned.
        defaults: of the groups.

    Attributes:
        layers: the QuantumLayers, one a group.
        cost: so far; kept in the `state_dict`.

    Raises:
        ConfigError: for a model without QuantumLayers to train, or one of amplitudes of any norm.
    """

    remembers_inputs = False  # whether `take_inputs` is used

    def __init__(self, model: Any, defaults: dict[str, Any]):
        self.layers = quantum_layers(model)
        if self.remembers_inputs and any(layer.takes_any_norm for layer in self.layers):
            raise ConfigError("a layer is a linear map of amplitudes of any norm, expected states; leave it to Adam")
        super().__init__([{"params": [layer.weights]} for layer in self.layers], defaults)
        self.cost = Cost()
        self._given: dict[int, list[Tensor]] = {id(layer): [] for layer in self.layers}
        for layer in self.layers:
            layer.register_forward_hook(Listener(self), with_kwargs=True)

    def heard(self, layer: QuantumLayer, x: Tensor | None) -> None:
        """A layer was called: count it, and remember what it was given if it may have to be differentiated."""
        rows = torch.empty(1, 0) if x is None else x.detach().reshape(x.shape[:-1].numel(), layer.n_inputs)
        self.cost.evaluations += len(rows)
        self.cost.shots += len(rows) * layer.shots_a_run
        if self.remembers_inputs and torch.is_grad_enabled():
            self._given[id(layer)].append(rows)

    def take_inputs(self, layer: QuantumLayer) -> Tensor:
        """What a layer was given since the last step, (B, I); their walk back is counted.

        Raises:
            ConfigError: if it was not called.
        """
        given = self._given[id(layer)]
        if not given:
            raise ConfigError("a layer has a gradient and was not called since the last step, expected a forward pass")
        rows = torch.cat(given)
        self.cost.evaluations += len(rows) * layer.walk_cost
        self.cost.shots += len(rows) * layer.walk_cost * layer.shots_a_run
        return rows

    @staticmethod
    def differentiate(closure: Closure | None) -> Any:
        """The loss that a closure gives, its gradients left where they belong; None without one."""
        if closure is None:
            return None
        with torch.enable_grad():
            return closure()

    def forget_inputs(self) -> None:
        """At the end of a step."""
        for given in self._given.values():
            given.clear()

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError(
            f"a {type(self).__name__} is not copied, it belongs to its layers; make a new one and load its state_dict"
        )

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"cost": vars(self.cost).copy()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        state_dict = dict(state_dict)
        self.cost = Cost(**state_dict.pop("cost"))
        super().load_state_dict(state_dict)


class Listener:
    """A forward hook that tells an optimizer while that lives; a copy of the layer, or a pickled one, tells nobody."""

    def __init__(self, optimizer: QuantumOptimizer | None = None):
        self.optimizer = weakref.ref(optimizer) if optimizer is not None else lambda: None

    def __call__(self, layer: QuantumLayer, given: tuple[Any, ...], named: dict[str, Any], output: Any) -> None:
        optimizer = self.optimizer()
        if optimizer is not None:
            optimizer.heard(layer, given[0] if given else named.get("x"))

    def __reduce__(self) -> Any:
        return Listener, ()
