"""Every ansatz through its contract, and each against what defines it."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

import qloom as ql
from qloom.ansatze import BLOCKS, two_qubit_block
from qloom.testing import check_ansatz


def strong(n_qubits: int) -> ql.Circuit:
    return ql.ansatze.strongly_entangling(n_qubits, 1)


ANSATZE = {
    "hardware_efficient": (lambda: ql.ansatze.hardware_efficient(4, 2, ("ry", "rz"), "brick", "cz"), 16),
    "strongly_entangling": (lambda: ql.ansatze.strongly_entangling(4, 3), 36),
    "basic_entangler": (lambda: ql.ansatze.basic_entangler(4, 2), 8),
    "convolutional": (lambda: ql.ansatze.convolutional(6, "so4"), 3 * 6 + 3 * 2),
    "tree_tensor": (lambda: ql.ansatze.tree_tensor(5, "u15"), 4 * 4),
    "mera": (lambda: ql.ansatze.mera(8, "ttn"), (2 * 8 - 2 - 3) * 2),
    "simplified_two_design": (lambda: ql.ansatze.simplified_two_design(5, 3), 5 + 3 * 4 * 2),
    "identity_blocks": (lambda: ql.ansatze.identity_blocks(3, 2, strong), 2 * 2 * 9),
    "edge_entangler": (lambda: ql.ansatze.edge_entangler(4, [(1, 0), (1, 3), (2, 3)], 2), 2 * (4 + 3)),
    "permutation_equivariant": (lambda: ql.ansatze.permutation_equivariant(4, 2), 6),
    "random_layers": (lambda: ql.ansatze.random_layers(4, 3, 5, seed=2), 15),
}
# Weights of each block as published, in the order of Hur, Kim, Park 2022.
PUBLISHED = {"ttn": 2, "u5": 10, "u6": 10, "u9": 2, "u13": 6, "u14": 6, "u15": 4, "so4": 6, "su4": 15, "pooling": 2}


def test_every_member_is_tested():
    """A new file in the folder must come with a line here."""
    assert set(ANSATZE) | {"BLOCKS", "two_qubit_block", "pooled_qubits", "identity_weights"} == set(ql.ansatze.__all__)
    assert set(PUBLISHED) == set(BLOCKS)


@pytest.mark.parametrize("name", ANSATZE)
def test_ansatz_contract(name):
    make, n_weights = ANSATZE[name]
    check_ansatz(make(), n_weights)


@pytest.mark.parametrize("name", BLOCKS)
def test_blocks_have_their_published_number_of_weights(name):
    check_ansatz(two_qubit_block(name), PUBLISHED[name])
    if name != "pooling":
        assert ql.ansatze.convolutional(8, name).n_weights == 3 * PUBLISHED[name] + 6


def matrix_of(circuit: ql.Circuit, weights: np.ndarray) -> np.ndarray:
    """Columns: the images of the basis states."""
    size = 2**circuit.n_qubits
    start = ql.encoders.amplitude(size)
    return ql.state(start + circuit, np.eye(size), weights).T


def rank_of_directions(circuit: ql.Circuit) -> int:
    """Dimension of what small changes of the weights reach, modulo the global phase."""
    w = np.random.default_rng(0).uniform(-3, 3, circuit.n_weights)
    at, step = matrix_of(circuit, w), 1e-6
    moved = [matrix_of(circuit, w + step * unit) for unit in np.eye(len(w))]
    directions = [at.conj().T @ (m - at) / step for m in moved]
    directions = [d - np.trace(d) / len(d) * np.eye(len(d)) for d in directions]
    return int(np.linalg.matrix_rank([np.r_[d.real.ravel(), d.imag.ravel()] for d in directions], tol=1e-4))


def test_su4_reaches_every_direction_and_so4_all_rotations():
    """SU(4) has 15 dimensions and SO(4) six."""
    assert rank_of_directions(two_qubit_block("su4")) == 15
    assert rank_of_directions(two_qubit_block("so4")) == 6
    so4 = two_qubit_block("so4")
    rotation = matrix_of(so4, np.random.default_rng(1).uniform(-3, 3, 6))
    np.testing.assert_allclose(rotation.imag, 0, atol=1e-14)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(4), atol=1e-14)


def test_convolutions_share_their_weights_as_published():
    """Pairs of Hur, Kim, Park 2022 for eight qubits; the last pooling goes to qubit 4, which is measured."""
    circuit = ql.ansatze.convolutional(8, "ttn")
    pairs = [op.qubits for op in circuit.operations if op.gate.name == "cx"]
    first = [(0, 7), (0, 1), (2, 3), (4, 5), (6, 7), (1, 2), (3, 4), (5, 6)]
    assert pairs == [*first, (0, 6), (0, 2), (4, 6), (2, 4), (0, 4)]
    poolings = [op.qubits for op in circuit.operations if op.gate.name == "crz"]
    assert poolings == [(1, 0), (3, 2), (5, 4), (7, 6), (2, 0), (6, 4), (0, 4)]
    assert ql.ansatze.pooled_qubits(8) == [4]
    assert ql.ansatze.pooled_qubits(8, 2) == [0, 4]
    assert ql.ansatze.convolutional(8, "ttn", None, 2).n_weights == 4
    slots = {op.angles[0].index for op in circuit.operations[: 8 * 3] if op.gate.name == "ry"}
    assert slots == {0, 1}


def test_pooling_is_a_measurement_put_off():
    """Measuring the first qubit and turning the second by the outcome gives the second the same state."""
    w = np.array([0.7, -1.3])
    start = ql.Circuit(2).ry(0.9, 0).ry(0.4, 1).cx(0, 1).rx(0.3, 1)
    pooled = ql.expectation(start + two_qubit_block("pooling"), [ql.X(1), ql.Y(1), ql.Z(1)], weights=w)
    state = ql.state(start).reshape(2, 2)
    expected = np.zeros(3)
    for outcome, turn in ((0, ql.Circuit(1).rx(w[1], 0)), (1, ql.Circuit(1).rz(w[0], 0))):
        chance = np.linalg.norm(state[outcome])
        branch = ql.Circuit(1).prepare_amplitudes(state[outcome] / chance) + turn
        expected += chance**2 * ql.expectation(branch, [ql.X(0), ql.Y(0), ql.Z(0)])
    np.testing.assert_allclose(pooled, expected, atol=1e-14)


def test_trees_end_in_the_last_qubit():
    """Its light cone is the whole register, and the order of the tree's blocks is right."""
    for circuit in (ql.ansatze.tree_tensor(6, "so4"), ql.ansatze.mera(8, "so4")):
        n = circuit.n_qubits
        w = np.random.default_rng(3).uniform(-3, 3, circuit.n_weights)
        start = ql.Circuit(n)
        for q in range(n):
            start.ry(0.3 + q, q).rz(0.2 * q, q)
        _, slopes = ql.gradients.gradient(start + circuit, [ql.Z(n - 1), ql.X(n - 1)], None, w)
        assert (np.abs(slopes) > 1e-9).mean() > 0.8  # the last angles on qubits that are left out do nothing
    pairs = [op.qubits for op in ql.ansatze.tree_tensor(5, "ttn").operations if op.gate.name == "cx"]
    assert pairs == [(1, 2), (3, 4), (2, 4), (0, 4)]


