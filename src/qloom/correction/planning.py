"""What a circuit would cost corrected: T gates, code distance, qubits and time, for a total failure probability."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, isqrt
from typing import Any

from qloom.checks import is_real
from qloom.circuits.circuit import Circuit
from qloom.correction.circuit_noise import as_circuit_noise
from qloom.correction.codes import find_code
from qloom.correction.factories import Factory, choose_factory
from qloom.correction.measured import SURFACE_RATE
from qloom.correction.scaling import LogicalRate
from qloom.correction.synthesis import count_rotations, t_gates_per_rotation
from qloom.errors import ConfigError

CYCLE_TIME = 1e-6
# A patch of this distance has a quarter of a million qubits.
MOST_DISTANCE = 351


@dataclass(frozen=True)
class CorrectionPlan:
    """A circuit on rotated surface codes, one run of it.

    The target is shared out in thirds: what rotations are off by, faulty T states, and errors of the code.

    Attributes:
        n_qubits: of the circuit.
        noise: physical error, the largest rate of what was given.
        target: failure probability of the whole run.
        rotations: that have to be approximated.
        precision: of each, in operator norm; None without any.
        t_gates: in all.
        distance: of the code.
        patches: logical qubits with the space between them that multi-qubit measurements need.
        factory, n_factories: what makes T states; None and 0 without any.
        data_qubits, factory_qubits: physical.
        cycles: rounds of error correction, one after the other.
        cycle_time: seconds of one.
        failure: probabilities that add up to at most the target: (rotations, T states, code).
        rate: the law of logical errors that was used.
    """

    n_qubits: int
    noise: float
    target: float
    rotations: int
    precision: float | None
    t_gates: int
    distance: int
    patches: int
    factory: Factory | None
    n_factories: int
    data_qubits: int
    factory_qubits: int
    cycles: int
    cycle_time: float
    failure: tuple[float, float, float]
    rate: LogicalRate

    @property
    def physical_qubits(self) -> int:
        """Those of data and of factories."""
        return self.data_qubits + self.factory_qubits

    @property
    def seconds(self) -> float:
        """Of one run."""
        return self.cycles * self.cycle_time

    def __str__(self) -> str:
        from qloom.correction.plan_text import plan_text

        return plan_text(self)


def plan(
    circuit: Circuit,
    noise: Any,
    target: float = 0.01,
    *,
    cycle_time: float = CYCLE_TIME,
    rate: LogicalRate | None = None,
) -> CorrectionPlan:
    """Plan one run of a circuit on rotated surface codes.

    Clifford gates cost nothing: they are taken into the frame. Every T gate is a rotation by pi/4 about a Pauli word of
    all qubits, measured in d rounds together with a T state that a factory made (Litinski 2019, Quantum 3, 128, the
    fast block of 2 n + sqrt(8 n) + 1 patches), so circuits of n qubits take d rounds a T gate whatever their layout.

    Args:
        circuit: of unitary gates; its inputs and weights count as any angle.
        noise: a device or physical errors, as of `memory_experiment`; the largest rate counts for all.
        target: failure probability of the run, all causes together.
        cycle_time: seconds of a round of error correction.
        rate: law of logical errors; of our own experiments under uniform noise if None. Where the rates
            of a device differ much, give `measure_rate(noise)`.

    Raises:
        ConfigError: for noise above the threshold, or a target out of reach.
    """
    if not is_real(target) or not 0 < target < 1:
        raise ConfigError(f"target={target!r}, expected a failure probability above 0 and below 1")
    if not is_real(cycle_time) or not 0 < cycle_time < float("inf"):
        raise ConfigError(f"cycle_time={cycle_time!r}, expected seconds above 0")
    rate = rate or SURFACE_RATE
    p = _checked_strength(noise, rate)
    share, counted, n = target / 3, count_rotations(circuit), circuit.n_qubits
    precision = share / counted.rotations if counted.rotations else None
    t_gates = counted.t_gates + (counted.rotations * t_gates_per_rotation(precision) if precision else 0)
    factory = choose_factory(p, share / t_gates) if t_gates else None
    patches = 2 * n + _ceil_root(8 * n) + 1
    # Without a T gate what is measured at the end still takes d rounds.
    distance = _distance(rate, p, share / (patches * max(1, t_gates)))
    cycles = distance * max(1, t_gates)
    n_factories = ceil(factory.cycles / distance) if factory else 0
    failure = (
        counted.rotations * precision if precision else 0.0,
        t_gates * factory.error if factory else 0.0,
        patches * cycles * rate.per_round(p, distance),
    )
    return CorrectionPlan(
        n, p, float(target), counted.rotations, precision, t_gates, distance, patches, factory, n_factories,
        patches * find_code("rotated_surface").n_qubits(distance), n_factories * (factory.n_qubits if factory else 0),
        cycles, float(cycle_time), failure, rate,
    )  # fmt: skip


def _checked_strength(noise: Any, rate: LogicalRate) -> float:
    """The largest rate of the noise, which has to be below the threshold."""
    p = as_circuit_noise(noise).strength
    if p == 0:
        raise ConfigError("the noise is 0, expected some; without it nothing needs correction")
    if not p < rate.threshold:
        raise ConfigError(
            f"noise of {p:.3g} is not below the threshold {rate.threshold:.3g} of the surface code: more distance "
            "makes it worse, and no target is in reach; expected a device with fewer errors"
        )
    return p


def _distance(rate: LogicalRate, p: float, failure: float) -> int:
    """The least odd distance whose d rounds of one patch fail at most so often."""
    for distance in range(3, MOST_DISTANCE + 1, 2):
        if distance * rate.per_round(p, distance) <= failure:
            return distance
    raise ConfigError(
        f"noise of {p:.3g} is so near the threshold {rate.threshold:.3g} that distance {MOST_DISTANCE} is not enough; "
        "expected a device with fewer errors, or a larger target"
    )


def _ceil_root(number: int) -> int:
    root = isqrt(number)
    return root + (root * root < number)
