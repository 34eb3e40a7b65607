"""Multiplicative adapters: inputs of a weight are turned by Givens rotations of the modes of unary states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import comb
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from qloom.adapters.form import Form, Made, Numbers
from qloom.adapters.settings import AdapterConfig
from qloom.adapters.sharing import shared
from qloom.adapters.tuner import AdaptedLinear, CircuitTuner
from qloom.circuits import Circuit
from qloom.errors import ConfigError, UnsupportedError

MOST_FEATURES = 4096


@dataclass
class GivensConfig(AdapterConfig):
    """W' = W R, R orthogonal: blocks of features are the amplitudes of states with a fixed number of ones.

    A block has C(m, k) features, one a basis state of m qubits with k ones; Givens rotations of neighbouring qubits act
    on them as the k-th compound of one orthogonal m x m matrix. Features that fill no block stay as they are.

    R = G(b + a) G(b)^-1, b random angles that stay and a what is trained, zero at the start. From b = 0 only turns of
    neighbours, each by many angles alike, would be within reach of small steps.

    Attributes:
        n_modes: m.
        order: k; 1 for unary states.
        n_layers: of rotations of neighbours, even and odd pairs in turn; None for m, which reaches every rotation.
        share_blocks: one set of angles for all blocks, or one for each.
        target_modules: names of linear layers by their endings, a regular expression, or "all-linear"; None for the
            layers
            that LoRA takes in a model of this type.
        dropout: of what the adapter changes.
        entangle: False for the control that turns the same pairs in every layer, so that no mode meets a third.
        random: True for turns of random pairs of modes.
        classical: True for as many classical numbers, in an antisymmetric matrix.
        seed: of first values, and of all that is random.

    Raises:
        ConfigError: for settings that cannot be.

    Source: Landman et al. 2022, Quantum 6, 881 (orthogonal layers of unary states); Raj and Coyle 2025, arXiv
        2502.06916 (compound adapters).
    """

    kind: ClassVar[str] = "qloom_givens"

    n_modes: int = field(default=16)
    order: int = field(default=1)
    n_layers: int | None = field(default=None)
    share_blocks: bool = field(default=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_counts(n_modes=self.n_modes, order=self.order)
        if self.n_layers is not None:
            self._check_counts(n_layers=self.n_layers)
        if not 1 <= self.order < max(self.n_modes, 2) or comb(self.n_modes, self.order) > MOST_FEATURES:
            raise ConfigError(
                f"order={self.order} of n_modes={self.n_modes}, expected an order from 1 to {self.n_modes - 1} with at "
                f"most {MOST_FEATURES} features a block"
            )
        if self.scaling != 1.0:
            raise ConfigError(f"scaling={self.scaling}, expected 1: a turn is not scaled; leave it out")

    def pairs(self) -> list[list[Any]]:
        """Modes that are turned, layer by layer; those of a layer share none."""
        m, n_layers = self.n_modes, self.n_layers or self.n_modes
        layers = [[(k, k + 1) for k in range(layer % 2, m - 1, 2)] for layer in range(n_layers)]
        if self.random:
            rng = np.random.default_rng(self.seed)
            return [rng.permutation(m)[: 2 * len(each)].reshape(-1, 2).tolist() for each in layers]
        if not self.entangle:  # the same pairs each time, so that no mode meets a third
            return [[(2 * k, 2 * k + 1) for k in range(len(each))] for each in layers]
        return layers


class GivensForm(Form[GivensConfig]):
    """Turns of blocks of inputs, of one weight."""

    angles = ("angles",)

    def check(self) -> None:
        config = self.config
        self.width = comb(config.n_modes, config.order)
        self.n_blocks = self.n_in // self.width
        if not self.n_blocks:
            raise ConfigError(
                f"blocks of {self.width} features for a weight with {self.n_in} inputs, expected at most {self.n_in}; "
                "give fewer n_modes"
            )
        self.layers = [torch.tensor(pairs).reshape(-1, 2).T for pairs in config.pairs()]
        self.n_angles = sum(pairs.shape[1] for pairs in self.layers)
        self.n_sets = 1 if config.share_blocks else self.n_blocks
        generator = torch.Generator().manual_seed(config.seed)
        self.base = torch.empty(1, self.n_angles).uniform_(-torch.pi, torch.pi, generator=generator)

    @property
    def is_circuit(self) -> bool:
        """Whether the circuit does what the adapter does: modes of two ones that pass each other would change sign."""
        return not (self.config.classical or (self.config.random and self.config.order > 1))

    def start(self, generator: torch.Generator) -> dict[str, Tensor]:
        return {"angles": torch.zeros(self.n_sets * self.n_angles)}

    @classmethod
    def make(cls, forms: Sequence[GivensForm], numbers: Sequence[Numbers]) -> list[Made]:
        sets = [each["angles"].reshape(form.n_sets, form.n_angles) for form, each in zip(forms, numbers, strict=True)]
        turns = forms[0]._turns(torch.cat(sets)).split([form.n_sets for form in forms])
        return [(turn,) for turn in turns]

    def _turns(self, angles: Tensor) -> Tensor:
        """(S, A) -> orthogonal matrices (S, C(m, k), C(m, k))."""
        base = self.base.to(angles)
        if self.config.classical:
            one = self._cayley(angles)
        else:
            one = self._rotations(base + angles) @ self._rotations(base).transpose(1, 2)
        return one if self.config.order == 1 else compound(one, self.config.order)

    def _rotations(self, angles: Tensor) -> Tensor:
        """(S, A) -> (S, m, m): layers in turn, as the circuit has them."""
        rows = torch.eye(self.config.n_modes, dtype=angles.dtype, device=angles.device).repeat(len(angles), 1, 1)
        start = 0
        for first, second in self.layers:
            half = angles[:, start : start + len(first)].unsqueeze(2) / 2
            start += len(first)
            cosine, sine = torch.cos(half), torch.sin(half)
            one, other = rows[:, first], rows[:, second]
            turned = torch.cat([cosine * one + sine * other, cosine * other - sine * one], 1)
            rows = rows.index_copy(1, torch.cat([first, second]).to(rows.device), turned)
        return rows

    def _cayley(self, angles: Tensor) -> Tensor:
        """(S, A) -> (S, m, m): the classical control, (1 - K)(1 + K)^-1 of an antisymmetric K of as many numbers."""
        m = self.config.n_modes
        upper = torch.triu_indices(m, m, 1, device=angles.device)
        n_entries = upper.shape[1]
        entries = angles[:, :n_entries] if self.n_angles >= n_entries else shared(angles, n_entries, self.config.seed)
        skew = angles.new_zeros(len(angles), m, m)
        skew[:, upper[0], upper[1]] = entries / 4  # as much as angles turn, near zero
        skew = skew - skew.transpose(1, 2)
        identity = torch.eye(m, dtype=angles.dtype, device=angles.device)
        return torch.linalg.solve(identity + skew, identity - skew)

    def turned(self, x: Tensor, made: Made) -> Tensor:
        change = self._blocks(x, made[0]) - self._cut(x)
        left = x.shape[-1] - change.shape[-1]
        return torch.nn.functional.pad(change, (0, left)) if left else change

    def _cut(self, x: Tensor) -> Tensor:
        return x[..., : self.n_blocks * self.width]

    def _blocks(self, x: Tensor, turns: Tensor) -> Tensor:
        """Blocks of x (..., D_in) turned, without features that fill none."""
        blocks = self._cut(x).reshape(*x.shape[:-1], self.n_blocks, self.width)
        if self.n_sets == 1:
            return (blocks @ turns[0].T.to(blocks.dtype)).flatten(-2)
        return torch.einsum("...bi,boi->...bo", blocks, turns.to(blocks.dtype)).flatten(-2)

    def delta(self, made: Made, weight: Tensor) -> Tensor:
        return self.turned(weight, (made[0].transpose(1, 2),))

    def restored(self, made: Made, weight: Tensor) -> Tensor:
        return weight + self.turned(weight, made)

    def circuit(self) -> Circuit | None:
        if not self.is_circuit:
            return None
        circuit = Circuit(self.config.n_modes)
        return self.turn(circuit, list(circuit.weights(self.n_angles)))

    def turn(self, circuit: Circuit, angles: Sequence[Any]) -> Circuit:
        """The circuit, and behind it what the adapter does: G(b)^-1, then G(b + a)."""
        pairs = [pair for layer in self.layers for pair in layer.T.tolist()]
        base = self.base[0].double().tolist()
        for (first, second), b in zip(reversed(pairs), reversed(base), strict=True):
            circuit.givens(-b, first, second)
        for (first, second), b, a in zip(pairs, base, angles, strict=True):
            circuit.givens(a + b, first, second)
        return circuit

    def described(self) -> str:
        left = self.n_in - self.n_blocks * self.width
        kept = f", {left} features as they are" if left else ""
        return f"{self.n_blocks} blocks of {self.width} features{kept}"


def compound(matrices: Tensor, order: int) -> Tensor:
    """Determinants of all k x k parts: (S, m, m) -> (S, C(m, k), C(m, k)), rows and columns in the order of subsets."""
    chosen = torch.tensor(list(combinations(range(matrices.shape[-1]), order)), device=matrices.device)
    parts = matrices[:, chosen[:, None, :, None], chosen[None, :, None, :]]
    if order == 2:
        return parts[..., 0, 0] * parts[..., 1, 1] - parts[..., 0, 1] * parts[..., 1, 0]
    return torch.linalg.det(parts)


def givens_circuit(layer: Any, adapter: str = "default", block: int = 0) -> Circuit:
    """The circuit of an adapter as trained, to be run on any engine or device.

    Args:
        layer: a layer of the adapted model, `model.get_submodule(...)`.
        adapter: its name.
        block: which block of features, where each has angles of its own.

    Returns:
        A circuit of m qubits without slots: on a basis state with k ones, it gives the amplitudes of a column of the
        block's matrix.

    Raises:
        UnsupportedError: for other layers, the classical control, and random pairs of modes at an order above 1.
    """
    form = getattr(layer, "forms", {}).get(adapter)
    if not isinstance(form, GivensForm) or not form.is_circuit:
        raise UnsupportedError(
            f"adapter {adapter!r} of a {type(layer).__name__} has no circuit, expected a GivensConfig's"
        )
    angles = layer.numbers(adapter)["angles"].detach().reshape(form.n_sets, -1)[0 if form.n_sets == 1 else block]
    return form.turn(Circuit(form.config.n_modes), angles.double().tolist())


class GivensLinear(AdaptedLinear):
    """A linear layer with adapters of Givens rotations."""

    form = GivensForm
    adapter_layer_names = ("qloom_givens_numbers",)


class GivensTuner(CircuitTuner):
    """Puts adapters of Givens rotations into a model."""

    prefix = "qloom_givens_"
    tuner_layer_cls = GivensLinear
