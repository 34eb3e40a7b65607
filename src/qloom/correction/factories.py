"""Factories of T states: qubits, time and error of distillation blocks of the surface code."""

from __future__ import annotations

from dataclasses import dataclass

from qloom.errors import ConfigError


@dataclass(frozen=True)
class Factory:
    """One that makes a T state at a time.

    Args:
        name: of its protocol, with the distances of its patches.
        noise: physical error that its numbers are for.
        error: of a state that it makes.
        n_qubits: physical ones.
        cycles: code cycles a state, failures counted.
    """

    name: str
    noise: float
    error: float
    n_qubits: int
    cycles: float


# Litinski 2019, Magic state distillation: not as costly as you think, Quantum 3, 205, table 1: those of 15-to-1 alone.
FACTORIES = (
    Factory("15-to-1 (7, 3, 3)", 1e-4, 4.4e-8, 810, 18.1),
    Factory("15-to-1 (9, 3, 3)", 1e-4, 9.3e-10, 1150, 18.1),
    Factory("15-to-1 (11, 5, 5)", 1e-4, 1.9e-11, 2070, 30.0),
    Factory("15-to-1 (9, 3, 3) four times, then 15-to-1 (25, 9, 9)", 1e-4, 6.3e-25, 18600, 67.8),
    Factory("15-to-1 (17, 7, 7)", 1e-3, 4.5e-8, 4620, 42.6),
    Factory("15-to-1 (11, 5, 5) six times, then 15-to-1 (25, 11, 11)", 1e-3, 2.7e-12, 30700, 82.5),
    Factory("15-to-1 (13, 5, 5) six times, then 15-to-1 (29, 11, 13)", 1e-3, 3.3e-14, 39100, 97.5),
    Factory("15-to-1 (17, 7, 7) six times, then 15-to-1 (41, 17, 17)", 1e-3, 4.5e-20, 73400, 128.0),
)


def choose_factory(noise: float, error: float) -> Factory:
    """The smallest whose states are good enough, of those for at least this noise.

    Raises:
        ConfigError: for noise that none was worked out for, or states that none makes.
    """
    most = max(factory.noise for factory in FACTORIES)
    if noise > most:
        raise ConfigError(
            f"noise of {noise:.3g} is above {most:g}, the most that published factories of T states are worked out "
            "for; expected fewer errors of the device, or a circuit of Clifford gates"
        )
    level = min(factory.noise for factory in FACTORIES if factory.noise >= noise)
    fit = [factory for factory in FACTORIES if factory.noise == level and factory.error <= error]
    if not fit:
        best = min(factory.error for factory in FACTORIES if factory.noise == level)
        raise ConfigError(
            f"T states of error {error:.3g} are needed, published factories reach {best:.2g} at noise {level:g}; "
            "expected a larger target or fewer rotations"
        )
    return min(fit, key=lambda factory: factory.n_qubits)
