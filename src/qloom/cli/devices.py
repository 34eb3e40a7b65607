"""`qloom devices`: what devices there are here, each tried with one circuit."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import typer

from qloom.circuits import Circuit
from qloom.engines.evaluation import expectation
from qloom.engines.hardware import DeviceEngine, find_device
from qloom.errors import QloomError
from qloom.observables import Z

# Targets on this machine; those elsewhere need an account, and cost.
LOCAL = (
    "qloom exact", "qiskit aer", "qiskit FakeManilaV2", "braket braket_sv", "braket braket_dm", "qpanda CPUQVM",
)  # fmt: skip
SHOTS = 2000
# Of machines with noise, whose values are off by more than shots make them.
_NOISY, _EXACT = 0.2, 6 / np.sqrt(SHOTS)


def devices() -> None:
    """List the devices that are installed, and try each with a circuit that tells qubits and signs apart."""
    circuit = _asymmetric()
    right = expectation(circuit, [Z(0), Z(1), Z(2)])
    typer.echo(f"{'device':24}{'Z of three qubits':28}  (exact: {_shown(right)})")
    for name in LOCAL:
        with tempfile.TemporaryDirectory() as folder:
            try:
                device = find_device(name, Path(folder) / "service")
                engine = DeviceEngine(device, SHOTS, Path(folder) / "journal.sqlite")
                found = expectation(circuit, [Z(0), Z(1), Z(2)], engine=engine)
            except QloomError as error:
                typer.echo(f"{name:24}{error}")
                continue
        off = float(np.abs(found - right).max())
        says = "as it should be" if off < (_NOISY if "Fake" in name else _EXACT) else f"WRONG by {off:.2f}"
        typer.echo(f"{name:24}{_shown(found):28}  {says}")
    typer.echo(
        "qloom FILE plays a device with the noise of a file. Elsewhere: qiskit NAME of IBM's, braket ARN, and "
        "QPandaDevice(backend) of OriginQ's; qloom docs devices says what of these was run"
    )


def _asymmetric() -> Circuit:
    """Three qubits with values of their own: 0.9, -0.2 and a number between that a wrong order would move."""
    return Circuit(3).ry(0.45, 0).ry(1.77, 1).cx(1, 2).rz(0.7, 2).ry(-0.6, 2)


def _shown(values: np.ndarray) -> str:
    return "  ".join(f"{value:+.3f}" for value in values)