def test_identity_blocks_start_at_the_identity():
    circuit = ql.ansatze.identity_blocks(3, 4, strong)
    w = ql.ansatze.identity_weights(circuit, 4, seed=1)
    np.testing.assert_allclose(matrix_of(circuit, w), np.eye(8), atol=1e-12)
    assert len(np.unique(w)) == circuit.n_weights // 2


def test_exchanging_qubits_changes_nothing():
    circuit = ql.ansatze.permutation_equivariant(4, 2)
    w = np.random.default_rng(0).uniform(-3, 3, circuit.n_weights)
    table = ql.state(circuit, weights=w).reshape(2, 2, 2, 2)
    for order in permutations(range(4)):
        np.testing.assert_allclose(table.transpose(order), table, atol=1e-14)


def test_random_layers_are_drawn_once_a_seed():
    assert ql.ansatze.random_layers(4, 3, seed=5) == ql.ansatze.random_layers(4, 3, seed=5)
    assert ql.ansatze.random_layers(4, 3, seed=5) != ql.ansatze.random_layers(4, 3, seed=6)
    assert "cx" not in ql.ansatze.random_layers(1, 5).gate_counts()
    many = ql.ansatze.random_layers(3, 100, 30, entangling_share=0.3, seed=0)
    # 3,000 rotations: the number of CX before them has mean 1286 and deviation 43; false alarms below 1e-9.
    assert abs(many.gate_counts()["cx"] - 3000 * 3 / 7) < 6.5 * 43


