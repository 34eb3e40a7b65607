"""The page of a measured circuit: what it says of counts, and what it does not ask for."""

import math

import numpy as np
import pytest

import qloom as ql
from qloom.reports.measurement import MOST_ROWS, distances, write_measurement


def test_distances():
    """By hand; and the mean of 2,000 measurements of 500 shots, six standard errors: a false alarm in 10^7 runs."""
    assert distances({"0": 3, "1": 1}, {"0": 0.5, "1": 0.5})[0] == 0.25
    assert distances({"00": 4}, {"00": 0.5, "11": 0.5})[0] == 0.5
    random, p = np.random.default_rng(0), np.array([0.4, 0.3, 0.2, 0.1])
    exact = dict(zip("abcd", p.tolist(), strict=True))
    drawn = random.multinomial(500, p, size=2000)
    found = np.array([distances(dict(zip("abcd", row.tolist(), strict=True)), exact) for row in drawn])
    assert abs(found[:, 0].mean() - found[0, 1]) < 6 * found[:, 0].std() / math.sqrt(2000)
    assert distances({"0": 1}, {"0": 0.5, "1": 0.5}) == (0.5, 0.5)  # one shot is always half away


def written(tmp_path, circuit, shots=200, name="a.qasm", exact=True):
    counts = ql.counts(circuit, shots, seed=1)
    path = write_measurement(
        tmp_path / "page.html", name, circuit, counts, ql.distribution(circuit) if exact else None, 1
    )
    return counts, path.read_text(encoding="utf-8")


def test_a_page_says_counts_and_probabilities(tmp_path):
    circuit = ql.Circuit(2).ry(2 * math.asin(math.sqrt(0.3)), 0).cx(0, 1).measure(0, 0).measure(1, 1)
    counts, text = written(tmp_path, circuit, name="<b>&.qasm")
    assert set(counts) == {"00", "11"}
    for bits, p in (("00", "0.7000"), ("11", "0.3000")):
        row = next(line for line in text.splitlines() if f"<code>{bits}</code>" in line)
        assert f">{counts[bits]}</td>" in row
        assert p in row
        assert f"{math.sqrt(0.21 / 200):.4f}" in row
    assert "&lt;b&gt;&amp;.qasm" in text
    assert "OPENQASM 3" in text
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert "https://" not in text


def test_of_many_outcomes_the_frequent_ones_are_shown(tmp_path):
    circuit = ql.Circuit(8)
    for q in range(8):
        circuit.h(q).measure(q, q)
    counts, text = written(tmp_path, circuit, 2000, exact=False)
    assert text.count("<code>") == MOST_ROWS
    assert f"And {len(counts) - MOST_ROWS} less frequent ones" in text
    assert "Probabilities were not worked out" in text


@pytest.mark.parametrize("n_gates", [1, 2000])
def test_long_circuits_are_not_drawn(tmp_path, n_gates):
    circuit = ql.Circuit(1)
    for _ in range(n_gates):
        circuit.rx(0.1, 0)
    _, text = written(tmp_path, circuit.measure(0, 0))
    assert ("Too many gates to draw" in text) == (n_gates == 2000)
