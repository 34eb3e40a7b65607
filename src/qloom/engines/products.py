"""Matrix products on one thread: where others want a core, the library's threads wait for each other."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

# The library takes one thread of its own accord for products of fewer multiplications.
_FEW = 1 << 18


@lru_cache(maxsize=1)
def _library() -> ThreadpoolController:
    return ThreadpoolController()


def one_thread() -> AbstractContextManager[Any]:
    """Within this, products take one thread."""
    return _library().limit(limits=1, user_api="blas")  # type: ignore[no-any-return]


def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a @ b of two matrices."""
    if a.size * b.shape[1] < _FEW:
        return a @ b
    with one_thread():
        return a @ b
