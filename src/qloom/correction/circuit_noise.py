"""How often operations of a code's circuit fail: Stim's four arguments, or rates by kind of operation, idling too.

Depolarizing rates are probabilities of an error, p / 3 or p / 15 each, as everywhere in qloom and in Stim.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from qloom.checks import is_real
from qloom.errors import ConfigError

# Above these a depolarizing channel is no Pauli channel of positive probabilities with less error; flips are flips.
_MOST = {"one_qubit": 0.75, "idle": 0.75, "two_qubit": 15 / 16, "after_clifford_depolarization": 0.75,
         "before_round_data_depolarization": 0.75}  # fmt: skip


class CircuitNoise(ABC):
    """Rates of a code's circuit, all probabilities."""

    @property
    def strength(self) -> float:
        """The largest rate, by which experiments are put in order in plots and fits."""
        return max(asdict(self).values())  # type: ignore[call-overload, no-any-return]

    @property
    @abstractmethod
    def by_layers(self) -> LayerNoise:
        """What acts within layers."""

    def __post_init__(self) -> None:
        for field in fields(self):  # type: ignore[arg-type]
            rate, most = getattr(self, field.name), _MOST.get(field.name, 1.0)
            if not is_real(rate) or not 0 <= rate <= most:
                raise ConfigError(f"{field.name}={rate!r}, expected a probability from 0 to {most:g}")
            object.__setattr__(self, field.name, float(rate))


@dataclass(frozen=True)
class GeneratorNoise(CircuitNoise):
    """The four arguments of Stim's circuit generator.

    Args:
        after_clifford_depolarization: after every gate, on all its qubits.
        before_round_data_depolarization: on each data qubit at the start of every round.
        before_measure_flip_probability: of each measurement.
        after_reset_flip_probability: of each reset.

    Raises:
        ConfigError: for a rate that is no probability.
    """

    after_clifford_depolarization: float = 0.0
    before_round_data_depolarization: float = 0.0
    before_measure_flip_probability: float = 0.0
    after_reset_flip_probability: float = 0.0

    @property
    def by_layers(self) -> LayerNoise:
        """All but what happens at the start of rounds."""
        gates = self.after_clifford_depolarization
        return LayerNoise(gates, gates, 0.0, self.after_reset_flip_probability, self.before_measure_flip_probability)


@dataclass(frozen=True)
class LayerNoise(CircuitNoise):
    """Rates by kind of operation, and of qubits that idle while others are worked on.

    Args:
        one_qubit: depolarizing after gates on one qubit.
        two_qubit: depolarizing after gates on two.
        idle: depolarizing on each qubit in every layer that leaves it alone.
        reset: flips after resets.
        measurement: flips of outcomes.

    Raises:
        ConfigError: for a rate that is no probability.
    """

    one_qubit: float = 0.0
    two_qubit: float = 0.0
    idle: float = 0.0
    reset: float = 0.0
    measurement: float = 0.0

    @property
    def by_layers(self) -> LayerNoise:
        """This."""
        return self

    @classmethod
    def uniform(cls, p: float) -> LayerNoise:
        """All rates alike: uniform circuit noise with idles."""
        return cls(p, p, p, p, p)


def as_circuit_noise(noise: Any) -> CircuitNoise:
    """What callers give as noise of a code's circuit.

    Args:
        noise: a number, all four of Stim's arguments; a mapping of some of these; GeneratorNoise or LayerNoise; or a
            `qloom.noise.NoiseModel`, of which the mean rates count.

    Raises:
        ConfigError: for anything else, and for rates out of range.
    """
    if isinstance(noise, CircuitNoise):
        return noise
    if is_real(noise):
        return GeneratorNoise(noise, noise, noise, noise)
    if isinstance(noise, Mapping):
        known = [field.name for field in fields(GeneratorNoise)]
        if unknown := [name for name in noise if name not in known]:
            raise ConfigError(f"noise has the rate {unknown[0]!r}, expected some of {', '.join(known)}")
        return GeneratorNoise(**noise)
    from qloom.noise import NoiseModel

    if isinstance(noise, NoiseModel):
        from qloom.correction.device_noise import layer_noise

        return layer_noise(noise)
    raise ConfigError(
        f"noise is {type(noise).__name__}, expected a probability, a mapping of Stim's four arguments, LayerNoise(...) "
        "or a NoiseModel"
    )
