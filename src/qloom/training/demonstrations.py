"""Real tables that scikit-learn carries, for a first run without a file or a network."""

from __future__ import annotations

import pyarrow as pa

from qloom.errors import DataError

PREFIX = "demo:"
# Name, also of scikit-learn's loader, and target.
_TABLES = {"breast_cancer": "diagnosis", "wine": "cultivar", "diabetes": "progression"}


def demonstration_target(source: str) -> str:
    """The target column of a demonstration such as "demo:wine"."""
    return _TABLES[_find(source)]


def demonstration_table(source: str) -> pa.Table:
    """The table of a demonstration, its classes by name."""
    from sklearn import datasets  # two seconds of imports that a table of the user's own does without

    name = _find(source)
    bunch, target = getattr(datasets, f"load_{name}")(), _TABLES[name]
    columns = {str(name).replace(" ", "_"): bunch.data[:, i] for i, name in enumerate(bunch.feature_names)}
    names = getattr(bunch, "target_names", None)
    values = bunch.target if names is None else [str(names[code]) for code in bunch.target]
    return pa.table({**columns, target: values})


def _find(source: str) -> str:
    name = source.removeprefix(PREFIX)
    if name not in _TABLES:
        raise DataError(f"no demonstration {source!r}, expected one of {', '.join(PREFIX + name for name in _TABLES)}")
    return name
