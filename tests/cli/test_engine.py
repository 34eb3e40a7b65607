"""Trained models on another engine from the command line, and runs whose circuits are measured."""

import json

import pytest

SHOTS = ("--set", "engine.shots=20", "--set", "engine.seed=1")


def test_evaluate_measured_beside_exact(qloom, trained):
    plain = qloom("evaluate", trained, "demo:wine", "--force")
    found = qloom("evaluate", trained, "demo:wine", "--force", *SHOTS)
    assert "measured" not in plain.out
    first, heading, accuracy = found.out.splitlines()[:3]
    assert first == "178 rows; the circuit runs with 20 shots a word (engine.seed=1)"
    assert heading.split(maxsplit=1)[1].split("  ") == ["exact values", "classical layer of equal size"]
    assert accuracy.split()[0] == "accuracy"
    assert accuracy[heading.index("exact values") :].split()[0] == plain.out.splitlines()[1].split()[1]
    found = json.loads(qloom("evaluate", trained, "demo:wine", "--force", *SHOTS, "--json").out)
    assert found["engine"] == {"name": "statevector", "noise": None, "shots": 20, "seed": 1, "device": "cpu"}
    assert set(found["beside"]) == {"exact values", "classical layer of equal size"}


def test_predict_measured_says_so(qloom, trained):
    plain, measured, again, other = (
        qloom("predict", trained, "demo:wine", *words) for words in ((), SHOTS, SHOTS, (*SHOTS[:3], "engine.seed=2"))
    )
    assert measured.out == again.out
    assert len({plain.out, measured.out, other.out}) == 3
    assert "the circuit runs with 20 shots a word (engine.seed=1)" in measured.err
    assert "measured" not in plain.err


def test_the_reference_engine_agrees(qloom, trained):
    exact, reference = (
        json.loads(qloom("evaluate", trained, "demo:wine", "--force", "--json", *words).out)["scores"]["log_loss"]
        for words in ((), ("--set", "engine.name=reference"))
    )
    assert reference == pytest.approx(exact, rel=1e-4)


@pytest.mark.parametrize(("words", "message"), [
    (["--set", "model.width=3"], "model.width changes no trained model, expected one of engine.name, engine.noise"),
    (["--set", "engine.shots"], "setting 'engine.shots' has no value, expected key=value"),
    (["--set", "engine.shots=few"], "engine.shots='few', expected an integer of at least 1"),
    (["--set", "engine.name=mine"], "engine.name is 'mine', expected one of statevector, reference"),
    ([*SHOTS, "--model", "linear"], "a model without a circuit has no engine, got engine.shots=20, engine.seed=1"),
])  # fmt: skip
@pytest.mark.parametrize("command", ["evaluate", "predict"])
def test_mistakes_are_one_line(qloom, trained, command, words, message):
    ended = qloom(command, trained, "demo:wine", *words)
    assert ended.code == 2
    assert ended.err.startswith(f"qloom: {message}")
    assert ended.err.count("\n") == 1


def test_a_measured_run(qloom, small):
    ended = qloom("train", "demo:wine", "--name", "noisy", *small, "--set", "engine.shots=20")
    assert ended.code == 0
    said = " ".join(ended.out.split())
    assert "circuits with 20 shots a word" in said
    assert "over 2 rounds with 20 shots a word" in said
    again = qloom("train", "demo:wine", "--name", "exact", *small)
    assert again.code == 0
    assert "shots" not in again.out
    assert "Circuits of noisy run with 20 shots a word." in qloom("compare", "runs/exact", "runs/noisy").out


def test_diagnose_says_that_it_is_exact(qloom, tmp_path):
    (tmp_path / "c.yaml").write_text("data: {source: demo:wine, target: x}\nmodel: {n_qubits: 2, n_layers: 1}\n")
    found = qloom("diagnose", "c.yaml", "--samples", 4, "--set", "engine.shots=20")
    assert "gradients here are those of exact values; a run measures them with 20 shots a word" in found.out
