"""The engine is run through the contract of engines, on noisy circuits: one way of drawing each."""

import numpy as np

from qloom.circuits import Circuit
from qloom.engines import Engine, TrajectoryEngine
from qloom.testing import EngineContract


class TestPauliNoise(EngineContract):
    def make_engine(self) -> Engine:
        return TrajectoryEngine(60, seed=0, threads=2)

    def circuit(self) -> Circuit:
        """Rates are inputs, weights and numbers."""
        circuit = Circuit(3)
        x, w = circuit.inputs(3), circuit.weights(4)
        circuit.ry(x[0], 0).rx(0.7 * x[1], 1).h(2).depolarizing(0.2, 0).cx(0, 1).depolarizing(w[3], 0, 1)
        circuit.rzz(w[0], 1, 2).measure(1).ry(w[1], 2).phase_flip(x[2], 2).cz(0, 2).bit_flip(0.5 * w[3], 1)
        return circuit.rx(w[2], 0).pauli_channel((0.1, 0.02, 0.05), 0)

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        random = np.random.default_rng(0)
        angles = random.uniform(-2, 2, (5, 2))
        return np.hstack([angles, random.uniform(0.1, 0.4, (5, 1))]), np.array([0.3, -1.1, 0.8, 0.2])


class TestAnyNoise(TestPauliNoise):
    def circuit(self) -> Circuit:
        """Operators with rates that are inputs, weights and numbers; resets."""
        circuit = Circuit(3)
        x, w = circuit.inputs(3), circuit.weights(4)
        circuit.ry(x[0], 0).rx(0.7 * x[1], 1).h(2).amplitude_damping(0.2, 0).cx(0, 1).depolarizing(w[3], 0, 1)
        circuit.rzz(w[0], 1, 2).measure(1).ry(w[1], 2).generalized_amplitude_damping(x[2], 0.3, 2).reset(1)
        circuit.cz(0, 2).ry(x[0], 1).thermal_relaxation(1.0, w[3] + 0.9, 0.3, 0.1, 0).rx(w[2], 0)
        return circuit.reset_error(0.1, 0.5 * w[3], 1).cx(0, 1)
