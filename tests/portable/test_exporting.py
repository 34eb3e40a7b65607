"""Exports of model folders: by others' programs the same predictions, within the bound; else nothing is written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest

from qloom.data import read_table
from qloom.errors import ArtifactError, ConfigError, DataError, UnsupportedError
from qloom.models import HybridClassifier, load_model
from qloom.models.tables.served import read_served
from qloom.portable import exporting
from qloom.portable.made import ordinary, ordinary_bound, original_bounds
from qloom.portable.onnx_columns import why_no_columns
from qloom.portable.ordinary_file import ordinary_source
from qloom.portable.original import open_original, rows_for
from qloom.portable.rounding import DOUBLE, SINGLE, engine_rounding
from qloom.portable.steps import network_file, run
from tests.portable.test_trigonometric import random_step

MODELS = ("classifier", "regressor")


@pytest.fixture(params=MODELS)
def model(request) -> tuple[Path, Path]:
    return request.getfixturevalue(request.param)


def predictions(folder: Path, rows: Path) -> np.ndarray:
    return read_served(folder).predict_table(read_table(rows))


def column_inputs(folder: Path, rows: Path) -> dict[str, np.ndarray]:
    """What a reader without qloom puts in, by the words of export.json alone."""
    table, told = pd.read_csv(rows, keep_default_na=False), json.loads((folder / "export.json").read_text())["columns"]
    inputs = {}
    for name, what in told.items():
        cells = table[name]
        if what.startswith("a number"):
            inputs[name] = pd.to_numeric(cells, errors="coerce").to_numpy(np.float64)[:, None]
        elif what.startswith("1 for true"):
            inputs[name] = cells.map({"yes": 1.0, "no": 0.0}).to_numpy(np.float64)[:, None]
        else:
            assert what.startswith("trimmed text")
            inputs[name] = cells.astype(str).to_numpy(object)[:, None]
    return inputs


def test_onnx_from_columns_to_predictions(model, tmp_path):
    """onnxruntime, the CSV file as pandas has it, and no qloom in between."""
    path, rows = model
    folder, record = exporting.export_run(path, "onnx", tmp_path / "onnx", data=str(rows))
    onnx.checker.check_model(onnx.load(folder / "model.onnx"), full_check=True)
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    (found,) = session.run(None, column_inputs(folder, rows))
    truth = predictions(path, rows)
    assert found.shape == truth.shape
    assert 0 < np.abs(found - truth).max() <= record["checked"]["bound"]
    # A bound that says something: of probabilities, and of numbers beside their spread.
    assert record["checked"]["bound"] < 1e-3 * max(1.0, truth.std())
    one = {name: cells[:1] for name, cells in column_inputs(folder, rows).items()}
    np.testing.assert_allclose(session.run(None, one)[0], found[:1], rtol=1e-5)


def test_plain_numpy_in_a_process_of_its_own(model, tmp_path):
    """Of the folder's two files; neither qloom nor torch is loaded."""
    path, rows = model
    original = open_original(path, None)
    made, held = ordinary(original, None), rows_for(original, str(rows), 100)
    (tmp_path / "network.npz").write_bytes(network_file(made.steps))
    (tmp_path / "predict.py").write_bytes(ordinary_source())
    np.save(tmp_path / "features.npy", held.features)
    code = (
        "import sys; sys.path.insert(0, '.'); import numpy as np; from predict import Network\n"
        "np.save('found.npy', Network().predict(np.load('features.npy')))\n"
        "assert not {'qloom', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-I", "-c", code], cwd=tmp_path, check=True, env={**os.environ})
    called = [sys.executable, "-I", "predict.py", "features.npy"]
    told = subprocess.run(called, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    found, truth = np.load(tmp_path / "found.npy"), original.predictor.predict_features(held.features)
    np.testing.assert_allclose(np.loadtxt(told.splitlines(), delimiter=",").reshape(found.shape), found, rtol=1e-5)
    bound, _ = ordinary_bound(original, made, held.features, DOUBLE)
    assert (np.abs(found - truth) <= bound).all()
    assert bound.max() < 1e-3 * max(1.0, truth.std())


def test_words_that_are_cut_are_within_the_larger_bound(classifier, tmp_path):
    path, rows = classifier
    _, exact = exporting.export_run(path, "onnx", tmp_path / "exact", data=str(rows))
    _, cut = exporting.export_run(path, "onnx", tmp_path / "cut", data=str(rows), cut=0.05)
    assert cut["checked"]["bound"] > 10 * exact["checked"]["bound"]
    assert exact["checked"]["largest_deviation"] < cut["checked"]["largest_deviation"] <= cut["checked"]["bound"]
    assert cut["lipschitz_constant_of_head"] > 0
    assert max(cut["dropped"]) > 0


def test_classical_parts_alone(classifier, tmp_path):
    """Encoder by onnxruntime, circuit by the reference engine, head by onnxruntime."""
    from qloom.engines import ReferenceEngine, make_batch

    path, rows = classifier
    folder, record = exporting.export_run(path, "onnx", tmp_path / "parts", data=str(rows), part="classical")
    features = read_served(path).preprocessing_.transform(read_table(rows))
    estimator = load_model(path)
    step = open_original(path, None).circuit
    (angles,) = onnxruntime.InferenceSession(folder / "encoder.onnx").run(None, {"features": features})
    evaluator = ReferenceEngine().prepare(estimator.circuit_, estimator.observables_)
    values = evaluator.values(make_batch(estimator.circuit_, angles.astype(np.float64), step.weights))
    (found,) = onnxruntime.InferenceSession(folder / "head.onnx").run(None, {"values": values.astype(np.float32)})
    assert np.abs(found - predictions(path, rows)).max() <= record["checked"]["bound"]


def test_qasm_says_what_is_measured(classifier, tmp_path):
    from qloom.circuits.qasm import from_qasm
    from qloom.engines import ReferenceEngine, make_batch
    from qloom.observables import X, Y, Z

    path, rows = classifier
    folder, record = exporting.export_run(path, "qasm", tmp_path / "qasm", data=str(rows))
    text, told = (folder / "circuit.qasm").read_text(), json.loads((folder / "circuit.json").read_text())
    assert "input float" in text
    circuit = from_qasm(text, told["inputs"])
    assert (circuit.n_inputs, circuit.n_weights) == (3, 0)
    letters = {"X": X, "Y": Y, "Z": Z}
    observables = []
    for terms in told["observables"]:
        sums = [
            t["coefficient"] * _product([letters[c](q) for q, c in enumerate(t["word"]) if c != "I"]) for t in terms
        ]
        observables.append(sum(sums[1:], sums[0]))
    step = open_original(path, None).circuit
    x = np.random.default_rng(0).uniform(-3, 3, (5, 3))
    values = ReferenceEngine().prepare(circuit, observables).values(make_batch(circuit, x))
    np.testing.assert_allclose(values, step.values(x), atol=1e-12)
    assert record["checked"]["largest_deviation"] <= record["checked"]["bound"]


def _product(words):
    out = words[0]
    for word in words[1:]:
        out = out @ word
    return out


def test_a_wide_circuit_counts_its_engines_own_bound(tmp_path):
    """26 qubits by cut sums of Pauli words: too many coefficients, and words as many as the cut leaves."""
    x = np.random.default_rng(0).normal(size=(60, 4))
    engine = {"name": "propagation", "min_coefficient": 0.05, "max_weight": 3}
    model = HybridClassifier(n_qubits=26, n_layers=1, width=4, epochs=1, ansatz="hardware_efficient", engine=engine)
    model.fit(x, (x[:, 0] > 0).astype(int)).save(tmp_path / "model")
    with pytest.raises(UnsupportedError, match=r"has 4.66e\+12 coefficients, .*; give cut=1e-3"):
        exporting.export_run(tmp_path / "model", "onnx", tmp_path / "whole", rows=20)
    _, record = exporting.export_run(tmp_path / "model", "onnx", tmp_path / "onnx", rows=20, cut=0.05)
    assert "by cut sums of Pauli words, whose own bound is part of the one here" in record["execution"]
    assert 0 < record["checked"]["largest_deviation"] < record["checked"]["bound"]
    # More than what the words that this export dropped come to.
    original = open_original(tmp_path / "model", None)
    assert original_bounds(original, np.zeros((1, 4))).max() > 0


# -- the bound


@pytest.mark.parametrize("seed", range(8))
def test_single_precision_stays_within_the_bound_row_by_row(seed):
    """Networks with large weights, where rounding shows: float32 by the native engine against double precision."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(60, 12)), columns=[f"c{k}" for k in range(12)])
    model = HybridClassifier(n_qubits=4, n_layers=2, width=16, epochs=1, random_state=seed).fit(
        frame, rng.integers(0, 3, 60)
    )
    for name, weight in model.network_.named_parameters():
        weight.data *= 1.0 if name.startswith("layer") else 6.0
    original = _opened(model)
    x = rng.normal(size=(500, 12)).astype(np.float32) * 2
    exact = run([*original.steps, *original.readout], x.astype(np.float64))
    bound, _ = ordinary_bound(original, ordinary(original, None), x, DOUBLE)
    away = np.abs(original.predictor.predict_features(x) - exact)
    assert (away <= bound).all()
    assert away.max() > 1e-7  # there was something to hold


def _opened(model):
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        model.save(folder)
        return open_original(Path(folder), None)


@pytest.mark.parametrize("seed", range(8))
def test_engines_stay_within_their_rounding(seed):
    """The native engine in single precision against the reference engine."""
    from qloom.engines import StatevectorEngine, make_batch

    step = random_step(np.random.default_rng(seed))
    x = np.random.default_rng(seed).uniform(-3, 3, (200, 3)).astype(np.float32)
    weights = step.weights.astype(np.float32)
    single = StatevectorEngine().prepare(step.circuit, step.observables).values(make_batch(step.circuit, x, weights))
    exact = (
        StatevectorEngine()
        .prepare(step.circuit, step.observables)
        .values(make_batch(step.circuit, x.astype(np.float64), weights.astype(np.float64)))
    )
    assert (np.abs(single - exact) <= engine_rounding(step, SINGLE)).all()


def test_a_deviation_beyond_the_bound_is_an_error_and_nothing_is_written(classifier, tmp_path, monkeypatch):
    """The polynomial of a circuit whose weights were changed in between."""
    import qloom.portable.made as made

    exact = made.exact_polynomial

    def of_another(step):
        step.weights = step.weights + 0.01
        found = exact(step)
        step.weights = step.weights - 0.01
        return found

    monkeypatch.setattr(made, "exact_polynomial", of_another)
    with pytest.raises(
        DataError, match=r"network.onnx is .* off the original in row \d+, expected at most .*; nothing"
    ):
        exporting.export_run(classifier[0], "onnx", tmp_path / "onnx", data=str(classifier[1]))
    assert list(tmp_path.iterdir()) == []


# -- what cannot be


def test_dates_and_free_text_come_from_the_preprocessing(tmp_path):
    frame = pd.DataFrame({
        "day": pd.date_range("2024-01-01", periods=60).astype(str),
        "a": np.arange(60.0) % 7, "y": ["u", "v", "w"] * 20,
    })  # fmt: skip
    model = HybridClassifier(n_qubits=2, n_layers=1, width=4, epochs=1).fit(frame[["day", "a"]], frame.y)
    model.save(tmp_path / "model")
    assert why_no_columns(model.preprocessing_) is not None
    folder, record = exporting.export_run(tmp_path / "model", "onnx", tmp_path / "onnx")
    assert not (folder / "model.onnx").exists()
    assert (
        "column 'day' is a date, which ONNX does not code: features come from preprocessing.json" in record["notes"][1]
    )
    assert record["checked"]["rows"].startswith("rows drawn at random in the features' range, as a model folder")
    assert record["checked"]["n_rows"] == 10_000


def test_trees_behind_a_circuit_are_refused(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 3))
    # Hardly trained, so that trees do clearly better.
    model = HybridClassifier(n_qubits=3, n_layers=1, width=16, epochs=1, learning_rate=1e-6, refit="boosting")
    model.fit(x, (x[:, 0] > 0).astype(int))
    assert model.refit_["kept"]
    model.save(tmp_path / "model")
    with pytest.raises(UnsupportedError, match=r"the model's head is boosting .*, which jumps at its thresholds"):
        exporting.export_run(tmp_path / "model", "onnx", tmp_path / "onnx")


@pytest.mark.parametrize(("options", "error", "message"), [
    ({"to": "onxx"}, ConfigError, "format 'onxx', expected one of torch, onnx, qasm, surrogate; did you mean onnx"),
    ({"to": "onnx", "part": "half"}, ConfigError, "part 'half', expected whole or classical"),
    ({"to": "onnx", "cut": -1.0}, ConfigError, "cut -1, expected a number from 0 to below 1"),
    ({"to": "qasm", "part": "classical"}, UnsupportedError, "part='classical' leaves the circuit out"),
])  # fmt: skip
def test_bad_wishes(classifier, tmp_path, options, error, message):
    with pytest.raises(error, match=message):
        exporting.export_run(classifier[0], output=tmp_path / "out", data=str(classifier[1]), **options)


def test_a_folder_that_is_there_is_left_alone(classifier, tmp_path):
    (tmp_path / "onnx").mkdir()
    with pytest.raises(ArtifactError, match="onnx is there already, expected a new folder"):
        exporting.export_run(classifier[0], "onnx", tmp_path / "onnx")
    assert list((tmp_path / "onnx").iterdir()) == []
