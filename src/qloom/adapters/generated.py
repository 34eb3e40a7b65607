"""Factors of LoRA that a circuit and a small network make in training; afterwards they are ordinary factors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from qloom.adapters.circuits import ROTATIONS, orthogonal_circuit, qubits_for
from qloom.adapters.columns import columns_of
from qloom.adapters.form import LowRank, Made, Numbers
from qloom.adapters.settings import AdapterConfig
from qloom.adapters.sharing import shared
from qloom.adapters.tuner import AdaptedLinear, CircuitTuner
from qloom.circuits import Circuit
from qloom.errors import ConfigError


@dataclass
class GeneratedConfig(AdapterConfig):
    """Factors are made in chunks of numbers: chunk i by a network from i and the probability of basis state i.

    Each weight has a circuit of as many qubits as its chunks need, and a factor, zero at the start, that scales what is
    added to it; one network with a hidden layer serves all weights, and the first adapted layer keeps it. The paper has
    one circuit for all weights instead.

    Attributes:
        r: the rank.
        n_layers: of the circuit.
        rotations: "ry-cz" or "pauli".
        chunk: numbers that are made at once.
        n_hidden: of the network.
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

    Source: Liu et al. 2025, A quantum circuit-based compression perspective for parameter-efficient learning, ICLR
        (arXiv 2410.09846).
    """

    kind: ClassVar[str] = "qloom_generated"

    r: int = field(default=4)
    n_layers: int = field(default=4)
    rotations: str = field(default="ry-cz")
    chunk: int = field(default=32)
    n_hidden: int = field(default=16)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_counts(r=self.r, n_layers=self.n_layers, chunk=self.chunk, n_hidden=self.n_hidden)
        self._check_choice("rotations", ROTATIONS)


N_BITS = 16  # of the number of a chunk, as the network sees it


class GeneratedForm(LowRank[GeneratedConfig]):
    """Factors made in chunks, of one weight."""

    angles = ("angles",)

    def check(self) -> None:
        self.rank, config = self.config.r, self.config
        self.check_rank()
        self.n_chunks = -(-self.rank * (self.n_in + self.n_out) // config.chunk)
        if self.n_chunks > 2**N_BITS:
            raise ConfigError(
                f"{self.n_chunks} chunks for a weight of {self.n_out} x {self.n_in}, expected at most {2**N_BITS}; "
                "give a larger chunk"
            )
        random_seed = config.seed if config.random else None
        circuit = orthogonal_circuit(
            qubits_for(self.n_chunks), config.n_layers, config.rotations, config.entangle, random_seed
        )
        self.column = columns_of(circuit, 1)
        bits = torch.arange(self.n_chunks)[:, None] >> torch.arange(N_BITS) & 1
        self.chunk_bits = 2.0 * bits - 1.0

    def start(self, generator: torch.Generator) -> dict[str, Tensor]:
        config = self.config
        angles = torch.empty(self.column.circuit.n_weights).uniform_(-torch.pi, torch.pi, generator=generator)
        numbers = {"angles": angles, "scale": torch.zeros(1)}
        if self.place:
            return numbers
        first = torch.empty(config.n_hidden, N_BITS + 2).normal_(generator=generator) * (N_BITS + 2) ** -0.5
        second = torch.empty(config.chunk, config.n_hidden + 1).normal_(generator=generator)
        return {**numbers, "first": first, "second": second * (config.n_hidden + 1) ** -0.5}

    @classmethod
    def make(cls, forms: Sequence[GeneratedForm], numbers: Sequence[Numbers]) -> list[Made]:
        first, second = numbers[0]["first"], numbers[0]["second"]
        return [
            form._factors(share, each["scale"], first, second)
            for form, share, each in zip(forms, cls._shares(forms, numbers), numbers, strict=True)
        ]

    @classmethod
    def _shares(cls, forms: Sequence[GeneratedForm], numbers: Sequence[Numbers]) -> list[Tensor]:
        """Probabilities of basis states, 1 on average, (chunks,) of each weight."""
        found: dict[int, Tensor] = {}
        for column in dict.fromkeys(form.column for form in forms):
            same = [k for k, form in enumerate(forms) if form.column is column]
            angles = torch.stack([numbers[k]["angles"] for k in same])
            if forms[0].config.classical:
                shares = _shared(angles, column.size, forms[0].config.seed)
            else:
                shares = column(angles)[:, 0].square() * column.size
            found.update(zip(same, shares.unbind(), strict=True))
        return [found[k][: form.n_chunks] for k, form in enumerate(forms)]

    def _factors(self, shares: Tensor, scale: Tensor, first: Tensor, second: Tensor) -> Made:
        seen = torch.cat([self.chunk_bits.to(shares), shares[:, None], shares.new_ones(self.n_chunks, 1)], 1)
        hidden = torch.tanh(seen @ first.to(seen).T)
        chunks = torch.nn.functional.linear(hidden, second[:, :-1].to(seen), second[:, -1].to(seen))
        n_right, n_left = self.rank * self.n_in, self.rank * self.n_out
        right, left = chunks.reshape(-1)[: n_right + n_left].split([n_right, n_left])
        factor = scale * self.config.scaling * self.n_in**-0.5
        return right.reshape(self.rank, self.n_in), left.reshape(self.n_out, self.rank) * factor

    def circuit(self) -> Circuit | None:
        return None if self.config.classical else self.column.circuit

    def described(self) -> str:
        return f"rank {self.rank}, {self.n_chunks} chunks from {self.column.circuit.n_qubits} qubits"


def _shared(numbers: Tensor, n_places: int, seed: int) -> Tensor:
    """Numbers at fixed places, sums of several where there are more numbers than places. Shapes: (C, K) -> (C, N)."""
    n_times = -(-numbers.shape[-1] // n_places)
    return shared(numbers, n_times * n_places, seed).reshape(len(numbers), n_times, n_places).sum(1)


class GeneratedLinear(AdaptedLinear):
    """A linear layer with adapters of factors that circuits generate."""

    form = GeneratedForm
    adapter_layer_names = ("qloom_generated_numbers",)


class GeneratedTuner(CircuitTuner):
    """Puts adapters of factors that circuits generate into a model."""

    prefix = "qloom_generated_"
    tuner_layer_cls = GeneratedLinear
