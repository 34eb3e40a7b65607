"""What callers give: integers and real numbers of Python and numpy, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import qloom as ql
from qloom.checks import checked_count, checked_seed, is_integer, is_real, positive, whole
from qloom.errors import CircuitError, ProblemError


@pytest.mark.parametrize("value", [0, 3, np.int8(3), np.uint64(2**63)])
def test_integers(value):
    assert is_integer(value)
    assert is_real(value)


@pytest.mark.parametrize("value", [True, np.True_, "3", None, 3j, np.array([3]), np.complex64(1)])
def test_no_numbers(value):
    assert not is_integer(value)
    assert not is_real(value)


@pytest.mark.parametrize("value", [0.5, np.float32(0.5), float("inf")])
def test_real_numbers(value):
    assert is_real(value)
    assert not is_integer(value)


def test_every_check_takes_the_same_integers():
    """A bool is no number of qubits, layers, chains or seeds, and no qubit of an observable either."""
    for check in (lambda v: checked_count("n", v), checked_seed):
        assert check(np.int32(2)) == 2
        for value in (True, 1.5, "2", -1):
            with pytest.raises(CircuitError, match="expected an integer of at least"):
                check(value)
    for value in (True, 1.5, "2", -1):
        with pytest.raises(ProblemError, match=r"n=.*, expected an integer from 0"):
            whole(0, n=value)
    with pytest.raises(ProblemError, match="n=True, expected a number above 0"):
        positive(n=True)
    with pytest.raises(CircuitError, match="qubit True in an observable"):
        ql.pauli("X", (True,))
