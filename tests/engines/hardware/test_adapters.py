"""Adapters of other packages against their local targets: bits in their places, rows, parameters."""

from __future__ import annotations

import numpy as np
import pytest

import qloom as ql
from qloom.engines.hardware import DeviceError, QiskitDevice, braket_device, qiskit_device, qpanda_device

TARGETS = [
    ("qiskit_aer", qiskit_device, "aer"), ("braket.devices", braket_device, "braket_sv"),
    ("pyqpanda3.core", qpanda_device, "CPUQVM"), ("pyqpanda3.core", qpanda_device, "DensityMatrixSimulator"),
]  # fmt: skip


@pytest.mark.parametrize(("package", "adapter", "name"), TARGETS, ids=[name for *_, name in TARGETS])
def test_bits_of_many_parameters_and_qubits(package, adapter, name):
    """Eleven qubits, thirteen slots in odd order, one unused: six standard errors of 2,000 shots."""
    pytest.importorskip(package, reason="the extra 'devices' is not installed")
    random, circuit = np.random.default_rng(0), ql.Circuit(11)
    v = circuit.inputs(13, name="v")
    for q, slot in enumerate(random.permutation(12)[:11]):
        circuit.ry(1.5 * v[slot] + 0.2, q)
    circuit.cx(0, 10).cx(3, 7).rx(v[11], 4)
    values = random.uniform(-1, 1, (3, 13))
    right = ql.expectation(circuit, None, values)
    for qubits in (tuple(range(11)), (9, 2), (2,), (10, 0, 5)):
        bits = adapter.run_local(name, circuit, qubits, values, 2000, 1)
        assert bits.shape == (3, 2000, len(qubits))
        assert np.abs(1 - 2 * bits.mean(axis=1) - right[:, list(qubits)]).max() < 6 / np.sqrt(2000)
        assert (bits == adapter.run_local(name, circuit, qubits, values, 2000, 1)).all()


@pytest.mark.parametrize(("package", "adapter", "name"), TARGETS, ids=[name for *_, name in TARGETS])
def test_rows_of_circuits_without_slots(package, adapter, name):
    pytest.importorskip(package, reason="the extra 'devices' is not installed")
    for circuit, n_slots in ((ql.Circuit(3).x(0).ry(0.5, 2), 0), (ql.Circuit(3), 2)):
        circuit.inputs(n_slots, name="v") if n_slots else None
        circuit.x(0) if n_slots else None
        bits = adapter.run_local(name, circuit, (2, 0), np.zeros((4, n_slots)), 300, 1)
        assert bits.shape == (4, 300, 2)
        assert (bits[..., 1] == 1).all()
        assert bits[..., 0].mean(axis=1) == pytest.approx([np.sin(0.25) ** 2 if not n_slots else 0] * 4, abs=0.1)


def test_a_backend_that_forgets_its_jobs_is_refused():
    aer = pytest.importorskip("qiskit_aer", reason="the extra 'devices' is not installed")
    with pytest.raises(DeviceError, match="no service that knows its jobs"):
        QiskitDevice(aer.AerSimulator())


def test_tasks_of_braket_are_made_under_a_token():
    """The token reaches what is sent; AwsQuantumTask hands none on by itself."""
    aws = pytest.importorskip("braket.aws", reason="the extra 'devices' is not installed")
    circuits = pytest.importorskip("braket.circuits", reason="the extra 'devices' is not installed")
    sent = []

    class Session:
        region, braket_client = "us-east-1", None

        def create_quantum_task(self, **given: object) -> str:
            sent.append(given)
            return "arn:aws:braket:us-east-1:123456789012:quantum-task/one"

    session = Session()
    for token in (None, "key-0"):
        arguments = (
            session,
            "arn:aws:braket:::device/quantum-simulator/amazon/sv1",
            circuits.Circuit().h(0),
            ("b", "p"),
            10,
        )
        if token is None:
            aws.AwsQuantumTask.create(*arguments)
        else:
            with braket_device.under_token(session, token):
                aws.AwsQuantumTask.create(*arguments)
    assert "clientToken" not in sent[0]
    assert sent[1]["clientToken"] == "key-0"
