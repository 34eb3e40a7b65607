"""`qloom runs`: every kind of folder in a line, damaged ones with their reasons, those that a process holds."""

import json
import os
import shutil
import signal
import subprocess
import sys

import pytest

from qloom.training.generation_folder import GenerationFolder
from qloom.training.lock import locked
from qloom.training.run_list import SORTS, list_runs, look_at


@pytest.fixture
def shelf(trained, tmp_path):
    """A folder of runs: finished, begun, of all kinds, and damaged in many ways."""
    runs = tmp_path / "runs"
    leave = shutil.ignore_patterns("checkpoints", "controls", "baselines")
    for name in ("deep/finished", "no_model", "other_version", "not_json", "cut", "no_scores"):
        shutil.copytree(trained, runs / name, ignore=leave)
    (runs / "begun").mkdir()
    shutil.copy(trained / "config.yaml", runs / "begun")
    (runs / "no_model" / "model" / "model.json").unlink()
    metrics = json.loads((trained / "metrics.json").read_text())
    (runs / "other_version" / "metrics.json").write_text(json.dumps({**metrics, "version": 9}))
    (runs / "not_json" / "metrics.json").write_text("{")
    (runs / "cut" / "config.yaml").write_text("name: [")
    del metrics["models"]["hybrid"]["test"]
    (runs / "no_scores" / "metrics.json").write_text(json.dumps(metrics))
    (runs / "rows").mkdir()
    GenerationFolder(runs / "rows").write_results({"target": "cultivar", "chosen": "iqp"}, {})
    (runs / "wine-tuning").mkdir()
    (runs / "wine-tuning" / "trials.json").write_text(json.dumps([{"loss": None}, {"loss": 0.25}]))
    (runs / "plan").mkdir()
    solution = {"problem": "MaxCut", "objective": 12.0, "gap": 0.25, "feasible": True}
    (runs / "plan" / "solution.json").write_text(json.dumps(solution))
    (runs / "notes").mkdir()
    (runs / "notes" / "metrics.txt").write_text("nothing of ours")
    return runs


def test_every_kind_and_every_state(shelf):
    found = {run.name: run for run in list_runs([shelf])}
    assert {name: run.kind for name, run in found.items() if run.kind != "comparison"} == {
        "rows": "synthetic rows", "wine-tuning": "trials", "plan": "solution"
    }  # fmt: skip
    assert {name for name, run in found.items() if run.state == "damaged"} == {
        "no_model", "other_version", "not_json", "cut", "no_scores"
    }  # fmt: skip
    assert found["begun"].state == "begun"
    assert (found["begun"].source, found["begun"].target) == ("demo:wine", "cultivar")
    assert "has version 9, expected 1 or 2" in found["other_version"].reason
    assert found["plan"].verdict == "objective 12, gap 25.00%"
    assert found["wine-tuning"].verdict == "2 trials, lowest validation loss 0.2500"
    assert "notes" not in found


def test_a_finished_run_has_what_its_record_says(shelf, trained):
    run = look_at(shelf / "deep" / "finished")
    metrics = json.loads((trained / "metrics.json").read_text())
    assert (run.state, run.rows, run.rounds, run.metric) == ("finished", 178, 2, metrics["metric"])
    assert run.hybrid.value == metrics["models"]["hybrid"]["test"][run.metric]
    controls = [metrics["models"][key]["test"][run.metric] for key in ("hybrid_separable", "hybrid_classical")]
    assert run.control.value == max(controls)
    assert run.verdict in ("better", "worse", "equal", "undecided", "no verdict")
    sizes = [file.stat().st_size for file in (shelf / "deep" / "finished").rglob("*") if file.is_file()]
    assert run.size == sum(sizes)


def test_a_run_that_a_process_holds_is_in_use(shelf):
    code = (
        "import sys, time; from pathlib import Path; from qloom.training.lock import locked\n"
        "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(600)"
    )
    words = [sys.executable, "-c", code, str(shelf / "begun")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as holding:
        try:
            assert holding.stdout.readline() == "held\n"
            assert look_at(shelf / "begun").state == f"in use by process {holding.pid}"
        finally:
            os.kill(holding.pid, signal.SIGKILL)
    assert look_at(shelf / "begun").state == "begun"
    with locked(shelf / "begun"):  # looking has taken no lock
        pass


@pytest.mark.parametrize("sort", SORTS)
def test_every_sort_takes_every_kind(shelf, sort):
    assert len(list_runs([shelf], sort)) == 10


def test_best_scores_come_first(shelf, trained):
    metrics = json.loads((trained / "metrics.json").read_text())
    metrics["models"]["hybrid"]["test"][metrics["metric"]] = 2.0
    shutil.copytree(shelf / "deep" / "finished", shelf / "better")
    (shelf / "better" / "metrics.json").write_text(json.dumps(metrics))
    assert [run.name for run in list_runs([shelf], "score")][:2] == ["better", "finished"]


def test_at_the_terminal(qloom, shelf, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    ended = qloom("runs")
    assert ended.code == 0
    assert max(map(len, ended.out.splitlines()[:20])) <= 80
    assert "runs/other_version is damaged: runs/other_version/metrics.json has version 9" in ended.out
    assert "Traceback" not in ended.out + ended.err
    found = json.loads(qloom("runs", "--json", "runs/deep", "runs/plan").out, parse_constant=pytest.fail)
    assert [run["name"] for run in found] == ["finished", "plan"]
    shutil.copytree(shelf / "deep" / "finished", shelf / "second")
    assert "side by side: qloom compare runs/deep/finished runs/second\n" in qloom("runs").out


@pytest.mark.parametrize(("words", "message"), [
    (("--sort", "colour"), "sort is 'colour', expected one of name, when, target, rows, score, state, size"),
    (("nowhere",), "no folder nowhere, expected one with runs; qloom train makes runs/NAME"),
    (("--log", "runs/wine"), "--log and --mlflow go together, got one of them"),
])  # fmt: skip
def test_mistakes_are_one_line(qloom, words, message):
    ended = qloom("runs", *words)
    assert ended.code == 2
    assert message in ended.err
    assert ended.err.count("\n") == 1


def test_no_runs_are_no_mistake(qloom, tmp_path):
    (tmp_path / "runs").mkdir()
    ended = qloom("runs")
    assert (ended.code, ended.out) == (0, "no runs below runs; qloom train makes one\n")
