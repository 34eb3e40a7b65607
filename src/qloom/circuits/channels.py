"""Channels of the gate table, and channels made on the fly: what noise does to a state.

Rates are probabilities unless they say otherwise. The p of `depolarizing` is the probability that an error happens, one
of the 4^k - 1 words but the identity with equal chances, as Cirq, Braket, PennyLane and Stim count. Aer and Qibo count
the mixture with the maximally mixed state, lambda = p 4^k / (4^k - 1).

Rates may be numbers or arrays, and complex where slopes are taken (`qloom.circuits.transfer`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from qloom.circuits.gate import Gate, Rate
from qloom.circuits.transfer import word_matrices, words
from qloom.errors import CircuitError

_TOLERANCE = 1e-9
# Of sums of rates, which may come in single precision.
_SUM_TOLERANCE = 1e-6
MOST_KRAUS_QUBITS = 4
MOST_DEPOLARIZED_QUBITS = 6
_RAISE = np.array([[0, 0], [1, 0]], complex)
_LOWER = _RAISE.T


def channel_entries() -> list[Gate]:
    """All entries of the table that are no gates, in the order of its listing."""
    flips = [
        _pauli_entry("bit_flip", "X with probability p", lambda p: _one_qubit(p, 0 * p, 0 * p)),
        _pauli_entry("phase_flip", "Z with probability p", lambda p: _one_qubit(0 * p, 0 * p, p)),
        _pauli_entry("bit_phase_flip", "Y with probability p", lambda p: _one_qubit(0 * p, p, 0 * p)),
        _depolarizing_entry(1),
        _pauli_channel_entry(1),
        _phase_damping(),
    ]
    damping = [_amplitude_damping(), _generalized_amplitude_damping(), _thermal_relaxation(), _reset_error()]
    return [*flips, *damping, _measure(), _reset(), _readout_error()]


# -- Pauli channels


def _pauli_entry(name: str, doc: str, pauli: Any, rates: tuple[Rate, ...] = (Rate("p"),), **facts: Any) -> Gate:
    n_qubits = facts.pop("n_qubits", 1)

    def kraus(*values: Any) -> np.ndarray:
        return np.sqrt(pauli(*map(np.asarray, values)))[:, None, None] * word_matrices(n_qubits)

    return Gate(
        name, n_qubits, len(rates), doc, kind=facts.pop("kind", "channel"), kraus=facts.pop("kraus", kraus),
        pauli=lambda *values: pauli(*map(np.asarray, values)), rates=rates, **facts,
    )  # fmt: skip


def _one_qubit(x: Any, y: Any, z: Any) -> np.ndarray:
    return np.stack(np.broadcast_arrays(_rest(x, y, z), x, y, z), axis=-1)


def _rest(*rates: Any) -> np.ndarray:
    """What rates leave of 1, not below 0; slopes by them stay."""
    rest = 1 - sum(map(np.asarray, rates))
    return np.asarray(rest - np.minimum(np.real(rest), 0))


def _depolarizing_entry(n_qubits: int) -> Gate:
    n_words = 4**n_qubits

    def pauli(p: np.ndarray) -> np.ndarray:
        return np.concatenate(
            [(1 - p)[..., None], np.repeat((p / (n_words - 1))[..., None], n_words - 1, axis=-1)], axis=-1
        )

    doc = f"one of the {n_words - 1} words but the identity, with probability p in all"
    return _pauli_entry("depolarizing", doc, pauli, n_qubits=n_qubits, data=None if n_qubits == 1 else n_qubits)


def _pauli_channel_entry(n_qubits: int) -> Gate:
    def pauli(*probabilities: np.ndarray) -> np.ndarray:
        return np.stack(np.broadcast_arrays(_rest(*probabilities), *probabilities), axis=-1)

    rates = tuple(Rate(f"p of {word}") for word in words(n_qubits)[1:])
    doc = "words at random, each but the identity with a probability of its own"
    return _pauli_entry(
        "pauli_channel", doc, pauli, rates, n_qubits=n_qubits, data=None if n_qubits == 1 else n_qubits,
        joint=lambda *p: _at_most_one("the probabilities of a Pauli channel", *p),
    )  # fmt: skip


def _at_most_one(what: str, *rates: Any) -> str | None:
    largest = np.max(sum(map(np.asarray, rates)), initial=0.0)
    return f"{what} sum to {largest:.9g}, expected at most 1" if largest > 1 + _SUM_TOLERANCE else None


def _phase_damping() -> Gate:
    # Phase damping by g is a phase flip with probability (1 - sqrt(1 - g)) / 2.
    def pauli(g: np.ndarray) -> np.ndarray:
        p = (1 - np.sqrt(1 - g)) / 2
        return _one_qubit(0 * p, 0 * p, p)

    return _pauli_entry(
        "phase_damping", "loss of phase: coherences shrink by sqrt(1 - g)", pauli, (Rate("g"),),
        kraus=lambda g: np.array([np.diag([1, np.sqrt(1 - g)]), np.diag([0, np.sqrt(g)])]),
    )  # fmt: skip


def depolarizing_gate(n_qubits: int) -> Gate:
    """Depolarizing of k qubits together."""
    if not 1 <= n_qubits <= MOST_DEPOLARIZED_QUBITS:
        raise CircuitError(
            f"depolarizing got {n_qubits} qubits, expected 1 to {MOST_DEPOLARIZED_QUBITS}; the rate comes first, "
            "qubits after"
        )
    return CHANNELS["depolarizing"] if n_qubits == 1 else _depolarizing_entry(n_qubits)


def pauli_channel_gate(n_qubits: int) -> Gate:
    """The Pauli channel of one or two qubits."""
    if n_qubits not in (1, 2):
        raise CircuitError(f"pauli_channel on {n_qubits} qubits, expected 1 or 2; use kraus for more")
    return CHANNELS["pauli_channel"] if n_qubits == 1 else _pauli_channel_entry(n_qubits)


# -- relaxation


def _affine(x: Any, y: Any, z: Any, shift: Any) -> np.ndarray:
    """X, Y, Z shrink by these factors, and Z is shifted: (..., 4, 4)."""
    x, y, z, shift = np.broadcast_arrays(*map(np.asarray, (x, y, z, shift)))
    out = np.zeros((*x.shape, 4, 4), np.result_type(x, shift, float))
    out[..., 0, 0] = 1
    for k, factor in enumerate((x, y, z), 1):
        out[..., k, k] = factor
    out[..., 3, 0] = shift
    return out


def _shrunk(factor: Any, shift: Any) -> np.ndarray:
    return _affine(factor, factor, factor, shift)


def _amplitude_damping() -> Gate:
    return Gate(
        "amplitude_damping", 1, 1, "decay of |1> to |0> with probability g", kind="channel", rates=(Rate("g"),),
        kraus=lambda g: _decay(g, 0.0)[:2],
        transfer=lambda g: _affine(np.sqrt(1 - g), np.sqrt(1 - g), 1 - np.asarray(g), g),
    )  # fmt: skip


def _generalized_amplitude_damping() -> Gate:
    return Gate(
        "generalized_amplitude_damping", 1, 2,
        "decay with probability g towards a mixture that holds |1> with probability excited_population",
        kind="channel", rates=(Rate("g"), Rate("excited_population")), kraus=_decay,
        transfer=lambda g, e: _affine(np.sqrt(1 - g), np.sqrt(1 - g), 1 - np.asarray(g), g * (1 - 2 * np.asarray(e))),
    )  # fmt: skip


def _decay(g: Any, excited: Any) -> np.ndarray:
    down = np.array([np.diag([1, np.sqrt(1 - g)]), np.sqrt(g) * _LOWER])
    up = np.array([np.diag([np.sqrt(1 - g), 1]), np.sqrt(g) * _RAISE])
    return np.concatenate([np.sqrt(1 - excited) * down, np.sqrt(excited) * up])


def _thermal_relaxation() -> Gate:
    def factors(t1: Any, t2: Any, time: Any) -> tuple[Any, Any]:
        return np.exp(-np.asarray(time) / t1), np.exp(-np.asarray(time) / t2)

    def kraus(t1: Any, t2: Any, time: Any, excited: Any) -> np.ndarray:
        kept, coherence = factors(t1, t2, time)
        flips = (1 - coherence / np.sqrt(kept)) / 2 if kept else 0.0
        phases = [np.sqrt(1 - flips) * np.eye(2), np.sqrt(flips) * np.diag([1, -1])]
        return np.array([phase @ one for one in _decay(1 - kept, excited) for phase in phases])

    def transfer(t1: Any, t2: Any, time: Any, excited: Any) -> np.ndarray:
        kept, coherence = factors(t1, t2, time)
        return _affine(coherence, coherence, kept, (1 - kept) * (1 - 2 * np.asarray(excited)))

    return Gate(
        "thermal_relaxation", 1, 4,
        "relaxation of a qubit over a time, T1 and T2 in its unit, towards excited_population",
        kind="channel", kraus=kraus, transfer=transfer, joint=_relaxation_fault,
        rates=(Rate("T1", 1e-300, np.inf), Rate("T2", 1e-300, np.inf), Rate("time", 0, np.inf),
               Rate("excited_population")),
    )  # fmt: skip


def _relaxation_fault(t1: Any, t2: Any, time: Any, excited: Any) -> str | None:
    first, second = np.broadcast_arrays(t1, t2)
    wrong = np.flatnonzero(second > 2 * first * (1 + _TOLERANCE))
    if not wrong.size:
        return None
    a, b = first.flat[wrong[0]], second.flat[wrong[0]]
    return f"T2 is {b:.6g} and T1 {a:.6g}, expected T2 of at most 2 T1"


def _reset_error() -> Gate:
    def kraus(p0: Any, p1: Any) -> np.ndarray:
        zero, one = np.diag([1, 0j]), np.diag([0j, 1])
        kept = np.sqrt(_rest(p0, p1)) * np.eye(2)
        return np.array([kept, np.sqrt(p0) * zero, np.sqrt(p0) * _LOWER, np.sqrt(p1) * _RAISE, np.sqrt(p1) * one])

    return Gate(
        "reset_error", 1, 2, "reset to |0> with probability p0 and to |1> with probability p1", kind="channel",
        kraus=kraus, rates=(Rate("p0"), Rate("p1")), joint=lambda *p: _at_most_one("p0 and p1", *p),
        transfer=lambda p0, p1: _shrunk(1 - np.asarray(p0) - p1, np.asarray(p0) - p1),
    )  # fmt: skip


# -- measurements, resets, readout


def _measure() -> Gate:
    # A measurement whose outcome is forgotten is a phase flip in half of all cases.
    return _pauli_entry(
        "measure", "measurement of a qubit in the course of a circuit, as 0 or 1",
        lambda: np.array([0.5, 0, 0, 0.5]), (), kind="measurement",
        kraus=lambda: (np.diag([1, 0j]), np.diag([0j, 1])),
    )  # fmt: skip


def _reset() -> Gate:
    return Gate(
        "reset", 1, 0, "reset of a qubit to |0>", kind="reset",
        kraus=lambda: (np.array([[1, 0j], [0, 0]]), np.array([[0, 1 + 0j], [0, 0]])),
        transfer=lambda: _affine(0.0, 0.0, 0.0, 1.0),
    )  # fmt: skip


def _readout_error() -> Gate:
    def confusion(p1_given0: Any, p0_given1: Any) -> np.ndarray:
        a, b = np.broadcast_arrays(*map(np.asarray, (p1_given0, p0_given1)))
        return np.stack([np.stack([1 - a, b], axis=-1), np.stack([a, 1 - b], axis=-1)], axis=-2)

    return Gate(
        "readout_error", 1, 2, "what is measured is read wrongly: 0 as 1, and 1 as 0, with these probabilities",
        kind="readout", confusion=confusion, rates=(Rate("p1_given0"), Rate("p0_given1")),
    )  # fmt: skip


def confusion_gate(matrix: Any) -> Gate:
    """A joint readout error of k qubits.

    Args:
        matrix: (2^k, 2^k), from the true outcome (column) to the measured one (row); columns sum to 1.
    """
    m = _numbers("entries of a confusion matrix", matrix, float)
    n_qubits = (m.shape[0] if m.ndim else 0).bit_length() - 1
    if n_qubits < 1 or m.shape != (2**n_qubits, 2**n_qubits):
        raise CircuitError(f"confusion matrix has shape {m.shape}, expected (2^k, 2^k) for k qubits")
    if not (m >= 0).all() or np.abs(m.sum(axis=0) - 1).max() > _TOLERANCE:
        raise CircuitError(
            f"confusion matrix has columns that sum to {np.round(m.sum(axis=0), 6).tolist()} and a least entry of "
            f"{m.min():.3g}, expected probabilities that sum to 1 down each column"
        )
    doc = "what is measured together is read wrongly, as a matrix of probabilities says"
    # What was given, once as an array that is looked up and once as numbers that are compared and written.
    return Gate("confusion", n_qubits, 0, doc, kind="readout", confusion=lambda: m, data=_nested(m))


# -- Kraus operators of one's own


def kraus_gate(operators: Sequence[Any] | np.ndarray) -> Gate:
    """A channel by its Kraus operators, (K, 2^k, 2^k); CircuitError unless they preserve the trace."""
    made = _numbers("Kraus operators", operators, complex)
    n_qubits = (made.shape[-1] if made.ndim == 3 else 0).bit_length() - 1
    if not 1 <= n_qubits <= MOST_KRAUS_QUBITS or made.shape[1:] != (2**n_qubits, 2**n_qubits):
        raise CircuitError(
            f"Kraus operators of shape {made.shape}, expected (K, 2^k, 2^k) on at most {MOST_KRAUS_QUBITS} qubits"
        )
    off = np.abs(np.einsum("kab,kac->bc", made.conj(), made) - np.eye(2**n_qubits)).max()
    if not off <= _TOLERANCE:
        raise CircuitError(
            f"Kraus operators do not preserve the trace: sum of K^dagger K is off the identity by {off:.3g}, expected "
            f"at most {_TOLERANCE:g}"
        )
    return Gate(
        "kraus", n_qubits, 0, "a channel by its Kraus operators", kind="channel", kraus=lambda: made,
        data=_nested(np.stack([made.real, made.imag], axis=-1)),
    )  # fmt: skip


def kraus_from_data(data: Any) -> Gate:
    """Inverse of a Kraus gate's `data`."""
    return kraus_gate(np.asarray(data, float) @ [1, 1j])


def _numbers(what: str, given: Any, dtype: type) -> np.ndarray:
    """An array of a type, not the caller's own."""
    try:
        return np.array(given, dtype)
    except (TypeError, ValueError):
        raise CircuitError(
            f"{what} are a {type(given).__name__} of no array's shape, expected numbers in rows"
        ) from None


def _nested(array: np.ndarray) -> Any:
    """Numbers in tuples of tuples: hashable, and lists in JSON."""
    return tuple(map(_nested, array)) if array.ndim else float(array)


CHANNELS = {gate.name: gate for gate in channel_entries()}
