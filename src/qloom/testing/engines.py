"""The contract of an engine: it gives what the reference engine gives, and does what its class says of it."""

from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from qloom.circuits import GATES
from qloom.circuits.circuit import Circuit
from qloom.engines import (
    Batch,
    Engine,
    Expectations,
    FinalState,
    Outputs,
    Probabilities,
    ReferenceEngine,
    Shots,
    make_batch,
)
from qloom.errors import CircuitError, MemoryLimitError, UnsupportedError
from qloom.gradients import prepare_gradient
from qloom.observables import X, Y, Z

TOLERANCE = {np.dtype(np.float64): 1e-10, np.dtype(np.float32): 1e-5}
# Estimates may be off by so many standard errors: of 1,000 of them, one such in 500,000 runs.
SIGMAS = 6


def check_engine(engine: Engine, circuit: Circuit, observables: Any, inputs: Any, weights: Any) -> None:
    """Values, probabilities and (where it keeps them) states equal the reference engine's.

    The tolerance is 1e-10 in float64 and 1e-5 in float32, relative to the sum of an observable's coefficients.

    Args:
        engine: under test.
        circuit: with slots for the arrays.
        observables: Pauli sums.

    Shapes: inputs (B, I), weights (W,) or (B, W).

    Raises:
        AssertionError: where they differ.
    """
    batch, reference = make_batch(circuit, inputs, weights), ReferenceEngine()
    exact = make_batch(circuit, batch.inputs.astype(np.float64), batch.weights.astype(np.float64))
    tolerance = TOLERANCE[batch.dtype]
    scale = max([1.0, *(sum(map(abs, o.terms.values())) for o in observables)])
    asked: list[tuple[Any, float]] = [(Expectations(tuple(observables)), tolerance * scale)]
    asked += [(Probabilities(q), tolerance) for q in _subsets(circuit.n_qubits)]
    asked.append((FinalState(circuit.n_qubits), tolerance))
    states = reference.prepare(circuit, FinalState(circuit.n_qubits)).values(exact).view(complex)
    for outputs, bound in asked:
        if outputs.kind not in engine.gives:
            continue
        mine = engine.prepare(circuit, outputs).values(batch)
        assert mine.dtype == batch.dtype, f"{outputs.kind} are {mine.dtype}, expected {batch.dtype}"
        truth = np.array([outputs.checked(circuit).of_state(state) for state in states]).reshape(len(states), -1)
        np.testing.assert_allclose(mine, truth, rtol=0, atol=bound, err_msg=outputs.kind)


def _subsets(n_qubits: int) -> list[tuple[int, ...]]:
    everything = tuple(range(n_qubits))
    return [everything, everything[::-1], everything[::2], everything[-1:]]


