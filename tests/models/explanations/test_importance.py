"""Importance and dependence agree with scikit-learn's, and with shuffling and setting cells in the table itself."""

import numpy as np
import pyarrow as pa
import pytest
from sklearn.inspection import partial_dependence as theirs
from sklearn.inspection import permutation_importance as their_importance

from qloom.data import inspect_table, split_rows
from qloom.models.explanations.blocks import blocks_of
from qloom.models.explanations.dependence import partial_dependence
from qloom.models.explanations.permutation import permutation_importance
from qloom.models.tables.baselines import Baseline
from qloom.models.tables.preparation import prepare_table
from qloom.models.tables.scores import score
from qloom.training.importance import describe_importance


@pytest.fixture(scope="module")
def fitted():
    random = np.random.default_rng(0)
    x = random.normal(size=(300, 2))
    kind = random.choice(["red", "blue", "green"], 300)
    y = 3 * x[:, 0] + 1.5 * (kind == "red") + 0.2 * random.normal(size=300)
    table = pa.table({"strong": x[:, 0], "useless": x[:, 1], "kind": kind, "y": y})
    schema = inspect_table(table, "y", task="regression")
    split = split_rows(table, schema)
    data = prepare_table(table, schema, split)
    return table.take(pa.array(split.test)), data, Baseline("boosting", data, 0)


def test_importance_is_that_of_scikit_learn(fitted):
    _, data, model = fitted
    x = data.test.x.numpy()
    found = {each.column: each for each in permutation_importance(model, x, data.test.truth, "rmse", 0, 30)}
    scorer = lambda estimator, x, y: -score("rmse", data.test.truth, model.predict_features(x))  # noqa: E731
    expected = their_importance(model.fitted_, x, data.test.y.numpy(), scoring=scorer, n_repeats=30, random_state=1)
    block = blocks_of(data.preprocessing)["strong"]
    assert len(block) == 1
    # 30 shuffles each: means differ by less than four standard errors.
    error = np.hypot(found["strong"].deviation, expected.importances_std[block[0]]) / 30**0.5
    assert abs(found["strong"].mean - expected.importances_mean[block[0]]) < 4 * error
    assert found["strong"].mean > found["kind"].mean > abs(found["useless"].mean)


def test_shuffling_features_is_shuffling_cells(fitted):
    table, data, model = fitted
    x, shuffle = data.test.x.numpy(), np.random.default_rng(7).permutation(table.num_rows)
    shuffled = table.set_column(2, "kind", table["kind"].take(pa.array(shuffle)))
    before, after = (score("r2", data.test.truth, model.predict_table(t)) for t in (table, shuffled))
    found = {each.column: each for each in permutation_importance(model, x, data.test.truth, "r2", 7, 1)}
    assert found["kind"].mean == pytest.approx(before - after)


def test_dependence_is_that_of_scikit_learn(fitted):
    table, data, model = fitted
    x = data.test.x.numpy()
    found = partial_dependence(model, table, x, ["strong", "kind"])
    place = int(blocks_of(data.preprocessing)["strong"][0])
    cells = np.array([np.flatnonzero(np.asarray(table["strong"]) == value)[0] for value in found[0].values])
    expected = theirs(model.fitted_, x, [place], custom_values={place: x[cells, place]}, method="brute")["average"][0]
    np.testing.assert_allclose(found[0].predictions, data.coding.decode(expected), rtol=1e-6)
    single = theirs(
        model.fitted_, x, [place], custom_values={place: x[cells, place]}, method="brute", kind="individual"
    )
    rows = np.linspace(0, len(x) - 1, 15).astype(int)  # of fewer than a hundred rows
    expected = data.coding.decode(single["individual"][0][rows])
    np.testing.assert_allclose(found[0].curves, expected, rtol=1e-5)
    by_kind = dict(zip(found[1].values, found[1].predictions, strict=True))
    assert set(by_kind) == {"red", "blue", "green"}
    assert by_kind["red"] - by_kind["blue"] == pytest.approx(1.5, abs=0.5)


def test_the_description_is_seeded_and_shows_the_columns_that_matter(fitted):
    table, data, model = fitted
    first, again = (describe_importance({"boosting": model}, table, data.test.truth, "rmse", 3) for _ in range(2))
    assert first == again
    assert first["models"]["boosting"]["importance"][0]["column"] == "strong"
    assert first["models"]["boosting"]["dependence"][0]["column"] == "strong"
