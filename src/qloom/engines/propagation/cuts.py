"""Which words are dropped."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from numbers import Real
from typing import Any

import numpy as np

from qloom import _native
from qloom.checks import checked_count
from qloom.errors import CircuitError

# No word has more letters, and none is turned more often than is counted.
_ALL_WEIGHTS, _ALL_FREQUENCIES = 1 << 16, 1 << 16
# Slots of the native side are numbered by 32 bits.
_MOST_WORDS = 1 << 31


@dataclass(frozen=True)
class Cuts:
    """What a word must be to stay; None for anything."""

    min_coefficient: float | None = None
    max_weight: int | None = None
    max_words: int | None = None
    max_frequency: int | None = None

    def __post_init__(self) -> None:
        least = self.min_coefficient
        if least is not None and not (_is_real(least) and np.isfinite(least) and least >= 0):
            raise CircuitError(f"min_coefficient={least!r}, expected a number from 0 on, such as 1e-6")
        for name in ("max_weight", "max_words", "max_frequency"):
            if getattr(self, name) is not None:
                checked_count(name, getattr(self, name))

    @property
    def given(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}

    @property
    def any(self) -> bool:
        return bool(self.given)

    def native(self, max_bytes: int, least: float | None = None) -> Any:
        """For a walk of so many bytes; `least` instead of `min_coefficient`."""
        return _native.PropagationCuts(
            min_coefficient=self.min_coefficient or 0.0 if least is None else least,
            max_weight=min(self.max_weight or _ALL_WEIGHTS, _ALL_WEIGHTS),
            max_words=min(self.max_words or _MOST_WORDS, _MOST_WORDS),
            max_frequency=min(self.max_frequency or _ALL_FREQUENCIES, _ALL_FREQUENCIES),
            max_bytes=max_bytes,
        )


def _is_real(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def checked_tolerance(tolerance: float | None) -> float | None:
    """A tolerance above 0, or None."""
    if tolerance is not None and not (_is_real(tolerance) and np.isfinite(tolerance) and tolerance > 0):
        raise CircuitError(f"tolerance={tolerance!r}, expected a number above 0, such as 1e-3, or None")
    return tolerance
