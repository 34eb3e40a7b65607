"""Matrix products on one thread."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from qloom.engines.products import one_thread, product


def blas_threads() -> list[int]:
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


def test_threads_are_given_back():
    before = blas_threads()
    with one_thread():
        assert set(blas_threads()) == {1}
    assert blas_threads() == before


@pytest.mark.parametrize("rows", [0, 1, 5000])
def test_products_of_any_size(rows):
    a, b = np.arange(rows * 20.0).reshape(rows, 20), np.arange(60.0).reshape(20, 3)
    np.testing.assert_allclose(product(a, b), np.einsum("ij,jk->ik", a, b))
