"""Circuits of other packages: read as qloom's, and written for them."""

from typing import TYPE_CHECKING

from qloom.exports import exported_by

if TYPE_CHECKING:
    from qloom.circuits.exchange.braket import from_braket, to_braket
    from qloom.circuits.exchange.cirq import from_cirq, to_cirq
    from qloom.circuits.exchange.pennylane import from_pennylane, to_pennylane
    from qloom.circuits.exchange.pytket import from_pytket, to_pytket
    from qloom.circuits.exchange.qiskit import from_qiskit, to_qiskit
    from qloom.circuits.exchange.qpanda import from_qpanda, to_qpanda
    from qloom.circuits.exchange.stim import from_stim, to_stim
    from qloom.circuits.exchange.tensorflow_quantum import from_tfq

__all__ = [
    "from_braket", "from_cirq", "from_pennylane", "from_pytket", "from_qiskit", "from_qpanda", "from_stim",
    "from_tfq", "to_braket", "to_cirq", "to_pennylane", "to_pytket", "to_qiskit", "to_qpanda", "to_stim",
]  # fmt: skip

__getattr__ = exported_by(__name__)


def __dir__() -> list[str]:
    return __all__
