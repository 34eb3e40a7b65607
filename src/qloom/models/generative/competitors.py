"""The models that learn tables: what each is called, what it is made with, and what it is there for."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from inspect import signature
from typing import Any

import numpy as np
from sklearn.base import clone

from qloom.errors import ConfigError
from qloom.models.generative.words import MOST_EXACT, MOST_SAMPLED

# Steps whose time is taken before a training of counted steps.
_TRIED = 10


@dataclass(frozen=True)
class Competitor:
    """A model of tables.

    Attributes:
        name: on the command line, in files, and of its folder.
        title: for people.
        explanation: what it is there for.
        estimator: its class, one that `qloom.models` exports.
        settings: what it is made with.
        most_bits: that it can draw rows of; None for any number.
        steps: what its class calls the number of its steps, if it takes any.
    """

    name: str
    title: str
    explanation: str
    estimator: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    most_bits: int | None = None
    steps: str = "n_steps"

    def make(self, seed: int) -> Any:
        """The estimator, not yet fitted."""
        made: Any = getattr(import_module("qloom.models"), self.estimator)
        seeded = {"random_state": seed} if "random_state" in signature(made).parameters else {}
        return made(**self.settings, **seeded)

    def fit(self, bits: np.ndarray, seed: int, seconds: float | None = None) -> tuple[Any, bool]:
        """The fitted estimator, and whether its time was over before its training was.

        Args:
            bits: rows (N, n).
            seconds: for a training that takes steps; None for all of them. Models that only count take none.
        """
        model = self.make(seed)
        if seconds is not None and hasattr(model, "begin_fit"):
            return _fit_until(model, bits, time.perf_counter() + seconds)
        if seconds is not None and hasattr(model, self.steps):
            wanted = getattr(model, self.steps)
            n_steps = min(wanted, _steps_within(model, self.steps, bits, seconds))
            return model.set_params(**{self.steps: n_steps}).fit(bits), n_steps < wanted
        return model.fit(bits), False


def _fit_until(model: Any, bits: np.ndarray, end: float) -> tuple[Any, bool]:
    """Train by `fitting.Training` until its end or that of the time."""
    training = model.begin_fit(bits)
    training.stop = lambda losses: time.perf_counter() > end
    training.run()
    model.end_fit(training)
    return model, training.epoch < training.epochs


def _steps_within(model: Any, steps: str, bits: np.ndarray, seconds: float) -> int:
    """Steps that fit into a time, by what the first few take: rates that fall with the steps end where they should."""
    tried, start = min(getattr(model, steps), _TRIED), time.perf_counter()
    clone(model).set_params(**{steps: tried}).fit(bits)
    taken = time.perf_counter() - start
    return max(1, int(tried * (seconds - taken) / taken))


COMPETITORS: Mapping[str, Competitor] = {
    each.name: each
    for each in (
        Competitor(
            "iqp", "IQP circuit",
            "A circuit of commuting gates on all bits and pairs of bits, trained by the discrepancy of its rows.",
            "IQPModel", most_bits=MOST_SAMPLED,
        ),
        Competitor(
            "iqp-single", "IQP circuit without pair gates",
            "The same circuit with gates on single bits alone: do its pair gates matter?",
            "IQPModel", {"gates": 1}, most_bits=MOST_SAMPLED,
        ),
        Competitor(
            "bit-flips", "IQP circuit without coherence",
            "The same gates as bits that flip together at random, a classical model: does interference matter?",
            "IQPModel", {"coherent": False},
        ),
        Competitor(
            "chow-liu", "Chow-Liu tree",
            "Each bit depends on one other: what pairs along the best tree say.", "ChowLiuTree",
        ),
        Competitor(
            "qcbm", "Born machine",
            "A circuit along the Chow-Liu tree, from that tree's own distribution on: does a circuit add to pairs?",
            "QCBM", {"ansatz": "chow_liu", "n_layers": 2, "n_restarts": 1, "max_steps": 300}, most_bits=MOST_EXACT,
            steps="max_steps",
        ),
        Competitor(
            "rbm", "restricted Boltzmann machine",
            "Hidden units that all bits depend on: what a classical network learns.", "RestrictedBoltzmannMachine",
        ),
        Competitor(
            "independent", "independent bits",
            "Bits that know nothing of each other: is anything but the marginals learnt?", "IndependentBits",
        ),
    )
}  # fmt: skip
# Taken in this order where none is asked for: the first that can draw rows of so many bits.
USUAL = ("iqp", "chow-liu")
CONTROLS = ("chow-liu", "rbm", "independent")
# Of some models also themselves without what makes them.
OWN_CONTROLS = {"iqp": ("iqp-single", "bit-flips")}


def find_competitor(name: str) -> Competitor:
    """By its name.

    Raises:
        ConfigError: for a name that is none.
    """
    if name not in COMPETITORS:
        raise ConfigError(f"no model {name!r}, expected one of {', '.join(COMPETITORS)}; choose one of them")
    return COMPETITORS[name]


def controls_of(name: str) -> tuple[Competitor, ...]:
    """What a model is seen beside."""
    return tuple(COMPETITORS[each] for each in (*OWN_CONTROLS.get(name, ()), *CONTROLS) if each != name)
