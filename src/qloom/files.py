"""Files are written whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from math import isfinite
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np

from qloom.errors import ArtifactError

Found = TypeVar("Found")


def replace_file(path: Path, content: bytes | str) -> Path:
    """Write a file under another name and move it into place, so that a reader never sees half of it."""
    return replace_by(path, lambda file: file.write(content.encode() if isinstance(content, str) else content))


def replace_by(path: Path, write: Callable[[BinaryIO], Any]) -> Path:
    """The same for content that is written piece by piece, as it may be too large to be held."""
    temporary = path.with_name(path.name + ".part")
    with temporary.open("wb") as file:
        write(file)
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


def read_document(text: str, what: str, heading: tuple[str, int], build: Callable[[dict[str, Any]], Found]) -> Found:
    """What versioned JSON text holds.

    Args:
        what: of, in messages, "circuit".
        heading: the format and the version that it is to have.
        build: makes it of the document.

    Raises:
        ArtifactError: for text that is damaged, foreign or of another version.
    """
    form, version = heading
    try:
        document = json.loads(text)
    except (json.JSONDecodeError, TypeError, RecursionError) as error:
        raise ArtifactError(f"{what} text is not JSON ({error}), expected what to_json wrote") from None
    if not isinstance(document, dict) or document.get("format") != form:
        raise ArtifactError(f"text is not a {what}, expected JSON with format {form!r}")
    if document.get("version") != version:
        raise ArtifactError(f"{what} has version {document.get('version')!r}, expected {version}; update qloom")
    try:
        return build(document)
    except ArtifactError:
        raise
    except (KeyError, TypeError, IndexError, AttributeError, ValueError, RecursionError) as error:
        raise ArtifactError(
            f"{what} text is damaged ({type(error).__name__}: {error}), expected what to_json wrote"
        ) from None
