"""Circuits from Stim and to it: every Clifford gate, products, records, feedback, noise."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

import qloom as ql
from qloom.circuits import GATES, Circuit
from qloom.circuits.exchange import from_stim, to_stim
from qloom.circuits.transfer import words
from qloom.errors import CircuitError, UnsupportedError
from tests.circuits.dense import circuit_matrix, embed
from tests.circuits.exchange.random_circuits import (
    density,
    is_farther_than_chance,
    random_clifford,
    random_program,
    same_distribution,
)

stim = pytest.importorskip("stim", reason="the extra 'correction' is not installed")
UNITARY = [name for name, data in stim.gate_data().items() if data.is_unitary]
NAMED = [name for name in UNITARY if name not in ("SPP", "SPP_DAG")]


def own_matrix(circuit) -> np.ndarray:
    """From the matrices that Stim documents, whose first qubit is the least significant bit."""
    out = np.eye(2**circuit.num_qubits, dtype=complex)
    for one in circuit:
        for group in one.target_groups():
            matrix = stim.gate_data(one.name).unitary_matrix
            out = embed(matrix, [target.value for target in group][::-1], circuit.num_qubits) @ out
    return out


def is_tableau_of(circuit: Circuit, foreign) -> bool:
    """Whether a Stim circuit is ours up to its phase: all Pauli words are taken to the same ones."""
    matrix, n = circuit_matrix(circuit), circuit.n_qubits
    tableau = foreign.to_tableau()
    for q in range(n):
        for letter, image in (("X", tableau.x_output(q)), ("Z", tableau.z_output(q))):
            word = embed(stim.PauliString(letter).to_unitary_matrix(endian="big"), [q], n)
            if np.abs(matrix @ word - image.to_unitary_matrix(endian="big") @ matrix).max() > 1e-6:
                return False
    return len(tableau) == n


@pytest.mark.parametrize("name", NAMED)
def test_gates_are_their_matrices(name):
    width = len(stim.gate_data(name).unitary_matrix).bit_length() - 1
    for order in ("0 1 2", "1 0 2") if width == 2 else ("0",):
        foreign = stim.Circuit(f"{name} {' '.join(order.split()[:width])}")
        ours = from_stim(foreign)
        assert np.abs(circuit_matrix(ours) - own_matrix(foreign)).max() < 1e-6  # Stim's are in single precision
        assert is_tableau_of(ours, foreign)


@pytest.mark.parametrize("text", ["SPP X0*Y1", "SPP X0*!Y1", "SPP_DAG Z0*Z1*X2", "SPP !Z1 X0*Z2", "SPP Y1*X0*Z2"])
def test_square_roots_of_products(text):
    foreign = stim.Circuit(text)
    foreign.append("I", [2])
    assert is_tableau_of(from_stim(foreign), foreign)


def random_stim(seed: int) -> object:
    random, foreign = np.random.default_rng(seed), stim.Circuit()
    for _ in range(12):
        name = random.choice(NAMED)
        width = len(stim.gate_data(name).unitary_matrix).bit_length() - 1
        foreign.append(name, random.permutation(3)[:width].tolist())
    foreign.append("I", [2])
    return foreign


def test_random_circuits_of_stim_are_read():
    for seed in range(300):
        foreign = random_stim(seed)
        ours = from_stim(foreign)
        assert np.abs(circuit_matrix(ours) - own_matrix(foreign)).max() < 1e-5, seed
        assert is_tableau_of(ours, to_stim(ours)), seed


def check(seeds):
    for seed in seeds:
        circuit = random_clifford(seed)
        foreign = to_stim(circuit)
        assert is_tableau_of(circuit, foreign), seed
        overlap = np.vdot(circuit_matrix(from_stim(foreign)), circuit_matrix(circuit))
        assert abs(overlap) == pytest.approx(2**circuit.n_qubits, abs=1e-9), seed


def test_random_clifford_circuits_come_back():
    check(range(300))


@pytest.mark.slow
def test_thousands_of_random_clifford_circuits_come_back():
    check(range(1000, 3000))


def test_unitaries_that_are_clifford_gates_are_written():
    for seed in range(40):
        matrix = stim.Tableau.random(3).to_unitary_matrix(endian="big").astype(complex)
        matrix = np.where(np.abs(matrix) > 1e-3, np.exp(1j * np.round(np.angle(matrix) / (np.pi / 4)) * np.pi / 4), 0)
        matrix /= np.linalg.norm(matrix[:, 0])
        circuit = Circuit(3).unitary(matrix, (2, 0, 1))
        assert is_tableau_of(circuit, to_stim(circuit)), seed


@pytest.mark.parametrize("circuit", [
    Circuit(1).t(0), Circuit(1).rx(0.3, 0), Circuit(1).rx(np.pi / 2 + 1e-6, 0), Circuit(3).ccx(0, 1, 2),
    Circuit(2).ch(0, 1), Circuit(1).unitary(GATES["u"].matrix(np.pi / 2 + 1e-5, 0, 0), (0,)), Circuit(2).cp(0.3, 0, 1),
], ids=["t", "rx", "nearly", "ccx", "ch", "nearly a matrix", "cp"])  # fmt: skip
def test_what_is_no_clifford_gate_is_refused_by_name(circuit):
    with pytest.raises(UnsupportedError, match=f"{circuit.operations[0].gate.name}.* no Clifford gate"):
        to_stim(circuit)


def test_slots_are_refused():
    circuit = Circuit(1)
    circuit.rx(circuit.weights(name="w"), 0)
    with pytest.raises(UnsupportedError, match="rx on qubits"):
        to_stim(circuit)


# -- records


def sampled(foreign, shots: int = 20000) -> dict[str, int]:
    rows, counts = foreign.compile_sampler(seed=11).sample(shots), {}
    for row in rows.astype(int):
        key = "".join(map(str, row))
        counts[key] = counts.get(key, 0) + 1
    return counts


def noisy_distribution(circuit: Circuit) -> dict[str, float]:
    """Of a circuit with Pauli channels: the mixture over all their words."""
    noisy = [k for k, op in enumerate(circuit.operations) if op.gate.kind == "channel"]
    out: dict[str, float] = {}
    tables = [circuit.operations[k].gate.pauli(*(a.offset for a in circuit.operations[k].angles)) for k in noisy]
    for chosen in product(*(np.flatnonzero(table) for table in tables)):
        weight = np.prod([table[k] for table, k in zip(tables, chosen, strict=True)])
        one, drawn = Circuit(circuit.n_qubits), iter(chosen)
        one.bits(circuit.n_bits)
        for op in circuit.operations:
            if op.gate.kind != "channel":
                one.append(op.gate, op.angles, op.qubits)
                continue
            for letter, q in zip(words(op.gate.n_qubits)[next(drawn)], op.qubits, strict=True):
                one.append({"I": "id", "X": "x", "Y": "y", "Z": "z"}[letter], (), (q,))
        for bits, p in ql.distribution(one).items():
            out[bits] = out.get(bits, 0.0) + float(weight) * p
    return out


@pytest.mark.parametrize("text", [
    "H 0\nCX 0 1\nM 0 !1", "H 0\nMR 0\nM 0", "RX 0\nMX 0 !0\nRY 1\nMY 1", "H 0 1\nMPP X0*Z1 !Z0*X1\nM 0 1",
    "MXX 0 1\nMZZ !0 1\nMYY 0 1\nM 0 1", "H 0\nM 0\nCX rec[-1] 1\nCZ rec[-1] 1\nCY rec[-1] 2\nM 1 2",
    "H 0\nM 0\nXCZ 1 rec[-1]\nM 1", "REPEAT 3 {\n H 0\n MR 0\n CX rec[-1] 1\n}\nM 1", "MRX 0\nMRY 0\nM 0\nMPAD 0",
    "H 0\nM(0.2) 0", "MR(0.1) 0\nM(0.3) !0", "X_ERROR(0.1) 0\nDEPOLARIZE1(0.3) 0\nM 0",
    "H 0\nCX 0 1\nDEPOLARIZE2(0.4) 0 1\nM 0 1", "PAULI_CHANNEL_1(0.1,0.2,0.3) 0\nM 0\nE(0.2) X0 Y1\nM 0 1",
    "PAULI_CHANNEL_2(0,0.1,0,0.05,0,0,0.2,0,0,0,0,0.03,0,0,0) 1 0\nM 0 1", "H 0\nZ_ERROR(0.3) 0\nY_ERROR(0.1) 0\nMX 0",
    "H 0\nTICK\nM 0\nDETECTOR rec[-1]\nOBSERVABLE_INCLUDE(0) rec[-1]",
])  # fmt: skip
def test_records_are_what_stim_samples(text):
    foreign = stim.Circuit(text)
    ours = from_stim(foreign)
    assert ours.n_bits == foreign.num_measurements
    expected = noisy_distribution(ours)
    assert not is_farther_than_chance(sampled(foreign), expected)
    assert not is_farther_than_chance(sampled(to_stim(ours)), expected)


def test_random_programs_come_back_with_their_distribution():
    for seed in range(150):
        circuit = random_program(seed, conditions="Pauli", overwrites=False, in_order=True)
        foreign = to_stim(circuit)
        assert same_distribution(ql.distribution(from_stim(foreign)), ql.distribution(circuit)), seed
        if seed < 20:
            assert not is_farther_than_chance(sampled(foreign, 4000), ql.distribution(circuit)), seed


def test_a_condition_that_a_bit_is_0():
    circuit = Circuit(2).h(0).measure(0, 0).when(0, 0, Circuit(2).x(1)).measure(1, 1)
    assert same_distribution(ql.distribution(from_stim(to_stim(circuit))), {"01": 0.5, "10": 0.5})


def test_a_measurement_without_a_bit_is_the_loss_of_phase():
    circuit = Circuit(1).h(0).measure(0).h(0)
    assert str(to_stim(circuit)).splitlines()[1] == "Z_ERROR(0.5) 0"
    assert np.abs(density(from_stim(to_stim(circuit))) - density(circuit)).max() < 1e-9


@pytest.mark.parametrize(("circuit", "message"), [
    (Circuit(2).measure(0, 1).measure(1, 0), "order of the record"),
    (Circuit(1).measure(0, 0).measure(0, 0), "order of the record"),
    (Circuit(2).measure(0, 0).when(0, 1, Circuit(2).h(1)), "h under a condition"),
    (Circuit(3).measure(0, 0).measure(1, 1).when([0, 1], 3, Circuit(3).x(2)), "x under a condition"),
    (Circuit(1).amplitude_damping(0.1, 0), "amplitude_damping.*no Pauli noise"),
    (Circuit(3).depolarizing(0.1, 0, 1, 2), "depolarizing.*no Pauli noise"),
    (Circuit(1).readout_error(0.1, 0.2, 0), "readout_error"),
])  # fmt: skip
def test_what_stim_has_not_is_refused(circuit, message):
    with pytest.raises(UnsupportedError, match=message):
        to_stim(circuit)


@pytest.mark.parametrize(("text", "message"), [
    ("M(0.1) 0\nH 0", "used afterwards"), ("M(0.1) 0 0", "used afterwards"), ("MPP(0.1) X0*X1", "used afterwards"),
    ("CX sweep[0] 1", "sweep"), ("HERALDED_ERASE(0.1) 0", "HERALDED_ERASE"), ("MPAD 1", "MPAD"),
    ("E(0.1) X0 X1 X2", "CORRELATED_ERROR"), ("E(0.1) X0\nELSE_CORRELATED_ERROR(0.1) X1", "ELSE_CORRELATED_ERROR"),
])  # fmt: skip
def test_what_has_no_meaning_is_refused_by_name(text, message):
    with pytest.raises(UnsupportedError, match=message):
        from_stim(stim.Circuit(text))


def test_noise_comes_back():
    circuit = Circuit(2).h(0).bit_flip(0.1, 0).phase_flip(0.2, 1).bit_phase_flip(0.3, 0).depolarizing(0.1, 1)
    circuit.cx(0, 1).depolarizing(0.2, 1, 0).pauli_channel((0.1, 0.2, 0.05), 1).phase_damping(0.3, 0)
    circuit.pauli_channel(np.arange(15) / 200, (1, 0))
    assert np.abs(density(from_stim(to_stim(circuit))) - density(circuit)).max() < 1e-9


def test_circuits_of_another_kind_are_refused():
    with pytest.raises(CircuitError, match="expected a stim"):
        from_stim(Circuit(1))
    with pytest.raises(CircuitError, match="expected a qloom Circuit"):
        to_stim(stim.Circuit("H 0"))
