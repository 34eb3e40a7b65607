"""Logical error rates as a noise model, so that a circuit can be evaluated as if its qubits were corrected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qloom.checks import checked_count, checked_seed
from qloom.correction.codes import checked_distance, find_code
from qloom.correction.memory import memory_experiment
from qloom.correction.scaling import LogicalRate
from qloom.errors import ConfigError

if TYPE_CHECKING:
    from qloom.noise import NoiseModel


def logical_noise(
    code: str, distance: int, noise: Any, *, shots: int = 100_000, seed: int | None = None,
    correlated: bool | None = None, rounds_per_gate: int | None = None, rate: LogicalRate | None = None,
) -> NoiseModel:  # fmt: skip
    """A uniform noise model whose gates fail as a code's logical qubits do while they last.

    Memory experiments of both bases tell how often in a round a logical qubit is flipped, and its phase. A gate on k
    qubits leaves each of them in memory for `rounds_per_gate` rounds; its error is depolarizing noise of that
    probability. Readout errs as often as one round flips.

    Args:
        code: with both bases: "rotated_surface" or "color".
        distance: odd, from 3.
        noise: as of `memory_experiment`.
        shots: of each basis.
        seed: of the shots.
        correlated: whether matching takes account of correlations; None for yes, where matching decodes.
        rounds_per_gate: as many as the distance if None. A rotation that is made of T gates takes
            `distance * t_gates_per_rotation(precision)`.
        rate: a law of logical errors instead of experiments, of both bases together.

    Raises:
        ConfigError: for a code that corrects one kind of flips, or experiments without an error: their rate is unknown.
    """
    from qloom.noise import NoiseModel

    found, distance = find_code(code), checked_distance(distance)
    if len(found.bases) < 2:
        raise ConfigError(f"the {code} code corrects one kind of flips, expected 'rotated_surface' or 'color'")
    rounds = distance if rounds_per_gate is None else checked_count("rounds_per_gate", rounds_per_gate)
    if rate is None:
        flips = _measured(code, distance, noise, shots, seed, found.is_matchable if correlated is None else correlated)
    else:
        flips = _by_law(rate, distance, noise)
    kept = 1.0
    for flip in flips:
        kept *= 1 - _after(flip, rounds)
    return NoiseModel.uniform(one_qubit=1 - kept, two_qubit=1 - kept**2, readout=max(flips))


def _measured(
    code: str, distance: int, noise: Any, shots: int, seed: int | None, correlated: bool
) -> tuple[float, float]:
    """Flips of each basis in a round."""
    seed = checked_seed(seed)
    flips = []
    for place, basis in enumerate(("Z", "X")):
        experiment = memory_experiment(code, distance=distance, noise=noise, basis=basis)
        result = experiment.run(shots, None if seed is None else 2 * seed + place, correlated=correlated)
        if result.errors == 0:
            raise ConfigError(
                f"no error in {shots} shots of distance {distance}: the rate is unknown, below "
                f"{result.interval[1]:.2g} a shot; take more shots, or give the law with rate="
            )
        flips.append(result.per_round)
    return flips[0], flips[1]


def _by_law(rate: LogicalRate, distance: int, noise: Any) -> tuple[float, float]:
    """Half of the law's errors in each basis."""
    from qloom.correction.circuit_noise import as_circuit_noise

    each = rate.per_round(as_circuit_noise(noise).strength, distance) / 2
    return each, each


def _after(flip: float, rounds: int) -> float:
    """Probability of an odd number of flips in some rounds; the inverse of `rate_per_round`."""
    return (1 - (1 - 2 * flip) ** rounds) / 2
