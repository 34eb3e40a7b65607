"""The column to predict: which task it asks for, and its coding as integers or standardised numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qloom.data.cells import is_date, is_number, is_text, numbers, numbers_from_text, plain_column
from qloom.data.columns import require_columns
from qloom.data.schema import Label, Schema, read_record
from qloom.data.target_transformation import TargetTransformation
from qloom.errors import ArtifactError, ConfigError, DataError

TASKS = ("classification", "regression")
_MOST_INTEGER_CLASSES = 20


def rows_with_target(table: pa.Table, target: str) -> pa.Table:
    """The rows whose target is not missing."""
    require_columns(table, [target], "as the target")
    return table.filter(pc.is_valid(plain_column(table[target])))


def find_task(target: pa.ChunkedArray) -> str:
    """Classification for text, booleans and few distinct whole numbers, else regression.

    Few is two, or at most 20 with five rows each on average. Text that spells many distinct numbers is a
    regression.
    """
    column = plain_column(target)
    if is_text(column.type):
        spelled = numbers_from_text(column)
        if spelled is None:
            return "classification"
        column = spelled
    if not is_number(column.type):
        return "regression" if is_date(column.type) else "classification"
    distinct = pc.unique(column.drop_null())
    few = len(distinct) <= 2 or (len(distinct) <= _MOST_INTEGER_CLASSES and 5 * len(distinct) <= len(column))
    whole = pc.all(pc.equal(pc.round(distinct), distinct)).as_py()
    return "classification" if few and (whole or len(distinct) <= 2) else "regression"


def check_target(table: pa.Table, name: str, task: str | None) -> tuple[str, tuple[Label, ...]]:
    """The task and the classes of a target column, or DataError if it cannot be learnt from."""
    column = plain_column(table[name])
    if column.null_count:
        raise DataError(
            f"target {name!r} is missing in {column.null_count} of {len(column)} rows, expected a value in "
            "every row; drop these rows with drop_missing_target=True"
        )
    chosen = task or find_task(column)
    if chosen not in TASKS:
        raise ConfigError(f"task is {chosen!r}, expected one of {', '.join(TASKS)}; leave it out to have it found")
    if chosen == "regression":
        values = numbers(column, name)
        check_varies(float(values.min()), float(values.max()), name)
        return chosen, ()
    return chosen, _find_classes(column, name)


def check_varies(low: float, high: float, name: str) -> None:
    """Raise DataError for a target of numbers that is the same in every row."""
    if low == high:
        raise DataError(f"target {name!r} is {low:g} in every row, expected values that differ; choose another target")


def _find_classes(column: pa.ChunkedArray, name: str) -> tuple[Label, ...]:
    if is_number(column.type):
        numbers(column, name)
    elif not (is_text(column.type) or pa.types.is_boolean(column.type)):
        raise DataError(f"target {name!r} holds values of type {column.type}, expected classes or numbers; convert it")
    return classes_of({entry["values"]: entry["counts"] for entry in pc.value_counts(column).to_pylist()}, name)


def classes_of(counts: Mapping[Label, int], name: str) -> tuple[Label, ...]:
    """The classes of a target by the rows of each, or DataError if they cannot be learnt from."""
    classes = tuple(sorted(counts))
    if len(classes) < 2:
        raise DataError(
            f"target {name!r} has only the class {classes[0]!r}, expected at least two; choose another target"
        )
    lone = [label for label in classes if counts[label] < 2]
    if lone:
        advice = "give more rows, join classes, or use task='regression' for numbers"
        raise DataError(
            f"target {name!r} has {len(lone)} of {len(classes)} classes with a single row, "
            f"such as {lone[0]!r}, expected at least 2 rows each; {advice}"
        )
    return classes


def class_text(label: Any) -> str:
    """A class as text; 1.0 and 1 are "1"."""
    return str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)


def check_counts(lowest: float, name: str) -> None:
    """Raise DataError for numbers below 0 where counts are wanted."""
    if lowest < 0:
        raise DataError(
            f"target {name!r} goes down to {lowest:g}, expected counts or other numbers from 0 on for "
            "loss='poisson'; choose loss='squared'"
        )


@dataclass(frozen=True)
class TargetCoding:
    """Target values as class numbers 0..C-1 (int64) or as standardised numbers (float32), and back.

    Attributes:
        name: the target column.
        task: "classification" or "regression".
        classes: labels of their original type; code c stands for classes[c].
        mean, scale: of a regression target over the training rows, after its transformation.
        number_format: how text spells the numbers of a regression target; None for plainly.
        transformation: of a regression target before it is standardised.
    """

    name: str
    task: str
    classes: tuple[Label, ...] = ()
    mean: float = 0.0
    scale: float = 1.0
    number_format: str | None = None
    transformation: TargetTransformation = field(default_factory=TargetTransformation)

    @classmethod
    def fit(
        cls,
        table: pa.Table,
        schema: Schema,
        rows: np.ndarray | None = None,
        transformation: str = "none",
        *,
        shifted: bool = True,
    ) -> TargetCoding:
        """The coding of the schema's target, with its numbers from the training rows only.

        Args:
            table, schema: where the target is.
            rows: of training, all if None.
            transformation: of numbers: "none", "log", "log1p" or "yeo_johnson".
            shifted: whether numbers are coded less their mean and over their deviation; else over their mean.

        Raises:
            DataError: for numbers that the transformation, or a coding over the mean, does not take.
        """
        require_columns(table, [schema.target], "as the target")
        if schema.task == "classification":
            return cls(schema.target, schema.task, schema.classes)
        column = table[schema.target] if rows is None else table[schema.target].take(pa.array(rows))
        number_format = schema[schema.target].number_format
        values = numbers(plain_column(column), schema.target, number_format)
        if not shifted:
            check_counts(float(values.min()), schema.target)
            return cls(schema.target, schema.task, scale=float(values.mean()), number_format=number_format)
        fitted = TargetTransformation.fit(transformation, values, schema.target)
        mapped = fitted.forward(values)
        scale = float(mapped.std()) or 1.0
        return cls(schema.target, schema.task, (), float(mapped.mean()), scale, number_format, fitted)

    @property
    def n_outputs(self) -> int:
        """C for classification, 1 for regression."""
        return len(self.classes) or 1

    def encode(self, target: Any) -> np.ndarray:
        """Codes of a table's target column or of an array of values.

        Shapes: (B,) -> int64 (B,) for classes, float32 (B,) for numbers.

        Raises:
            DataError: for a missing target, a class that training did not have, or text for a number.
        """
        if self.task == "regression":
            mapped = self.transformation.forward(self._numbers(target))
            return ((mapped - self.mean) / self.scale).astype(np.float32)
        return self._encode_classes(self._present(target))

    def truth(self, target: Any) -> np.ndarray:
        """What scores compare with: class codes, or numbers as they are, of a table's target column or an array.

        Shapes: (B,) -> int64 (B,) for classes, float64 (B,) for numbers.
        """
        return self._numbers(target) if self.task == "regression" else self.encode(target)

    def _numbers(self, target: Any) -> np.ndarray:
        return numbers(self._present(target), self.name, self.number_format)

    def _present(self, target: Any) -> pa.ChunkedArray:
        column = plain_column(self._column(target))
        if column.null_count:
            raise DataError(
                f"target {self.name!r} is missing in {column.null_count} of {len(column)} rows, expected "
                "a value in every row; drop these rows"
            )
        return column

    def _column(self, target: Any) -> pa.ChunkedArray:
        if isinstance(target, pa.Table):
            require_columns(target, [self.name], "as the target")
            return target[self.name]
        if isinstance(target, pa.ChunkedArray):
            return target
        try:
            return pa.chunked_array([pa.array(target)])
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise DataError(
                f"target {self.name!r} is not one value a row ({error}), expected shape (B,); flatten it"
            ) from None

    def _encode_classes(self, column: pa.ChunkedArray) -> np.ndarray:
        labels = pa.array(self.classes)
        try:
            known = column.cast(labels.type)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            column, known, labels = (
                column.cast(pa.string()),
                column.cast(pa.string()),
                labels.cast(pa.string()),
            )
        codes = pc.index_in(known, value_set=labels)
        if codes.null_count:
            stranger = column.filter(pc.is_null(codes))[0].as_py()
            shown = ", ".join(repr(label) for label in self.classes[:6])
            raise DataError(f"target {self.name!r} has the class {stranger!r}, expected one of {shown}; drop such rows")
        return np.asarray(codes.to_numpy()).astype(np.int64)

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Labels of class numbers, or numbers in the target's own unit (float64)."""
        if self.task == "classification":
            return np.asarray(np.array(self.classes)[np.asarray(codes)])
        return self.transformation.inverse(np.asarray(codes, dtype=np.float64) * self.scale + self.mean)

    def expect(self, codes: np.ndarray, residuals: Sequence[float] = ()) -> np.ndarray:
        """Means of numbers whose codes are known up to residuals, in the target's own unit.

        The inverse of a transformation takes means to other than means, so that it is averaged over the residuals
        of rows whose truth is known ("smearing").

        Shapes: codes (B,), residuals (K,) -> float64 (B,).

        Source: Duan 1983, Journal of the American Statistical Association 78, 605.
        """
        codes = np.asarray(codes, dtype=np.float64)
        if not len(residuals):
            return self.decode(codes)
        total = np.zeros(len(codes))
        for residual in residuals:
            total += self.decode(codes + residual)
        return total / len(residuals)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, versioned: 1 without a transformation, 2 with one."""
        fields: dict[str, Any] = {"name": self.name, "task": self.task, "classes": list(self.classes)}
        fields |= {"mean": self.mean, "scale": self.scale, "number_format": self.number_format}
        if self.transformation.kind == "none":
            return {"format": "qloom-target", "version": 1, **fields}
        return {"format": "qloom-target", "version": 2, **fields, "transformation": asdict(self.transformation)}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> TargetCoding:
        """The coding that `to_json` wrote.

        Raises:
            ArtifactError: for a record of another format or version, or a damaged one.
        """
        transformed = isinstance(record, Mapping) and "transformation" in record
        fields = read_record(record, "qloom-target", 2 if transformed else 1)
        try:
            map_of = TargetTransformation(**fields.pop("transformation", {}))
            return cls(**{**fields, "classes": tuple(fields["classes"])}, transformation=map_of)
        except (KeyError, TypeError) as error:
            raise ArtifactError(
                f"the target record is damaged ({error}), expected the fields of version 1; save it again"
            ) from None
