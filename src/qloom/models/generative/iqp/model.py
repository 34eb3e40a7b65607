"""IQP circuits as generative models of bits, trained at any width by the maximum mean discrepancy."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, Self

import numpy as np
import torch
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from qloom.checks import checked_count, is_integer
from qloom.circuits import Circuit
from qloom.circuits.operations import Operation
from qloom.engines.batch import check_memory
from qloom.errors import ConfigError, DataError, ShapeError, UnsupportedError
from qloom.fitting import Training, cosine
from qloom.models.generative.base import (
    GenerativeModel,
    check_few_enough,
    checked_samples,
    drawn_rows,
    marginal_of,
)
from qloom.models.generative.iqp.bit_flips import BitFlips
from qloom.models.generative.iqp.circuit import IQPCircuit, PairProduct, make_circuit
from qloom.models.generative.iqp.exact import probabilities, wide_moments
from qloom.models.generative.iqp.gates import gate_sets
from qloom.models.generative.iqp.marginals import drawn_marginal
from qloom.models.generative.iqp.start import first_angles, start_best
from qloom.models.generative.iqp.training import Draws, drawn_discrepancy, exact_discrepancy, word_discrepancies
from qloom.models.generative.packed import PackedRows
from qloom.models.generative.words import (
    MOST_EXACT,
    MOST_SAMPLED,
    Words,
    checked_bits,
    checked_width,
    exact_mmd,
    median_width,
    outcomes_of,
    walsh,
    word_weights,
)
from qloom.models.threads import torch_threads

# Batches by which the scale of first angles is chosen.
_TRIALS = 5
# Words, and strings for each, of one piece of an estimate.
_PIECE = 1000


class IQPModel(GenerativeModel):
    """H^n prod_g exp(i theta_g Z_g) H^n |0..0>, measured in Z: a distribution over bits, trained at any width.

    Its moments <Z_S> are means of cosines over uniform strings, so that the discrepancy to data can be estimated
    without bias, and trained, for a thousand qubits. Rows can only be drawn up to 26 qubits; beyond that `circuit` and
    `to_qasm` are what a quantum computer would run.

    Args:
        n_qubits: bits; None for those of the rows.
        gates: "pairs" for all gates on one qubit and on two, an integer k for all on up to k qubits, or a list of
            tuples of qubits, as `neighbours` gives for a graph.
        symmetric: start from (|0..0> + |1..1>) / sqrt(2): strings and their opposites are equally likely.
        coherent: False for the classical model in which each gate flips its qubits together with probability
            sin^2 theta; the control that has as many parameters.
        widths: of the Gaussian kernels trained by; None for 1, 1/2 and 1/4 of the median distance of two rows.
        n_steps: of Adam.
        learning_rate: of Adam in the first step; it falls to a fiftieth along half a cosine. None for 0.03 / sqrt(n): a
            bit's mean suffers from the jitter of all n angles that it meets.
        n_operators: words of Z drawn a step.
        n_strings: strings drawn a step.
        exact: train by the discrepancy itself, from all 2^n amplitudes; up to 20 qubits.
        pair_scale: of the first angles of gates on two qubits, over the covariances of the rows' bits; None for the one
            of seven, 0.1 to 1, with the least discrepancy on the first draws. Gates on one qubit begin with
            arcsin sqrt(mean), all others with 0.
        random_state: seed.

    Attributes:
        angles_: theta in radians, float64 (G,), in the order of `gate_list()`.
        widths_: of the kernels trained by.
        losses_: estimates of the squared discrepancy at every step, (n_steps,).

    Raises:
        DataError: in `fit`, for a single row, or what is no row of bits.
        ConfigError, CircuitError: in `fit`, for gates or numbers that cannot be.

    Source: Recio-Armengol and others 2025, arXiv:2503.02934. For gates on one and two qubits one product of couplings
    and signs serves all words.
    """

    angles_: np.ndarray

    def __init__(
        self, n_qubits: int | None = None, gates: Any = "pairs", symmetric: bool = False, coherent: bool = True,
        widths: Sequence[float] | None = None, n_steps: int = 1000, learning_rate: float | None = None,
        n_operators: int = 1000, n_strings: int = 1000, exact: bool = False,
        pair_scale: float | None = None,
        random_state: Any = 0,
    ):  # fmt: skip
        self.n_qubits = n_qubits
        self.gates = gates
        self.symmetric = symmetric
        self.coherent = coherent
        self.widths = widths
        self.n_steps = n_steps
        self.learning_rate = learning_rate
        self.n_operators = n_operators
        self.n_strings = n_strings
        self.exact = exact
        self.pair_scale = pair_scale
        self.random_state = random_state

    # -- training

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn from rows of bits. Shapes: X (N, n) of 0 and 1, N at least 2; y is not used."""
        training = self.begin_fit(X)
        # Arrays of 2^n numbers are done before a second thread wakes up; products (n, n) are not.
        with torch_threads(1) if self.exact else nullcontext():
            training.run()
        self.end_fit(training)
        return self

    def begin_fit(self, X: Any) -> Training:
        """The training of `fit` before its first step."""
        bits = checked_bits(X, self.n_qubits)
        if len(bits) < 2:
            raise DataError("X has 1 row, expected two or more: a discrepancy cannot be estimated from one")
        self.n_features_in_ = bits.shape[1]
        self.widths_ = self._widths(bits)
        for name in ("n_operators", "n_strings", "n_steps"):
            checked_count(name, getattr(self, name), 0 if name == "n_steps" else 2)
        self.angles_ = first_angles(self._gates(), bits, self.pair_scale or 0.0)
        circuit = self._circuit(torch.float64 if self.exact else torch.float32)
        generator = np.random.default_rng(check_random_state(self.random_state).randint(2**31 - 1))
        objective: Any = drawn_discrepancy(len(bits))
        batches: Any
        if self.exact:
            check_few_enough("IQPModel(exact=True)", self.n_features_in_)
            objective, batches = exact_discrepancy(bits, self.widths_), [None]
        else:
            batches = Draws(circuit, bits, self.widths_, self.n_operators, self.n_strings, generator)
        if self.pair_scale is None:
            trials = batches if self.exact else [batches(0)[0] for _ in range(_TRIALS)]
            start_best(circuit, bits, objective, trials)
        first = 0.03 / np.sqrt(self.n_features_in_) if self.learning_rate is None else self.learning_rate
        return Training(
            circuit, objective, batches, torch.optim.Adam(circuit.parameters(), first, fused=True),
            epochs=self.n_steps, rate=cosine(first, self.n_steps), random=[generator], seed=None,
        )  # fmt: skip

    def end_fit(self, training: Training) -> None:
        """What `fit` does after the last step."""
        self.losses_ = np.array(training.losses)
        self.angles_ = training.module.state_dict()["weights"].double().numpy().copy()

    def _widths(self, bits: np.ndarray) -> list[float]:
        if self.widths is not None:
            widths = np.atleast_1d(np.asarray(self.widths, dtype=object)).tolist()
            if not widths:
                raise ConfigError("widths is empty, expected one number above 0 or more")
            return [checked_width(width) for width in widths]
        median = median_width(bits)
        return [median, median / 2, median / 4]

    def set_angles(self, theta: Any) -> Self:
        """Take these angles, in the order of `gate_list()`; a model that was not fitted needs n_qubits.

        Shapes: theta (G,) in radians.

        Raises:
            ShapeError: for other numbers of angles than gates.
            ConfigError: for a model that was not fitted without n_qubits.
        """
        if not hasattr(self, "n_features_in_"):
            if not is_integer(self.n_qubits):
                raise ConfigError(f"n_qubits={self.n_qubits!r}, expected a number of qubits before angles are set")
            self.n_features_in_ = checked_count("n_qubits", self.n_qubits)
        n_gates, theta = len(self._gates()), np.asarray(theta, np.float64)
        if theta.shape != (n_gates,) or not np.isfinite(theta).all():
            raise ShapeError(f"theta has shape {theta.shape}, expected ({n_gates},) finite angles, one a gate")
        self.angles_ = theta.copy()
        return self

    # -- the circuit

    def gate_list(self) -> list[tuple[int, ...]]:
        """The qubits of every gate, in the order of the angles."""
        return list(self._gates())

    def circuit(self) -> Circuit:
        """The trained circuit; gates are rotations by numbers."""
        check_is_fitted(self)
        self._check_coherent("circuit")
        circuit = Circuit(self.n_features_in_)
        if self.symmetric:
            circuit.h(0)
            for qubit in range(1, self.n_features_in_):
                circuit.cx(qubit - 1, qubit)
        for qubit in range(self.n_features_in_):
            circuit.h(qubit)
        for angle, gate in zip(self.angles_.tolist(), self._gates(), strict=True):
            circuit.pauli_rotation(-2 * angle, "Z" * len(gate), gate)
        for qubit in range(self.n_features_in_):
            circuit.h(qubit)
        return circuit

    def to_qasm(self) -> str:
        """The trained circuit as OpenQASM 2, with measurements: to draw rows where registers are wider than ours."""
        n = self.n_features_in_
        head = ["OPENQASM 2.0;", 'include "qelib1.inc";', f"qreg q[{n}];", f"creg c[{n}];"]
        body = [line for operation in self.circuit().operations for line in _in_qasm(operation)]
        return "\n".join([*head, *body, "measure q -> c;", ""])

    def _gates(self) -> Words:
        return gate_sets(self.n_features_in_, self.gates)

    def _circuit(self, dtype: torch.dtype = torch.float64) -> IQPCircuit:
        make = make_circuit if self.coherent else BitFlips
        circuit = make(self._gates(), self.symmetric, dtype)
        circuit.weights.data = torch.from_numpy(self.angles_).to(dtype)
        return circuit

    def _check_coherent(self, what: str) -> None:
        if not self.coherent:
            raise UnsupportedError(f"a model with coherent=False has no {what}, expected coherent=True")

    # -- questions

    def _every_moment(self) -> np.ndarray:
        """Of every word, exact, float64 (2^n,)."""
        check_is_fitted(self)
        check_few_enough("all 2^n moments", self.n_features_in_)
        with torch.no_grad():
            return self._circuit().every_moment().numpy()  # type: ignore[no-any-return]

    def probabilities(self) -> np.ndarray:
        """Of every outcome, float64 (2^n,), of up to 20 qubits; qubit 0 is the most significant bit."""
        moments = self._every_moment()
        return walsh(moments) / len(moments)  # type: ignore[no-any-return]

    def sample(self, n_samples: int = 1, random_state: Any = None) -> np.ndarray:
        """Rows of bits, uint8 (n_samples, n), of up to 26 qubits.

        Raises:
            UnsupportedError: for wider circuits; `moments`, `marginal` and `score_samples` have no such limit.
        """
        check_is_fitted(self)
        if not self.coherent:
            start = np.zeros((checked_samples(n_samples), self.n_features_in_), np.uint8)
            draws = np.random.default_rng(check_random_state(random_state).randint(2**31 - 1))
            if self.symmetric:
                start ^= draws.integers(0, 2, (n_samples, 1), np.uint8)
            return BitFlips.flipped(self._circuit(), start, draws)  # type: ignore[arg-type]
        if self.n_features_in_ > MOST_SAMPLED:
            raise UnsupportedError(
                f"sample of {self.n_features_in_} qubits, expected at most {MOST_SAMPLED}; ask for moments, marginal "
                "or score_samples, which have no such limit, or run to_qasm() on a quantum computer"
            )
        check_memory(64 << self.n_features_in_, f"a sample of {self.n_features_in_} qubits")
        shares = probabilities(self._gates(), torch.from_numpy(self.angles_), self.symmetric).numpy()
        return drawn_rows(shares, n_samples, random_state)

    def moments(self, operators: Any, exact: bool = False, n_strings: int = 10_000) -> np.ndarray:
        """Means of products of (-1)^x over the bits of each operator: <Z_S>.

        Args:
            operators: tuples of qubits.
            exact: of up to 20 qubits in all, or of up to 20 an operator where gates act on one and two. Otherwise they
                are means over drawn strings, with a standard error of at most 1 / sqrt(n_strings).
            n_strings: drawn.

        Shapes: A operators -> float64 (A,).

        Raises:
            UnsupportedError: for `exact` where it is not to be had.
        """
        words = self._words(operators)
        if not exact or not self.coherent:
            return self.estimate(words, n_strings)[0]
        if self.n_features_in_ <= MOST_EXACT:
            return self._every_moment()[words.masks()]  # type: ignore[no-any-return]
        if np.diff(self._gates().starts).max() > 2:
            raise UnsupportedError(
                f"exact moments of {self.n_features_in_} qubits with gates on three or more, expected up to "
                f"{MOST_EXACT} qubits, or gates on one and two; ask for exact=False"
            )
        circuit = PairProduct(self._gates(), self.symmetric, torch.float64)
        linear, couplings = circuit.couplings(torch.from_numpy(self.angles_))
        return wide_moments(words, linear.numpy(), couplings.numpy(), self.symmetric)

    def estimate(self, operators: Any, n_strings: int = 10_000, random_state: Any = 0) -> tuple[np.ndarray, np.ndarray]:
        """Moments over drawn strings, and their standard errors; of a model without coherence exact ones, errors of 0.

        Args:
            operators: tuples of qubits.
            n_strings: drawn.
            random_state: seed.

        Shapes: A operators -> float64 (A,), (A,).
        """
        words, n_strings = self._words(operators), checked_count("n_strings", n_strings, 2)
        means, squares = self._drawn(words, n_strings, check_random_state(random_state))
        spread = np.clip(squares - means**2, 0, None)
        return means, np.sqrt(spread / (n_strings - 1))

    def _drawn(self, words: Words, n_strings: int, random: np.random.RandomState) -> tuple[np.ndarray, np.ndarray]:
        """Means of words over one draw of strings, and of the cosines' squares, a piece of words at a time."""
        circuit, found = self._circuit(), np.empty((2, len(words)))
        with torch.no_grad():
            strings = circuit.strings(n_strings, np.random.default_rng(random.randint(2**31 - 1)))
            for first in range(0, len(words), _PIECE):
                means, squares = circuit.means(words.part(first, first + _PIECE), strings)
                found[:, first : first + _PIECE] = means, squares
        return found[0], found[1]

    def mmd(
        self, X: Any, width: float | None = None, n_operators: int = 20_000, n_strings: int = 1000,
        with_error: bool = False, random_state: Any = 0,
    ) -> Any:  # fmt: skip
        """The squared maximum mean discrepancy to the distribution that rows were drawn from, without bias.

        Exact over words and strings up to 20 qubits; else estimated from pieces of 1,000 words with own strings.

        Args:
            width: of the Gaussian kernel; None for the median distance of two rows.
            n_operators, n_strings: words and strings drawn.
            with_error: give the standard error of the estimate too, 0 where it is exact.
            random_state: seed of the draws.

        Shapes: X (N, n), at least two rows -> a number, or two.
        """
        bits = self._bits(X)
        width = median_width(bits) if width is None else checked_width(width)
        if self.n_features_in_ <= MOST_EXACT:
            value, error = exact_mmd(self.probabilities(), bits, width), 0.0
        else:
            value, error = self._estimated_mmd(bits, width, n_operators, n_strings, check_random_state(random_state))
        return (value, error) if with_error else value

    def _estimated_mmd(
        self, bits: np.ndarray, width: float, n_operators: int, n_strings: int, random: np.random.RandomState
    ) -> tuple[float, float]:
        rows, pieces = PackedRows(bits), []
        generator = np.random.default_rng(random.randint(2**31 - 1))
        for _ in range(max(2, checked_count("n_operators", n_operators) // _PIECE)):
            words = Words.drawn(self.n_features_in_, width, _PIECE, generator)
            q, squares = self._drawn(words, checked_count("n_strings", n_strings, 2), random)
            pieces.append(np.mean(word_discrepancies(q, squares, n_strings, rows.means(words), rows.n_rows)))
        return float(np.mean(pieces)), float(np.std(pieces, ddof=1) / np.sqrt(len(pieces)))

    def score_samples(self, X: Any, n_operators: int = 10_000, n_strings: int = 4000) -> np.ndarray:
        """How near rows are to the model: the mean kernel with its rows, averaged over the widths trained by.

        Low values are anomalies. From -1 to 1 at most; estimated from drawn words and strings, the same for all rows,
        and exact up to 20 qubits.

        Args:
            n_operators, n_strings: words and strings drawn.

        Shapes: X (N, n) -> (N,).
        """
        bits, n, widths = self._bits(X), self.n_features_in_, getattr(self, "widths_", self.widths)
        if widths is None:
            raise UnsupportedError("score_samples needs kernel widths, expected a fitted model or widths=")
        if n <= MOST_EXACT:
            shares = np.mean([word_weights(n, width) for width in widths], axis=0)
            return walsh(shares * self._every_moment())[outcomes_of(bits)]  # type: ignore[no-any-return]
        generator = np.random.default_rng(0)
        words = Words.joined([Words.drawn(n, width, n_operators // len(widths), generator) for width in widths])
        means = self._drawn(words, n_strings, check_random_state(0))[0]
        scores = np.zeros(len(bits))
        for first in range(0, len(words), _PIECE):
            part = words.part(first, first + _PIECE)
            odd = (bits.astype(np.float32) @ part.matrix().T.astype(np.float32)) % 2
            scores += (1 - 2 * odd) @ means[first : first + _PIECE]
        return scores / len(words)

    def marginal(self, qubits: Sequence[int], exact: bool = False, n_strings: int = 200) -> np.ndarray:
        """The distribution of up to 20 of the bits, whatever the width, float64 (2^k,); the first is most significant.

        Args:
            qubits: which.
            exact: from the exact moments of every subset, of up to 12 qubits where there are more than 20 in all.
                Otherwise the mean over drawn strings of the others of what is exact given these: probabilities that
                add up to 1, without bias.
            n_strings: drawn.
        """
        if exact or not self.coherent or self.n_features_in_ <= MOST_EXACT:
            most = MOST_EXACT if self.n_features_in_ <= MOST_EXACT else 12
            return marginal_of(self, self._places(qubits, most, "; ask for exact=False"), exact=True)
        places = self._places(qubits, MOST_EXACT, "; ask for moments")
        random = np.random.default_rng(0)
        return drawn_marginal(self._gates(), self.angles_, places, self.symmetric, n_strings, random)


def _in_qasm(operation: Operation) -> list[str]:
    """H and CX as they are; a turn about Z..Z by parities into the last qubit, a turn of that, and back."""
    gate, qubits = operation.gate.name, operation.qubits
    if gate != "pauli_rotation":
        return [f"{gate} {','.join(f'q[{q}]' for q in qubits)};"]
    down = [f"cx q[{a}],q[{b}];" for a, b in itertools.pairwise(qubits)]
    return [*down, f"rz({operation.angles[0].offset!r}) q[{qubits[-1]}];", *reversed(down)]
