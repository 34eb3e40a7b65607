"""What all adapters made of circuits are told."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from peft import PeftConfig

from qloom.checks import checked_count, is_integer, is_real
from qloom.errors import ArtifactError, ConfigError

FORMAT = 1


@dataclass
class AdapterConfig(PeftConfig):
    """Settings that all kinds of adapters share; names that peft has too mean what they mean there.

    Attributes:
        target_modules: names of the linear layers (torch.nn.Linear, Conv1D of transformers) by their endings, a
            regular expression, or "all-linear"; None for the layers that LoRA takes in a model of this type.
        dropout: of what the adapter sees; of an adapter that turns inputs, of what it changes.
        scaling: what is added to a weight is multiplied by it.
        entangle: False leaves out all that couples qubits or axes: the control that says whether entanglement matters.
        random: True puts a random circuit in the place of the designed one.
        classical: True puts as many classical numbers in the place of the circuit: at fixed random places of what the
            circuit would give, or, of an adapter that turns inputs, in an antisymmetric matrix.
        seed: of first values, and of all that is random in the three above. The same in all processes.
        qloom_format: of the saved adapter.
    """

    kind: ClassVar[str]

    target_modules: list[str] | str | None = field(default=None)
    exclude_modules: list[str] | str | None = field(default=None)
    layers_to_transform: list[int] | int | None = field(default=None)
    layers_pattern: list[str] | str | None = field(default=None)
    modules_to_save: list[str] | None = field(default=None)
    dropout: float = field(default=0.0)
    scaling: float = field(default=1.0)
    entangle: bool = field(default=True)
    random: bool = field(default=False)
    classical: bool = field(default=False)
    seed: int = field(default=0)
    qloom_format: int = field(default=FORMAT)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.peft_type = self.kind.upper()
        if self.qloom_format != FORMAT:
            raise ArtifactError(
                f"the adapter was saved in format {self.qloom_format!r}, expected {FORMAT}; use the version of qloom "
                "that saved it, or train it again"
            )
        for name in ("target_modules", "exclude_modules"):
            if isinstance(getattr(self, name), list | tuple):
                setattr(self, name, set(getattr(self, name)))
        if isinstance(self.target_modules, str) and self.layers_to_transform is not None:
            raise ConfigError("layers_to_transform beside a regular expression in target_modules, expected names")
        if self.layers_pattern and not self.layers_to_transform:
            raise ConfigError("layers_pattern without layers_to_transform, expected both or none")
        self._check_numbers()

    def _check_choice(self, name: str, choices: Iterable[str]) -> None:
        value = getattr(self, name)
        if not isinstance(value, str) or value not in choices:
            raise ConfigError(f"{name}={value!r}, expected one of {', '.join(choices)}")

    def _check_numbers(self) -> None:
        controls = [name for name, on in self._controls().items() if on]
        if len(controls) > 1:
            raise ConfigError(f"{' and '.join(controls)}, expected one of them at most; train a control for each")
        for name in ("entangle", "random", "classical"):
            if not isinstance(getattr(self, name), bool):
                raise ConfigError(f"{name}={getattr(self, name)!r}, expected True or False")
        if not (is_real(self.dropout) and 0 <= self.dropout < 1):
            raise ConfigError(f"dropout={self.dropout!r}, expected a share from 0 to below 1")
        if not (is_real(self.scaling) and math.isfinite(self.scaling)):
            raise ConfigError(f"scaling={self.scaling!r}, expected a finite number")
        if not is_integer(self.seed) or self.seed < 0:
            raise ConfigError(f"seed={self.seed!r}, expected an integer from 0 on")
        if not isinstance(self.target_modules, set | str | None):
            raise ConfigError(f"target_modules={self.target_modules!r}, expected names or a regular expression")

    def _controls(self) -> dict[str, bool]:
        return {"entangle=False": not self.entangle, "random=True": self.random, "classical=True": self.classical}

    def _check_counts(self, **counts: Any) -> None:
        for name, value in counts.items():
            checked_count(name, value)
