"""How a diagnosis is written: its lines, and what it advises."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import exp, inf, isnan, log, sqrt
from textwrap import fill
from typing import TYPE_CHECKING

from qloom.observables import PauliSum
from qloom.trainability.expressibility import Spectrum
from qloom.trainability.variance import STEEP, Decay, decay

if TYPE_CHECKING:
    from qloom.trainability.diagnosis import Diagnosis

# Gradients smaller than this are called small.
SMALL_GRADIENT = 1e-3
# Shares of a square that need no word.
SMALL_SHARE = 0.01
COLUMNS = 100


def describe(found: Diagnosis) -> str:
    """All of it, then the advice, the sentences in lines of at most 100 letters."""
    table, text = _gradients(found), [*_room(found), found.advice]
    wrapped = [fill(line, COLUMNS, subsequent_indent="  ", break_on_hyphens=False) for line in text]
    return "\n".join([*_what(found), *table, *wrapped])


def advise(found: Diagnosis) -> str:
    """What to do, in a sentence or a few."""
    said = _on_gradients(found), _on_cuts(found), _on_noise(found), _on_simulation(found)
    return " ".join(part for part in said if part)


# -- the lines


def _what(found: Diagnosis) -> list[str]:
    kept, turning = found.light_cone
    sizes = (_many(found.n_qubits, "qubit"), _many(found.n_inputs, "input"), _many(found.n_weights, "weight"))
    observables = f"{_many(len(found.observables), 'observable')} on up to {_many(found.locality, 'qubit')}"
    return [
        f"{', '.join(sizes)}; {kept} of {turning} that turn something have an effect on what is measured",
        f"{observables}: {_listed(found.observables)}",
    ]


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _listed(observables: Sequence[PauliSum]) -> str:
    """The first and the last of many."""
    shown = [_named(one) for one in observables]
    return ", ".join(shown if len(shown) <= 4 else [*shown[:2], "...", shown[-1]])


def _named(observable: PauliSum) -> str:
    """The observable, or how long a sum it is."""
    text = repr(observable)
    return text if len(text) <= 40 else f"a sum of {len(observable)} words"


def _gradients(found: Diagnosis) -> list[str]:
    """A table over widths, with what its rows lose from one qubit to the next."""
    rows: list[tuple[str, Sequence[float], Decay | None]] = [
        (f"variance at {_angles(found)}", found.variances, found.decay),
        (f"square from {found.start.label}", found.squares_at_start, found.decay_at_start),
    ]
    if any(found.cut_shares):
        rows.append(("share of the square cut away", found.cut_shares, None))
    if found.noisy_variances is not None:
        rows.insert(1, ("with noise", found.noisy_variances, _noisy_decay(found)))
    head = "gradients at random inputs" if found.n_inputs else "gradients"
    first = max(len(title) for title in (head, *(row[0] for row in rows)))
    columns = [_many(found.widths[0], "qubit"), *map(str, found.widths[1:])]
    lines = [f"{head:{first}}" + "".join(f"{column:>10}" for column in columns)]
    lines += [f"{title:{first}}" + "".join(map(_cell, values)) for title, values, _ in rows]
    if found.decay is None:
        return lines
    slopes = ["slope of ln a qubit", *(_slope(decay) for *_, decay in rows)]
    reference = f"{'random circuits, to compare':{len(lines[0])}}   {-log(2):+.3f}"
    return [*(f"{line}   {slope}" for line, slope in zip(lines, slopes, strict=True)), reference]


def _cell(value: float) -> str:
    return f"{'–':>10}" if isnan(value) else f"{value:>10.2e}"


def _noisy_decay(found: Diagnosis) -> Decay | None:
    """Of variances under noise, where there are two."""
    pairs = zip(found.widths, found.noisy_variances or (), strict=False)
    seen = [(width, variance) for width, variance in pairs if variance > 0]
    return decay(*zip(*seen, strict=True)) if len(seen) > 1 else None


def _on_cuts(found: Diagnosis) -> str:
    """What the numbers of wide circuits leave out."""
    cut = [(width, share) for width, share in zip(found.widths, found.cut_shares, strict=True) if share > SMALL_SHARE]
    if not cut:
        return ""
    width, share = cut[-1]
    return (
        f"On {_many(width, 'qubit')} {share:.0%} of the mean square of a value was not followed: variances there are "
        "of the rest, too small by as much or more. Pass engine=PropagationEngine(max_words=...) with more words."
    )


def _on_noise(found: Diagnosis) -> str:
    """What noise leaves of a gradient at the largest width that was looked at, and the plateau it makes with depth."""
    pairs = zip(found.widths, found.variances, found.noisy_variances or (), strict=False)
    seen = [(width, noisy / variance) for width, variance, noisy in pairs if noisy >= 0 and variance > 0]
    if not seen:
        return ""
    width, left = seen[-1]
    return (
        f"Noise leaves {sqrt(left):.0%} of a typical gradient on {_many(width, 'qubit')}. What noise takes it takes "
        "again with every layer, wherever training begins (Wang et al. 2021): fewer layers may train better."
    )


def _angles(found: Diagnosis) -> str:
    return "random angles" if found.spread is None else f"angles of deviation {found.spread:g}"


def _width(found: Diagnosis) -> str:
    return _many(found.widths[-1], "qubit")


def _slope(decay: Decay | None) -> str:
    if decay is None:
        return ""
    sure = f", 95% {decay.low:+.3f} to {decay.high:+.3f}" if decay.high < inf else ""
    return f"{decay.slope:+.3f}{sure}"


def _room(found: Diagnosis) -> Iterable[str]:
    """What takes more than one number: shots, and how much of the space of states there is to be had."""
    words = _number(4**found.n_qubits - 1)
    yield f"shots to see a typical gradient of each observable at {_angles(found)}: {found.shots:.2g} ({_width(found)})"
    yield f"Lie algebra: {_counted(*found.algebra)} of {words} directions"
    yield f"Pauli words that an observable turns into: {_counted(*found.words)} of {words}"
    if found.directions is not None:
        yield f"directions in which the weights move the state: {found.directions}"
    if found.effective_dimension is not None:
        share = found.effective_dimension / found.n_weights
        yield (
            f"effective dimension for {found.n_data} rows of data: {found.effective_dimension:.1f} of "
            f"{found.n_weights} weights ({share:.0%})"
        )
    if found.expressibility is not None and found.entangling_capability is not None:
        yield (
            f"expressibility: {found.expressibility:.3f} nats from random states; entanglement: "
            f"{abs(found.entangling_capability):.2f} of 1"
        )
    if found.spectrum is not None:
        yield _waves(found.spectrum)


def _number(count: int) -> str:
    return str(count) if count < 10**7 else f"{count:.1e}"


def _counted(count: int, complete: bool) -> str:
    return str(count) if complete else f"more than {count}"


def _waves(found: Spectrum, most: int = 8) -> str:
    """Those that are there, the first of many."""
    there = [(f, size) for f, size in zip(found.frequencies, found.sizes, strict=True) if size > 1e-9]
    shown = ", ".join(f"{frequency:.3g} ({size:.2g})" for frequency, size in there[:most])
    more = f" and {len(there) - most} more up to {there[-1][0]:.3g}" if len(there) > most else ""
    return (
        f"waves of input {found.input_index} in {_named(found.observable)}, sizes in brackets: {shown or 'none'}{more}"
    )


# -- the advice


def _on_gradients(found: Diagnosis) -> str:
    variance, decay = found.variances[-1], found.decay
    if variance == 0:
        return f"No weight changes {_these(found)}: measure other qubits, or entangle them."
    if decay is not None and decay.is_steep:
        return (
            f"Gradients lose a factor of {exp(-decay.slope):.1f} in variance with every qubit, so this circuit will "
            f"not train from {_angles(found)} at larger widths; {_start(found)}. {_cures(found)}; each of these also "
            "makes it easier to simulate classically."
        )
    if sqrt(variance) < SMALL_GRADIENT:
        return (
            f"Gradients are below {SMALL_GRADIENT} already on {_width(found)}: expect {found.shots:.1g} shots a "
            f"gradient, and train with exact values first; {_start(found)}."
        )
    large = f"Gradients are large enough to train by on {_width(found)}"
    if sqrt(found.squares_at_start[-1]) < SMALL_GRADIENT:
        label = found.start.label
        return f"{large} at {_angles(found)}, but below {SMALL_GRADIENT} from {label}: start with init='uniform'."
    if decay is None:
        return f"{large}."
    if decay.slope >= STEEP:
        return f"{large}, and no exponential decay was seen."
    if decay.exponential:
        return f"{large}; whether they decay exponentially is not sure yet: take more widths, or more samples."
    return f"{large}; their variance falls with qubits, rather as the power {decay.power:+.1f} than exponentially."


def _these(found: Diagnosis) -> str:
    return "this observable" if len(found.observables) == 1 else "these observables"


def _start(found: Diagnosis) -> str:
    """What the start makes of small gradients."""
    ratio, decay = found.squares_at_start[-1] / found.variances[-1], found.decay_at_start
    if ratio < 2:
        return f"{found.start.label} does not make them larger"
    larger = f"from {found.start.label} their squares are {ratio:.2g} times as large on {_width(found)}"
    if decay is not None and decay.is_steep:
        return f"{larger}, and lose a factor of {exp(-decay.slope):.1f} with every qubit"
    return f"{larger}, without exponential decay" if decay is not None and decay.slope >= STEEP else larger


def _cures(found: Diagnosis) -> str:
    """What is left to do, the start aside where it is near the identity or given."""
    others = "fewer layers or more local observables"
    if found.start.is_given:
        return f"Take {others}"
    return (
        f"Take identity blocks, {others}"
        if found.start.is_small
        else (f"Start near the identity (init='small', identity blocks), or take {others}")
    )


def _on_simulation(found: Diagnosis) -> str:
    """Few words, against the square of the qubits and against all there are."""
    count, complete = found.words
    few = complete and count <= min(8 * found.n_qubits**2, 4**found.n_qubits // 4)
    if not few or found.n_qubits <= 2 or found.variances[-1] == 0:
        return ""
    return f"An observable turns into no more than {count} Pauli words, so it can be simulated classically."
