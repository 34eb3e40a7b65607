"""The target of a stream on its way: classes and their rows, or the moments of its numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qloom.data.cells import numbers
from qloom.data.schema import Label, Schema
from qloom.data.streams.levels import MOST_LEVELS
from qloom.data.streams.moments import Moments
from qloom.data.streams.summaries import Range
from qloom.data.target import TargetCoding, check_counts, check_varies, classes_of
from qloom.data.target_transformation import TargetTransformation, check_domain
from qloom.errors import DataError


class PassingTarget(ABC):
    """What is learnt of the target."""

    @abstractmethod
    def read(self, cells: pa.ChunkedArray) -> Any:
        """Plain cells without missing ones; DataError for one that cannot be learnt from."""

    @abstractmethod
    def update(self, read: Any, training: np.ndarray) -> None:
        """Take in a block. Shapes: (B,), (B,) of booleans."""

    @abstractmethod
    def classes(self) -> tuple[Label, ...]:
        """Of all rows; none for numbers. DataError for a target that cannot be learnt from."""

    @abstractmethod
    def coding(self, schema: Schema) -> TargetCoding:
        """From the training rows."""


class PassingClasses(PassingTarget):
    """Classes with the rows of each, exact."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._counts: dict[Label, int] = {}

    def read(self, cells: pa.ChunkedArray) -> Any:
        return pc.value_counts(cells)

    def update(self, read: Any, training: np.ndarray) -> None:
        for label, count in zip(read.field(0).to_pylist(), read.field(1).to_pylist(), strict=True):
            self._counts[label] = self._counts.get(label, 0) + count
        if len(self._counts) > MOST_LEVELS:
            raise DataError(
                f"target {self._name!r} has over {MOST_LEVELS:,} classes, expected fewer; use task='regression' for "
                "numbers or choose another target"
            )

    def classes(self) -> tuple[Label, ...]:
        return classes_of(self._counts, self._name)

    def coding(self, schema: Schema) -> TargetCoding:
        return TargetCoding(schema.target, schema.task, schema.classes)


class PassingTargetNumbers(PassingTarget):
    """Numbers, and the moments of what they are mapped to.

    Args:
        schema: with the target.
        sample: training values of the sample, which the power of a transformation is found from, (B,).
        transformation, shifted: as `TargetCoding.fit` takes them.
    """

    def __init__(self, schema: Schema, sample: pa.ChunkedArray, transformation: str, shifted: bool) -> None:
        self._name, self._format, self._shifted = schema.target, schema[schema.target].number_format, shifted
        self._map = TargetTransformation()
        if transformation != "none" and shifted:
            fitted = TargetTransformation.fit(transformation, self.read(sample), self._name)
            self._map = replace(fitted, low=-np.inf, high=np.inf)
        self._moments, self._training, self._all = Moments(), Range(), Range()

    def read(self, cells: pa.ChunkedArray) -> np.ndarray:
        values = numbers(cells, self._name, self._format)
        if len(values):
            check_domain(self._map.kind, float(values.min()), self._name)
            if not self._shifted:
                check_counts(float(values.min()), self._name)
        return values

    def update(self, read: np.ndarray, training: np.ndarray) -> None:
        self._all.update(read)
        self._training.update(read[training])
        self._moments.update(self._map.forward(read[training]))

    def classes(self) -> tuple[Label, ...]:
        check_varies(self._all.low, self._all.high, self._name)
        return ()

    def coding(self, schema: Schema) -> TargetCoding:
        mean, scale = self._moments.mean, self._moments.deviation or 1.0
        if not self._shifted:
            return TargetCoding(schema.target, schema.task, scale=mean, number_format=self._format)
        fitted = self._map
        if fitted.kind != "none":
            fitted = replace(fitted, low=self._training.low, high=self._training.high)
        return TargetCoding(schema.target, schema.task, (), mean, scale, self._format, fitted)
