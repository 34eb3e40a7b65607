"""From a problem to an answer: a coarse search over bits, a fine one over solutions, a proven bound, and controls."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf, isfinite
from typing import Any

import numpy as np

from qloom.checks import duration, whole
from qloom.combinatorial.binary_form import BinaryForm, Inequalities
from qloom.combinatorial.certificates import CLOSED, Certificate, conflict
from qloom.combinatorial.coarse import annealing_for, search_for
from qloom.combinatorial.deadline import left, within
from qloom.combinatorial.model import Model
from qloom.combinatorial.model_size import ModelSize
from qloom.combinatorial.penalties import search
from qloom.combinatorial.problems.base import Problem
from qloom.combinatorial.problems.given import GivenModel
from qloom.combinatorial.quadratic import Quadratic
from qloom.combinatorial.solved import Solved, Stage
from qloom.combinatorial.solver_process import start as start_solvers
from qloom.combinatorial.solvers.base import Solver
from qloom.errors import ExtraError, MemoryLimitError, ProblemError, TimeLimitError

# Shares of the time. Each of the three controls takes as long as coarse and fine stage took together.
COARSE, FINE, CERTIFICATE = 0.06, 0.09, 0.4
# Of a model of one's own it is first tried whether the exact solver proves it at once; then nothing is left to search.
FIRST = 0.05
# A search ends before its time when a tenth of that has passed, and three times as long as its last gain took.
SETTLED, PATIENCE = 0.1, 3.0
# Of its time an exact solver is told this share, as it takes a while to come back.
IN_TIME = 0.9
# Best states of a round that are decoded and repaired.
DECODED = 8
# Constraints that exclude each other are named up to this many.
NAMED = 8


def solve(
    problem: Problem | Model | Quadratic, coarse: str | Solver = "auto", fine: str = "auto", certify: bool = True,
    time_limit: float = 60.0, seed: int | None = None, controls: bool = True, inequalities: Inequalities = "slack",
) -> Solved:  # fmt: skip
    """The best solution within a time, a bound, and what each stage contributed.

    The coarse stage searches the bits of the model and repairs what it finds, the fine one improves that by moves of
    the problem, the certificate is an exact solver's that begins there. Then as long as coarse and fine stage took is
    given to random solutions, to annealing of the bits alone, and to the exact solver alone. Stages that have settled
    end early. Ctrl-C ends all of it with the best so far. Times end stages, so two runs with one seed may differ.

    Args:
        problem: a problem, or a model or quadratic function of one's own.
        coarse: "auto", "none", the name of a search, or a solver.
        fine: "auto" or "none".
        certify: whether an exact solver is asked.
        time_limit: seconds for everything, above 0.
        seed: of everything random; None for fresh entropy.
        controls: whether they are run.
        inequalities: "slack" or "unbalanced", as `BinaryForm` takes them.

    Raises:
        ProblemError: for a time of zero, an unknown name, or a problem that provably has no solution, which names
            constraints that exclude each other.
    """
    time_limit = duration(time_limit)
    if not np.isfinite(time_limit):
        raise ProblemError("time_limit is infinite, expected a number of seconds, which the stages share")
    whole(0, or_none=True, seed=seed)
    if fine not in ("auto", "none") or inequalities not in ("slack", "unbalanced"):
        raise ProblemError(
            f"fine={fine!r}, inequalities={inequalities!r}, expected 'auto' or 'none', and 'slack' or 'unbalanced'"
        )
    if isinstance(problem, Quadratic | Model):
        problem = GivenModel.of(problem) if isinstance(problem, Quadratic) else GivenModel.of_model(problem)
    if not isinstance(problem, Problem):
        raise ProblemError(f"problem is {type(problem).__name__}, expected a Problem, a Model or a Quadratic")
    seed = int(np.random.default_rng().integers(2**31)) if seed is None else seed
    if certify:
        start_solvers()
    import scipy.sparse  # noqa: F401 - all stages need it; loading it is none of their time

    with watching_for_ctrl_c() as pressed, within(time_limit):
        return _Run(problem, time_limit, seed, pressed).run(inequalities, coarse, fine, certify, controls)


class _Run:
    """One call of solve: the best solution so far and the stages that led to it."""

    def __init__(self, problem: Problem, time_limit: float, seed: int, pressed: threading.Event):
        self.problem, self.time_limit, self.seed, self.pressed = problem, time_limit, seed, pressed
        self.random, self.start = np.random.default_rng(seed), time.perf_counter()
        self.best = problem.random_solution(self.random)
        self.cost, self.found_by = problem.cost(self.best), "random"
        self.stages: list[Stage] = []
        self.controls: list[Stage] = []
        self.bound = -inf if problem.sense == "min" else inf

    def run(
        self, inequalities: Inequalities, coarse: str | Solver, fine: str, certify: bool, controls: bool
    ) -> Solved:  # fmt: skip
        form = None
        if coarse == "auto" and certify and isinstance(self.problem, GivenModel):
            with self._stage(FIRST):
                if self._prove_first():
                    coarse, fine, certify, controls = "none", "none", False, False
        if (coarse != "none" or controls) and not self.pressed.is_set():
            with self._stage(COARSE + FINE):
                form = self._form(inequalities, coarse)
        if form is not None and coarse != "none" and not self.pressed.is_set():
            with self._stage(COARSE):
                self._coarse(form, coarse)
        if fine == "auto" and not self.pressed.is_set():
            with self._stage(FINE):
                self._fine()
        heuristic = time.perf_counter() - self.start
        if certify and not self.pressed.is_set():
            with self._stage(CERTIFICATE):
                self._certify()
        # What an exact solver did not take, so that the controls still get their share.
        spare = (left() - 3 * heuristic) / 4 if controls else left()
        again = fine == "auto" and certify and spare > FINE * self.time_limit
        if again and not self.pressed.is_set() and not self._is_closed():
            with self._stage(spare / self.time_limit):
                heuristic += self._fine("fine again")
        if controls:
            with self._stage(1.0):
                self._controls(form, max(min(heuristic, left() / 3), 0.01), certify)
        return Solved(
            self.problem, self.best, self.problem.objective(self.best), self.problem.violations(self.best), self.bound,
            self.found_by, tuple(self.stages), tuple(self.controls), self.pressed.is_set(),
            time.perf_counter() - self.start, self.seed,
        )  # fmt: skip

    @contextmanager
    def _stage(self, share: float) -> Iterator[None]:
        """Within its share of the time; Ctrl-C that no search has caught ends a stage, not the answer."""
        try:
            with within(share * self.time_limit):
                yield
        except KeyboardInterrupt:
            self.pressed.set()

    def _form(self, inequalities: Inequalities, coarse: str | Solver) -> BinaryForm | None:
        """The model in bits; None where it takes too long, or with "auto" where there is none: the table says why."""
        try:
            size = self.problem.model_size
            size.check_form()
            seconds = size.form_seconds
            if seconds <= left() and isinstance(self.problem, GivenModel):
                seconds = ModelSize.in_bits(self.problem.model).form_seconds
            if seconds > left():
                raise TimeLimitError(f"its form in bits takes about {seconds:.1f} s, its share is {left():.1f} s")
            form = BinaryForm(self.problem.model, inequalities)
        except TimeLimitError as error:
            self._leave_out("coarse", str(error))
            return None
        except (ProblemError, MemoryLimitError) as error:
            if coarse not in ("auto", "none"):
                raise
            self._leave_out("coarse", str(error))
            return None
        if form.n_bits:
            return form
        self._leave_out("coarse", "the model has no bits to choose")
        return None

    def _leave_out(self, stage: str, why: str) -> None:
        self.stages.append(Stage(stage, f"left out: {why}", 0.0, None, False))

    def _controls(self, form: BinaryForm | None, seconds: float, certify: bool) -> None:
        self._control("random solutions", "repaired", self._random_solutions(), seconds)
        if form is not None:
            annealing = annealing_for(form, seconds)
            self._control("annealing alone", "SimulatedAnnealing", self._decoded(form, annealing), seconds)
        if certify and not self.pressed.is_set():
            self._exact_alone(seconds)

    def _coarse(self, form: BinaryForm, coarse: str | Solver) -> None:
        try:
            name, solver = search_for(coarse, form, left())
        except TimeLimitError as error:
            self._leave_out("coarse", str(error))
            return
        found, took = self._watch(self._decoded(form, solver))
        self._take("coarse", f"{name}, {form.n_bits} bits", took, found)

    def _is_closed(self) -> bool:
        """Whether the best is proven to be so."""
        objective = self.problem.objective(self.best)
        return not self.cost[0] and abs(objective - self.bound) <= CLOSED * max(abs(objective), abs(self.bound))

    def _fine(self, stage: str = "fine") -> float:
        """In quarters of its time, until one gains nothing; the seconds it took."""
        start, found, share = time.perf_counter(), self.best, left() / 4
        for _ in range(4):
            if not (seconds := left()):
                break
            before = self.problem.cost(found)
            found = self.problem.improve(found, min(share, seconds), self.random)
            if self.pressed.is_set() or not self.problem.cost(found) < before:
                break
        took = time.perf_counter() - start
        self._take(stage, f"{type(self.problem).__name__}.improve", took, found)
        return took

    def _prove_first(self) -> bool:
        """Whether an exact solver ends within a share of the time; then its answer is taken and nothing searched."""
        start = time.perf_counter()
        try:
            self.problem.model_size.check_program(left())
            certificate = self.problem.certify(self._time_left())
        except (MemoryLimitError, TimeLimitError) as error:
            self._leave_out("first", str(error))
            return False
        seconds = time.perf_counter() - start
        if certificate.status in ("optimal", "infeasible"):
            self._conclude(certificate)
            self._leave_out("coarse, fine", f"{certificate.method} had proven the optimum before")
            return isfinite(self.bound)
        self.stages.append(Stage("first", f"{certificate.told}, nothing proven yet", seconds, None, False))
        return False

    def _certify(self) -> None:
        hint = self.best if self.problem.is_feasible(self.best) else None
        try:
            certificate = self.problem.certify(self._time_left(), hint)
        except (ExtraError, MemoryLimitError, TimeLimitError) as error:
            self._leave_out("certificate", str(error))
            return
        self._conclude(certificate)

    def _conclude(self, certificate: Certificate) -> None:
        if certificate.status == "infeasible" and self.cost[0]:
            raise ProblemError(self._impossible())
        if certificate.status == "interrupted":
            self.pressed.set()
        self._take("certificate", certificate.told, certificate.seconds, certificate.solution)
        bound = certificate.bound
        if certificate.status == "optimal" and certificate.objective is not None:
            bound = certificate.objective
        rounding = self.problem.rounding(self.best)
        lowest = bound if self.problem.sense == "min" else -bound
        passed = not self.cost[0] and self.cost[1] < lowest - 1e-6 * max(abs(lowest), abs(self.cost[1])) - rounding
        if passed or certificate.status == "infeasible":
            wrong = "no solution" if certificate.status == "infeasible" else f"the bound {bound:g}"
            self._leave_out("certificate", f"{certificate.method} says {wrong}, which the best solution disproves")
            return
        # An objective of 0 is not to have a gap that is but rounding.
        near = not self.cost[0] and abs(self.cost[1] - lowest) <= rounding
        self.bound = self.problem.objective(self.best) if near else bound

    def _impossible(self) -> str:
        names = conflict(self.problem.model, min(self.time_limit / 4, left())) if self.problem.is_exact else []
        if not names:
            missed = [name for name, by in self.problem.violations(self.best).items() if by > 0]
            near = f"; the best found misses {', '.join(missed[:NAMED])}" if missed else ""
            return f"no solution meets all constraints{near}; relax one of them"
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        verb = "exclude each other" if len(names) > 1 else "cannot be met"
        return f"no solution meets all constraints: {', '.join(names[:NAMED])}{more} {verb}; relax one of them"

    def _time_left(self) -> float:
        """What an exact solver is told of the time.

        Raises:
        TimeLimitError: if there is none.
        """
        if not (seconds := left()):
            raise TimeLimitError("no time is left")
        return IN_TIME * seconds

    def _exact_alone(self, seconds: float) -> None:
        try:
            if isinstance(self.problem, GivenModel):  # what it has without HiGHS is no solver's
                self.problem.model_size.check_program(seconds)
            certificate = self.problem.certify(min(seconds, self._time_left()))
        except (ExtraError, MemoryLimitError, TimeLimitError):  # the certificate's row says so
            return
        self._take("exact solver alone", certificate.told, certificate.seconds, certificate.solution, control=True)

    def _control(self, name: str, method: str, candidates: Iterator[np.ndarray], seconds: float) -> None:
        if not self.pressed.is_set() and left():
            with within(seconds):
                found, took = self._watch(candidates, settles=False)
            self._take(name, method, took, found, control=True)

    def _take(
        self, stage: str, method: str, seconds: float, found: np.ndarray | None, control: bool = False
    ) -> None:  # fmt: skip
        """Note what a stage gave; only a control leaves the best as it is."""
        if found is None:
            row = Stage(stage, method, seconds, None, False)
        else:
            cost = self.problem.cost(found)
            both = cost[0] == 0 and self.cost[0] == 0 and self.found_by != "random"
            gained = max(self.cost[1] - cost[1], 0.0) if both and not control else None
            row = Stage(stage, method, seconds, self.problem.objective(found), cost[0] == 0, gained)
            if not control and cost < self.cost:
                self.best, self.cost, self.found_by = found, cost, stage
        (self.controls if control else self.stages).append(row)

    def _random_solutions(self) -> Iterator[np.ndarray]:
        while True:
            yield self.problem.random_solution(self.random)

    def _decoded(self, form: BinaryForm, solver: Solver) -> Iterator[np.ndarray]:
        for values in search(form, solver, self.random):
            for row in np.unique(values[:DECODED], axis=0):
                yield self.problem.decode(row, self.random)

    def _watch(
        self, candidates: Iterator[np.ndarray], settles: bool = True
    ) -> tuple[np.ndarray | None, float]:  # fmt: skip
        """The best of a stream before the deadline, and the seconds it took."""
        start, seconds, last, found, lowest = time.perf_counter(), left(), 0.0, None, (inf, inf)
        try:
            for candidate in candidates:
                cost, passed = self.problem.cost(candidate), time.perf_counter() - start
                if cost < lowest:
                    found, lowest, last = candidate, cost, passed
                if passed >= seconds or (settles and passed > max(SETTLED * seconds, PATIENCE * last)):
                    break
        except KeyboardInterrupt:
            pass
        return found, time.perf_counter() - start


@contextmanager
def watching_for_ctrl_c() -> Iterator[threading.Event]:
    """Set once Ctrl-C was pressed, also where a search has caught it; in other threads than the first never."""
    pressed = threading.Event()
    if threading.current_thread() is not threading.main_thread() or not callable(signal.getsignal(signal.SIGINT)):
        yield pressed
        return

    def press(number: int, frame: Any) -> None:
        pressed.set()
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, press)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)
