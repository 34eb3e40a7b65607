"""Outside solvers beside us: crashes, hangs, killed parents, Ctrl-C, and what travels between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import csr_array

from qloom.combinatorial import solver_process
from qloom.combinatorial.certificates import certify_model, linear_program
from qloom.combinatorial.constraint_programming import solve_cp
from qloom.combinatorial.cutting_planes import Cuts, certify_by_cuts
from qloom.combinatorial.model import Model
from qloom.combinatorial.problems.given import GivenModel
from qloom.combinatorial.solver_process import SolverProcess
from qloom.combinatorial.solving import solve
from tests.combinatorial.interrupted import interrupt
from tests.combinatorial.test_certificates import hard_model
from tests.combinatorial.test_constraint_programming import parabolas

# Seconds of work after which a solver that was just asked has begun.
WORK = 0.1


def easy_model() -> Model:
    """Maximize x + 2 y, x + y <= 1: 2."""
    model = Model("max")
    x = model.binary("x", 2)
    model.add([1, 2], x)
    model.constrain("one", x, 1, "<=", 1)
    return model


@contextmanager
def attacked(number: int, again: bool = False) -> Iterator[None]:
    """A process that solves gets a signal once it has worked for a while; again: each one does."""
    assert certify_model(easy_model(), 10).objective == 2
    over, before = Event(), dict[int, float]()

    def attack() -> None:
        while not over.wait(0.01):
            pool = solver_process._PROCESSES
            for process in pool.living - set(pool.idle):
                pid = process.process.pid
                if worked(pid) > before.setdefault(pid, worked(pid)) + WORK:
                    os.kill(pid, number)
                    if not again:
                        return

    thread = Thread(target=attack)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def worked(pid: int) -> float:
    """Seconds of the processor; 0 if it is gone."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def wait_until_gone(pid: int, seconds: float = 10.0) -> None:
    """Ended, or a zombie that nobody has waited for."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        stat = Path(f"/proc/{pid}/stat")
        try:
            if stat.read_text().rsplit(")", 1)[1].split()[0] in "ZX":
                return
        except (FileNotFoundError, ProcessLookupError):
            return
        time.sleep(0.02)
    raise AssertionError(f"process {pid} is still there after {seconds} s")


def test_a_crash_of_highs_is_an_answer():
    with attacked(signal.SIGSEGV):
        certificate = certify_model(hard_model(), 60)
    assert certificate.seconds < 30
    assert (certificate.status, certificate.bound) == ("the solver crashed (signal 11)", inf)
    assert certificate.told == "HiGHS, no bound: the solver crashed (signal 11)"
    assert certify_model(easy_model(), 10).objective == 2


def test_a_hang_of_highs_ends_at_the_deadline():
    """A stopped process answers nothing, whatever it was doing."""
    with attacked(signal.SIGSTOP):
        certificate = certify_model(hard_model(), 1.0)
    assert 1.9 < certificate.seconds < 10
    assert certificate.told == "HiGHS, no bound: the solver did not stop in time"
    assert certify_model(easy_model(), 10).objective == 2


@pytest.mark.parametrize(
    ("number", "seconds", "status"),
    [
        (signal.SIGSEGV, 60.0, "the solver crashed (signal 11)"),
        (signal.SIGSTOP, 1.0, "the solver did not stop in time"),
    ],
)
def test_crash_and_hang_of_cp_sat(number, seconds, status):
    model, places = parabolas(30)
    solve_cp(*parabolas(3), time_limit=10)
    with attacked(number):
        assert solve_cp(model, places, seconds) == (None, None, inf, status)


def test_what_was_proven_before_a_crash_stands():
    """By cuts: the relaxation's bound, as HiGHS crashes while it branches."""
    problem = GivenModel.of_model(hard_model())

    def separate(values: np.ndarray) -> Cuts:
        return Cuts(csr_array((0, 200)), np.zeros(0))

    with attacked(signal.SIGSEGV):
        found = certify_by_cuts(problem, linear_program(problem.model), separate, lambda values: values, 60, None)
    assert found.told == "HiGHS with cuts, the solver crashed (signal 11)"
    relaxed = linprog(-problem.model.terms[0][1], problem.model.rows, problem.model.rights, bounds=(0, 1)).fun
    assert found.bound == pytest.approx(np.ceil(relaxed - 1e-4))


def test_the_search_s_solution_stands_and_the_reason_is_printed():
    with attacked(signal.SIGSEGV, again=True):
        solved = solve(hard_model(), coarse="none", time_limit=4, seed=0, controls=False)
    assert solved.seconds < 12
    assert (solved.feasible, solved.bound) == (True, inf)
    assert "no bound is proven" in str(solved)
    assert "HiGHS, no bound: the solver crashed (signal 11)" in str(solved)


