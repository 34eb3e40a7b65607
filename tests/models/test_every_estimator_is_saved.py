"""Every estimator comes back from its folder, in another process, with the same answers to the last bit."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from inspect import isabstract
from pathlib import Path
from pkgutil import walk_packages

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone

import qloom as ql
from qloom import models
from qloom.combinatorial import SimulatedAnnealing
from qloom.models import QuantumKernel
from qloom.models.artifact import DESCRIPTION, WEIGHTS
from qloom.models.generative.base import GenerativeModel
from qloom.models.tables.served import read_served

STEPS = {"max_steps": 5, "convergence_interval": None}
TRAINED = QuantumKernel(encoder="angle", trained_layers=1, n_steps=3)
MODELS = [
    models.CircuitCentricClassifier(n_layers=1, **STEPS),
    models.DressedCircuitClassifier(1, **STEPS),
    models.IQPVariationalClassifier(n_layers=1, **STEPS),
    models.QCNNClassifier(**STEPS),
    models.QuantumMetricLearner(1, **STEPS),
    models.QuanvolutionalClassifier(n_channels=1, widths=(2, 2), **STEPS),
    models.QuanvolutionalClassifier(quantum=False, widths=(2, 2), random_state=np.random.RandomState(3), **STEPS),
    models.ReuploadingClassifier(1, **STEPS),
    models.ReuploadingClassifier(1, objective="fidelity", observed="full", **STEPS),
    models.SeparableVariationalClassifier(**STEPS),
    models.TreeTensorClassifier(random_state=None, **STEPS),
    models.QuantumKitchenSinks(5),
    models.QuantumKitchenSinks(5, shots=3),
    models.QuantumSVC(QuantumKernel("projected", encoder="zz", encoder_options={"n_layers": 2}), C=2),
    models.QuantumSVC(),
    models.QuantumKernelRidge("projected"),
    models.QuantumGaussianProcess(TRAINED),
    models.QuantumLandmarks(TRAINED, n_landmarks=9),
    models.QuadraticFeatureSelector(2, solver=SimulatedAnnealing(100, 4)),
    models.HybridClassifier(2, 1, epochs=2),
    models.HybridRegressor(2, 1, epochs=2),
    models.QuantumFilter(2),
    TRAINED,
]
OF_THREE = [
    models.DressedCircuitClassifier(1, **STEPS),
    models.QuanvolutionalClassifier(n_channels=1, widths=(2, 2), **STEPS),
    models.QuantumKitchenSinks(5),
    models.QuantumMetricLearner(1, **STEPS),
    models.QuantumSVC("projected"),
    models.ReuploadingClassifier(1, **STEPS),
    models.SeparableVariationalClassifier(**STEPS),
]
# Generative models, fitted on bits.
OF_BITS = [
    models.ChowLiuTree(),
    models.IQPModel(n_steps=2),
    models.IQPModel(gates=3, symmetric=True, coherent=False, exact=True, widths=(1.5,), n_steps=2),
    models.IndependentBits(smoothing=0.5),
    models.QCBM(max_steps=2, n_restarts=2),
    models.QCBM(ql.ansatze.basic_entangler(9, 1), objective="mmd", max_steps=2, n_restarts=1),
    models.QGAN(max_steps=2, units=(4,)),
    models.QuantumBoltzmannMachine(max_steps=2),
    models.QuantumBoltzmannMachine(("Z", "ZZ"), n_hidden=1, connections="restricted", max_steps=5),
    models.RestrictedBoltzmannMachine(n_steps=9, burn_in=5),
]
IDS = [f"{k}-{type(model).__name__}" for k, model in enumerate(MODELS + OF_THREE + OF_BITS)]
QUESTIONS = ("predict", "predict_proba", "decision_function", "transform")

LOADED_ELSEWHERE = """
import json, sys
import numpy as np
import qloom as ql
x, answers = np.load(sys.argv[1] + "/x.npy"), {}
for name, questions in json.loads(sys.argv[2]).items():
    model = ql.load_model(f"{sys.argv[1]}/{name}")
    for question, options in questions.items():
        given = {"score_samples": [x > 0], "sample": []}.get(question, [x])
        answers[f"{name}.{question}"] = np.asarray(getattr(model, question)(*given, **options))
    answers[f"{name}.classes"] = np.asarray(getattr(model, "classes_", 0)).astype(str)
