"""Circuits in files, for commands."""

from __future__ import annotations

from pathlib import Path

from qloom.circuits import Circuit
from qloom.circuits.qasm import from_qasm
from qloom.errors import ArtifactError, CircuitError, ConfigError

# Bytes of a text, which is held in memory.
MOST_BYTES = 1 << 30


def read_circuit(path: Path) -> Circuit:
    """The circuit of a file: OpenQASM, or JSON as `Circuit.to_json` writes it."""
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise ConfigError(f"{path} has {size:,} bytes, expected at most {MOST_BYTES:,}")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ArtifactError(
            f"{path} cannot be read ({error.strerror}), expected OpenQASM, or a circuit's JSON"
        ) from None
    except UnicodeDecodeError:
        raise ArtifactError(f"{path} is no text, expected OpenQASM, or a circuit's JSON") from None
    if text.lstrip().startswith("{"):
        return Circuit.from_json(text)
    try:
        return from_qasm(text)
    except CircuitError as error:
        raise CircuitError(f"{path}, {error}") from None
