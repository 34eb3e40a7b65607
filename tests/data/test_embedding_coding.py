"""Free text by a frozen model: its directions against numpy, bits that hang on a text alone, what is refused."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from qloom.data import Preprocessing, inspect_table, read_table
from qloom.data.embedding_coding import EmbeddingCoding
from qloom.data.pretrained import text_model
from qloom.data.pretrained.text_model import open_text_model
from qloom.errors import ArtifactError, ConfigError, DataError
from tests.backbones.tiny_models import WORDS, make_text_model

RNG = np.random.default_rng(5)
Y = np.arange(120) % 2
TEXTS = [" ".join([*RNG.choice(WORDS[8:], RNG.integers(5, 25)), "prize" if y else "day"]) for y in Y]
TABLE = read_table({"message": TEXTS, "size": RNG.normal(size=120), "y": Y})
ROWS = np.arange(0, 120, 3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    pytest.importorskip("transformers")
    return make_text_model(tmp_path_factory.mktemp("bert"))


@pytest.fixture(scope="module")
def fitted(folder):
    options = Preprocessing(text_model=str(folder))
    return Preprocessing.from_json(
        json.loads(json.dumps(options.fit(TABLE, inspect_table(TABLE, "y"), ROWS).to_json()))
    )


def test_features_are_principal_components_of_unit_vectors_of_training_rows(folder, fitted):
    import torch
    from transformers import AutoModel, AutoTokenizer

    model, tokenizer = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    with torch.no_grad():
        inputs = [tokenizer([text], truncation=True, max_length=48, return_tensors="pt") for text in TEXTS]
        means = torch.stack([model(**each).last_hidden_state[0].mean(0) for each in inputs]).double()
    unit = (means / means.norm(dim=1, keepdim=True)).numpy()
    center = unit[ROWS].mean(axis=0)
    _, sizes, directions = np.linalg.svd(unit[ROWS] - center, full_matrices=False)
    expected = (unit - center) @ directions.T / (sizes / np.sqrt(len(ROWS)))
    found = fitted.transform(TABLE)[:, :-1]
    # A layer norm takes the sum of a token's 16 numbers away.
    assert fitted.feature_names == [*(f"message: meaning {k + 1}" for k in range(15)), "size"]
    expected = expected[:, :15]
    signs = np.sign((found * expected).sum(axis=0))
    # The last directions have little spread, over which rounding is divided.
    np.testing.assert_allclose(found[:, :10], (signs * expected)[:, :10], atol=2e-3)
    np.testing.assert_allclose(found[ROWS].std(axis=0), 1, atol=1e-3)
    assert fitted.codings[0].share == pytest.approx(1)


def test_only_training_rows_are_learnt_from(folder):
    schema = inspect_table(TABLE, "y")
    other = list(TEXTS)
    for row in set(range(120)) - set(ROWS.tolist()):
        other[row] = "quite other words that nobody had said before now"
    changed = TABLE.set_column(0, "message", [other])
    first, second = (Preprocessing(text_model=str(folder)).fit(t, schema, ROWS).to_json() for t in (TABLE, changed))
    assert first == second


def test_a_row_has_the_same_bits_whatever_comes_with_it(folder, fitted):
    """Also from an empty cache, a filled one on disk, and as one of two rows."""
    import torch

    whole = fitted.transform(TABLE)
    assert len(set(map(len, TEXTS))) > 20
    before = torch.get_num_threads()
    for rows in ([7], [7, 3], list(range(119, -1, -1)), [5] * 70):
        text_model._opened.cache_clear()
        assert np.array_equal(fitted.transform(TABLE.take(rows)), whole[rows])
    assert torch.get_num_threads() == before


def test_what_was_computed_is_kept_beside_the_runs(folder, tmp_path):
    cache = tmp_path / "cache"
    options = Preprocessing(text_model=str(folder), text_cache=str(cache))
    whole = options.fit_transform(TABLE, inspect_table(TABLE, "y"))
    assert len(list(cache.glob("*/*.safetensors"))) == 1
    text_model._opened.cache_clear()
    assert np.array_equal(options.transform(TABLE), whole)
    model = open_text_model(str(folder.resolve()), None, str(cache))
    assert model.blocks.n_computed == 0
    shutil.rmtree(cache)
    assert np.array_equal(options.transform(TABLE), whole)
    assert not cache.exists()  # what predicts makes no folders


def test_missing_and_empty_texts_are_in_the_middle(folder, fitted):
    found = fitted.transform(read_table({"message": [None, "", "   ", "you"], "size": [0.0] * 4}))
    assert not found[:3, :-1].any()
    assert found[3, :-1].any()
    blank = read_table({"message": ["x y z u v"] * 119 + [None], "size": np.arange(120.0), "y": Y})
    alike = Preprocessing(text_model=str(folder)).fit(blank, inspect_table(blank, "y", kinds={"message": "text"}))
    assert alike.feature_names == ["size"]
    assert alike.codings[0].became == "nothing: all texts mean the same"


def test_a_model_that_is_gone_or_another(folder, tmp_path):
    copied = shutil.copytree(folder, tmp_path / "copy")
    fitted = Preprocessing(text_model=str(copied)).fit(TABLE, inspect_table(TABLE, "y"))
    config = copied / "config.json"
    config.write_text(config.read_text().replace('"layer_norm_eps": 1e-12', '"layer_norm_eps": 1e-03'))
    with pytest.raises(ArtifactError, match=r"the text model in .*copy has changed since training \(sha256 "):
        fitted.transform(TABLE)
    shutil.rmtree(copied)
    with pytest.raises(ArtifactError, match=r"the text model is gone: .*copy is no folder, expected the model of tr"):
        fitted.transform(TABLE)
    with pytest.raises(ArtifactError, match="is no folder, expected one with a pretrained model"):
        Preprocessing(text_model=str(copied)).fit(TABLE, inspect_table(TABLE, "y"))


def test_a_table_without_text(folder):
    table = read_table({"x": RNG.normal(size=60), "y": Y[:60]})
    with pytest.raises(DataError, match=r"no column is free text, expected one for the text model in .*say which with"):
        Preprocessing(text_model=str(folder)).fit(table, inspect_table(table, "y"))


@pytest.mark.parametrize("cells", [[1, 2, 3, 4] * 5, [1.5, None] * 10, ["17", "4", "2", "9"] * 5])
def test_numbers_that_are_to_be_text(cells):
    with pytest.raises(
        DataError, match=r"column 'x' is to be text and holds numbers such as (1|1\.5|17), expected cells"
    ):
        inspect_table({"x": cells, "y": Y[:20]}, "y", kinds={"x": "text"})


def test_estimators_take_it_and_a_start_keeps_it(folder, tmp_path):
    from qloom.models import HybridClassifier, load_model

    small = {"n_qubits": 2, "n_layers": 1, "width": 8, "epochs": 4}
    frame = TABLE.drop_columns(["y"])
    model = HybridClassifier(text_model=str(folder), **small).fit(frame, Y)
    assert isinstance(model.preprocessing_.codings[0], EmbeddingCoding)
    assert any("is coded by the frozen model in" in note for note in model.notes_)
    model.save(tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    assert np.array_equal(loaded.predict_proba(frame), model.predict_proba(frame))
    further = HybridClassifier(text_model=str(folder), start_from=str(tmp_path / "model"), **small).fit(frame, Y)
    assert further.preprocessing_.to_json() == model.preprocessing_.to_json()
    HybridClassifier(**small).fit(frame, Y).save(tmp_path / "words")
    with pytest.raises(ArtifactError, match="does not code texts by the model in"):
        HybridClassifier(text_model=str(folder), start_from=str(tmp_path / "words"), **small).fit(frame, Y)


def test_streams_are_coded_as_tables_are(folder):
    from qloom.data.streams import HeldRows, hash_parts, learn_stream

    learnt = learn_stream(
        HeldRows(TABLE, 32), "y", parts=hash_parts(), preprocessing=Preprocessing(text_model=str(folder))
    )
    rows = np.flatnonzero(learnt.parts(TABLE, 0) == 0)
    schema = inspect_table(TABLE, "y")
    fitted = Preprocessing(text_model=str(folder)).fit(TABLE, schema, rows)
    assert np.array_equal(learnt.preprocessing.transform(TABLE), fitted.transform(TABLE))


def test_options_that_are_wrong(folder):
    from qloom.data.pretrained.folders import checked_length

    with pytest.raises(ConfigError, match="max_length=0, expected an integer from 1 to 48"):
        checked_length(0, 48)
