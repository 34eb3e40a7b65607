"""Full-rank adapters: features as a tensor of several axes, a chain of tensors that act on two axes each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import linear

from qloom.adapters.form import Form, Made, Numbers
from qloom.adapters.settings import AdapterConfig
from qloom.adapters.sharing import shared
from qloom.adapters.tuner import AdaptedLinear, CircuitTuner
from qloom.checks import checked_count, is_integer
from qloom.errors import ConfigError

PAIRS = ("all", "chain")
_LETTERS = "abcdefghijklmnopqrstuvwxyABCDEFGHIJKLMNOPQRSTUVWXYZ"  # of torch.einsum, z is the weight


@dataclass
class TwoAxisConfig(AdapterConfig):
    """delta W = T - 1, T a chain of tensors (a b, a b) that act on two axes of sizes a and b each.

    A classical relative of circuits of two-qudit gates, which need not be unitary. Features are numbered by the axes;
    what a width lacks to their product is padded, and T is cut to the weight (D_out, D_in). All tensors are the
    identity at the start. Without entanglement tensors act on one axis each, as many numbers in all.

    Attributes:
        axes: sizes of the axes, whose product is at least the larger width; None for axes of `axis` or less.
        axis: the largest size that is chosen where axes are not given.
        pairs: "all" pairs of axes, or a "chain" of neighbours.
        target_modules: names of linear layers by their endings, a regular expression, or "all-linear"; None for the
            layers
            that LoRA takes in a model of this type.
        dropout: of what the adapter sees.
        scaling: what is added to a weight is multiplied by it.
        entangle: False for tensors on one axis each.
        random: True for tensors on random pairs.
        classical: True for as many classical numbers, in two factors.
        seed: of all that is random.

    Raises:
        ConfigError: for settings that cannot be.

    Source: Chen et al. 2024, QuanTA, Advances in Neural Information Processing Systems 37 (arXiv 2406.00132).
    """

    kind: ClassVar[str] = "qloom_two_axis"

    axes: list[int] | None = field(default=None)
    axis: int = field(default=8)
    pairs: str = field(default="all")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_choice("pairs", PAIRS)
        checked_count("axis", self.axis, 2)
        if self.axes is not None:
            if not isinstance(self.axes, list | tuple) or len(self.axes) < 2 or not all(map(_is_size, self.axes)):
                raise ConfigError(f"axes={self.axes!r}, expected two or more integers of at least 2")
            self.axes = [int(size) for size in self.axes]


class TwoAxisForm(Form[TwoAxisConfig]):
    """A chain of tensors on two axes each, of one weight."""

    is_dense = True

    def check(self) -> None:
        widest, config = max(self.n_in, self.n_out), self.config
        self.axes = tuple(config.axes) if config.axes else axes_for(widest, config.axis)
        if math.prod(self.axes) < widest:
            product = " x ".join(map(str, self.axes))
            raise ConfigError(f"axes {product} for a width of {widest}, expected a product of at least {widest}")
        n = len(self.axes)
        pairs = list(combinations(range(n), 2)) if config.pairs == "all" else [(k, k + 1) for k in range(n - 1)]
        if n + 2 * len(pairs) > len(_LETTERS):
            raise ConfigError(
                f"{len(pairs)} pairs of {n} axes, expected at most {(len(_LETTERS) - n) // 2}; give a larger axis or "
                "pairs='chain'"
            )
        self.size = math.prod(self.axes)
        self.n_numbers = sum((self.axes[a] * self.axes[b]) ** 2 for a, b in pairs)
        self.order = None
        if config.random:
            rng = np.random.default_rng(config.seed)
            rng.shuffle(pairs)
            self.order = torch.from_numpy(rng.permutation(self.size))
        self.pairs = tuple(pairs)

    def start(self, generator: torch.Generator) -> dict[str, Tensor]:
        if not self.config.classical:
            return {"tensors": torch.zeros(self.n_numbers)}
        n_right = self._right
        right = torch.empty(n_right).normal_(generator=generator)
        return {"tensors": torch.cat([right, torch.zeros(self.n_numbers - n_right)])}

    @classmethod
    def make(cls, forms: Sequence[TwoAxisForm], numbers: Sequence[Numbers]) -> list[Made]:
        made: list[Made] = [()] * len(forms)
        kinds: dict[object, list[int]] = {}
        for k, form in enumerate(forms):
            kinds.setdefault((form.axes, form.n_in, form.n_out), []).append(k)
        for same in kinds.values():
            stacked = torch.stack([numbers[k]["tensors"] for k in same])
            for k, delta in zip(same, forms[same[0]]._deltas(stacked).unbind(), strict=True):
                made[k] = (delta,)
        return made

    def _deltas(self, numbers: Tensor) -> Tensor:
        """(M, K) -> (M, D_out, D_in)."""
        if self.config.classical:
            return self._products(numbers) * self.config.scaling
        maps = self._one_axis_maps(numbers) if not self.config.entangle else self._chain(numbers)
        if self.order is not None:
            maps = maps[:, self.order][:, :, self.order]
        identity = torch.eye(self.n_out, self.n_in, dtype=numbers.dtype, device=numbers.device)
        return (maps[:, : self.n_out, : self.n_in] - identity) * self.config.scaling

    def _chain(self, numbers: Tensor) -> Tensor:
        """(M, K) -> (M, D, D): tensors one after the other, on no more axes than were met so far."""
        tensors, start = [], 0
        for a, b in self.pairs:
            size = self.axes[a] * self.axes[b]
            part = numbers[:, start : start + size**2].reshape(-1, size, size)
            identity = torch.eye(size, dtype=part.dtype, device=part.device)
            tensors.append((part + identity).reshape(-1, *(self.axes[k] for k in (a, b, a, b))))
            start += size**2
        return torch.einsum(_equation(self.pairs, len(self.axes)), *tensors).reshape(-1, self.size, self.size)

    def _one_axis_maps(self, numbers: Tensor) -> Tensor:
        """(M, K) -> (M, D, D): tensors on one axis each, axis after axis, and what is left over on the diagonal.

        Many tensors follow each other on an axis. Each takes its share of a step, so that a step of all is as large as
        one of a single tensor.
        """
        maps, start = None, 0
        taken = self._one_axis_turns()
        for k, size in enumerate(self.axes):
            identity = torch.eye(size, dtype=numbers.dtype, device=numbers.device)
            whole = identity.expand(len(numbers), -1, -1)
            for _ in range(taken[k]):
                part = numbers[:, start : start + size**2].reshape(-1, size, size)
                whole = (identity + part / taken[k]) @ whole
                start += size**2
            maps = whole if maps is None else _kronecker(maps, whole)
        assert maps is not None
        left = numbers[:, start:]
        diagonal = torch.cat([1 + left, left.new_ones(len(left), self.size - left.shape[1])], 1)
        return diagonal.unsqueeze(2) * maps

    def _one_axis_turns(self) -> list[int]:
        """How many tensors each axis gets, in turn while one fits."""
        counts, left, turn = [0] * len(self.axes), self.n_numbers, 0
        while left >= min(self.axes) ** 2:
            k = turn % len(self.axes)
            if self.axes[k] ** 2 <= left:
                counts[k] += 1
                left -= self.axes[k] ** 2
            turn += 1
        return counts

    @property
    def _right(self) -> int:
        """How many of the numbers the second factor of the classical control has."""
        return max(1, self.n_numbers * self.n_in // (self.n_in + self.n_out))

    def _products(self, numbers: Tensor) -> Tensor:
        """(M, K) -> (M, D_out, D_in): the classical control, two factors of the least rank that holds all numbers."""
        rank = -(-self.n_numbers // (self.n_in + self.n_out))
        right, left = numbers[:, : self._right], numbers[:, self._right :]
        rank = max(rank, -(-right.shape[1] // self.n_in), -(-left.shape[1] // self.n_out))
        a = shared(right, rank * self.n_in, self.config.seed).reshape(-1, rank, self.n_in)
        b = shared(left, rank * self.n_out, self.config.seed + 1).reshape(-1, self.n_out, rank)
        return b @ a * self.n_in**-0.5

    def added(self, x: Tensor, made: Made) -> Tensor:
        return linear(x, made[0])

    def delta(self, made: Made, weight: Tensor) -> Tensor:
        return made[0]

    def described(self) -> str:
        product = " x ".join(map(str, self.axes))
        widest = max(self.n_in, self.n_out)
        padded = "" if self.size == widest else f" ({widest} of {self.size})"
        return f"{len(self.pairs)} tensors on axes {product}{padded}"


def axes_for(width: int, largest: int) -> tuple[int, ...]:
    """Sizes of at most `largest` whose product is the least number from `width` on that has such factors.

    Prime factors are joined, the largest first, while a size stays within the bound; at least two axes.
    """
    size = width
    while max(_prime_factors(size)) > largest or len(_prime_factors(size)) < 2:
        size += 1
    axes: list[int] = []
    for factor in sorted(_prime_factors(size), reverse=True):
        fitting = [k for k, axis in enumerate(axes) if axis * factor <= largest]
        if fitting and not (len(axes) == 1 and factor == min(_prime_factors(size)) and size == axes[0] * factor):
            axes[min(fitting, key=lambda k: axes[k])] *= factor
        else:
            axes.append(factor)
    return tuple(sorted(axes, reverse=True))


def _is_size(size: object) -> bool:
    return is_integer(size) and int(size) >= 2  # type: ignore[call-overload, no-any-return]


@lru_cache(maxsize=1024)
def _prime_factors(number: int) -> tuple[int, ...]:
    factors, divisor = [], 2
    while number > 1 and divisor * divisor <= number:
        while number % divisor == 0:
            factors.append(divisor)
            number //= divisor
        divisor += 1
    return tuple(factors) + ((number,) if number > 1 or not factors else ())


def _equation(pairs: Sequence[tuple[int, int]], n_axes: int) -> str:
    """Of torch.einsum: tensors in turn, the first one next to the inputs, as a matrix of all outputs by all inputs."""
    letters = iter(_LETTERS)
    inputs = [next(letters) for _ in range(n_axes)]
    now, terms = list(inputs), []
    for a, b in pairs:
        before = now[a] + now[b]
        now[a], now[b] = next(letters), next(letters)
        terms.append(f"z{now[a]}{now[b]}{before}")
    return f"{','.join(terms)}->z{''.join(now)}{''.join(inputs)}"


def _kronecker(first: Tensor, second: Tensor) -> Tensor:
    """Of matrices (M, a, a) and (M, b, b)."""
    product = first[:, :, None, :, None] * second[:, None, :, None, :]
    size = first.shape[1] * second.shape[1]
    return product.reshape(len(first), size, size)


class TwoAxisLinear(AdaptedLinear):
    """A linear layer with adapters of chains of two-axis tensors."""

    form = TwoAxisForm
    adapter_layer_names = ("qloom_two_axis_numbers",)


class TwoAxisTuner(CircuitTuner):
    """Puts adapters of chains of two-axis tensors into a model."""

    prefix = "qloom_two_axis_"
    tuner_layer_cls = TwoAxisLinear
