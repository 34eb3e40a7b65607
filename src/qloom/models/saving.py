"""Estimators on disk: `save` into a folder, `load_model` from it, whatever it holds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from qloom.errors import ArtifactError, UnsupportedError
from qloom.models.artifact import read_arrays, reading, write_artifact
from qloom.models.values import Arrays, class_named, estimator_of, estimator_record, is_known

# Of every estimator: which weights of rows a pipeline hands on, and where it was last pickled.
_NOT_LEARNT = ("_metadata_request", "_sklearn_version")


class Saved:
    """An estimator that saves to and loads from a folder; what it was made with and what it learnt are all there is."""

    def learnt(self) -> dict[str, Any]:
        """What fitting learnt, by attribute, as values that can be written down."""
        left_out = {*self.get_params(deep=False), *_NOT_LEARNT}  # type: ignore[attr-defined]
        return {name: value for name, value in vars(self).items() if name not in left_out}

    def put_back(self, learnt: Mapping[str, Any]) -> None:
        """Put back into an unfitted estimator what `learnt` gave."""
        vars(self).update(learnt)

    def save(self, path: str | Path) -> Path:
        """Write model.json and weights.safetensors into the folder `path`; a model that is there is replaced.

        Raises:
            UnsupportedError: for a class that is not qloom's, or settings that cannot be written down.
        """
        from qloom import __version__

        check_is_fitted(self)
        name, arrays = type(self).__name__, Arrays()
        if not is_known(self):
            raise UnsupportedError(f"a {name} cannot be saved, expected an estimator of qloom.models")
        content = estimator_record(self, "", arrays)
        record = {"qloom": __version__, "estimator": name, "content_sha256": _sha256(content), **content}
        return write_artifact(path, record, arrays)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """The model that `save` or `qloom train` wrote; `path` is its folder or the run folder.

        Raises:
            ArtifactError: for a missing, damaged or foreign file, or a model of another kind.
        """
        record, arrays = read_arrays(path)
        if record.get("estimator") != cls.__name__:
            raise ArtifactError(f"{path} holds a {record.get('estimator')}, expected a {cls.__name__}; use load_model")
        return cls.restored(record, arrays, path)

    @classmethod
    def restored(cls, record: Mapping[str, Any], arrays: Mapping[str, np.ndarray], path: str | Path) -> Self:
        """The model of an artifact's record and arrays; `path` is only named in errors."""
        with reading(path):
            if record["content_sha256"] != _sha256({name: record[name] for name in ("parameters", "learnt")}):
                raise ValueError("its description is not what was written")
            made: Self = estimator_of(cls, record, arrays)
            return made


def load_model(path: str | Path) -> Any:
    """The model in a model or run folder, of whatever kind it is.

    Args:
        path: a folder that `save` or `qloom train` wrote.

    Raises:
        ArtifactError: for a missing, damaged or foreign file.
    """
    record, arrays = read_arrays(path)
    name = str(record.get("estimator"))
    try:
        restored = class_named(name).restored  # type: ignore[attr-defined]
    except (KeyError, AttributeError):
        what = f"{path} holds a {name!r}, expected an estimator of qloom.models"
        todo = "qloom predict reads baselines" if name == "Baseline" else "update qloom"
        raise ArtifactError(f"{what}; {todo}") from None
    return restored(record, arrays, path)


def _sha256(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
