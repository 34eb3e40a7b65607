"""Noise models of devices from files of their calibration: JSON, plain or gzipped, told apart by what they hold."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

from qloom.errors import ArtifactError, ConfigError
from qloom.noise.calibrations.google import google_model
from qloom.noise.calibrations.ibm import ibm_model
from qloom.noise.model import NoiseModel

GZIP = b"\x1f\x8b"
# A calibration of a thousand qubits has some megabytes.
MOST_BYTES = 1 << 28


def read_calibration(path: Path, metrics: str = "auto") -> NoiseModel:
    """See `NoiseModel.from_calibration`; a file that `to_json` wrote is read too."""
    document = _load(path)
    try:
        if document.get("format") == "qloom.noise":
            return NoiseModel.from_json(json.dumps(document))
        if isinstance(document.get("qubits"), list) and isinstance(document.get("gates"), list):
            return ibm_model(document, path.name)
        if isinstance(document.get("metrics"), dict):
            return google_model(document, path.name, metrics)
    except (ArtifactError, ConfigError):
        raise
    except (KeyError, TypeError, IndexError, AttributeError, ValueError) as error:
        raise ArtifactError(
            f"{path} is damaged ({type(error).__name__}: {error}), expected qubits and gates, or metrics, of a device"
        ) from None
    raise ArtifactError(
        f"{path} has {', '.join(map(str, list(document)[:6])) or 'nothing'}, expected a calibration with qubits and "
        "gates, or with metrics"
    )


def _load(path: Path) -> dict[str, Any]:
    try:
        content = path.read_bytes()
        if content[:2] == GZIP:
            content = _unpacked(content, path)
        document = json.loads(content)
    except OSError as error:
        why = error.strerror or str(error)
        raise ArtifactError(f"{path} cannot be read ({why}), expected a device's calibration") from None
    except (EOFError, zlib.error, ValueError) as error:
        raise ArtifactError(f"{path} is no JSON ({error}), expected a device's calibration") from None
    if not isinstance(document, dict):
        raise ArtifactError(f"{path} holds a {type(document).__name__}, expected a device's calibration")
    return document


def _unpacked(content: bytes, path: Path) -> bytes:
    unpacked = zlib.decompressobj(wbits=31)
    out = unpacked.decompress(content, MOST_BYTES)
    if unpacked.unconsumed_tail:
        raise ArtifactError(f"{path} unpacks to more than {MOST_BYTES:,} bytes, expected a device's calibration")
    if not unpacked.eof:
        raise ArtifactError(f"{path} ends early, expected a whole gzip file of a device's calibration")
    return out


__all__ = ["read_calibration"]
