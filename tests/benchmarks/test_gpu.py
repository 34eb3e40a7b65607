"""Cases for a GPU, run by the host in its place at small sizes: they are checked and timed, and rows say what was."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import results
from benchmarks.gpu import __main__ as runs
from benchmarks.gpu import many, peers, states, steps, table
from benchmarks.gpu.cases import Checked, GpuCase, check_near, run_case
from benchmarks.peers.running import TOO_LONG, WORKER
from benchmarks.peers.tasks import write_problem
from qloom.benchmarking import Work
from qloom.benchmarking.gpu_floor import Floor
from qloom.engines import Batch, StatevectorEngine
from tests.engines.gpu.host_place import LIMITS, host_place

PLACE, SIZE = host_place(), (3, 4, 2)
SYSTEMS = Path(peers.__file__).parent / "systems"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    return tmp_path


def quick(case: GpuCase) -> GpuCase:
    return replace(case, seconds=0.0)


def nothing(place, limits):
    return Checked(lambda: None, Floor(1e-3, "launches"))


# -- cases


@pytest.mark.parametrize("register_bits", [3, 4])
@pytest.mark.parametrize("which", range(3))
def test_a_step_in_every_way(which, register_bits):
    case = steps.cases_of(SIZE, register_bits, {"goal": 1e-9, "goal_fraction": 0.4})[which]
    row = run_case(quick(case), PLACE, LIMITS)
    assert row["status"] == "ok"
    assert row["size"] == f"n=3 batch=4 layers=2 register_bits={register_bits}"
    assert row["fraction"] == pytest.approx(row["floor"] / row["median"])
    assert (row["goal"], row["goal_fraction"]) == ((1e-9, 0.4), (None, None), (None, 0.4))[which]


def test_threads_hold_what_the_case_says():
    with steps.holding(4):
        evaluator = PLACE.engine.prepare(Work(*SIZE).circuit())
        assert evaluator.packed(torch.float32, True).variant.register_bits == 4
    assert PLACE.engine.prepare(Work(*SIZE).circuit()).packed(torch.float32, True).variant.register_bits == 3


def test_circuits_in_one_call_over_a_loop():
    case = GpuCase("circuits", {"circuits": 3}, partial(many.prepare, 3), goal=1e9)
    row = run_case(quick(case), PLACE, LIMITS)
    assert (row["status"], row["unit"]) == ("ok", "times")
    assert row["median"] > 0
    assert row["note"].startswith("the loop takes ")
    assert table.goals(row) == ["goal 1e+09 times MISSED"]


def test_large_states_are_held_against_the_cpu():
    row = run_case(quick(states.case(6, 2, goal_fraction=0.5)), PLACE, LIMITS)
    assert row["status"] == "ok"
    assert " launches, off by " in row["note"]


def test_wider_ones_go_there_and_back(monkeypatch):
    monkeypatch.setattr(states, "MOST_CHECKED", 3)
    row = run_case(quick(states.case(6, 2)), PLACE, LIMITS)
    assert "a circuit there and back off by " in row["note"]


def test_there_and_back_is_the_start_at_any_angles_that_are_the_same():
    circuit, angles = states.there_and_back(4), np.random.default_rng(0).normal(size=8)
    evaluator = StatevectorEngine().prepare(circuit)
    values = evaluator.values(Batch(angles[None], angles, False))
    np.testing.assert_allclose(values, np.ones((1, 4)), atol=1e-12)
    assert np.abs(evaluator.values(Batch(angles[None], angles + 0.3, False)) - 1).max() > 0.1


# -- rows


def test_what_is_wrong_is_a_row_that_says_so(monkeypatch):
    monkeypatch.setattr(steps, "truth", lambda size: [torch.zeros(()), torch.ones(4, 3), torch.zeros(18)])
    row = run_case(steps.cases_of(SIZE, 3, {})[0], PLACE, LIMITS)
    assert row["status"].startswith("wrong: off by ")
    assert row["median"] is None
    assert "wrong: off by" in table.describe(row)


def test_numbers_that_are_none_are_wrong():
    with pytest.raises(AssertionError, match="not finite"):
        check_near([np.array([np.nan, 1.0])], [np.array([0.0, 1.0])])
    with pytest.raises(AssertionError, match=r"off by 5\.0e-01, expected at most 1e-04"):
        check_near([np.array([1.0])], [np.array([2.0])])
    assert check_near([np.array([100.0])], [np.array([100.001])]) == pytest.approx(1e-5, rel=1e-3)


def test_what_has_no_room_is_a_row_that_says_so():
    row = run_case(states.case(33, 2), PLACE, LIMITS)
    assert row["status"] == "skipped: takes 76 GB, there are 0"


def test_rows_are_appended_and_the_table_shows_their_goals(folder, capsys):
    cases = [
        GpuCase("training step", {"n": 8}, nothing, goal=1e3, goal_fraction=0.4, seconds=0.0),
        GpuCase("circuits", {"n": 8}, lambda place, limits: Checked(lambda: None, over=1e9), goal=50.0, seconds=0.0),
        states.case(33, 2),
    ]
    assert runs.run(cases, PLACE, LIMITS)
    rows = results.read_rows("gpu")
    assert [row["status"][:7] for row in rows] == ["ok", "ok", "skipped"]
    assert rows[0]["device"] == "the host"
    assert {"case", "commit", "machine", "precision", "median", "spread", "copy_rate"} <= set(rows[0])
    printed = capsys.readouterr().out
    assert "goal 1000 ms met" in printed
    runs.main(["--table"])
    printed = capsys.readouterr().out
    assert "goal 1000 ms met; goal 40% met" in printed
    assert "goal 50 times met" in printed
    assert "skipped: takes 76 GB" in printed
    assert f"Rows: {table.RESULTS}" in printed


def test_a_run_with_wrong_results_ends_so(folder):
    wrong = GpuCase("wrong", {"n": 1}, lambda place, limits: check_near([np.ones(1)], [np.zeros(1)]))  # type: ignore[arg-type, return-value]
    assert not runs.run([wrong], PLACE, LIMITS, dry=True)
    assert not list(folder.iterdir())


def test_every_case_has_a_name_of_its_own_and_the_goals_are_there():
    assert len({case.hash for case in runs.CASES}) == len(runs.CASES)
    ours = [case for case in runs.CASES if case not in steps.OTHERS]
    goals = {(case.name, case.size.get("n"), case.size.get("batch")): case for case in ours}
    assert goals["training step", 8, 256].goal == 0.15
    assert goals["training step", 10, 4096].goal_fraction == goals["kernels of a step", 8, 4096].goal_fraction == 0.4


@pytest.mark.parametrize("module", [runs, peers])
def test_without_a_gpu_it_is_one_line(module, monkeypatch):
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(SystemExit, match=r"^qloom: torch .* is built without CUDA"):
        module.main(["--dry"])


# -- other systems


def test_a_peer_has_its_file():
    places = SYSTEMS, WORKER.parent / "systems"
    for peer in peers.PEERS.values():
        assert any((place / f"{peer.module}.py").exists() for place in places), peer.module


def options(**given):
    return argparse.Namespace(peers=["fastqml"], seconds=0.05, limit=60.0, dry=False, **given)


@pytest.fixture
def small_points(monkeypatch):
    monkeypatch.setattr(peers, "POINTS", (SIZE,))
    real = peers.host_times
    monkeypatch.setattr(peers, "host_times", lambda function, repeats: real(function, 3))


def test_a_peer_that_is_not_there_is_told(folder, small_points, monkeypatch, capsys):
    monkeypatch.setattr(peers, "interpreter", lambda name: None)
    peers.run(PLACE, options())
    assert capsys.readouterr().out == "skipped: fastqml, CUDA graph is not installed; pip install fastqml==0.2.1\n"
    assert not list(folder.iterdir())


def test_a_peer_is_set_beside_ours(folder, small_points, monkeypatch, capsys):
    figures = {"status": "ok", "version": "0.2.1", "precision": "complex64", "setup_s": 1.0, "first_call_s": 1.0,
               "error": 1e-7, "median_ms": 1e3, "spread": 0.1, "repeats": 3}  # fmt: skip
    monkeypatch.setattr(peers, "interpreter", lambda name: Path(sys.executable))
    monkeypatch.setattr(peers, "run_worker", lambda *given: figures)
    peers.run(PLACE, options())
    (row,) = results.read_rows("gpu_peers")
    assert float(row["ratio"]) == pytest.approx(1e3 / float(row["ours_ms"]), rel=1e-3)
    assert table.peer_goal([row]).startswith("No other system was measured at (8, 256, 4)")
    there = {**row, "n": "8", "batch": "256", "layers": "4", "ratio": "12"}
    assert table.peer_goal([there]).endswith("takes 12 times: goal 10 met.")
    assert "| (3, 4, 2) | fastqml, CUDA graph 0.2.1 | 1000 ms |" in table.peer_table([row])
    monkeypatch.setattr(peers, "run_worker", lambda *given: {"status": TOO_LONG})
    peers.run(PLACE, options())
    assert TOO_LONG in table.peer_table(results.read_rows("gpu_peers"))


FAKE_FASTQML = '''
import torch


def build_rot_gates(first, second, third):
    """RZ RY RZ of each qubit, as real and imaginary parts."""
    def turned(angle):
        return torch.diag_embed(torch.exp(torch.stack([-0.5j * angle, 0.5j * angle], dim=-1)))

    c, s = torch.cos(second / 2), torch.sin(second / 2)
    middle = torch.stack([torch.stack([c, -s], -1), torch.stack([s, c], -1)], -2) + 0j
    gates = turned(third) @ middle @ turned(first)
    return gates.real, gates.imag


def apply_su2_layer(re, im, real, imaginary):
    whole = torch.ones(1, 1) + 0j
    for gate in torch.complex(real, imaginary):
        whole = torch.kron(whole, gate)
    state = torch.complex(re, im) @ whole.T
    return state.real, state.imag
'''


def test_fastqmls_step_is_the_works(tmp_path):
    """Its two functions that are used, in other words; on the CPU, through the worker that times it."""
    package = tmp_path / "fastqml"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "gate_fusion.py").write_text(FAKE_FASTQML)
    described = tmp_path / "fastqml-0.0.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: fastqml\nVersion: 0.0.0\n")
    problem = tmp_path / "problem.npz"
    write_problem("step", Work(*SIZE), problem)
    places = os.pathsep.join([str(SYSTEMS.parent), str(tmp_path)])
    command = [sys.executable, WORKER, "fastqml_gpu", '{"device": "cpu"}', "fastqml", "step", "1", "0.01", problem]
    ended = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": places}
    )
    assert ended.stdout.startswith("RESULT "), ended.stderr
    found = json.loads(ended.stdout.removeprefix("RESULT "))
    assert found["error"] < 1e-5
    assert found["median_ms"] > 0
