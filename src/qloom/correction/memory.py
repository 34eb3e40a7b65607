"""Memory experiments: a logical qubit is kept for some rounds of error correction, decoded, and compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from qloom.checks import checked_count, checked_seed
from qloom.correction.circuit_noise import CircuitNoise, GeneratorNoise, LayerNoise, as_circuit_noise
from qloom.correction.codes import checked_distance, find_code
from qloom.correction.color_circuit import color_circuit, color_words
from qloom.correction.decoding import Decode, color_matching, count_errors, matching
from qloom.correction.layers import with_layer_noise
from qloom.correction.statistics import LogicalErrors
from qloom.correction.surface_circuit import surface_circuit
from qloom.errors import ConfigError
from qloom.extras import package


@dataclass(frozen=True)
class MemoryExperiment:
    """A code, how long it keeps a logical qubit, and the noise; made by `memory_experiment`.

    Attributes:
        code: "repetition", "rotated_surface" or "color".
        distance, rounds: of the code, and of error correction.
        noise: of its circuit.
        basis: of the logical operator that is kept.
    """

    code: str
    distance: int
    rounds: int
    noise: CircuitNoise
    basis: str

    @cached_property
    def circuit(self) -> Any:
        """The stim.Circuit, with its noise, detectors and one logical outcome."""
        return CIRCUITS[self.code](self)

    @cached_property
    def error_model(self) -> Any:
        """The stim.DetectorErrorModel; for matching, errors are taken apart into those of one or two detectors."""
        return self.circuit.detector_error_model(decompose_errors=find_code(self.code).is_matchable)

    def run(self, shots: int, seed: int | None = None, *, correlated: bool = False) -> LogicalErrors:
        """Sample and decode on one thread.

        Args:
            shots: at least 1.
            seed: of the shots; None for fresh entropy. The same seed gives the same shots with the same version of
                Stim on machines of one instruction set.
            correlated: whether matching takes account of errors that are parts of one, such as Y of X and Z.

        Raises:
            CircuitError: for `shots` below 1.
            ConfigError: for correlated matching of a color code.
        """
        shots, seed = checked_count("shots", shots), checked_seed(seed)
        return self.counted(count_errors(self.circuit, self.decode(correlated), shots, seed), shots, correlated)

    def decode(self, correlated: bool = False) -> Decode:
        """A decoder of this experiment's detectors.

        Args:
            correlated: as of `run`.
        """
        if find_code(self.code).is_matchable:
            return matching(self.error_model, correlated)
        self.decoder(correlated)
        return color_matching(self.error_model)

    def decoder(self, correlated: bool) -> str:
        """What decodes.

        Raises:
            ConfigError: for correlated matching of a color code.
        """
        if find_code(self.code).is_matchable:
            return "matching with correlations" if correlated else "matching"
        if correlated:
            raise ConfigError("correlated=True of the color code, expected False: Chromobius decodes it, not matching")
        return "Chromobius"

    def counted(self, errors: int, shots: int, correlated: bool) -> LogicalErrors:
        """Errors that were counted somewhere, as what this experiment found."""
        return LogicalErrors(
            errors, shots, self.code, self.distance, self.rounds, self.basis, self.noise.strength,
            self.decoder(correlated),
        )  # fmt: skip


def _repetition(experiment: MemoryExperiment) -> Any:
    return _generated("repetition_code:memory", experiment)


def _surface(experiment: MemoryExperiment) -> Any:
    """Stim's circuit for Stim's arguments, and one of six layers without Hadamards for rates by layers."""
    if isinstance(experiment.noise, LayerNoise):
        plain = surface_circuit(experiment.distance, experiment.rounds, experiment.basis)
        return with_layer_noise(plain, experiment.noise)
    return _generated(f"surface_code:rotated_memory_{experiment.basis.lower()}", experiment)


def _color(experiment: MemoryExperiment) -> Any:
    """A Bell pair in each face; where gates have no noise, its words are measured as such."""
    noise, at_rounds = experiment.noise, 0.0
    if isinstance(noise, GeneratorNoise):
        at_rounds = noise.before_round_data_depolarization
    make = color_circuit if noise.by_layers.two_qubit else color_words
    plain = make(experiment.distance, experiment.rounds, experiment.basis, at_rounds)
    return with_layer_noise(plain, noise.by_layers)


def _generated(task: str, experiment: MemoryExperiment) -> Any:
    """Stim's circuit, with noise by its arguments or put in behind it."""
    stim = package("stim", "a code's circuit", "correction")
    noise, size = experiment.noise, {"distance": experiment.distance, "rounds": experiment.rounds}
    if isinstance(noise, LayerNoise):
        return with_layer_noise(stim.Circuit.generated(task, **size), noise)
    return stim.Circuit.generated(task, **size, **asdict(noise))  # type: ignore[call-overload]


CIRCUITS: dict[str, Callable[[MemoryExperiment], Any]] = {
    "repetition": _repetition, "rotated_surface": _surface, "color": _color,
}  # fmt: skip


def memory_experiment(
    code: str, *, distance: int, rounds: int | None = None, noise: Any, basis: str | None = None
) -> MemoryExperiment:
    """A memory experiment.

    Repetition and rotated surface codes are Stim's generated circuits. With `LayerNoise` the surface code's are of six
    layers a round, without Hadamards. The color code is the triangular one with a Bell pair in each face,
    decoded by Chromobius; where gates on two qubits have no noise, its words are measured as such.

    Args:
        code: "repetition", "rotated_surface" or "color".
        distance: of the code, odd, from 3.
        rounds: of error correction; as many as the distance if None.
        noise: a probability, for all four arguments of Stim's generator; a mapping of some of these; a
            `GeneratorNoise` or `LayerNoise`; or a `qloom.noise.NoiseModel`, of which mean rates count.
        basis: "X" or "Z" of the logical operator that is kept; "Z" if None.

    Raises:
        ConfigError: for an unknown code, an even distance, or anything else out of range.
        ExtraError: without the extra `correction`.
    """
    found = find_code(code)
    package("stim", "a memory experiment", "correction")
    distance = checked_distance(distance)
    rounds = distance if rounds is None else checked_count("rounds", rounds)
    return MemoryExperiment(found.name, distance, rounds, as_circuit_noise(noise), found.checked_basis(basis))
