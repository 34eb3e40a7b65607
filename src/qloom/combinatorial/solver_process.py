"""Outside solvers run in a process beside ours: one that crashes or hangs there is an answer here."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from multiprocessing.connection import Connection, Pipe
from threading import Lock, Timer
from typing import Any, NamedTuple

import numpy as np

from qloom.combinatorial.deadline import left_of_all

WORKER = ("-P", "-m", "qloom.combinatorial.solver_worker")
# Seconds for imports and for reading a model, and for the best so far once Ctrl-C was pressed.
STARTING, STOPPING = 60.0, 3.0
# Seconds that a solver may end after the deadline of all.
LATE = 0.2
# Bytes of an array that is sent with others; a socket takes such a message at once.
SMALL = 4096

Arrays = dict[str, np.ndarray]


class Answer(NamedTuple):
    """What came back of a task.

    Attributes:
        status: "done", "interrupted", or what became of the solver, as "the solver crashed (signal 11)".
        numbers: plain values by name; none where the solver gave no answer.
        arrays: by name.
    """

    status: str
    numbers: dict[str, Any]
    arrays: Arrays


def grace(seconds: float) -> float:
    """Seconds that a solver may take longer than it was given."""
    return max(1.0, 0.1 * seconds)


def start(*tasks: str) -> None:
    """Have a process import what tasks need beside what follows, HiGHS if none is named; else `ask` waits for it."""
    _PROCESSES.prepare(tasks or ("integer_program",))


def ask(task: str, arrays: Arrays, seconds: float, can_stop: bool = False, **numbers: Any) -> Answer:
    """Run one task of `solver_worker.TASKS` in a process that is kept for later ones.

    The process is killed when the time and its grace have passed, counted from where the solver begins, and soon after
    the deadline of all that the call is part of.

    Args:
        task: its name.
        arrays: what it works on.
        seconds: that the solver is given.
        can_stop: whether it gives its best so far when Ctrl-C is pressed; else it is killed then.
        numbers: what else it is told, as JSON can say it.
    """
    try:
        process = _PROCESSES.take()
    except OSError as error:
        return Answer(f"the solver's process could not be started ({error})", {}, {})
    try:
        return process.ask(task, arrays, seconds, can_stop, numbers)
    finally:
        _PROCESSES.give_back(process)


def send(connection: Connection, numbers: dict[str, Any], arrays: Arrays) -> None:
    """A line of JSON and the bytes of small arrays in one message, large ones after it; nothing is pickled."""
    heads = [(name, array.dtype.str, array.shape) for name, array in arrays.items()]
    parts = [_bytes_of(np.ascontiguousarray(array)) for array in arrays.values()]
    line = json.dumps({**numbers, "arrays": heads}).encode()
    connection.send_bytes(b"\n".join([line, b"".join(part for part in parts if len(part) <= SMALL)]))
    for part in parts:
        if len(part) > SMALL:
            connection.send_bytes(part)


def receive(connection: Connection) -> tuple[dict[str, Any], Arrays]:
    """What `send` sent.

    Raises:
        EOFError, OSError: if the other side has ended.
    """
    line, _, small = connection.recv_bytes().partition(b"\n")
    numbers, arrays, place = json.loads(line), {}, 0
    for name, dtype, shape in numbers.pop("arrays"):
        array = arrays[name] = np.empty(shape, dtype)
        if array.nbytes > SMALL:
            connection.recv_bytes_into(_bytes_of(array))
        else:
            _bytes_of(array)[:] = np.frombuffer(small, np.uint8, array.nbytes, place)
            place += array.nbytes
    return numbers, arrays


def _bytes_of(array: np.ndarray) -> Any:
    return array.reshape(-1).view(np.uint8)


class SolverProcess:
    """One process that solves one task after the other.

    Args:
        program: what Python runs; it is told the number of its end of a socket.
    """

    def __init__(self, program: tuple[str, ...] = WORKER):
        self.connection, other = Pipe()
        self.known: set[str] = set()
        self.is_lost = False
        path = os.pathsep.join(part or os.getcwd() for part in sys.path)
        # In a session of its own: Ctrl-C on a terminal reaches us alone, and what it does to a solver is ours to say.
        with other:
            self.process = subprocess.Popen(
                [sys.executable, *program, str(other.fileno())], pass_fds=[other.fileno()], start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": path},
            )  # fmt: skip

    def prepare(self, tasks: tuple[str, ...]) -> None:
        """Have what they need imported."""
        for task in set(tasks) - self.known:
            try:
                send(self.connection, {"prepare": task}, {})
            except OSError:
                self.end()
            self.known.add(task)

    def ask(self, task: str, arrays: Arrays, seconds: float, can_stop: bool, numbers: dict[str, Any]) -> Answer:
        """As the function of that name; afterwards the process may be lost."""
        try:
            large = any(array.nbytes > SMALL for array in arrays.values())
            with self._killed_after(STARTING) if large else nullcontext():
                send(self.connection, {"task": task, "seconds": seconds, "numbers": numbers}, arrays)
            if not self.connection.poll(STARTING):
                return self._ended("the solver's process did not start in time")
            receive(self.connection)
            return self._answer(seconds, can_stop)
        except (EOFError, OSError):
            return self._ended(None)
        except KeyboardInterrupt:
            return self._ended("interrupted")
        except BaseException:
            self.end()
            raise

    def _answer(self, seconds: float, can_stop: bool) -> Answer:
        status = "done"
        try:
            in_time = self.connection.poll(min(seconds + grace(seconds), left_of_all() + LATE))
        except KeyboardInterrupt:
            if not can_stop:
                raise
            status = "interrupted"
            send(self.connection, {"stop": True}, {})
            in_time = self.connection.poll(STOPPING)
        if not in_time:
            return self._ended("interrupted" if status == "interrupted" else "the solver did not stop in time")
        numbers, arrays = receive(self.connection)
        return Answer(numbers.pop("failed", None) or status, numbers, arrays)

    def _ended(self, status: str | None) -> Answer:
        """An answer without a solution, and the end of the process; None asks how it ended by itself."""
        if status is None:
            try:
                code = self.process.wait(1.0)
                status = f"the solver crashed (signal {-code})" if code < 0 else f"the solver ended (exit code {code})"
            except subprocess.TimeoutExpired:
                status = "the solver's process closed its connection"
        self.end()
        return Answer(status, {}, {})

    @contextmanager
    def _killed_after(self, seconds: float) -> Iterator[None]:
        """A process that reads no more would keep us writing for ever."""
        timer = Timer(seconds, self.process.kill)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def end(self) -> None:
        """Kill it; more than once does nothing."""
        self.is_lost = True
        self.process.kill()
        self.process.wait()
        self.connection.close()


class _Processes:
    """Those that are kept: the idle ones, and all that live."""

    def __init__(self) -> None:
        self.idle: list[SolverProcess] = []
        self.living: set[SolverProcess] = set()
        self.lock = Lock()

    def take(self) -> SolverProcess:
        with self.lock:
            while self.idle:
                process = self.idle.pop()
                if process.process.poll() is None:
                    return process
                self._forget(process)
            process = SolverProcess()
            self.living.add(process)
            return process

    def give_back(self, process: SolverProcess) -> None:
        with self.lock:
            if process.is_lost:
                self._forget(process)
            else:
                self.idle.append(process)

    def prepare(self, tasks: tuple[str, ...]) -> None:
        try:
            process = self.take()
        except OSError:  # `ask` says so
            return
        process.prepare(tasks)
        self.give_back(process)

    def end(self) -> None:
        """Kill all of them."""
        with self.lock:
            for process in list(self.living):
                self._forget(process)
            self.idle.clear()

    def leave_to_parent(self) -> None:
        """A fork has our ends of the sockets too, which would keep processes from noticing our end."""
        for process in self.living:
            process.connection.close()
            process.process.returncode = 0
        self.idle, self.living, self.lock = [], set(), Lock()

    def _forget(self, process: SolverProcess) -> None:
        process.end()
        self.living.discard(process)


_PROCESSES = _Processes()
atexit.register(_PROCESSES.end)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_PROCESSES.leave_to_parent)
