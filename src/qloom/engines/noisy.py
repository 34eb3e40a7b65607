"""Engines that run circuits with noise on another engine: that of a model, and that of a device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qloom.circuits.circuit import Circuit
from qloom.engines.base import Engine, Evaluator, check_engine
from qloom.engines.measuring.samplers import Sampler
from qloom.engines.outputs import Outputs, as_outputs
from qloom.errors import CircuitError, UnsupportedError
from qloom.noise.compilation.compiling import compiled, couplings_of
from qloom.noise.compilation.routing import checked_start
from qloom.noise.model import NoiseModel

# Circuits of an engine whose noisy ones are kept.
MOST_KEPT = 64


class Noisy(Engine):
    """Runs on another engine what a noise model makes of a circuit.

    Values, derivatives, estimates and random numbers are the inner engine's. Noise is that of the circuit's own gates:
    those by which words are turned into the measured basis have none. Rates of the model that are slots of the
    circuit have derivatives like its angles.

    Args:
        engine: one that runs channels, or any for a model of coherent errors and readout alone.
        model: the noise.

    Raises:
        CircuitError: for what is no engine or no noise model.
        UnsupportedError: for a model with channels and an engine that runs none.
    """

    def __init__(self, engine: Engine, model: NoiseModel):
        check_engine(engine, "DensityEngine()")
        check_model(model)
        if "channel" not in engine.runs and not model.is_unitary:
            raise UnsupportedError(
                f"{type(engine).__name__} runs no channels, expected DensityEngine or TrajectoryEngine, or a model of "
                "coherent errors and readout alone"
            )
        self.engine, self.model = engine, model
        self.gives, self.runs, self.walks_back = engine.gives, engine.runs, engine.walks_back
        self.is_exact, self.is_bounded, self.shots = engine.is_exact, engine.is_bounded, engine.shots
        self._made: dict[Circuit, Circuit] = {}

    def __repr__(self) -> str:
        return f"Noisy({self.engine!r}, {self.model!r})"

    def noisy(self, circuit: Circuit) -> Circuit:
        """What the inner engine runs in the place of a circuit, made once; not to be changed."""
        if not isinstance(circuit, Circuit):
            raise CircuitError(f"circuit is a {type(circuit).__name__}, expected a Circuit")
        found = self._made.get(circuit)
        if found is None:
            found = self.made(circuit)
            if len(self._made) >= MOST_KEPT:
                self._made = {}  # another one, so that threads do not meet in a table that changes
            self._made[circuit.copy()] = found
        return found

    def made(self, circuit: Circuit) -> Circuit:
        """The circuit with its noise."""
        return self.model.apply(circuit)

    def on(self, device: str) -> Engine:
        return type(self)(self.engine.on(device), self.model)

    def running(self, circuit: Circuit) -> tuple[Engine, Circuit]:
        return self.engine.running(self.noisy(circuit))

    def prepare(self, circuit: Circuit, observables: Any = None) -> Evaluator:
        return self.engine.prepare(self.noisy(circuit), as_outputs(circuit, observables))

    def evaluator(self, circuit: Circuit, outputs: Outputs) -> Evaluator:
        return self.prepare(circuit, outputs)

    def check_runs(self, circuit: Circuit) -> None:
        self.engine.check_runs(self.noisy(circuit))

    def can_walk_back(self, outputs: Outputs) -> bool:
        return self.engine.can_walk_back(outputs)

    def sampler(self, circuit: Circuit, qubits: tuple[int, ...]) -> Sampler:
        return self.engine.sampler(self.noisy(circuit), qubits)

    def parities(self, circuit: Circuit, masks: tuple[int, ...]) -> Sampler:
        return self.engine.parities(self.noisy(circuit), masks)

    def to_json(self) -> dict[str, Any]:
        raise UnsupportedError("a layer with noise cannot be exported, expected one without; make the layer without it")


def with_noise(engine: Engine, model: NoiseModel) -> Noisy:
    """An engine with the noise of a model, on the device where it is one's."""
    check_model(model, "noise")
    return OnDevice(engine, model) if model.is_strict and model.n_qubits is not None else Noisy(engine, model)


def check_model(model: Any, name: str = "model") -> None:
    """Raise CircuitError for what is no noise model."""
    if not isinstance(model, NoiseModel):
        raise CircuitError(f"{name}={model!r}, expected a NoiseModel such as NoiseModel.uniform(two_qubit=0.01)")


class OnDevice(Noisy):
    """Runs on another engine what a device makes of a circuit: its gates, its qubits, its noise.

    Values are asked for, and derivatives given, as of the circuit that it was made of.

    Args:
        engine: one that runs channels.
        model: of a device, such as `NoiseModel.from_calibration` reads.
        qubits: of the device, where circuits begin; None to look for the best.
    """

    def __init__(self, engine: Engine, model: NoiseModel, qubits: Sequence[int] | None = None):
        super().__init__(engine, model)
        couplings_of(model)
        self.qubits = None if qubits is None else checked_start(qubits)

    def __repr__(self) -> str:
        return f"OnDevice({self.engine!r}, {self.model!r}, qubits={self.qubits})"

    def on(self, device: str) -> Engine:
        return OnDevice(self.engine.on(device), self.model, self.qubits)

    def made(self, circuit: Circuit) -> Circuit:
        return compiled(circuit, self.model, self.qubits).noisy

    def compiled(self, circuit: Circuit) -> tuple[Engine, Circuit]:
        """The circuit in the device's gates, and the engine with the noise of its places there."""
        found = compiled(circuit, self.model, self.qubits)
        return Noisy(self.engine, found.model), found.circuit
