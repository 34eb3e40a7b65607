"""Real tables that scikit-learn carries, for a first run without a file or a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

from qloom.errors import DataError

PREFIX = "demo:"
_TABLES: dict[str, tuple[Callable[..., Any], str]] = {
    "breast_cancer": (load_breast_cancer, "diagnosis"),
    "wine": (load_wine, "cultivar"),
    "diabetes": (load_diabetes, "progression"),
}


def demonstration_target(source: str) -> str:
    """The target column of a demonstration such as "demo:wine"."""
    return _find(source)[1]


def demonstration_table(source: str) -> pa.Table:
    """The table of a demonstration, its classes by name."""
    load, target = _find(source)
    bunch = load()
    columns = {str(name).replace(" ", "_"): bunch.data[:, i] for i, name in enumerate(bunch.feature_names)}
    names = getattr(bunch, "target_names", None)
    values = bunch.target if names is None else [str(names[code]) for code in bunch.target]
    return pa.table({**columns, target: values})


def _find(source: str) -> tuple[Callable[..., Any], str]:
    name = source.removeprefix(PREFIX)
    if name not in _TABLES:
        raise DataError(f"no demonstration {source!r}, expected one of {', '.join(PREFIX + name for name in _TABLES)}")
    return _TABLES[name]
