"""Memory experiments: a logical qubit is kept for some rounds of error correction, decoded, and compared."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from qloom.checks import checked_count, checked_seed
from qloom.correction.circuit_noise import CircuitNoise, GeneratorNoise, LayerNoise, as_circuit_noise
from qloom.correction.codes import checked_distance, find_code
from qloom.correction.decoding import Decode, count_errors, matching
from qloom.correction.layers import with_layer_noise
from qloom.correction.statistics import LogicalErrors
from qloom.correction.surface_circuit import surface_circuit
from qloom.extras import package


@dataclass(frozen=True)
class MemoryExperiment:
    """A code, how long it keeps a logical qubit, and the noise; made by `memory_experiment`."""

    code: str
    distance: int
    rounds: int
    noise: CircuitNoise
    basis: str

    @cached_property
    def circuit(self) -> Any:
        """The stim.Circuit, with its noise, detectors and one logical outcome."""
        if isinstance(self.noise, GeneratorNoise):
            return self._generated(**vars(self.noise))
        assert isinstance(self.noise, LayerNoise)
        if self.code == "rotated_surface":
            return with_layer_noise(surface_circuit(self.distance, self.rounds, self.basis), self.noise)
        return with_layer_noise(self._generated(), self.noise)

    def _generated(self, **noise: float) -> Any:
        stim = package("stim", "a code's circuit", "correction")
        task = find_code(self.code).task(self.basis)
        return stim.Circuit.generated(task, distance=self.distance, rounds=self.rounds, **noise)

    @cached_property
    def error_model(self) -> Any:
        """The stim.DetectorErrorModel, errors taken apart into those of one or two detectors."""
        return self.circuit.detector_error_model(decompose_errors=True)

    def run(self, shots: int, seed: int | None = None, *, correlated: bool = False) -> LogicalErrors:
        """Sample and decode on one thread.

        Args:
            shots: at least 1.
            seed: of the shots; None for fresh entropy. The same seed gives the same shots with the same version of
                Stim on machines of one instruction set.
            correlated: whether matching takes account of errors that are parts of one, such as Y of X and Z.
        """
        shots, seed = checked_count("shots", shots), checked_seed(seed)
        return self.counted(count_errors(self.circuit, self.decode(correlated), shots, seed), shots, correlated)

    def decode(self, correlated: bool = False) -> Decode:
        """A decoder of this experiment's detectors."""
        return matching(self.error_model, correlated)

    def counted(self, errors: int, shots: int, correlated: bool) -> LogicalErrors:
        """Errors that were counted somewhere, as what this experiment found."""
        decoder = "matching with correlations" if correlated else "matching"
        return LogicalErrors(
            errors, shots, self.code, self.distance, self.rounds, self.basis, self.noise.strength, decoder
        )


def memory_experiment(
    code: str, *, distance: int, rounds: int | None = None, noise: Any, basis: str | None = None
) -> MemoryExperiment:
    """A memory experiment.

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
    return MemoryExperiment(
        found.name, distance, found.checked_rounds(rounds, distance), as_circuit_noise(noise),
        found.checked_basis(basis),
    )  # fmt: skip
