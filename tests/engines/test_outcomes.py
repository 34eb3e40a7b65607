"""Classical bits: exactly, by counts, against density matrices that keep their bits, and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chisquare

import qloom as ql
from qloom.circuits import Circuit, condition_on, conditional_gate
from qloom.circuits.gate import Gate
from qloom.engines import DensityEngine, PropagationEngine
from qloom.errors import CircuitError, MemoryLimitError, UnsupportedError


def teleported(angle: float) -> Circuit:
    circuit = Circuit(3)
    circuit.ry(angle, 0).h(1).cx(1, 2).cx(0, 1).h(0).measure(0, 0).measure(1, 1)
    return circuit.when(1, 1, Circuit(3).x(2)).when(0, 1, Circuit(3).z(2)).ry(-angle, 2).measure(2, 2)


def test_teleportation():
    found = ql.distribution(teleported(0.7))
    assert found == pytest.approx({"000": 0.25, "010": 0.25, "100": 0.25, "110": 0.25})


def embedded(gate: Gate, angles: list[float], qubits: tuple[int, ...], n: int) -> list[np.ndarray]:
    """Kraus operators on all qubits."""
    out = []
    for operator in gate.operators(*angles):
        cube = np.asarray(operator).reshape([2] * (2 * len(qubits)))
        full = np.zeros((2**n, 2**n), complex)
        for column in range(2**n):
            state = np.zeros([2] * n, complex)
            state.flat[column] = 1
            k = len(qubits)
            moved = np.tensordot(cube, state, axes=(range(k, 2 * k), qubits))
            full[:, column] = np.moveaxis(moved, range(k), qubits).ravel()
        out.append(full)
    return out


def by_density_matrices(circuit: Circuit) -> dict[str, float]:
    """Unnormalized density matrices by bits, every operation in its textbook form."""
    n = circuit.n_qubits
    start = np.zeros((2**n, 2**n), complex)
    start[0, 0] = 1
    states = {0: start}
    for op in circuit.operations:
        gate, conditions = op.gate, []
        while gate.kind == "conditional":
            gate, condition = gate.data
            conditions.append(condition)
        operators = embedded(gate, [angle.offset for angle in op.angles], op.qubits, n)
        after: dict[int, np.ndarray] = {}
        for bits, rho in states.items():
            if not all(condition.holds(bits) for condition in conditions):
                after[bits] = after.get(bits, 0) + rho
                continue
            for outcome, operator in enumerate(operators):
                written = bits
                if gate.kind == "measurement" and gate.data is not None:
                    written = bits & ~(1 << gate.data) | outcome << gate.data
                after[written] = after.get(written, 0) + operator @ rho @ operator.conj().T
        states = after
    table = {format(bits, f"0{circuit.n_bits}b")[::-1]: np.trace(rho).real for bits, rho in states.items()}
    return {bits: p for bits, p in table.items() if p > 1e-13}


def random_dynamic(seed: int) -> Circuit:
    random = np.random.default_rng(seed)
    n, circuit = 3, Circuit(3)
    circuit.bits(3)
    for _ in range(22):
        q, other = random.permutation(n)[:2].tolist()
        bits = random.permutation(3)[: random.integers(1, 4)].tolist()
        condition = condition_on(bits, random.integers(0, 2 ** len(bits), 2).tolist(), bool(random.integers(2)))
        part = [
            lambda c, q=q: c.ry(float(random.normal()), q), lambda c, q=q: c.h(q), lambda c, q=q, o=other: c.cx(q, o),
            lambda c, q=q: c.measure(q, int(random.integers(3))), lambda c, q=q: c.measure(q),
            lambda c, q=q: c.reset(q),
        ][random.integers(6)](Circuit(n))  # fmt: skip
        for op in part.operations:
            gate = conditional_gate(op.gate, condition) if random.integers(2) else op.gate
            circuit.append(gate, op.angles, op.qubits)
    return circuit


@pytest.mark.parametrize("seed", range(40))
def test_random_circuits_are_those_of_density_matrices(seed):
    circuit = random_dynamic(seed)
    found, right = ql.distribution(circuit), by_density_matrices(circuit)
    assert found == pytest.approx(right, abs=1e-12)
    assert list(found) == sorted(found)


def test_counts_follow_the_distribution():
    """Chi-square at 1e-4 for each of thirty circuits: about one false alarm in 300 choices of seeds."""
    n_compared = 0
    for seed in range(30):
        circuit = random_dynamic(seed)
        found, right = ql.counts(circuit, 4000, seed=seed), ql.distribution(circuit)
        assert sum(found.values()) == 4000
        seen = {bits: p for bits, p in right.items() if p > 2e-3}
        assert all(right.get(bits, 0) > 0 for bits in found)
        if len(seen) > 1:
            observed = np.array([found.get(bits, 0) for bits in seen])
            expected = np.array(list(seen.values()))
            assert chisquare(observed, expected / expected.sum() * observed.sum()).pvalue > 1e-4
            n_compared += 1
        assert ql.counts(circuit, 4000, seed=seed) == found
    assert n_compared > 12


def test_measurements_at_the_end_are_read_from_one_state():
    """24 qubits, bits in an order of their own, one measured twice, one bit never written."""
    circuit = Circuit(24).x(3).h(20)
    circuit.bits(5)
    circuit.measure(3, 4).measure(20, 0).measure(20, 2).measure(3, 1)
    assert ql.distribution(circuit) == pytest.approx({"01001": 0.5, "11101": 0.5})
    assert set(ql.counts(circuit, 100, seed=0)) == {"01001", "11101"}


def test_weights_batches_and_noise():
    circuit = Circuit(2)
    w = circuit.weights(1)
    circuit.rx(w[0], 0).measure(0, 0).when(0, 1, Circuit(2).x(1)).measure(1, 1)
    found = ql.distribution(circuit, weights=np.array([[0.4], [1.1]]))
    for angle, table in zip((0.4, 1.1), found, strict=True):
        assert table == pytest.approx({"00": np.cos(angle / 2) ** 2, "11": np.sin(angle / 2) ** 2})
    drawn = ql.counts(circuit, 50, weights=np.array([[0.4], [1.1]]), seed=1)
    assert [sum(table.values()) for table in drawn] == [50, 50]
    noisy = Circuit(1).x(0).amplitude_damping(0.3, 0).measure(0, 0)
    assert ql.distribution(noisy, engine=DensityEngine()) == pytest.approx({"0": 0.3, "1": 0.7})


def test_branches_in_one_state_are_one():
    """200 measurements that forget what they saw."""
    circuit = Circuit(2)
    circuit.bits(1)
    for _ in range(200):
        circuit.h(0).measure(0).reset(0)
    circuit.h(1).measure(1, 0)
    assert ql.distribution(circuit) == pytest.approx({"0": 0.5, "1": 0.5})


def test_bits_stay_with_a_circuit():
    circuit = teleported(0.3)
    assert circuit.n_bits == 3
    again = Circuit.from_json(circuit.to_json())
    assert again == circuit
    assert again.copy() == circuit
    assert (Circuit(3) + circuit).n_bits == 3
    assert Circuit(1).h(0).measure(0, 0) != Circuit(1).h(0).measure(0, 1)
    text = str(circuit)
    assert "M→c0" in text
    assert "c1=1? X" in text


@pytest.mark.parametrize(
    ("run", "error", "message"),
    [
        (lambda: ql.distribution(Circuit(1)), CircuitError, "no classical bits"),
        (lambda: Circuit(1).when(0, 1, Circuit(1).x(0)), CircuitError, "reads bit 0, the circuit has 0"),
        (lambda: Circuit(1).measure(0, -1), CircuitError, "expected an integer from 0 on"),
        (lambda: condition_on((0, 0)), CircuitError, "different integers"),
        (lambda: condition_on(0, 2), CircuitError, "expected integers from 0 to 1"),
        (lambda: ql.expectation(teleported(0.1)), UnsupportedError, "unitary gates only"),
        (lambda: ql.expectation(teleported(0.1), engine=PropagationEngine()), UnsupportedError, "conditional"),
        (lambda: teleported(0.1).inverse(), UnsupportedError, "inverse"),
        (lambda: ql.distribution(Circuit(1).depolarizing(0.1, 0).measure(0, 0).x(0).measure(0, 0)), UnsupportedError,
         "channels beside measurements"),
    ],
)  # fmt: skip
def test_what_is_refused(run, error, message):
    with pytest.raises(error, match=message):
        run()


def test_too_many_branches_are_refused_and_drawn_instead(monkeypatch):
    monkeypatch.setattr("qloom.engines.outcomes.MOST_BRANCHES", 64)  # 4,096 states of 16 qubits are 4 GB
    circuit = Circuit(16)
    circuit.bits(16)
    for q in range(16):
        circuit.ry(0.5 + 0.1 * q, q).measure(q, q).when(q, 1, Circuit(16).x((q + 1) % 16))
    with pytest.raises(MemoryLimitError, match="counts"):
        ql.distribution(circuit)
    assert sum(ql.counts(circuit, 20, seed=0).values()) == 20
