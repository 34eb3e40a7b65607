"""A fitted hybrid estimator as plain JSON values, and back; the circuit is kept as it is, not built again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from torch import Tensor

from qloom.engines.choice import choose_engine
from qloom.models.tables.architecture import Architecture, build_network
from qloom.models.tables.served import restore_data


def describe_model(model: Any) -> dict[str, Any]:
    """All of a fitted estimator but its weights, as plain JSON values."""
    from qloom import __version__

    names = getattr(model, "feature_names_in_", None)
    options = {k: v for k, v in model.get_params().items() if k not in ("random_state", "start_from")}
    options["text_model"] = None if options["text_model"] is None else str(options["text_model"])
    return {
        "qloom": __version__,
        "estimator": type(model).__name__,
        "hyperparameters": options,
        "architecture": asdict(model.architecture_),
        "circuit": model.circuit_.to_json(),
        "engine": None if model.engine_ is None else model.engine_.values(),
        "observables": [[[x, z, c] for c, (x, z) in o] for o in model.observables_],
        "preprocessing": model.preprocessing_.to_json(),
        "target": model.coding_.to_json(),
        "readout": asdict(model.readout_),
        "n_features_in": getattr(model, "n_features_in_", None),
        "feature_names_in": None if names is None else list(names),
        "history": model.history_,
        "best_epoch": model.best_epoch_,
        "refit": model.refit_,
        "notes": getattr(model, "notes_", []),
    }


def restore_model(model: Any, record: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Put back into an estimator what `describe_model` gave, and its weights."""
    model.architecture_ = Architecture(**record["architecture"])
    restore_data(model, record)
    engine = choose_engine(record.get("engine")).engine()
    model.network_ = build_network(model.architecture_, model.circuit_, model.observables_, 0, engine)
    # Older files have no fingerprint beside the weights; the circuit they belong to came with them.
    model.network_.load_state_dict({**_fingerprints(model.network_), **tensors})
    model.network_.eval()
    for name in ("history", "best_epoch", "notes"):
        setattr(model, f"{name}_", record[name])
    model.refit_ = record.get("refit")
    if record["n_features_in"] is not None:
        model.n_features_in_ = record["n_features_in"]
    if record["feature_names_in"] is not None:
        model.feature_names_in_ = np.array(record["feature_names_in"], dtype=object)


def _fingerprints(network: Any) -> dict[str, Tensor]:
    return {name: value for name, value in network.state_dict().items() if name.endswith("_extra_state")}
