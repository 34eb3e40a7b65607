"""`qloom tune`: from words to trials, and the best configuration trains."""

from __future__ import annotations

import json
import sys


def test_tune_prints_trials_and_what_to_train(qloom, tmp_path, small):
    over = ("--over", "training.learning_rate=0.001,0.03", "--over", "model.n_layers=1,2")
    ended = qloom("tune", "demo:wine", *over, "--trials", "3", "--sampler", "random", *small)
    assert ended.code == 0
    folder = tmp_path / "runs" / "wine-tuning"
    trials = json.loads((folder / "trials.json").read_text())
    assert len(trials) == 3
    best = min(trials, key=lambda trial: trial["loss"])
    assert f"best: trial {best['number']}: " in ended.out
    assert "qloom train runs/wine-tuning/best.yaml" in ended.out
    assert qloom("train", folder / "best.yaml").code == 0
    history = json.loads((tmp_path / "runs" / "wine-tuning-best" / "metrics.json").read_text())
    losses = [epoch["validation_loss"] for epoch in history["models"]["hybrid"]["history"]]
    assert abs(min(losses) - best["loss"]) < 1e-5


def test_ctrl_c_while_a_command_is_imported_is_one_line(qloom, monkeypatch):
    def interrupted(name):
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["qloom.cli.main"], "import_module", interrupted)
    ended = qloom("tune", "demo:wine")
    assert (ended.code, ended.err) == (130, "qloom: stopped\n")


def test_mistakes_are_one_line(qloom):
    assert "nothing to tune, expected --over" in qloom("tune", "demo:wine").err
    ended = qloom("tune", "demo:wine", "--over", "model.n_layers=1,2", "--sampler", "best")
    assert (ended.code, "expected at least 1 and surrogate, tpe, random" in ended.err) == (2, True)


def test_places_that_are_none_are_refused(qloom):
    over = ("--over", "model.n_layers=1,2")
    assert "--on is 'moon', expected here or ray" in qloom("tune", "demo:wine", *over, "--on", "moon").err
    assert "--workers 2 trials at once without Ray" in qloom("tune", "demo:wine", *over, "--workers", "2").err
    assert "--on is 'moon', expected here or ray" in qloom("train", "demo:wine", "--on", "moon").err
