"""What answers: the model in force, the queue in front of it, what is counted; and a new version in its place."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qloom.errors import QloomError
from qloom.serving.answers import answer
from qloom.serving.batching import Batcher
from qloom.serving.bodies import Columns, Wanted, read_body
from qloom.serving.drift import DriftMeter
from qloom.serving.live_model import LiveModel, Mark, mark_of
from qloom.serving.metrics import Metrics
from qloom.serving.reading import Reading
from qloom.serving.refusals import RequestError
from qloom.serving.settings import Settings

_LONG = 1 << 17  # bytes of a body from which it is read in a thread, so that others are answered meanwhile


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


class Service:
    """One process of a server.

    Args:
        settings: of the server.
        model: loaded already.
        shared: folder that the processes of the server share; None for one process.
        say: takes lines for people.
    """

    def __init__(
        self, settings: Settings, model: LiveModel, shared: Path | None = None, say: Callable[[str], None] = _say
    ):
        self.settings, self.say, self._shared = settings, say, shared
        self.metrics = Metrics()
        self.batcher = Batcher(settings, self.metrics.predicted)
        self._rejected: Mark | None = None
        self._watching: asyncio.Task[None] | None = None
        self._put_in_force(model)

    def _put_in_force(self, model: LiveModel) -> None:
        wanted = Wanted(
            model.reader.names, frozenset(model.schema["ignored"]), self.settings.max_rows, self.settings.max_bytes
        )
        meter = DriftMeter(model, self._shared)
        # One assignment: a request finds all of one version.
        self.current = (model, wanted, meter)

    @property
    def model(self) -> LiveModel:
        """The one in force."""
        return self.current[0]

    # -- predictions

    async def predict(self, body: bytes, kind: str, form: str | None, beside: bool) -> tuple[bytes, str]:
        """The body of an answer and its content type.

        Args:
            body, kind: of the request.
            form: of the answer; None for that of the request.
            beside: whether the classical control is to predict too.

        Raises:
            RequestError: for what cannot be predicted.
        """
        model, wanted, meter = self.current
        if beside and model.control is None:
            raise RequestError(
                422, "invalid", f"{model.folder} has no classical control, expected a run folder with it"
            )
        if len(body) > _LONG:
            columns, reading = await asyncio.to_thread(_read, body, kind, wanted, model)
        else:
            columns, reading = _read(body, kind, wanted, model)
        self.metrics.waiting.set(self.batcher.n_waiting + reading.n_rows)
        predictions = await self.batcher.predict(model, reading)
        control = await self.batcher.predict(model, reading, beside=True) if beside else None
        self.metrics.rows.inc(reading.n_rows)
        self.metrics.waiting.set(self.batcher.n_waiting)
        meter.add(reading, predictions)
        return answer(model, reading, predictions, control, form or columns.form)

    def drift(self) -> dict[str, Any]:
        """What `/drift` answers."""
        return self.current[2].report()

    # -- versions

    async def start(self) -> None:
        """Look for new versions from now on."""
        self._watching = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """End; what is in flight was answered before."""
        if self._watching is not None:
            self._watching.cancel()
        await asyncio.to_thread(self.batcher.close)
        await asyncio.to_thread(self.current[2].close)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self.settings.poll)
            await asyncio.to_thread(self.look)

    def look(self) -> None:
        """Put a new version in force, if there is one that predicts; the old one answers until then."""
        run, name = Path(self.settings.run), self.settings.model
        try:
            mark = mark_of(run, name)
            if mark in (self.model.mark, self._rejected):
                return
            self._rejected = mark
            model = LiveModel(run, name)
        except QloomError as error:
            self._reject(error)
            return
        old, self._rejected = self.current[2], None
        before = self.model.version
        self._put_in_force(model)
        old.close()
        self.metrics.reloaded("loaded")
        self.say(f"version {model.version} is in force, before it {before}")

    def _reject(self, error: QloomError) -> None:
        line = " ".join(str(error).split())
        if getattr(self, "_last_line", None) != line:
            self.metrics.reloaded("rejected")
            self.say(f"version {self.model.version} goes on, a new one cannot be used: {line}")
        self._last_line = line


def _read(body: bytes, kind: str, wanted: Wanted, model: LiveModel) -> tuple[Columns, Reading]:
    columns = read_body(body, kind, wanted)
    return columns, model.reader.read(columns.cells, columns.n_rows)
