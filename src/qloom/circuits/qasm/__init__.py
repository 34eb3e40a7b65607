"""OpenQASM 2 and 3: read and written."""

from qloom.circuits.qasm.reading import from_qasm
from qloom.circuits.qasm.tokens import QasmError
from qloom.circuits.qasm.writing import to_qasm

__all__ = ["QasmError", "from_qasm", "to_qasm"]
