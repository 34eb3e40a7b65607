"""Compressed files, recognised by their first bytes."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from qloom.errors import DataError

SUFFIXES = (".gz", ".bz2", ".xz", ".zst", ".lz4", ".zip")


def _by_arrow(codec: str) -> Callable[[bytes], bytes]:
    return lambda data: bytes(pa.CompressedInputStream(pa.BufferReader(data), codec).read())


def _unzipped(data: bytes) -> bytes:
    """The one file of an archive; what a desktop puts beside it does not count."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX/")]
        if len(names) != 1:
            shown = ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
            raise ValueError(f"it holds {len(names)} files ({shown}) and not one")
        return archive.read(names[0])


# First bytes -> name, how to decompress.
_FORMATS: dict[bytes, tuple[str, Callable[[bytes], bytes]]] = {
    b"\x1f\x8b": ("gzip", gzip.decompress),
    b"BZh": ("bzip2", bz2.decompress),
    b"\xfd7zXZ\x00": ("xz", lzma.decompress),
    b"\x28\xb5\x2f\xfd": ("zstandard", _by_arrow("zstd")),
    b"\x04\x22\x4d\x18": ("lz4", _by_arrow("lz4")),
    b"PK\x03\x04": ("zip", _unzipped),
}


def is_compressed(start: bytes) -> bool:
    """Whether a file that begins so is compressed."""
    return any(start.startswith(magic) for magic in _FORMATS)


def read_bytes(path: Path) -> bytes:
    """The content of a file, decompressed if it is compressed.

    Raises:
        DataError: for a damaged file or an archive of several.
    """
    data = path.read_bytes()
    for magic, (name, decompress) in _FORMATS.items():
        if data.startswith(magic):
            try:
                return decompress(data)
            except (OSError, EOFError, ValueError, lzma.LZMAError, zipfile.BadZipFile) as error:
                raise DataError(f"{path} is a damaged {name} file ({error}); write it again") from None
    return data


def inner_suffix(path: Path) -> str:
    """The suffix in lower case that says what a file holds: .csv of t.csv.gz."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    while len(suffixes) > 1 and suffixes[-1] in SUFFIXES:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""
