"""Circuits as keys: engines find a prepared circuit by its content."""

from __future__ import annotations

import numpy as np

import qloom as ql
from qloom.circuits.circuit import HashedContent
from qloom.engines import StatevectorEngine


def layers() -> ql.Circuit:
    return ql.encoders.angle(3) + ql.ansatze.strongly_entangling(3, 2)


def test_equal_circuits_have_equal_hashes():
    circuit = layers()
    assert len({circuit, layers(), circuit.copy(), ql.Circuit.from_json(circuit.to_json())}) == 1


def test_a_circuit_that_grew_has_another_hash():
    circuit = layers()
    copy, before = circuit.copy(), hash(circuit)
    circuit.h(0)
    assert hash(circuit) != before
    assert hash(copy) == before
    circuit.operations.pop()
    assert hash(circuit) == before


def test_known_content_is_not_hashed_again():
    class Counted:
        times = 0

        def __hash__(self) -> int:
            Counted.times += 1
            return 1

    hashed, content = HashedContent(), (Counted(),)
    assert hashed.hash_of(content) == hashed.hash_of((content[0],)) == hash(content)
    assert Counted.times == 2  # one of them by the line above


def test_a_second_call_finds_the_program():
    circuit, engine = layers(), StatevectorEngine()
    first = engine.prepare(circuit, [ql.Z(0)])
    assert engine.prepare(circuit, [ql.Z(0)]).program is first.program
    assert engine.prepare(layers(), [ql.Z(0)]).program is first.program
    circuit.ry(0.3, 0)
    assert engine.prepare(circuit, [ql.Z(0)]).program is not first.program
    values = ql.expectation(circuit, [ql.Z(0)], np.zeros(3), np.zeros(circuit.n_weights))
    np.testing.assert_allclose(values, np.cos(0.3), atol=1e-12)
