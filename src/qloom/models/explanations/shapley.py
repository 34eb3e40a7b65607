"""Shapley values of a prediction: what each column adds to it, on average over all orders in which they become known.

Exact from the values of all 2^n coalitions where columns are few, else sampled: in each order that is drawn, and in its
reverse, columns become known one by one, with one background row. A sweep takes every background row once, so that sums
are exact whatever is drawn, and sweeps are independent: their scatter is the standard error.

Sources: Shapley 1953, Contributions to the Theory of Games II, 307; Castro et al. 2009, Computers and Operations
Research 36, 1726, for orders drawn; Mitchell et al. 2022, Journal of Machine Learning Research 23, 43, for reverses.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial

import numpy as np

from qloom.models.explanations.games import ColumnGame

MOST_EXACT = 12
FEWEST_SWEEPS = 8
MOST_PREDICTIONS = 2_000_000
# Standard errors up to this share of the background's spread of predictions are small enough.
ERROR = 0.01


@dataclass(frozen=True)
class Attribution:
    """What the columns of a row add to its prediction.

    Contributions sum up to the prediction minus the base.

    Attributes:
        columns: of the table.
        contributions, errors: one a column, with their standard errors; 0 where they are exact.
        base: the mean prediction of the background rows.
        prediction: of the row.
        spread: standard deviation of the background rows' predictions.
        is_exact: whether all coalitions were gone through.
        n_sweeps: of samples; 0 where exact.
        n_predictions: rows predicted.
        wanted: the standard error that was to be reached; None where exact.

    Shapes: contributions, errors (n,).
    """

    columns: tuple[str, ...]
    contributions: np.ndarray
    errors: np.ndarray
    base: float
    prediction: float
    spread: float
    is_exact: bool
    n_sweeps: int
    n_predictions: int
    wanted: float | None = None

    @property
    def is_reached(self) -> bool:
        """Whether standard errors are as small as was wanted."""
        return self.wanted is None or bool(self.errors.max(initial=0.0) <= self.wanted)


def attribute(
    game: ColumnGame, *, seed: int = 0, error: float = ERROR, most_exact: int = MOST_EXACT,
    most_predictions: int = MOST_PREDICTIONS,
) -> Attribution:  # fmt: skip
    """Shapley values of a game, exact for at most `most_exact` columns.

    Args:
        game: of the row's columns.
        seed: of orders.
        error: sampling ends once every standard error is at most this share of the spread of the background's
            predictions.
        most_exact: columns whose coalitions are all gone through.
        most_predictions: after which no further sweep begins.

    Source: Shapley 1953, Contributions to the Theory of Games II, 307; orders drawn: Castro et al. 2009, Computers and
    Operations Research 36, 1726; their reverses: Mitchell et al. 2022, Journal of Machine Learning Research 23, 43.
    """
    spread = float(game.apart.std())
    if game.n_columns <= most_exact:
        found, sweeps, wanted = exact_contributions(game), np.zeros((0, game.n_columns)), None
        errors = np.zeros(game.n_columns)
    else:
        wanted = error * spread
        sweeps = _sweep_until(game, np.random.default_rng(seed), wanted, most_predictions)
        found, errors = sweeps.mean(axis=0), _standard_errors(sweeps)
    return Attribution(
        game.columns, found, errors, float(game.apart.mean()), game.whole, spread, wanted is None, len(sweeps),
        game.n_predictions, wanted,
    )  # fmt: skip


def exact_contributions(game: ColumnGame) -> np.ndarray:
    """The definition, over all 2^n coalitions; (n,)."""
    n = game.n_columns
    coalitions = (np.arange(2**n)[:, None] >> np.arange(n) & 1).astype(bool)
    values, sizes = game.values(coalitions), coalitions.sum(axis=1)
    weights = np.array([factorial(k) * factorial(n - k - 1) / factorial(n) for k in range(n)])
    without = [np.flatnonzero(~coalitions[:, column]) for column in range(n)]
    return np.array([weights[sizes[s]] @ (values[s | 1 << column] - values[s]) for column, s in enumerate(without)])


def _sweep_until(game: ColumnGame, random: np.random.Generator, wanted: float, most: int) -> np.ndarray:
    """Contributions of independent sweeps (K, n), until their standard errors are small enough or time is up."""
    sweeps: list[np.ndarray] = []
    while len(sweeps) < FEWEST_SWEEPS or (
        _standard_errors(np.array(sweeps)).max() > wanted and game.n_predictions < most
    ):
        sweeps.append(_sweep(game, random))
    return np.array(sweeps)


def _standard_errors(sweeps: np.ndarray) -> np.ndarray:
    return np.asarray(sweeps.std(axis=0, ddof=1) / len(sweeps) ** 0.5)


def _sweep(game: ColumnGame, random: np.random.Generator) -> np.ndarray:
    """Contributions with every background row once, each in an order of its own and in its reverse; (n,)."""
    n, m = game.n_columns, game.n_background
    place = random.permuted(np.tile(np.arange(n), (m, 1)), axis=1)
    places = np.stack([place, n - 1 - place], axis=1)  # (M, 2, n): when a column becomes known
    known = places[:, :, None, :] < np.arange(1, n)[:, None]  # (M, 2, n - 1, n)
    rows = np.repeat(np.arange(m), 2 * (n - 1))
    between = game.predictions(known.reshape(-1, n), rows).reshape(m, 2, n - 1)
    first = np.broadcast_to(game.apart[:, None, None], (m, 2, 1))
    steps = np.diff(np.concatenate([first, between, np.full((m, 2, 1), game.whole)], axis=2))
    return np.asarray(np.take_along_axis(steps, places, axis=2).mean(axis=(0, 1)))
