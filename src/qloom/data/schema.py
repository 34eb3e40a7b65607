"""What a table means: the kind of every column, the task, and what was found worth a word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from qloom.errors import ArtifactError, DataError

Label = str | int | float | bool
KINDS = ("number", "category", "boolean", "date", "identifier", "constant", "text", "unsupported")


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: its name.
        kind: "number", "category", "boolean", "date", "text"; or none of a feature: "identifier", "constant",
            "unsupported".
        dropped: why the column is no feature, in words; empty for a feature and for the target.
        n_missing: missing cells.
        n_distinct: distinct values among the present cells.
        date_format: for dates held as text or whole numbers, "iso", "quarter" or a strptime format.
        number_format: for numbers held as text, how 1234.5 is written, with the unit; None for plainly.
        n_words: present cells that are no numbers or dates although the column is; they count as missing.
        shown: its range, or its most frequent values.
    """

    name: str
    kind: str
    dropped: str = ""
    n_missing: int = 0
    n_distinct: int = 0
    date_format: str | None = None
    number_format: str | None = None
    n_words: int = 0
    shown: str = ""


@dataclass(frozen=True)
class Schema:
    """The columns of a table and what is to be learnt from them.

    Attributes:
        columns: every column in the table's order, target included.
        target: name of the column to predict.
        task: "classification" or "regression".
        classes: the labels in coding order, of their original type; empty for regression.
        time: the column that orders the rows in time, if any.
        n_rows: rows looked at (those with a target).
        notes: one-line findings.
        warnings: one-line findings that call for a decision.
        group: the column whose rows are of one person, machine or other thing, if any; it is no feature.
    """

    columns: tuple[Column, ...]
    target: str
    task: str
    classes: tuple[Label, ...] = ()
    time: str | None = None
    n_rows: int = 0
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    group: str | None = None

    @property
    def features(self) -> tuple[Column, ...]:
        """The columns the model sees: neither target nor dropped."""
        return tuple(column for column in self.columns if column.name != self.target and not column.dropped)

    @property
    def dropped(self) -> tuple[Column, ...]:
        """The columns the model does not see, each with its reason."""
        return tuple(column for column in self.columns if column.dropped)

    def grouped_by(self, name: str) -> Schema:
        """The same, with rows of one value of a column belonging together; that column is no feature then.

        Raises:
            DataError: for a column that the table does not have.
        """
        names = [column.name for column in self.columns]
        if name not in names:
            raise DataError(f"no column {name!r} to keep rows together by, expected one of {', '.join(names[:6])}")
        reason = "it says which rows belong together"
        columns = tuple(replace(column, dropped=reason) if column.name == name else column for column in self.columns)
        return replace(self, columns=columns, group=name)

    def __getitem__(self, name: str) -> Column:
        """The column of that name; KeyError if there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, versioned."""
        return {"format": "qloom-schema", "version": 1, **asdict(self)}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Schema:
        """The schema that `to_json` wrote.

        Raises:
            ArtifactError: for a record of another format or version, or a damaged one.
        """
        fields = read_record(record, "qloom-schema")
        try:
            columns = tuple(Column(**column) for column in fields.pop("columns"))
            fields |= {name: tuple(fields[name]) for name in ("classes", "notes", "warnings")}
            return cls(columns=columns, **fields)
        except (TypeError, KeyError) as error:
            raise ArtifactError(
                f"the schema record is damaged ({error}), expected the fields of version 1; save it again"
            ) from None


def read_record(record: Mapping[str, Any], wanted: str, version: int = 1) -> dict[str, Any]:
    """The fields of a versioned JSON record without its heading, after checking the heading."""
    found = (
        (record.get("format"), record.get("version")) if isinstance(record, Mapping) else (type(record).__name__, None)
    )
    if found != (wanted, version):
        raise ArtifactError(
            f"the record is {found[0]!r} version {found[1]!r}, expected {wanted!r} version {version}; "
            "load it with the qloom that wrote it"
        )
    return {key: value for key, value in record.items() if key not in ("format", "version")}