class EngineContract:
    """Tests that the author of an engine inherits: subclass as `TestMyEngine` and give `make_engine`.

    Exact engines are held to the reference engine's values, others to SIGMAS of the standard errors they state.
    """

    def make_engine(self) -> Engine:
        """The engine under test; random numbers seeded."""
        raise NotImplementedError

    def circuit(self) -> Circuit:
        """Three qubits, inputs and weights, entangled."""
        circuit = Circuit(3)
        x, w = circuit.inputs(2), circuit.weights(3)
        circuit.ry(x[0], 0).rx(0.7 * x[1], 1).h(2).cx(0, 1).rzz(w[0], 1, 2).ry(w[1], 2).cz(0, 2).rx(w[2], 0)
        return circuit

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Inputs (B, I) and weights (W,)."""
        random = np.random.default_rng(0)
        return random.uniform(-2, 2, (5, 2)), random.uniform(-2, 2, 3)

    def outputs(self, engine: Engine) -> list[Outputs]:
        """One of each kind that is given."""
        words = (Z(0), X(0) @ Y(2) - 0.5 * Z(1) + 0.25)
        known = [Expectations(words), Probabilities((2, 0)), FinalState(3)]
        return [outputs for outputs in known if outputs.kind in engine.gives]

    def batch(self) -> Batch:
        """`arrays` as a checked batch of `circuit`."""
        return make_batch(self.circuit(), *self.arrays())

    def test_values_are_the_reference_engines(self) -> None:
        """Values, and an estimate without errors if and only if the engine is exact."""
        engine, batch = self.make_engine(), self.batch()
        assert self.outputs(engine), f"{engine!r} gives {engine.gives}, none of the known kinds"
        for outputs in self.outputs(engine):
            estimate = engine.prepare(self.circuit(), outputs).estimate(batch)
            truth = ReferenceEngine().prepare(self.circuit(), outputs).values(batch)
            assert estimate.values.shape == estimate.errors.shape == truth.shape
            assert engine.is_exact == (not estimate.errors.any())
            assert estimate.runs >= batch.size
            off = np.abs(estimate.values - truth)
            assert (off <= SIGMAS * estimate.errors + 1e-10).all(), f"{outputs.kind} off by {off.max()}"

    def test_what_is_not_given_is_refused(self) -> None:
        """Outputs that `gives` does not list raise UnsupportedError when they are prepared."""
        engine = self.make_engine()
        for outputs in (Expectations((Z(0),)), Probabilities((0,)), FinalState(3)):
            if outputs.kind not in engine.gives:
                _raises(UnsupportedError, engine.prepare, self.circuit(), outputs)

    def test_what_does_not_run_is_refused(self) -> None:
        """Circuits with gates of a kind that `runs` does not list raise UnsupportedError when they are prepared."""
        engine = self.make_engine()
        for name in ("measure", "reset"):
            if GATES[name].kind not in engine.runs:
                circuit = self.circuit().append(name, (), (1,))
                for outputs in self.outputs(engine):
                    _raises(UnsupportedError, engine.prepare, circuit, outputs)

    def test_derivatives_are_the_reference_engines(self) -> None:
        """By inputs and weights, against central differences of the reference engine.

        Where values are drawn it is the mean of 32 derivatives that is compared.
        """
        engine, batch = self.make_engine(), self.batch()
        for outputs in self.outputs(engine):
            if not outputs.is_measured and outputs.kind not in engine.walks_back:
                continue
            cotangents = np.random.default_rng(1).normal(size=(batch.size, outputs.size))
            truth = prepare_gradient(self.circuit(), outputs, ReferenceEngine(), "finite-difference")
            right = truth.backward(batch, cotangents, None, (True, True))
            evaluator = prepare_gradient(self.circuit(), outputs, engine)
            rounds = 1 if engine.is_exact else 32
            for which, expected in enumerate(right):
                drawn = [evaluator.backward(batch, cotangents, None, (True, True))[which] for _ in range(rounds)]
                found = np.array(drawn, float)
                error = 0.0 if rounds == 1 else found.std(axis=0, ddof=1) / np.sqrt(rounds)
                off = np.abs(found.mean(axis=0) - expected)
                # Errors that are themselves estimated from 32 rounds: wider by a half than SIGMAS.
                assert (off <= 1.5 * SIGMAS * error + 1e-6).all(), f"{outputs.kind} off by {off.max()}"

    def test_it_is_measured(self) -> None:
        """Estimates from 2,000 shots are within SIGMAS of their errors, of exact engines that give probabilities."""
        engine, batch = self.make_engine(), self.batch()
        if not engine.is_exact or "probabilities" not in engine.gives:
            return
        for outputs in self.outputs(engine):
            if outputs.is_measured:
                shots = Shots(engine, 2000, 0)
                estimate = shots.prepare(self.circuit(), outputs).estimate(batch)
                truth = ReferenceEngine().prepare(self.circuit(), outputs).values(batch)
                assert (np.abs(estimate.values - truth) <= SIGMAS * estimate.errors + 1e-3).all(), outputs.kind
                assert estimate.shots >= 2000 * batch.size

    def test_threads_do_not_disturb_each_other(self) -> None:
        """Sixteen calls of an evaluator from four threads give what one call gives, of exact engines."""
        engine, batch = self.make_engine(), self.batch()
        if not engine.is_exact:
            return
        evaluator = engine.prepare(self.circuit(), self.outputs(engine)[0])
        alone = evaluator.values(batch)
        with ThreadPoolExecutor(4) as pool:
            for values in pool.map(lambda _: evaluator.values(batch), range(16)):
                np.testing.assert_array_equal(values, alone)

    def test_no_samples_give_no_values(self) -> None:
        """A batch of no samples gives values (0, O)."""
        engine, (inputs, weights) = self.make_engine(), self.arrays()
        for outputs in self.outputs(engine):
            values = engine.prepare(self.circuit(), outputs).values(make_batch(self.circuit(), inputs[:0], weights))
            assert values.shape == (0, outputs.size)

    def test_values_may_be_asked_for_later_and_again(self) -> None:
        """What `submit` gives has one result, however often it is asked for, and then is done."""
        engine, batch = self.make_engine(), self.batch()
        pending = engine.prepare(self.circuit(), self.outputs(engine)[0]).submit(batch)
        first = pending.result()
        assert pending.is_done()
        np.testing.assert_array_equal(pending.result(), first)

    def test_random_numbers_are_taken_out_and_put_back(self) -> None:
        """A stream that is put back gives the same values again; two calls, and two copies, give different ones.

        Exact engines say that they are deterministic.
        """
        engine, batch = self.make_engine(), self.batch()
        evaluator = engine.prepare(self.circuit(), self.outputs(engine)[0])
        if engine.is_exact:
            assert evaluator.deterministic
            return
        assert evaluator.stream is not None
        state = evaluator.stream.state
        first, second = evaluator.values(batch), evaluator.values(batch)
        assert not np.array_equal(first, second)
        evaluator.stream.state = state
        np.testing.assert_array_equal(evaluator.values(batch), first)
        twin = copy.deepcopy(engine).prepare(self.circuit(), self.outputs(engine)[0])
        assert not np.array_equal(twin.values(batch), evaluator.values(batch))

    def test_states_too_large_are_refused_before_they_are_made(self) -> None:
        """A state of 60 qubits raises MemoryLimitError or CircuitError."""
        engine = self.make_engine()
        if "state" not in engine.gives:
            return
        wide = Circuit(60)
        for q in range(60):
            wide.ry(0.3, q)
        empty = make_batch(wide)
        _raises((MemoryLimitError, CircuitError), lambda: engine.prepare(wide, FinalState(60)).values(empty))


def _raises(errors: Any, call: Any, *args: Any) -> None:
    try:
        call(*args)
    except errors:
        return
    raise AssertionError(f"{call} raised nothing, expected {errors}")
