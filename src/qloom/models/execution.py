"""Fitted estimators under another execution: the same weights, their circuits run by another engine."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Self

from sklearn.utils.validation import check_is_fitted
from torch import nn

from qloom.engines import Engine
from qloom.engines.choice import EngineChoice, choose_engine
from qloom.models.saving import Saved
from qloom.nn import QuantumLayer


class OnEngine(Saved):
    """An estimator whose circuits any engine can run.

    Attributes:
        engine_: what `with_engine` chose; None for exact values of the state-vector engine.
    """

    engine_: EngineChoice | Engine | None = None
    _engine: Engine | None = None

    def with_engine(self, engine: Mapping[str, Any] | EngineChoice | Engine) -> Self:
        """The same fitted model under another execution; this one stays as it is:

            model.with_engine({"shots": 1000, "seed": 3})

        Args:
            engine: an engine, or what to change of the present one, by the keys of the section `engine` of a
                configuration.

        Raises:
            ConfigError: for an engine that there is not.
            UnsupportedError: where the model asks for what the engine does not give, such as states; some models ask
                when they predict.
        """
        check_is_fitted(self)
        other = copy.copy(self)
        before = self.engine_ if isinstance(self.engine_, EngineChoice) else choose_engine()
        other.engine_ = before.changed(engine) if isinstance(engine, Mapping) else engine
        other._run()
        return other

    def _run(self) -> None:
        """Give the circuits to `engine_`."""
        self._engine = self.engine_.engine() if isinstance(self.engine_, EngineChoice) else self.engine_

    def learnt(self) -> dict[str, Any]:
        return {name: value for name, value in super().learnt().items() if name != "_engine"}

    def put_back(self, learnt: Mapping[str, Any]) -> None:
        super().put_back(learnt)
        if self.engine_ is not None:
            self._run()


def on_engine(module: nn.Module, engine: Engine) -> nn.Module:
    """A module with the same parameters whose quantum layers run on an engine."""
    if isinstance(module, QuantumLayer):
        return module.with_engine(engine)
    other = copy.copy(module)
    other._modules = {name: child and on_engine(child, engine) for name, child in module._modules.items()}
    return other
