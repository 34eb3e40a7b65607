"""Low-rank adapters whose factors are columns of circuits: delta W = U diag(lambda) V^T."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor

from qloom.adapters.circuits import ROTATIONS, orthogonal_circuit, qubits_for
from qloom.adapters.columns import columns_of
from qloom.adapters.form import LowRank, Made, Numbers
from qloom.adapters.settings import AdapterConfig
from qloom.adapters.sharing import shared
from qloom.adapters.tuner import AdaptedLinear, CircuitTuner
from qloom.circuits import Circuit


@dataclass
class PauliAdapterConfig(AdapterConfig):
    """delta W = U diag(lambda) V^T, U and V the first r columns of circuits of RY and CZ or of Pauli rotations.

    A weight (D_out, D_in) takes 2^n amplitudes, n the number of qubits that D needs: of a width that is no power of two
    the first D rows of the columns are used, which are then not quite orthogonal. lambda is zero at the start. Numbers
    that are trained: L (n_out + n_in) + r a weight with RY and CZ.

    By default most of the numbers are in lambda: with few layers and a large rank more was learnt than with deep
    circuits and few columns (docs/large-models.md).

    Attributes:
        r: the rank.
        n_layers: L, of each circuit.
        rotations: "ry-cz" or "pauli".
        target_modules: names of linear layers by their endings, a regular expression, or "all-linear"; None for the
            layers
            that LoRA takes in a model of this type.
        dropout: of what the adapter sees.
        scaling: what is added to a weight is multiplied by it.
        entangle: False for the control without gates between qubits.
        random: True for a random circuit in the place of the designed one.
        classical: True for as many classical numbers in the place of the circuit.
        seed: of first values, and of all that is random.

    Raises:
        ConfigError: for settings that cannot be.

    Source: Koike-Akino et al. 2025, Quantum-PEFT (arXiv 2503.05431).
    """

    kind: ClassVar[str] = "qloom_pauli"

    r: int = field(default=64)
    n_layers: int = field(default=3)
    scaling: float = field(default=4.0)
    rotations: str = field(default="ry-cz")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_counts(r=self.r, n_layers=self.n_layers)
        self._check_choice("rotations", ROTATIONS)


class PauliForm(LowRank[PauliAdapterConfig]):
    """Two circuits and a scale a column: U diag(lambda) V^T of one weight."""

    angles = ("left", "right")

    def check(self) -> None:
        self.rank = self.config.r
        self.check_rank()
        self.sides = [columns_of(self._circuit(width), self.rank) for width in (self.n_out, self.n_in)]

    def _circuit(self, width: int) -> Any:
        config = self.config
        random_seed = config.seed if config.random else None
        return orthogonal_circuit(qubits_for(width), config.n_layers, config.rotations, config.entangle, random_seed)

    def start(self, generator: torch.Generator) -> dict[str, Tensor]:
        draw = self._draw_numbers if self.config.classical else self._draw_angles
        left, right = (draw(side.circuit.n_weights, generator) for side in self.sides)
        return {"left": left, "right": right, "scales": torch.zeros(self.rank)}

    @staticmethod
    def _draw_angles(count: int, generator: torch.Generator) -> Tensor:
        return torch.empty(count).uniform_(-torch.pi, torch.pi, generator=generator)

    @staticmethod
    def _draw_numbers(count: int, generator: torch.Generator) -> Tensor:
        return torch.empty(count).normal_(generator=generator)

    @classmethod
    def make(cls, forms: Sequence[PauliForm], numbers: Sequence[Numbers]) -> list[Made]:
        wanted = [(form, side, each[name]) for form, each in zip(forms, numbers, strict=True)
                  for side, name in enumerate(("left", "right"))]  # fmt: skip
        found = _columns(wanted)
        return [
            (found[2 * k + 1], found[2 * k].T * (each["scales"] * forms[k].config.scaling))
            for k, each in enumerate(numbers)
        ]

    def circuit(self) -> Circuit | None:
        return None if self.config.classical else self.sides[0].circuit

    def described(self) -> str:
        parts = [_described(side.size, width) for side, width in zip(self.sides, (self.n_out, self.n_in), strict=True)]
        return f"rank {self.rank}, columns of {' and '.join(dict.fromkeys(parts))}"


def _described(size: int, width: int) -> str:
    n_qubits = size.bit_length() - 1
    return f"{n_qubits} qubits" if size == width else f"{n_qubits} qubits ({width} of {size} rows)"


def _columns(wanted: list[tuple[PauliForm, int, Tensor]]) -> list[Tensor]:
    """Columns as rows (r, D), of all circuits of one kind at once."""
    found: dict[int, Tensor] = {}
    kinds: dict[Any, list[int]] = {}
    for k, (form, side, _) in enumerate(wanted):
        # What is shared where differs from side to side, circuits do not.
        kinds.setdefault((form.sides[side], side if form.config.classical else 0), []).append(k)
    for same in kinds.values():
        form, side, _ = wanted[same[0]]
        stacked = torch.stack([wanted[k][2] for k in same])
        whole = _shared(form, side, stacked) if form.config.classical else form.sides[side](stacked)
        for k, rows in zip(same, whole.unbind(), strict=True):
            width = (wanted[k][0].n_out, wanted[k][0].n_in)[wanted[k][1]]
            found[k] = rows[:, :width]
    return [found[k] for k in range(len(wanted))]


def _shared(form: PauliForm, side: int, numbers: Tensor) -> Tensor:
    """The classical control: as many numbers, at fixed random places of columns of about norm 1."""
    size = form.sides[side].size
    places = shared(numbers, form.rank * size, form.config.seed + side)
    return places.reshape(len(numbers), form.rank, size) * size**-0.5


class PauliLinear(AdaptedLinear):
    """A linear layer with adapters of columns of circuits."""

    form = PauliForm
    adapter_layer_names = ("qloom_pauli_numbers",)


class PauliTuner(CircuitTuner):
    """Puts adapters of columns of circuits into a model."""

    prefix = "qloom_pauli_"
    tuner_layer_cls = PauliLinear
