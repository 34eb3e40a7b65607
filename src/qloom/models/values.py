"""What estimators are made of as plain JSON values and arrays, and back: no code, no pickle.

JSON has numbers, text, lists and null; all else is an object that says what it `is`. Arrays stand beside the record, by
the place they were found at. Estimators are made again by name: those that `qloom.models` exports, and some parts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from inspect import signature
from math import isfinite
from typing import Any

import numpy as np

from qloom.circuits import Circuit
from qloom.engines.choice import EngineChoice, choose_engine
from qloom.errors import UnsupportedError

# Beside estimators: searches, and parts of scikit-learn that predict by their documented attributes alone.
PARTS = {
    "MemeticAnnealing": "qloom.combinatorial",
    "MemeticTabu": "qloom.combinatorial",
    "ParallelTempering": "qloom.combinatorial",
    "SimulatedAnnealing": "qloom.combinatorial",
    "SimulatedBifurcation": "qloom.combinatorial",
    "SimulatedQuantumAnnealing": "qloom.combinatorial",
    "TabuSearch": "qloom.combinatorial",
    "FunctionTransformer": "sklearn.preprocessing",
    "LogisticRegression": "sklearn.linear_model",
    "MinMaxScaler": "sklearn.preprocessing",
    "Pipeline": "sklearn.pipeline",
    "StandardScaler": "sklearn.preprocessing",
}

Arrays = dict[str, np.ndarray]


def encode(value: Any, place: str, arrays: Arrays) -> Any:
    """JSON values of a value; its arrays are added to `arrays`.

    Raises:
        UnsupportedError: for what cannot be written down.
    """
    if value is None or type(value) in (bool, int, str) or (type(value) is float and isfinite(value)):
        return value
    if type(value) is list:
        return [encode(entry, f"{place}.{k}", arrays) for k, entry in enumerate(value)]
    for kind, (fits, write, _) in KINDS.items():
        if fits(value):
            return {"is": kind, **write(value, place, arrays)}
    raise UnsupportedError(
        f"{place} is a {type(value).__name__}, which cannot be saved, expected numbers, text, arrays, circuits and "
        "estimators of qloom"
    )


def decode(record: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """What `encode` was given; KeyError, TypeError or ValueError for anything else."""
    if isinstance(record, list):
        return [decode(entry, arrays) for entry in record]
    if not isinstance(record, dict):
        return record
    return KINDS[record["is"]][2](record, arrays)


def class_named(name: Any) -> type:
    """The class of an estimator or part; KeyError where none has the name."""
    models = import_module("qloom.models")
    found: Any = getattr(models if name in models.__all__ else import_module(PARTS[name]), name)
    if not isinstance(found, type):
        raise KeyError(name)
    return found


def is_known(value: Any) -> bool:
    """Whether an object's class is found by its name."""
    try:
        return class_named(type(value).__name__) is type(value)
    except KeyError:
        return False


# -- arrays and scalars


def _write_array(value: np.ndarray, place: str, arrays: Arrays) -> dict[str, Any]:
    if value.dtype.kind in "OU":
        listed = [encode(entry, f"{place}.{k}", arrays) for k, entry in enumerate(value.ravel().tolist())]
        return {"dtype": value.dtype.str, "shape": list(value.shape), "values": listed}
    if value.dtype.kind not in "biuf":
        raise UnsupportedError(f"{place} holds {value.dtype}, which cannot be saved, expected numbers or text")
    arrays[place] = np.asarray(value, value.dtype.newbyteorder("="), order="C")
    # The order matters to the last bit: sums of products run along it.
    by_column = value.flags.f_contiguous and not value.flags.c_contiguous
    return {"at": place, "dtype": value.dtype.str} | ({"order": "F"} if by_column else {})


