"""Lowering against dense matrices: fusion and the choice between frames."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import qloom as ql
from qloom.engines.statevector import Program, lower, lower_states
from qloom.observables import PauliSum
from qloom.programs.masks import unpack
from tests.circuits.strategies import circuits, random_values


def simulate(program: Program, inputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Expectation values of a program for one sample, from dense matrices and the program's own listing."""
    n, state = program.n_qubits, np.eye(1, 2**program.n_qubits, dtype=complex)[0]
    slots = {"number": np.zeros(1), "input": inputs, "weight": weights}
    for rotation in (r for one in program.passes for r in one.rotations):
        a = rotation.angle
        turned = a.scale * slots[a.source][a.index] + a.offset + rotation.turn
        generator = PauliSum({rotation.word: 1.0}).matrix(n)
        state = np.cos(turned / 2) * state - 1j * np.sin(turned / 2) * (generator @ state)
    values = np.zeros(program.n_outputs)
    t = program.terms
    for coefficient, x, z, output in zip(t.coefficient, unpack(t.x), unpack(t.z), t.output, strict=True):
        values[output] += coefficient * np.vdot(state, PauliSum({(x, z): 1.0}).matrix(n) @ state).real
    return values


@settings(max_examples=60)
@given(circuits(max_qubits=3), st.integers(0, 2**32 - 1))
def test_program_means_what_the_circuit_does(circuit, seed):
    n = circuit.n_qubits
    inputs, weights = random_values(circuit, 1, seed)
    observables = [0.5 * ql.X(0) - ql.Y(n - 1), ql.Z(0) @ ql.Z(n - 1) + 2]
    expected = ql.expectation(circuit, observables, inputs, weights, engine=ql.engines.ReferenceEngine())[0]
    np.testing.assert_allclose(simulate(lower(circuit, observables), inputs[0], weights), expected, atol=1e-10)


@settings(max_examples=60)
@given(circuits(max_qubits=4))
def test_passes_commute_within(circuit):
    from qloom.observables import words_commute

    for program in (lower(circuit, [ql.Z(0)]), lower_states(circuit)):
        for one in program.passes:
            words = [r.word for r in one.rotations]
            assert {word[0] for word in words} == {one.x}
            assert all(words_commute(a, b) for a in words for b in words)
            assert one.shared == all(r.angle.source != "input" for r in one.rotations)


def test_entangling_layers_fuse():
    """W1: RY inputs, then per layer one diagonal pass and n RY; CNOTs and RZ that no Z feels cost nothing."""
    n, layers = 8, 4
    circuit = ql.encoders.angle(n) + ql.ansatze.strongly_entangling(n, layers)
    program = lower(circuit, [ql.Z(q) for q in range(n)])
    assert len(program.passes) == n + layers * (n + 1)


def test_qaoa_keeps_its_diagonal():
    """Hadamards in the frame would turn 3-regular cost layers into 12 passes; the monomial frame keeps one each."""
    n, edges = 8, [(q, (q + 1) % 8) for q in range(8)] + [(q, q + 4) for q in range(4)]
    circuit = ql.Circuit(n)
    gamma, beta = circuit.weights(2), circuit.weights(2)
    for q in range(n):
        circuit.h(q)
    for layer in range(2):
        for a, b in edges:
            circuit.rzz(gamma[layer], a, b)
        for q in range(n):
            circuit.rx(2 * beta[layer], q)
    program = lower(circuit, [ql.Z(a) @ ql.Z(b) for a, b in edges])
    assert program.frame.monomial
    assert sum(p.x == 0 for p in program.passes) == 2
    assert len(program.passes) == n + 2 * (1 + n)


def test_clifford_circuit_has_no_rotations():
    circuit = ql.Circuit(3).h(0).cx(0, 1).cx(1, 2).s(2).rx(np.pi / 2, 0).rz(-np.pi, 1)
    program = lower(circuit, [ql.X(0) @ ql.X(1) @ ql.X(2)])
    assert program.n_rotations == 0


def test_program_prints_readably():
    circuit = ql.Circuit(2)
    x, w = circuit.inputs(1), circuit.weights(1)
    circuit.ry(2 * x[0], 0).ry(-0.25, 0).cx(0, 1).rz(w[0] + 0.5, 1)
    text = str(lower(circuit, [ql.Z(1) - 0.5 * ql.X(1)]))
    for part in ("2 qubits", "2*x[0], then -0.25", "w[0]+0.5", "Y.", "ZZ", "output 0", "-0.5"):
        assert part in text


def test_wide_registers_lower_like_narrow_ones():
    """The same gates spread over 100 qubits give the same program on those qubits."""
    places = [3, 20, 63, 64, 99]
    narrow = ql.encoders.angle(5) + ql.ansatze.strongly_entangling(5, 2)
    narrow.h(0).crz(0.3, 1, 2).s(3).rxx(0.1, 4, 0)
    program = lower(narrow, [ql.Z(0) @ ql.X(3)])
    wide = lower(ql.Circuit(100).compose(narrow, places), [ql.Z(3) @ ql.X(64)])
    spread = lambda mask: sum(1 << place for q, place in enumerate(places) if mask >> q & 1)  # noqa: E731
    for ours, theirs in ((program.rotations, wide.rotations), (program.terms, wide.terms)):
        for part in ("x", "z"):
            assert unpack(getattr(theirs, part)) == list(map(spread, unpack(getattr(ours, part))))
    for name in ("source", "index", "scale", "offset"):
        np.testing.assert_array_equal(getattr(wide.rotations, name), getattr(program.rotations, name))
    np.testing.assert_array_equal(wide.turns, program.turns)
    np.testing.assert_array_equal(wide.starts, program.starts)


def test_a_gates_angles_are_scaled_once_more():
    circuit = ql.Circuit(2)
    w = circuit.weights(1)
    circuit.crz(3 * w[0] + 0.5, 0, 1)
    angles = {r.word: r.angle for one in lower_states(circuit).passes for r in one.rotations}
    assert angles == {(0, 2): 1.5 * w[0] + 0.25, (0, 3): -1.5 * w[0] - 0.25}
