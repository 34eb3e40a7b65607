"""An independent implementation: PennyLane's default.mixed on the same noisy circuits, values and derivatives.

Needs PennyLane, which `make test-slow` installs; skipped without it.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import qloom as ql
from qloom.circuits import GATES, Circuit
from qloom.engines import DensityEngine, Expectations, Probabilities
from qloom.gradients import prepare_gradient

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    qml = pytest.importorskip("pennylane", reason="PennyLane is not installed")
    from pennylane import numpy as autograd_numpy

from tests.engines import test_independent as unitary

pytestmark = pytest.mark.slow  # make test-slow installs PennyLane

CHANNELS = {
    "bit_flip": lambda a, q: qml.BitFlip(a[0], q[0]),
    "phase_flip": lambda a, q: qml.PhaseFlip(a[0], q[0]),
    "bit_phase_flip": lambda a, q: qml.PauliError("Y", a[0], q[0]),
    "depolarizing": lambda a, q: qml.DepolarizingChannel(a[0], q[0]),
    "amplitude_damping": lambda a, q: qml.AmplitudeDamping(a[0], q[0]),
    # Its second number is the share of |1>, as ours.
    "generalized_amplitude_damping": lambda a, q: qml.GeneralizedAmplitudeDamping(a[0], a[1], q[0]),
    "phase_damping": lambda a, q: qml.PhaseDamping(a[0], q[0]),
    "reset_error": lambda a, q: qml.ResetError(a[0], a[1], q[0]),
    # Populations first: excited share, T1, T2, time.
    "thermal_relaxation": lambda a, q: qml.ThermalRelaxationError(a[3], a[0], a[1], a[2], q[0]),
}
# Without a counterpart of one name there; built of Kraus operators or of others in tests of their own.
OTHERS = {"pauli_channel", "measure", "reset", "readout_error"}
GATES_BETWEEN = ("ry", "rx", "rz", "h", "cx", "cz", "rzz", "rot", "crx")


def test_every_channel_is_compared():
    assert set(CHANNELS) | OTHERS == {name for name, gate in GATES.items() if not gate.is_unitary}


def rates_of(name: str, random: np.random.Generator) -> list[float]:
    if name == "thermal_relaxation":
        t1 = random.uniform(1, 3)
        return [t1, random.uniform(0.3, 1.9) * t1, random.uniform(0.1, 1), random.uniform(0, 0.4)]
    return random.uniform(0.02, 0.4, GATES[name].n_angles).tolist()


def drawn(seed: int, channel: str) -> tuple[Circuit, np.ndarray]:
    """A random circuit on three qubits whose angles, and the rates of its channels, are all weights; and these."""
    random, steps, values = np.random.default_rng(seed), [], []
    names = [*random.choice(list(CHANNELS), 4).tolist(), channel]
    for name in random.permutation([*random.choice(GATES_BETWEEN, 12), *names]):
        gate = GATES[name]
        own = rates_of(name, random) if name in CHANNELS else random.uniform(-3, 3, gate.n_angles).tolist()
        steps.append((name, len(own), random.permutation(3)[: gate.n_qubits].tolist()))
        values += own
    circuit = Circuit(3)
    slots = iter(circuit.weights(len(values)))
    for name, count, qubits in steps:
        circuit.append(name, [next(slots) for _ in range(count)], qubits)
    return circuit, np.array(values)


@pytest.mark.filterwarnings("ignore")  # of autograd inside PennyLane
@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("seed", range(6))
def test_values_and_derivatives(channel, seed):
    circuit, weights = drawn(seed, channel)
    letters = "".join(np.random.default_rng(seed).choice(list("XYZ"), 3))
    device = qml.device("default.mixed", wires=3)

    def queue(w):
        for op in circuit.operations:
            values = [unitary.angle_value(angle, (), w) for angle in op.angles]
            if op.gate.name in CHANNELS:
                CHANNELS[op.gate.name](values, list(op.qubits))
            else:
                unitary.apply(op, (), w)

    @qml.qnode(device, diff_method="backprop")
    def value(w):
        queue(w)
        return qml.expval(qml.pauli.string_to_pauli_word(letters))

    @qml.qnode(device)
    def outcomes():
        queue(weights)
        return qml.probs(wires=range(3))

    batch = ql.engines.make_batch(circuit, None, weights)
    evaluator = prepare_gradient(circuit, Expectations((ql.pauli(letters, range(3)),)), DensityEngine())
    mine, kept = evaluator.forward(batch, keep=True)
    theirs = autograd_numpy.array(weights, requires_grad=True)
    assert mine[0, 0] == pytest.approx(float(value(theirs)), abs=1e-10)
    slopes = evaluator.backward(batch, np.ones((1, 1)), kept, (False, True))[1]
    np.testing.assert_allclose(slopes, qml.grad(value)(theirs), atol=1e-10)
    found = DensityEngine().prepare(circuit, Probabilities((0, 1, 2))).values(batch)[0]
    np.testing.assert_allclose(found, np.asarray(outcomes()), atol=1e-10)