np.savez(sys.argv[1] + "/answers.npz", **answers)
"""


def rows(n: int = 24) -> tuple[np.ndarray, np.ndarray]:
    """Images of three by three, two classes."""
    x = np.random.default_rng(0).normal(size=(n, 9))
    return x, (x[:, 0] * x[:, 1] > 0).astype(int)


def questions_to(model) -> dict[str, dict]:
    if isinstance(model, QuantumKernel):
        return {"inputs": {}}
    if isinstance(model, GenerativeModel):
        return {"score_samples": {}, "sample": {"n_samples": 5, "random_state": 0}}
    with_errors = isinstance(model, models.QuantumGaussianProcess)
    options = {"predict": {"return_std": True} if with_errors else {}}
    return {question: options.get(question, {}) for question in QUESTIONS if hasattr(model, question)}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Every model fitted and saved, with the answers of another process that loaded it."""
    folder = tmp_path_factory.mktemp("saved")
    x, y = rows()
    np.save(folder / "x.npy", x)
    made = [clone(model).fit(x, y) for model in MODELS]
    made += [clone(model).fit(x, np.arange(len(x)) % 3) for model in OF_THREE]
    made += [clone(model).fit(x > 0) for model in OF_BITS]
    fitted = dict(zip(IDS, made, strict=True))
    for name, model in fitted.items():
        model.save(folder / name)
    questions = json.dumps({name: questions_to(model) for name, model in fitted.items()})
    subprocess.run([sys.executable, "-W", "error", "-c", LOADED_ELSEWHERE, str(folder), questions], check=True)
    with np.load(folder / "answers.npz") as answers:
        return folder, fitted, dict(answers)


def estimators_of_qloom() -> set[str]:
    modules = [import_module(found.name) for found in walk_packages(models.__path__, "qloom.models.")]
    classes = {value for module in modules for value in vars(module).values() if isinstance(value, type)}
    ours = {c for c in classes if issubclass(c, BaseEstimator) and c.__module__.startswith("qloom.")}
    found = {c for c in ours if hasattr(c, "fit")}
    bases = {base for c in found for base in c.__mro__[1:]}
    return {c.__name__ for c in found - bases if not isabstract(c)}


def test_no_estimator_is_left_out():
    exported = {name for name in models.__all__ if hasattr(getattr(models, name), "restored")}
    assert exported == estimators_of_qloom() == {type(model).__name__ for model in MODELS + OF_BITS}


@pytest.mark.parametrize("name", IDS)
def test_answers_are_the_same_in_another_process(saved, name):
    _, fitted, answers = saved
    model, x = fitted[name], rows()[0]
    questions = questions_to(model)
    assert questions
    for question, options in questions.items():
        given = {"score_samples": [x > 0], "sample": []}.get(question, [x])
        expected, found = np.asarray(getattr(model, question)(*given, **options)), answers[f"{name}.{question}"]
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", IDS)
def test_all_that_was_learnt_comes_back(saved, name):
    folder, fitted, _ = saved
    model, back = fitted[name], ql.load_model(folder / name)
    assert type(back) is type(model)
    assert vars(back).keys() - {"_sklearn_version"} == vars(model).keys()
    assert back.n_features_in_ == 9 if hasattr(model, "n_features_in_") else True
    shown, expected = (str({**m.get_params(), "random_state": 0}) for m in (back, model))
    assert shown == expected
    again = back.save(folder / "again")
    for file in (WEIGHTS,) if name.endswith(("HybridClassifier", "HybridRegressor")) else (WEIGHTS, DESCRIPTION):
        assert (again / file).read_bytes() == (folder / name / file).read_bytes()


LABELS = {
    "words": np.array(["no", "yes"]), "objects": np.array(["no", "maybe"], object), "bools": np.array([False, True]),
    "integers": np.array([-3, 7]), "small integers": np.array([1, 2], np.int8), "floats": np.array([1.0, 2.0]),
    "three": np.array(["a", "b", "c"]),
}  # fmt: skip


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_labels_keep_their_kind(tmp_path, labels):
    x = rows()[0]
    y = labels[np.arange(len(x)) % len(labels)]
    for model in (models.QuantumSVC("projected"), models.QuantumKitchenSinks(3)):
        fitted = model.fit(x, y)
        back = ql.load_model(fitted.save(tmp_path / "model"))
        assert back.classes_.dtype == fitted.classes_.dtype
        assert [type(label) for label in back.classes_.tolist()] == [type(label) for label in fitted.classes_.tolist()]
        assert back.predict(x).tolist() == fitted.predict(x).tolist()