def _read_array(record: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    if "at" in record:
        return np.array(arrays[record["at"]], record["dtype"], order=record.get("order", "C"))
    made = np.empty(len(record["values"]), record["dtype"])
    made[:] = [decode(entry, arrays) for entry in record["values"]]
    return made.reshape(record["shape"])


def _write_random_state(value: np.random.RandomState, place: str, arrays: Arrays) -> dict[str, Any]:
    return {"state": encode(value.get_state(legacy=False), place, arrays)}


def _read_random_state(record: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> np.random.RandomState:
    made = np.random.RandomState()
    made.set_state(decode(record["state"], arrays))
    return made


def _write_dict(value: dict, place: str, arrays: Arrays) -> dict[str, Any]:
    return {"items": [[encode(k, place, arrays), encode(v, f"{place}.{k}", arrays)] for k, v in value.items()]}


# -- estimators


def _write_estimator(value: Any, place: str, arrays: Arrays) -> dict[str, Any]:
    return {"class": type(value).__name__, **estimator_record(value, f"{place}.", arrays)}


def _read_estimator(record: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Any:
    return estimator_of(class_named(record["class"]), record, arrays)


def estimator_record(estimator: Any, prefix: str, arrays: Arrays) -> dict[str, Any]:
    """What an estimator was made with, and what it learnt."""
    made_with = {name: getattr(estimator, name) for name in signature(type(estimator)).parameters}
    learnt = estimator.learnt() if hasattr(estimator, "learnt") else _documented(estimator)
    return {
        "parameters": {name: encode(value, prefix + name, arrays) for name, value in made_with.items()},
        "learnt": {name: encode(value, prefix + name, arrays) for name, value in sorted(learnt.items())},
    }


def _documented(part: Any) -> dict[str, Any]:
    """What a part of scikit-learn learnt, by the names its documentation has."""
    return {name: v for name, v in vars(part).items() if name.endswith("_") and not name.startswith("_")}


def estimator_of(cls: type, record: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Any:
    """The estimator of such a record."""
    made: Any = cls(**{name: decode(value, arrays) for name, value in record["parameters"].items()})
    learnt = {name: decode(value, arrays) for name, value in record["learnt"].items()}
    if hasattr(made, "put_back"):
        made.put_back(learnt)
        return made
    for name, value in learnt.items():
        setattr(made, name, value)
    # Parts work on arrays, whatever scikit-learn's outputs are set to.
    return made.set_output(transform="default") if hasattr(made, "set_output") else made


Write = Callable[[Any, str, Arrays], dict[str, Any]]
Read = Callable[[Mapping[str, Any], Mapping[str, np.ndarray]], Any]

# What a value is -> whether one is, how it is written, how it is read.
KINDS: dict[str, tuple[Callable[[Any], bool], Write, Read]] = {
    "float": (lambda v: type(v) is float, lambda v, *_: {"value": str(v)}, lambda r, _: float(r["value"])),
    "scalar": (
        lambda v: isinstance(v, np.generic),
        lambda v, place, arrays: _write_array(np.asarray(v), place, arrays),
        lambda r, arrays: _read_array(r, arrays)[()],
    ),
    "array": (lambda v: isinstance(v, np.ndarray), _write_array, _read_array),
    "tuple": (
        lambda v: type(v) is tuple,
        lambda v, place, arrays: {"values": encode(list(v), place, arrays)},
        lambda r, arrays: tuple(decode(r["values"], arrays)),
    ),
    "dict": (
        lambda v: type(v) is dict,
        _write_dict,
        lambda r, arrays: {decode(k, arrays): decode(v, arrays) for k, v in r["items"]},
    ),
    "random_state": (lambda v: isinstance(v, np.random.RandomState), _write_random_state, _read_random_state),
    "circuit": (
        lambda v: isinstance(v, Circuit),
        lambda v, *_: {"text": v.to_json()},
        lambda r, _: Circuit.from_json(r["text"]),
    ),
    "engine": (
        lambda v: isinstance(v, EngineChoice),
        lambda v, place, arrays: {"settings": encode(v.values(), place, arrays)},
        lambda r, arrays: choose_engine(decode(r["settings"], arrays)),
    ),
    "estimator": (is_known, _write_estimator, _read_estimator),
}  # fmt: skip
