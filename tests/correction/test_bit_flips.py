"""Code capacity: exact numbers of others, and codes whose failures can be written down."""

import csv

import pytest

from benchmarks.shared import DATA
from qloom.correction import code_capacity
from qloom.errors import ConfigError, UnsupportedError
from tests.shared import shared

# Exact, computed elsewhere by enumeration: code, distance, p -> logical error.
KNOWN = [
    ("repetition", 3, 0.1, 0.028),
    ("repetition", 5, 0.1, 0.00856),
    ("rotated_surface", 3, 0.01, 0.001730989234),
    ("rotated_surface", 3, 0.1, 0.119694592),
    ("steane", 3, 0.01, 0.002004074968),
    ("color", 3, 0.01, 0.002004074968),
]


@pytest.mark.parametrize(("code", "distance", "p", "asked"), KNOWN)
def test_exact_numbers(code, distance, p, asked):
    assert code_capacity(code, distance, p) == pytest.approx(asked, abs=5e-13)


@shared
def test_exact_numbers_of_the_table():
    with (DATA / "exact_oracles" / "code_capacity_bit_flip.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows
    for row in rows:
        found = code_capacity(row["code"].removesuffix("_lookup"), int(row["d"]), float(row["p_bit_flip"]))
        assert found == pytest.approx(float(row["p_logical"]), rel=1e-9)


@pytest.mark.parametrize("p", [0.0, 0.02, 0.3, 0.5, 1.0])
def test_the_perfect_code_fails_from_two_flips_on(p):
    # Every error is within one flip of one word of the Hamming code, and is wrong if that is odd: of weight 3, seven
    # words, or 7. Around a word of weight 3 are three errors of weight 2, itself and four of weight 4.
    wrong = {2: 7 * 3, 3: 7, 4: 7 * 4, 6: 7, 7: 1}
    assert code_capacity("steane", 3, p) == pytest.approx(
        sum(count * p**k * (1 - p) ** (7 - k) for k, count in wrong.items()), abs=1e-14
    )


@pytest.mark.parametrize("code", ["repetition", "rotated_surface", "steane"])
def test_a_fair_coin_cannot_be_corrected(code):
    assert code_capacity(code, 3, 0.5) == pytest.approx(0.5, abs=1e-14)


@pytest.mark.parametrize(("arguments", "error", "message"), [
    (("repetition", 4, 0.1), ConfigError, "distance=4 is even"),
    (("repetition", 1, 0.1), ConfigError, "odd integer from 3"),
    (("repetition", 3, 1.5), ConfigError, "p=1.5"),
    (("shor", 3, 0.1), ConfigError, "code='shor'"),
    (("rotated_surface", 5, 0.1), UnsupportedError, "distance 3 only, got distance 5"),
])  # fmt: skip
def test_refusals(arguments, error, message):
    with pytest.raises(error, match=message):
        code_capacity(*arguments)
