"""Text tables of any size, batch by batch; the types of their columns are fixed by a look at their first rows."""

from __future__ import annotations

import codecs
import lzma
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.csv as arrow_csv

from qloom.data.asked_kinds import check_asked
from qloom.data.cells import plain_column
from qloom.data.delimited import Layout, csv_options, described, find_encoding, parse_text
from qloom.data.streams.spooling import Batches
from qloom.errors import DataError

_LOOK = 8 << 20
_BLOCK = 4 << 20
_WIDER = {pa.int64(): pa.float64(), pa.date32(): pa.timestamp("s"), pa.timestamp("s"): pa.timestamp("ns")}
_FLIP = re.compile(
    r"In CSV column #(?P<column>\d+): (?:Row #(?P<row>\d+): )?CSV conversion error to [^:]*: (?P<what>.*)"
)


class WiderType(Exception):  # noqa: N818 - a turn in the way, no error
    """A later cell needs a wider type; reading begins anew with it."""


class TextFile:
    """A CSV, TSV or TXT file, also compressed.

    Args:
        path: of the file.
        kinds: column -> kind, as `inspect_table` takes it; categories and text are read as text.
    """

    def __init__(self, path: Path, kinds: Mapping[str, str]) -> None:
        self._path = path
        text, self._encoding, self._quoted = _look(path)
        self._layout, table = parse_text(text, path)
        head = pa.table({name: plain_column(table[name]) for name in table.column_names})
        self._said = described(head, self._layout, path).schema
        self._types = {each.name: _fixed(each.type, kinds.get(each.name, "")) for each in head.schema}
        self._widened: list[str] = []

    def batches(self) -> Batches:
        """The rows with the types known so far.

        Raises:
            DataError: from the batches, for a cell of another type, or a row of another number of cells.
            WiderType: from the batches, once a type has been widened; ask again.
        """
        fields = [pa.field(each.name, self._types[each.name], metadata=each.metadata) for each in self._said]
        schema = pa.schema(fields, metadata=self._said.metadata)
        notes = tuple(f"column {name!r} has fractions or times of day further on" for name in self._widened)
        return Batches(str(self._path), schema, self._read(schema), notes)

    def _read(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        options = csv_options(
            self._layout,
            self._types,
            quoted=self._quoted,
            block_size=_BLOCK,
            use_threads=False,  # else errors have no row
            encoding=self._encoding,
        )
        try:
            with opened(self._path) as file, arrow_csv.open_csv(file, **options) as reader:
                for batch in reader:
                    yield pa.RecordBatch.from_arrays(batch.columns, schema=schema)
        except pa.ArrowInvalid as error:
            raise self._refused(str(error).splitlines()[0]) from None

    def _refused(self, message: str) -> Exception:
        found = _FLIP.search(message)
        if found is None:
            return DataError(f"{self._path} cannot be read as a text table: {message}; mend that line")
        name = self._layout.names[int(found["column"])]
        value = found["what"].removeprefix("invalid value ").strip("'")
        known = self._types[name]
        wider = _WIDER.get(known)
        if wider is not None and _reads(value, wider, self._layout):
            self._types[name] = wider
            self._widened.append(name)
            return WiderType()
        line = f", line {int(found['row']):,}" if found["row"] else ""
        return DataError(
            f"{self._path}{line}: column {name!r} holds {value!r}, expected {known} as in the rows before; correct it, "
            f"or read the column as text with kinds={{{name!r}: 'category'}}"
        )


def _fixed(kind: pa.DataType, asked: str) -> pa.DataType:
    """The type that a column is read with."""
    as_text = pa.types.is_null(kind) or (asked and check_asked(asked, "")[0] in ("category", "text", "drop"))
    return pa.string() if as_text else kind


def _reads(value: str, kind: pa.DataType, layout: Layout) -> bool:
    spelled = value.replace(",", ".") if layout.decimal == "," and pa.types.is_floating(kind) else value
    try:
        pa.array([spelled]).cast(kind)
    except pa.ArrowInvalid:
        return False
    return True


def _look(path: Path) -> tuple[str, str, bool]:
    """The first lines, the encoding in Arrow's words, and whether quotes stand there."""
    with opened(path) as file:
        data = file.read(_LOOK + 1)
    is_whole = len(data) <= _LOOK
    data = data if is_whole else data[: data.rfind(b"\n") + 1]
    encoding = find_encoding(data)
    text = codecs.getincrementaldecoder(encoding)("strict").decode(data, final=is_whole)
    if "\x00" in text:
        raise DataError(f"{path} is a binary file, expected text; save it as CSV or Parquet")
    while not is_whole and text.count('"') % 2:  # the cut lies in a quoted cell
        text = text[: text.rstrip("\n").rfind("\n") + 1]
    return text, "utf8" if encoding.startswith("utf-8") else encoding, '"' in text


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes] | Any]:
    """A file's bytes, decompressed as they come.

    Raises:
        DataError: also from the block within, for a file that is cut off or damaged.
    """
    try:
        with path.open("rb") as raw, _decompressed(raw, path) as file:
            yield file
    except (OSError, EOFError, lzma.LZMAError, zipfile.BadZipFile, UnicodeDecodeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise DataError(f"{path} cannot be read ({reason}); it may be cut off: write it again") from None


def _decompressed(raw: IO[bytes], path: Path) -> Any:
    start = raw.read(6)
    raw.seek(0)
    if start.startswith(b"PK\x03\x04"):
        archive = zipfile.ZipFile(raw)
        names = [name for name in archive.namelist() if not name.endswith("/") and "__MACOSX/" not in name]
        if len(names) != 1:
            raise DataError(f"{path} holds {len(names)} files, expected one; unpack it")
        return archive.open(names[0])
    if start.startswith(b"\xfd7zXZ"):
        return lzma.open(raw)
    codecs_of = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\x28\xb5\x2f\xfd": "zstd", b"\x04\x22\x4d\x18": "lz4"}
    codec = next((codec for magic, codec in codecs_of.items() if start.startswith(magic)), None)
    return pa.input_stream(raw, compression=codec)
