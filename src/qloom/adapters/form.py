"""What a kind of adapter is: numbers that are trained, what is made of them once a step, and what that does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

import torch
from torch import Tensor
from torch.nn.functional import linear

from qloom.adapters.settings import AdapterConfig
from qloom.circuits import Circuit
from qloom.errors import ConfigError

C = TypeVar("C", bound=AdapterConfig)
Numbers = Mapping[str, Tensor]
Made = tuple[Tensor, ...]


class Form(ABC, Generic[C]):
    """An adapter of one weight (D_out, D_in); the numbers themselves are kept by the layer.

    Args:
        config: of the adapter.
        place: how many weights of the adapter come before this one.
    """

    angles: ClassVar[tuple[str, ...]] = ()  # of what is trained, what turns qubits
    is_dense: ClassVar[bool] = False  # whether what is made is the whole matrix that `delta` gives

    def __init__(self, config: C, n_in: int, n_out: int, place: int):
        self.config, self.n_in, self.n_out, self.place = config, n_in, n_out, place
        self.check()

    @property
    def quantum(self) -> tuple[str, ...]:
        """Of what is trained, the names of what turns qubits; none of a classical control."""
        return () if self.config.classical else self.angles

    @abstractmethod
    def check(self) -> None:
        """Raise a ConfigError for sizes that do not fit."""

    @abstractmethod
    def start(self, generator: torch.Generator) -> dict[str, Tensor]:
        """First values of what is trained, by name; with them the adapter changes nothing."""

    @classmethod
    @abstractmethod
    def make(cls, forms: Sequence[Any], numbers: Sequence[Numbers]) -> list[Made]:
        """What `added` and `turned` need, for all layers at once."""

    @abstractmethod
    def delta(self, made: Made, weight: Tensor) -> Tensor:
        """What the adapter adds to a weight: (D_out, D_in)."""

    def restored(self, made: Made, weight: Tensor) -> Tensor:
        """A weight without what `delta` had added: (D_out, D_in)."""
        return weight - self.delta(made, weight)

    def turned(self, x: Tensor, made: Made) -> Tensor | None:
        """What an adapter that multiplies adds to the inputs (..., D_in) of the weight; None if nothing."""
        return None

    def added(self, x: Tensor, made: Made) -> Tensor | None:
        """What is added to the weight's outputs: (..., D_out); None if nothing."""
        return None

    def circuit(self) -> Circuit | None:
        """The circuit, its angles as weights; None where there is none."""
        return None

    @abstractmethod
    def described(self) -> str:
        """Sizes in words, what was padded or left out among them."""


class LowRank(Form[C]):
    """What is added is a product of two factors, as LoRA has them: made are A (r, D_in) and B (D_out, r)."""

    rank: int

    def check_rank(self) -> None:
        widest = min(self.n_in, self.n_out)
        if self.rank > widest:
            raise ConfigError(
                f"r={self.rank} for a weight of {self.n_out} x {self.n_in}, expected at most {widest}; give a smaller r"
            )

    def added(self, x: Tensor, made: Made) -> Tensor:
        a, b = made
        return linear(linear(x, a), b)

    def delta(self, made: Made, weight: Tensor) -> Tensor:
        a, b = made
        return b @ a
