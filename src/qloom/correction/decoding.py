"""Detectors to logical outcomes: minimum-weight perfect matching, plain and with correlations, and Chromobius.

PyMatching takes correlations into account only if it is told so when the graph is made *and* when it decodes. Of
errors with the same detectors it keeps the logical operators of the first, so `merged` brings these together before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np

from qloom.extras import package

# Detectors that are sampled and decoded at once, as bits: 8 MB.
_CHUNK_BITS = 1 << 26

Decode = Callable[[np.ndarray], np.ndarray]
Symptoms = tuple[tuple[int, ...], ...]
Flips = tuple[int, ...]


def merged(model: Any) -> Any:
    """A flattened stim.DetectorErrorModel with one error for each set of parts, and one set of flips for each part.

    Parts are what `^` separates. Where errors have the same detectors but flip other logical operators, a decoder by
    matching sees one edge: it gets the flips that are likelier, and the probability of an odd number of these errors.
    """
    stim = package("stim", "a code's circuit", "correction")
    flat = model.flattened()
    errors = [(op.args_copy()[0], _parts(op)) for op in flat if op.type == "error"]
    flips = _likelier_flips(errors)
    if all(flips[detectors] == observables for _, parts in errors for detectors, observables in parts):
        return flat
    probabilities: dict[Symptoms, float] = {}
    for p, parts in errors:
        symptoms = tuple(sorted(detectors for detectors, _ in parts))
        probabilities[symptoms] = _either(probabilities.get(symptoms, 0.0), p)
    out = stim.DetectorErrorModel()
    for symptoms, p in probabilities.items():
        out.append("error", p, _targets(stim, [(detectors, flips[detectors]) for detectors in symptoms]))
    for op in flat:
        if op.type != "error":
            out.append(op)
    return out


def _parts(op: Any) -> list[tuple[tuple[int, ...], Flips]]:
    """Detectors and logical operators of each part of an error."""
    parts: list[tuple[set[int], set[int]]] = [(set(), set())]
    for target in op.targets_copy():
        if target.is_separator():
            parts.append((set(), set()))
        else:
            parts[-1][not target.is_relative_detector_id()].add(target.val)
    return [(tuple(sorted(detectors)), tuple(sorted(observables))) for detectors, observables in parts]


def _likelier_flips(errors: list[tuple[float, list[tuple[tuple[int, ...], Flips]]]]) -> dict[tuple[int, ...], Flips]:
    """Of every part, the logical operators that it flips with the largest probability."""
    found: dict[tuple[int, ...], dict[Flips, float]] = defaultdict(dict)
    for p, parts in errors:
        for detectors, observables in parts:
            of_part = found[detectors]
            of_part[observables] = _either(of_part.get(observables, 0.0), p)
    return {detectors: max(choices, key=choices.__getitem__) for detectors, choices in found.items()}


def _either(p: float, q: float) -> float:
    """Probability that one of two independent events happens and not both."""
    return p * (1 - q) + q * (1 - p)


def _targets(stim: Any, parts: list[tuple[tuple[int, ...], Flips]]) -> list[Any]:
    targets: list[Any] = []
    for detectors, observables in parts:
        if targets:
            targets.append(stim.target_separator())
        targets += [stim.target_relative_detector_id(k) for k in detectors]
        targets += [stim.target_logical_observable_id(k) for k in observables]
    return targets


def matching(model: Any, correlated: bool) -> Decode:
    """Decodes detectors (B, D/8) bytes to logical flips (B, L/8) bytes, bits packed from the lowest."""
    pymatching = package("pymatching", "decoding by matching", "correction")
    graph = pymatching.Matching.from_detector_error_model(merged(model), enable_correlations=correlated)

    def decode(detectors: np.ndarray) -> np.ndarray:
        return graph.decode_batch(  # type: ignore[no-any-return]
            detectors, bit_packed_shots=True, bit_packed_predictions=True, enable_correlations=correlated
        )

    return decode


def color_matching(model: Any) -> Decode:
    """The same for color codes, whose data errors change three detectors: Chromobius matches on a Moebius strip."""
    chromobius = package("chromobius", "decoding of color codes", "correction")
    return chromobius.compile_decoder_for_dem(model).predict_obs_flips_from_dets_bit_packed  # type: ignore[no-any-return]


def count_errors(circuit: Any, decode: Decode, shots: int, seed: int | None) -> int:
    """Shots whose logical outcome a decoder gets wrong.

    A seed gives the same shots again on machines of one instruction set; parts have sizes that depend on the circuit
    alone.
    """
    sampler = circuit.compile_detector_sampler(seed=seed)
    most = max(1, _CHUNK_BITS // max(1, circuit.num_detectors))
    errors = 0
    for first in range(0, shots, most):
        count = min(most, shots - first)
        detectors, flips = sampler.sample(count, separate_observables=True, bit_packed=True)
        errors += int((decode(detectors) != flips).any(axis=1).sum())
    return errors
