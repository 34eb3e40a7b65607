"""Files are written whole or not at all."""

from __future__ import annotations

import json
import os
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from qloom.errors import ArtifactError


def replace_file(path: Path, content: bytes | str) -> Path:
    """Write a file under another name and move it into place, so that a reader never sees half of it."""
    temporary = path.with_name(path.name + ".part")
    with temporary.open("wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    return path


def write_json(path: Path, value: Any) -> Path:
    """Write a JSON file, whole or not at all; numpy's scalars become plain ones, and what is no number null."""
    plain = strict(json.loads(json.dumps(value, default=np.generic.item)))
    return replace_file(path, json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def strict(value: Any) -> Any:
    """JSON values without NaN and infinities, which JSON does not know: they are null."""
    if isinstance(value, dict):
        return {key: strict(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [strict(entry) for entry in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        ArtifactError: if it is missing or damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read ({error.strerror}), expected a file of a run folder") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ArtifactError(f"{path} is not JSON ({error}), expected what qloom train wrote; train again") from None