ASKS_FOR_LONG = """
from tests.combinatorial.test_certificates import hard_model
from qloom.combinatorial import solver_process
from qloom.combinatorial.certificates import certify_model
solver_process.start()
pid = solver_process._PROCESSES.idle[0].process.pid
print(pid, flush=True)
print(certify_model(hard_model(), 600).status)
"""


@pytest.mark.parametrize("after", [0.0, 2.0])
def test_no_process_outlives_a_killed_parent(after):
    """Killed while the solver's process starts, and while it solves."""
    parent = subprocess.Popen([sys.executable, "-c", ASKS_FOR_LONG], stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        time.sleep(after)
        parent.kill()
    wait_until_gone(pid)


def test_ctrl_c_ends_both():
    code = ASKS_FOR_LONG.replace("print(pid, flush=True)", 'print("ready", flush=True)')
    pid, status = interrupt(code + "print(pid)", after=2, within=10).split()[::-1]
    assert status == "interrupted"
    wait_until_gone(int(pid), 2)


OWN_TASKS = """
import ctypes, sys, time
from multiprocessing.connection import Connection
from qloom.combinatorial.solver_worker import Tasks, run

class Own(Tasks):
    def sleep(self, seconds, numbers, arrays):
        return lambda: time.sleep(600)
    def hold(self, seconds, numbers, arrays):
        return lambda: ctypes.PyDLL(None).sleep(600)
    def read_nowhere(self, seconds, numbers, arrays):
        return lambda: ctypes.string_at(0)
    def double(self, seconds, numbers, arrays):
        return lambda: (numbers, {name: 2 * array for name, array in arrays.items()})

run(Connection(int(sys.argv[1])), Own())
"""


@pytest.fixture
def own():
    process = SolverProcess(("-c", OWN_TASKS))
    yield process
    process.end()


@pytest.mark.parametrize(
    ("task", "status"),
    [
        ("sleep", "the solver did not stop in time"),
        ("hold", "the solver did not stop in time"),
        ("read_nowhere", "the solver crashed (signal 11)"),
        ("unknown", "the solver failed (AttributeError: 'Own' object has no attribute 'unknown')"),
    ],
)
def test_what_becomes_of_a_solver_is_said(own, task, status):
    assert own.ask(task, {}, 0.1, False, {}) == (status, {}, {})
    assert own.is_lost == (task != "unknown")
    assert (own.process.poll() is None) == (task == "unknown")


def test_arrays_come_back_as_they_went(own):
    random = np.random.default_rng(0)
    arrays = {
        "many": random.random((1500, 1000)), "none": np.zeros((0, 3)), "one": np.array(7), "whole": np.arange(5),
        "columns": random.random((3, 4))[:, ::2], "ends": np.array([inf, -inf, np.nan]),
    }  # fmt: skip
    status, numbers, found = own.ask("double", arrays, 10, False, {"a": 1.5, "end": inf, "b": [None, "x"]})
    assert (status, numbers) == ("done", {"a": 1.5, "end": inf, "b": [None, "x"]})
    for name, array in arrays.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(found[name], 2 * array)


def test_a_solver_that_holds_the_interpreter_ends_without_its_parent():
    code = f"""
from qloom.combinatorial.solver_process import SolverProcess
process = SolverProcess(("-c", {OWN_TASKS!r}))
print(process.process.pid, flush=True)
process.ask("hold", {{}}, 0.5, False, {{}})
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        time.sleep(1.0)
        parent.kill()
    wait_until_gone(pid)


def test_a_process_that_cannot_start_is_an_answer(monkeypatch):
    solver_process._PROCESSES.end()
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    certificate = certify_model(easy_model(), 1)
    assert certificate.told.startswith("HiGHS, no bound: the solver's process could not be started ([Errno 2]")


def test_threads_have_processes_of_their_own():
    answers: list[float | None] = []
    threads = [Thread(target=lambda: answers.append(certify_model(easy_model(), 10).objective)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [2, 2]
    solver_process._PROCESSES.end()


def test_one_process_serves_all_calls():
    certify_model(easy_model(), 10)
    before = set(solver_process._PROCESSES.living)
    for _ in range(3):
        assert certify_model(easy_model(), 10).objective == 2
    assert set(solver_process._PROCESSES.living) == before


def test_a_fork_leaves_the_processes_to_its_parent():
    code = """
import os, time
from qloom.combinatorial import solver_process
solver_process.start()
process = solver_process._PROCESSES.idle[0].process
child = os.fork()
if not child:
    assert not solver_process._PROCESSES.living
    os.close(1)
    time.sleep(30)
    os._exit(0)
print(child, process.pid, process.poll(), flush=True)
os._exit(0)
"""
    out = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True).stdout
    child, pid, ended = out.split()
    try:
        assert ended == "None"
        wait_until_gone(int(pid))
    finally:
        os.kill(int(child), signal.SIGKILL)