def test_a_layer_along_a_tree_has_every_distribution_of_that_tree():
    """The shares of each bit by its neighbour nearer to qubit 0, put in as angles, multiply to the outcomes' shares."""
    random, parents = np.random.default_rng(4), {3: 0, 1: 3, 2: 3, 4: 2}  # edges in any order and direction
    circuit = ql.ansatze.edge_entangler(5, [(2, 4), (3, 2), (1, 3), (0, 3)])
    pairs = [op.qubits for op in circuit.operations if op.gate.name == "cry"]
    assert sorted(pairs) == sorted((near, far) for far, near in parents.items())
    ones = random.uniform(0.02, 0.98, (5, 2))  # of a qubit being 1, where its neighbour is 0 and where it is 1
    angles = 2 * np.arcsin(np.sqrt(ones))
    w = np.r_[angles[:, 0], [angles[far, 1] - angles[far, 0] for _, far in pairs]]
    expected = []
    for bits in np.ndindex(2, 2, 2, 2, 2):
        shares = [ones[q, bits[parents[q]] if q else 0] for q in range(5)]
        expected.append(np.prod([s if bit else 1 - s for s, bit in zip(shares, bits, strict=True)]))
    np.testing.assert_allclose(ql.probabilities(circuit, weights=w), expected, atol=1e-14)


def test_every_second_layer_goes_back_along_the_edges():
    circuit = ql.ansatze.edge_entangler(4, [(1, 2), (0, 1), (3, 1)], 2)
    pairs = [op.qubits for op in circuit.operations if op.gate.name == "cry"]
    assert pairs == [(0, 1), (1, 2), (1, 3), (3, 1), (2, 1), (1, 0)]
    apart = ql.ansatze.edge_entangler(4, [(3, 2), (1, 0)])  # a root in each part
    assert [op.qubits for op in apart.operations if op.gate.name == "cry"] == [(0, 1), (2, 3)]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ql.ansatze.edge_entangler(3, [(0, 3)]), r"edge \(0, 3\), expected two different qubits of 0 to 2"),
        (lambda: ql.ansatze.edge_entangler(3, [(0, 1), (1, 0)]), "2 edges with 1 different ones, expected each once"),
        (lambda: ql.ansatze.strongly_entangling(3, 0), "n_layers=0"),
        (
            lambda: ql.ansatze.strongly_entangling(3, 2, [1, 3]),
            r"ranges=\[1, 3\], expected 2 of them from 1 to 2",
        ),
        (lambda: ql.ansatze.hardware_efficient(3, 1, ("cx",)), "expected a one-qubit gate of one angle"),
        (lambda: ql.ansatze.hardware_efficient(3, 1, gate="rx"), "expected a two-qubit gate without angles"),
        (lambda: ql.ansatze.hardware_efficient(3, 1, entangler="star"), "expected one of none, linear"),
        (lambda: ql.ansatze.convolutional(4, "u7"), "block='u7', expected a circuit of 2 qubits or one of ttn"),
        (lambda: ql.ansatze.convolutional(4, ql.Circuit(3)), "expected a circuit of 2 qubits without inputs"),
        (lambda: ql.ansatze.convolutional(4, "ttn", None, 4), "n_left=4, expected fewer than the 4 qubits"),
        (lambda: ql.ansatze.convolutional(1), "n_qubits=1, expected an integer of at least 2"),
        (lambda: ql.ansatze.mera(6), "n_qubits=6, expected a power of two"),
        (lambda: ql.ansatze.random_layers(3, 1, entangling_share=1), "entangling_share=1, expected at least 0"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ql.errors.CircuitError, match=message):
        call()
