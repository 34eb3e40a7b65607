"""Free text as features, against scikit-learn's TF-IDF and truncated SVD."""

import json

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from qloom.data import Preprocessing, inspect_table, read_table

RNG = np.random.default_rng(7)
PLAIN, TELLING = [f"word{i}" for i in range(60)], ["prize", "winner", "claim"]
Y = np.arange(300) % 2
X = RNG.normal(size=300)
TEXTS = [" ".join([*RNG.choice(PLAIN, 8), *(RNG.choice(TELLING, 1) if y else []), f"only{i}"]) for i, y in enumerate(Y)]
TABLE = read_table({"message": TEXTS, "y": Y})


def test_features_are_those_of_scikit_learn():
    schema = inspect_table(TABLE, "y")
    assert (schema["message"].kind, schema["message"].dropped) == ("text", "")
    rows = np.arange(0, 300, 3)
    fitted = Preprocessing.from_json(json.loads(json.dumps(Preprocessing().fit(TABLE, schema, rows).to_json())))
    features = fitted.transform(TABLE)
    words = TfidfVectorizer(sublinear_tf=True, min_df=2, max_df=0.95)
    counts = words.fit_transform([TEXTS[i] for i in rows])
    reduction = TruncatedSVD(32, random_state=0).fit(counts)
    expected = reduction.transform(words.transform(TEXTS)) / reduction.transform(counts).std(axis=0)
    np.testing.assert_allclose(features, expected, atol=1e-4)
    assert fitted.feature_names[0] == "message: words 1"


def test_a_missing_text_has_no_words():
    fitted = Preprocessing().fit(TABLE, inspect_table(TABLE, "y"))
    assert not fitted.transform(read_table({"message": [None, "quite unknown"]})).any()


def test_texts_without_common_words_have_no_features():
    table = read_table(
        {"message": [f"a{i} b{i} c{i} d{i} e{i}" for i in range(100)], "x": np.arange(100) % 7, "y": Y[:100]}
    )
    assert Preprocessing(max_codes=0).fit(table, inspect_table(table, "y")).feature_names == ["x"]


def test_few_rows_are_too_few_to_learn_words_from():
    table = read_table({"message": TEXTS[:40], "x": np.arange(40) % 3, "y": Y[:40]})
    assert inspect_table(table, "y")["message"].dropped == "free text in 40 rows, too few to learn words from"


def test_sms_spam(shared_table):
    """TF-IDF and logistic regression reach an AUC of .98 there; 32 directions keep nearly all of it."""
    table = read_table(shared_table("text_sms_spam/spam.csv.gz"))
    schema = inspect_table(table, "label")
    rows = np.random.default_rng(0).permutation(table.num_rows)
    train, test = rows[1000:], rows[:1000]
    features = Preprocessing().fit_transform(table, schema, train)
    y = table["label"].to_numpy(zero_copy_only=False) == "spam"
    model = LogisticRegression(max_iter=1000).fit(features[train], y[train])
    assert roc_auc_score(y[test], model.predict_proba(features[test])[:, 1]) > 0.97


def test_text_can_be_something_else():
    asked = {kind: inspect_table({"message": TEXTS, "x": X, "y": Y}, "y", kinds={"message": kind})["message"]
             for kind in ("category", "drop", "text")}  # fmt: skip
    assert (asked["category"].kind, asked["category"].dropped) == ("category", "")
    assert asked["drop"].dropped == "left out as asked"
    assert asked["text"].kind == "text"