def test_generators_and_odd_numbers_come_back(tmp_path):
    random = np.random.RandomState(3)
    random.normal(size=5)
    x, y = rows()
    model = models.QuantumKitchenSinks(3, C=np.float64(2), random_state=random).fit(x, y)
    back = ql.load_model(model.save(tmp_path / "model"))
    assert type(back.C) is np.float64
    assert back.random_state.normal() == random.normal()
    endless = models.QuantumSVC("projected", C=float("inf"))
    endless.__dict__.update(models.QuantumSVC("projected").fit(x, y).__dict__, C=float("inf"))
    assert float("inf") == ql.load_model(endless.save(tmp_path / "model")).C


class OwnClassifier(models.QuantumKitchenSinks):
    """Not one of qloom's."""


def test_what_cannot_be_saved_is_named(tmp_path):
    x, y = rows()
    with pytest.raises(ql.errors.UnsupportedError, match="a OwnClassifier cannot be saved, expected an est"):
        OwnClassifier(3).fit(x, y).save(tmp_path / "model")
    model = models.QuantumKitchenSinks(3).fit(x, y)
    model.C = print
    with pytest.raises(ql.errors.UnsupportedError, match="C is a builtin_function_or_method, which cannot be saved"):
        model.save(tmp_path / "model")
    with pytest.raises(Exception, match="not fitted yet"):
        models.QuantumKitchenSinks(3).save(tmp_path / "model")
    assert not (tmp_path / "model").exists()


@pytest.fixture
def sinks(tmp_path) -> tuple[Path, models.QuantumKitchenSinks]:
    model = models.QuantumKitchenSinks(3).fit(*rows())
    return model.save(tmp_path / "model"), model


@pytest.mark.parametrize(
    "damage",
    [
        lambda record: record["learnt"].pop("omega_"),
        lambda record: record["learnt"]["omega_"].update(at="beta_"),
        lambda record: record["learnt"].update(seed_=3),
        lambda record: record.pop("parameters"),
        lambda record: record.pop("content_sha256"),
        lambda record: record.update(estimator="Popen"),
        lambda record: record.update(estimator="Pipeline"),
        lambda record: record.update(version=2),
    ],
)
def test_damaged_descriptions_are_refused_in_a_line(sinks, damage):
    folder, _ = sinks
    record = json.loads((folder / DESCRIPTION).read_text())
    damage(record)
    (folder / DESCRIPTION).write_text(json.dumps(record))
    with pytest.raises(ql.errors.ArtifactError) as caught:
        ql.load_model(folder)
    assert "\n" not in str(caught.value)


def test_another_kind_is_named(sinks):
    with pytest.raises(ql.errors.ArtifactError, match="holds a QuantumKitchenSinks, expected a QuantumSVC; use load_"):
        models.QuantumSVC.load(sinks[0])


def test_what_predicts_for_tables_names_the_way(sinks):
    with pytest.raises(ql.errors.ArtifactError, match="holds a 'QuantumKitchenSinks', expected a model of tab"):
        read_served(sinks[0])


@pytest.mark.parametrize("fails_at", range(3))
def test_a_write_that_fails_midway_leaves_one_model_whole(sinks, monkeypatch, fails_at):
    """The third step names what is there already: from the second on the new model is the one."""
    folder, old = sinks
    x, y = rows()
    new = models.QuantumKitchenSinks(3, random_state=1).fit(x, y)
    assert not np.array_equal(old.predict_proba(x), new.predict_proba(x))
    moves, replace = iter(range(10)), __import__("os").replace

    def failing(source, target):
        if next(moves) == fails_at:
            raise OSError("no space left on device")
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", failing)
        with pytest.raises(OSError, match="no space left"):
            new.save(folder)
    kept = old if fails_at < 2 else new
    np.testing.assert_array_equal(ql.load_model(folder).predict_proba(x), kept.predict_proba(x))
    last = models.QuantumKitchenSinks(3, random_state=2).fit(x, y)
    np.testing.assert_array_equal(ql.load_model(last.save(folder)).predict_proba(x), last.predict_proba(x))
    assert sorted(path.name for path in folder.iterdir() if path.suffix != ".part") == [DESCRIPTION, WEIGHTS]
