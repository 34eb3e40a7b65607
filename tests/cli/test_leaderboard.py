"""The leaderboard and the progress fold by design where the terminal is narrow."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from qloom.cli.bars import BarProgress, showing_progress
from qloom.cli.leaderboard import WIDE, print_leaderboard
from tests.training.test_checkpoints import make_fit, make_rows

TITLES = ("hybrid quantum model", "hybrid without entangling gates", "classical layer of equal size")


def metrics_of(n_rounds=5):
    models = {
        title: {"title": title, "role": "control", "test": {"roc_auc": 0.9 - k / 100}, "deviation": {"roc_auc": 0.0123},
                "interval": [0.85, 0.95], "rounds": [{}] * n_rounds, "n_parameters": 3794, "n_quantum_parameters": 72,
                "seconds_training": 123.4, "seconds_prediction": 0.02}
        for k, title in enumerate(TITLES)
    }  # fmt: skip
    return {"name": "run", "target": "y", "engine": {"shots": 1000}, "metric": "roc_auc", "n_rows": {"test": 100},
            "models": models, "rounds": {"n": n_rounds, "kind": "random splits"},
            "verdict": "It is undecided. " * 20}  # fmt: skip


@pytest.mark.parametrize("width", [80, 100, WIDE])
def test_every_line_fits_and_nothing_is_cut(width, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    print_leaderboard(metrics_of())
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= width
    assert "…" not in printed
    for text in (*TITLES, "0.9000", "0.0123", "0.8500 to 0.9500", "3794", "123.4 s", "5 rounds", "1,000 shots"):
        assert text in printed
    assert printed.count("hybrid quantum model") == (1 if width == WIDE else 2)
    assert "It is undecided. It is undecided." in printed


def test_a_pipe_gets_the_wide_table(capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    print_leaderboard(metrics_of())
    assert capsys.readouterr().out.count("hybrid quantum model") == 1


def test_undefined_scores_are_dashes(capsys):
    metrics = metrics_of(1)
    metrics["models"][TITLES[0]] |= {"test": {"roc_auc": None}, "deviation": {"roc_auc": None}, "interval": None}
    print_leaderboard(metrics)
    printed = capsys.readouterr().out
    assert "nan" not in printed.lower()
    assert "in one round" in printed
    assert printed.index(TITLES[1]) < printed.index(TITLES[0])


@pytest.mark.parametrize("width", [60, 80, 200])
def test_progress_shows_bar_epochs_and_time_left(width):
    console = Console(file=io.StringIO(), force_terminal=True, width=width, color_system=None)
    lines = []

    def watch(fit):
        progress.epoch(fit, 2)
        text = io.StringIO()
        Console(file=text, width=width).print(progress.bars.get_renderable())
        lines.append(text.getvalue().splitlines()[0])

    with showing_progress(console) as progress:
        assert isinstance(progress, BarProgress)
        progress.begin(TITLES[1], 2, [1, 2, 3, 4, 5])
        make_fit().run(make_rows(), make_rows(), watch)
    for epoch, line in enumerate(lines, 1):
        assert len(line.rstrip()) <= width
        assert f"{epoch}/10" in line
        assert any(mark in line for mark in "━╸")
        assert line.count(":") >= 4  # time gone and time left: hours, minutes and seconds each
        assert ("loss 0." in line) == (width == 200)
