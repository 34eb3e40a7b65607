"""Circuits to JSON and back; texts that are damaged, foreign or newer."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from qloom.circuits import GATES, Circuit
from qloom.circuits.gates import controlled_gate, pauli_rotation_gate
from qloom.circuits.synthesis import diagonal_gate, unitary_gate
from qloom.errors import ArtifactError, QloomError
from tests.circuits.dense import circuit_matrix
from tests.circuits.strategies import circuits, random_unitary, random_values


def document(**changes: Any) -> str:
    """JSON of a small circuit with entries changed."""
    circuit = Circuit(2)
    circuit.rx(circuit.inputs(1)[0], 0).rz(2 * circuit.weights(1)[0] + 0.1, 1).cx(0, 1)
    return json.dumps(json.loads(circuit.to_json()) | changes)


@settings(max_examples=100, deadline=None)
@given(circuits(amplitudes=True))
def test_round_trip(circuit: Circuit) -> None:
    again = Circuit.from_json(circuit.to_json())
    assert again == circuit
    x, w = random_values(circuit, 1, 0)
    np.testing.assert_allclose(circuit_matrix(again, x[0], w), circuit_matrix(circuit, x[0], w), atol=1e-12)


def test_round_trip_of_every_gate() -> None:
    made = [
        pauli_rotation_gate("XZY"),
        unitary_gate(random_unitary(8, 0)),
        diagonal_gate(np.array([0.1, 0.2, 0.3, 1 / 3])),
        controlled_gate(controlled_gate(unitary_gate(random_unitary(2, 0)))),
        controlled_gate(controlled_gate(GATES["rot"])),
    ]
    circuit = Circuit(4)
    for gate in [*GATES.values(), *made]:
        circuit.append(gate, circuit.weights(gate.n_angles), range(gate.n_qubits))
    assert Circuit.from_json(circuit.to_json()) == circuit


def test_numbers_survive_to_the_last_bit() -> None:
    circuit = Circuit(1).rx(0.1 + 0.2, 0).rz(1e-300, 0).ry(np.nextafter(1.0, 2.0), 0)
    assert Circuit.from_json(circuit.to_json()) == circuit


def test_format_is_what_files_hold() -> None:
    """Hand-written: files of version 1 must stay readable."""
    text = """{"format": "qloom.circuit", "version": 1, "n_qubits": 2, "n_inputs": 1, "n_weights": 1,
        "initial": null,
        "operations": [{"gate": "rx", "qubits": [0], "angles": [{"input": 0}]},
                       {"gate": "rz", "qubits": [1], "angles": [{"weight": 0, "scale": 2.0, "offset": 0.1}]},
                       {"gate": "p", "qubits": [0], "angles": [0.5]},
                       {"gate": "pauli_rotation", "data": "XZ", "qubits": [1, 0], "angles": [3]},
                       {"gate": "diagonal", "data": [0, 1], "qubits": [0]},
                       {"gate": "unitary", "data": [[[0, 0], [0, -1]], [[0, 1], [0, 0]]], "qubits": [0]},
                       {"gate": "controlled", "data": {"gate": "t", "data": null}, "qubits": [1, 0]},
                       {"gate": "cx", "qubits": [0, 1]}]}"""
    expected = Circuit(2)
    x, w = expected.inputs(1), expected.weights(1)
    expected.rx(x[0], 0).rz(2 * w[0] + 0.1, 1).p(0.5, 0).pauli_rotation(3, "XZ", (1, 0)).diagonal([0, 1], (0,))
    expected.unitary([[0, -1j], [1j, 0]], (0,)).append(controlled_gate(GATES["t"]), (), (1, 0)).cx(0, 1)
    assert Circuit.from_json(text) == expected


@pytest.mark.parametrize("text", ["", "{", "circuit", document()[:-20]])
def test_no_json(text: str) -> None:
    with pytest.raises(ArtifactError, match=r"circuit text is not JSON .*, expected what to_json wrote"):
        Circuit.from_json(text)


@pytest.mark.parametrize("text", ["[]", "3", "null", "{}", document(format="qiskit.circuit"), '"qloom.circuit"'])
def test_foreign(text: str) -> None:
    with pytest.raises(ArtifactError, match=r"text is not a circuit, expected JSON with format 'qloom.circuit'"):
        Circuit.from_json(text)


@pytest.mark.parametrize("version", [2, "1", None, 0])
def test_other_version(version: object) -> None:
    with pytest.raises(ArtifactError, match=r"circuit has version .*, expected 1; update qloom"):
        Circuit.from_json(document(version=version))


@pytest.mark.parametrize(
    "changes",
    [
        {"n_qubits": 0},
        {"n_qubits": "2"},
        {"n_inputs": None},
        {"n_weights": -1},
        {"n_weights": 0},
        {"initial": []},
        {"initial": {"values": [1, 2]}},
        {"initial": {"values": [[1, 0]]}},
        {"initial": {"values": [[1, 0], [1, 0], [1, 0], [1, 0]]}},
        {"initial": {"real": 99, "imaginary": None}},
        {"operations": None},
        {"operations": {"gate": "h"}},
        {"operations": [{"qubits": [0]}]},
        {"operations": [{"gate": "h"}]},
        {"operations": [{"gate": "hh", "qubits": [0]}]},
        {"operations": [{"gate": "h", "qubits": [5]}]},
        {"operations": [{"gate": "h", "qubits": ["0"]}]},
        {"operations": [{"gate": "cx", "qubits": [0, 0]}]},
        {"operations": [{"gate": "rx", "qubits": [0]}]},
        {"operations": [{"gate": "rx", "qubits": [0], "angles": ["0.1"]}]},
        {"operations": [{"gate": "rx", "qubits": [0], "angles": [{"slot": 0}]}]},
        {"operations": [{"gate": "rx", "qubits": [0], "angles": [{"weight": 7}]}]},
        {"operations": [{"gate": "rx", "qubits": [0], "angles": [{"weight": -1}]}]},
        {"operations": [{"gate": "pauli_rotation", "qubits": [0], "angles": [0.1]}]},
        {"operations": [{"gate": "pauli_rotation", "data": "Q", "qubits": [0], "angles": [0.1]}]},
        {"operations": [{"gate": "unitary", "data": [[1, 0], [0, 1]], "qubits": [0]}]},
        {"operations": [{"gate": "controlled", "data": {"gate": "nothing"}, "qubits": [0, 1]}]},
    ],
    ids=lambda changes: json.dumps(changes)[:60],
)
def test_damaged(changes: dict[str, Any]) -> None:
    with pytest.raises(QloomError) as caught:
        Circuit.from_json(document(**changes))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["n_qubits", "n_inputs", "n_weights", "initial", "operations"])
def test_missing_entry(key: str) -> None:
    data = json.loads(document())
    del data[key]
    with pytest.raises(ArtifactError, match=f"circuit text is damaged .*{key}"):
        Circuit.from_json(json.dumps(data))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_weights": 10**9}, "declares n_weights=1000000000, expected 0 to 268,435,456"),
        ({"n_inputs": 10**9}, "declares n_inputs=1000000000, expected 0 to"),
        ({"n_qubits": 10**9}, "declares n_qubits=1000000000, expected 1 to"),
        ({"n_weights": 10**400}, "declares n_weights=10"),
        ({"n_qubits": 40, "initial": {"real": 0, "imaginary": None}}, r"expected 2\^40 of the 1 inputs from there"),
    ],
)
def test_what_a_text_declares_is_bounded(changes: dict[str, Any], message: str) -> None:
    """Texts of a few hundred bytes: what they declare is not made before it is looked at."""
    tracemalloc.start()
    try:
        with pytest.raises(ArtifactError, match=message):
            Circuit.from_json(document(**changes))
        assert Circuit.from_json(document(n_weights=1 << 28, slots=None)).n_weights == 1 << 28
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
