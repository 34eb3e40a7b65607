"""Requests that arrive together are predicted together, in a thread beside the one that talks to the network."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from math import ceil
from time import perf_counter

import numpy as np

from qloom.serving.live_model import LiveModel
from qloom.serving.reading import Reading
from qloom.serving.refusals import RequestError
from qloom.serving.settings import Settings


@dataclass
class _Job:
    """A request that waits.

    Attributes:
        model: that its rows were read by.
        beside: whether the control predicts them.
        answer: what waits for predictions.
    """

    model: LiveModel
    reading: Reading
    beside: bool
    answer: asyncio.Future[np.ndarray] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Batcher:
    """The queue in front of the models.

    A batch goes once it has `batch_rows`, or its first request has waited for `wait`; one that is large goes alone.

    Args:
        settings: sizes and times.
        watch: is told rows and seconds of each batch.
    """

    def __init__(self, settings: Settings, watch: Callable[[int, float], None] = lambda rows, seconds: None):
        self.settings, self._watch = settings, watch
        self._waiting: deque[_Job] = deque()
        self.n_waiting = 0
        self._is_running = False
        self._timer: asyncio.TimerHandle | None = None
        self._thread = ThreadPoolExecutor(1, "qloom-predict")
        self._seconds_a_row = 1e-4

    async def predict(self, model: LiveModel, reading: Reading, beside: bool = False) -> np.ndarray:
        """Predictions for the rows of a request.

        Raises:
            RequestError: 429 where too many rows wait.
        """
        if self.n_waiting + reading.n_rows > self.settings.queue_rows:
            seconds = max(1, ceil(self.n_waiting * self._seconds_a_row))
            line = f"{self.n_waiting} rows wait, {self.settings.queue_rows} may; come back in {seconds} s"
            raise RequestError(429, "busy", line, headers={"retry-after": str(seconds)})
        job = _Job(model, reading, beside)
        self._waiting.append(job)
        self.n_waiting += reading.n_rows
        if not self._is_running:
            if self.n_waiting >= self.settings.batch_rows:
                self._start()
            elif self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(self.settings.wait, self._start)
        return await job.answer

    def close(self) -> None:
        """End the thread; what it is at is finished."""
        self._thread.shutdown(wait=True)

    def _start(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        jobs = self._take()
        if jobs:
            self._is_running = True
            work = asyncio.get_running_loop().run_in_executor(self._thread, _predict, jobs)
            work.add_done_callback(lambda done: self._finish(jobs, done))

    def _take(self) -> list[_Job]:
        """The next batch: requests of one model, while they fit."""
        jobs: list[_Job] = []
        n_rows = 0
        while self._waiting:
            job = self._waiting[0]
            if jobs and not (job.model is jobs[0].model and job.beside == jobs[0].beside and job.model.merges):
                break
            if jobs and n_rows + job.reading.n_rows > self.settings.batch_rows:
                break
            self._waiting.popleft()
            self.n_waiting -= job.reading.n_rows
            if not job.answer.done():  # given up meanwhile
                jobs.append(job)
                n_rows += job.reading.n_rows
        return jobs

    def _finish(self, jobs: list[_Job], done: asyncio.Future[tuple[np.ndarray, float]]) -> None:
        self._is_running = False
        error = done.exception()
        predictions, seconds = (None, 0.0) if error is not None else done.result()
        first = 0
        for job in jobs:
            last = first + job.reading.n_rows
            if not job.answer.done():
                if error is not None or predictions is None:
                    job.answer.set_exception(error or RuntimeError("no predictions"))
                else:
                    job.answer.set_result(predictions[first:last])
            first = last
        if error is None:
            self._seconds_a_row += 0.1 * (seconds / first - self._seconds_a_row)
            self._watch(first, seconds)
        if self._waiting:
            self._start()


def _predict(jobs: list[_Job]) -> tuple[np.ndarray, float]:
    """Predictions of all jobs, one after the other, and the seconds that took."""
    start = perf_counter()
    model = jobs[0].model
    predictions = model.predict([job.reading for job in jobs], model.control if jobs[0].beside else None)
    return predictions, perf_counter() - start
