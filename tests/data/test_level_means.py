"""Target encoding of categories with many levels, against scikit-learn's."""

import json

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import TargetEncoder

from qloom.data import Preprocessing, inspect_table, read_table

RNG = np.random.default_rng(5)
N = 3000
SHOP = RNG.integers(0, 300, N)
EFFECT = RNG.normal(size=300)
WORDS = np.array([f"shop {i}" for i in range(300)])[SHOP]


def table_of(y, words=WORDS):
    return read_table({"shop": words, "y": y})


@pytest.mark.parametrize(
    ("y", "kind"),
    [
        (np.where(RNG.random(N) < 1 / (1 + np.exp(-EFFECT[SHOP])), "yes", "no"), "binary"),
        (EFFECT[SHOP] + RNG.normal(size=N), "continuous"),
        (np.array(["a", "b", "c"])[np.digitize(EFFECT[SHOP] + RNG.normal(size=N), [-0.5, 0.5])], "multiclass"),
    ],
)
def test_new_rows_are_coded_as_by_scikit_learn(y, kind):
    table = table_of(y)
    rows = np.arange(0, N, 2)
    fitted = Preprocessing(clip=np.inf)
    fitted.fit_transform(table, inspect_table(table, "y"), rows)
    again = Preprocessing.from_json(json.loads(json.dumps(fitted.to_json())))
    coding = again.codings[-1]
    features = again.transform(table_of(y, np.where(np.arange(N) == 0, "new", WORDS)))
    means = features * np.array(coding.scale) + np.array(coding.center)
    target = np.asarray(y)[rows]
    encoder = TargetEncoder(target_type=kind).fit(WORDS[rows, None], target)
    expected = encoder.transform(np.where(np.arange(N) == 0, "new", WORDS)[:, None])
    if kind == "continuous":  # ours are means of the standardised target
        expected = (expected - target.mean()) / target.std()
    np.testing.assert_allclose(means, expected, atol=1e-6)


def test_training_rows_do_not_see_their_own_target():
    """Levels of two rows and a target of pure chance: with a row's own target in its code the AUC is near 1."""
    words = np.array([f"k{i}" for i in RNG.permutation(N) // 2])
    y = RNG.permutation(np.arange(N) % 2)
    table = table_of(y, words)
    fitted = Preprocessing()
    apart = fitted.fit_transform(table, inspect_table(table, "y"))[:, -1]
    assert roc_auc_score(y, fitted.transform(table)[:, -1]) > 0.8
    assert abs(roc_auc_score(y, apart) - 0.5) < 0.05


def test_900_merchants():
    """An effect drawn for each merchant, to which 14 or so training rows each bear witness."""
    n, rng = 18_000, np.random.default_rng(2)
    merchant, x = rng.integers(0, 900, n), rng.normal(size=n)
    chance = 1 / (1 + np.exp(-x - rng.normal(0, 1.2, 900)[merchant]))
    y = (rng.random(n) < chance).astype(int)
    table = read_table({"merchant": [f"m{i:03d}" for i in merchant], "x": x, "y": y})
    train, test = np.arange(0, 13_000), np.arange(13_000, n)
    fitted = Preprocessing()
    features = fitted.fit_transform(table, inspect_table(table, "y"), train)
    assert fitted.feature_names == ["merchant: mean", "x"]
    model = LogisticRegression().fit(features[train], y[train])
    with_means = roc_auc_score(y[test], model.predict_proba(features[test])[:, 1])
    assert with_means > roc_auc_score(y[test], x[test]) + 0.06
    assert with_means > roc_auc_score(y[test], chance[test]) - 0.03  # of .816


def test_frequent_levels_keep_features_of_their_own():
    words = np.where(np.arange(N) % 3 == 0, "often", WORDS)
    table = table_of(RNG.integers(0, 2, N), words)
    fitted = Preprocessing().fit(table, inspect_table(table, "y"))
    assert fitted.feature_names == ["shop=often", "shop=(rare)", "shop: mean"]
    nearly_all = table_of(np.arange(N) % 2, np.where(np.arange(N) % 20, "a", WORDS))
    assert Preprocessing().fit(nearly_all, inspect_table(nearly_all, "y")).feature_names == ["shop=a", "shop=(rare)"]


def test_missing_is_a_level_of_its_own():
    y = RNG.integers(0, 2, N)
    missing = np.arange(N) % 10 == 0
    y[missing] = 1
    words = [None if m else w for m, w in zip(missing, WORDS, strict=True)]
    table = table_of(y, words)
    fitted = Preprocessing().fit(table, inspect_table(table, "y"))
    features = fitted.transform(table_of(y[:2], [None, "shop 1"]))[:, -1]
    assert features[0] > features[1]


def test_whole_numbers_whose_name_says_code():
    table = read_table({"zip": 10_000 + 7 * SHOP, "amount": 10_000 + 7 * SHOP, "y": RNG.integers(0, 2, N)})
    schema = inspect_table(table, "y")
    assert (schema["zip"].kind, schema["amount"].kind) == ("category", "number")
    assert inspect_table(table, "y", kinds={"zip": "number", "amount": "category"})["amount"].kind == "category"
