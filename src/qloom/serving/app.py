"""The paths of a server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request, Response
from pydantic_core import to_json
from starlette.requests import ClientDisconnect

from qloom import __version__
from qloom.serving.bodies import ARROW, JSON
from qloom.serving.guard import Guard
from qloom.serving.refusals import RequestError
from qloom.serving.service import Service

_PAGE = Path(__file__).with_name("page.html").read_bytes()
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# Bodies that may be in memory at once, in bodies of the largest size.
_BODIES = 8


def make_app(service: Service) -> FastAPI:
    """The application around a service."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await service.start()
        yield
        await service.stop()

    app = FastAPI(title="qloom", version=__version__, docs_url=None, redoc_url=None, lifespan=lifespan)
    app.add_middleware(Guard, settings=service.settings, metrics=service.metrics)  # type: ignore[arg-type]
    bodies = _Bodies(service.settings.max_bytes)

    @app.exception_handler(RequestError)
    async def refuse(request: Request, error: RequestError) -> Response:
        service.metrics.refused(error.reason)
        return Response(to_json(error.content()), error.status, error.headers, JSON)

    @app.post("/predict")
    async def predict(request: Request) -> Response:
        """Predictions for rows."""
        seconds, kind = service.settings.timeout, _content_type(request)
        form, beside = _form(request), request.query_params.get("control") in ("true", "1")
        stage, held = "the request was not here", 0
        try:
            async with asyncio.timeout(seconds):
                body, held = await bodies.read(request)
                stage = "there were no predictions"
                content, kind = await service.predict(body, kind, form, beside)
                return Response(content, media_type=kind)
        except TimeoutError:
            status = 504 if held else 408
            raise RequestError(status, "timeout", f"{stage} after {seconds:g} s; send fewer rows, or later") from None
        except ClientDisconnect:
            return Response(status_code=499)
        finally:
            bodies.held -= held

    @app.get("/health")
    async def health() -> Response:
        """Whether it answers, and by which version."""
        return _json({"status": "ok", "version": service.model.version})

    @app.get("/schema")
    async def schema() -> Response:
        """Columns, what their cells may be, and usual values."""
        return _json(service.model.schema)

    @app.get("/drift")
    async def drift() -> Response:
        """How far the rows since start lie from those of training."""
        return _json(await asyncio.to_thread(service.drift))

    @app.get("/metrics")
    async def metrics() -> Response:
        """Counters for Prometheus."""
        text, kind = service.metrics.text(await asyncio.to_thread(service.drift))
        return Response(text, media_type=kind)

    @app.get("/")
    async def page() -> Response:
        """A page to try rows."""
        headers = {"content-security-policy": _POLICY, "x-content-type-options": "nosniff"}
        return Response(_PAGE, headers=headers, media_type="text/html; charset=utf-8")

    return app


class _Bodies:
    """Reads bodies, none beyond its size, and not more at once than memory is for.

    Args:
        most: bytes of one.
    """

    def __init__(self, most: int):
        self._most, self.held = most, 0

    async def read(self, request: Request) -> tuple[bytes, int]:
        """The body, and the bytes that it holds until it is answered."""
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length) > self._most:
            raise self._too_large(f"{int(length):,} bytes")
        held, chunks = int(length) if length.isdecimal() else self._most, []
        self._hold(held)
        try:
            size = 0
            async for chunk in request.stream():
                size += len(chunk)
                if size > self._most:
                    raise self._too_large(f"more than {self._most:,} bytes", close=True)
                chunks.append(chunk)
        except BaseException:
            self.held -= held
            raise
        return b"".join(chunks), held

    def _hold(self, size: int) -> None:
        if self.held + size > _BODIES * self._most:
            line = f"bodies of {self.held:,} bytes are at work, {_BODIES * self._most:,} may; come back in 1 s"
            raise RequestError(429, "busy", line, headers={"retry-after": "1"})
        self.held += size

    def _too_large(self, given: str, close: bool = False) -> RequestError:
        line = f"a body of {given}, expected at most {self._most:,}; send the rows in several requests"
        return RequestError(413, "too-large", line, headers={"connection": "close"} if close else {})


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _form(request: Request) -> str | None:
    """The form of the answer; None for that of the request."""
    wanted = request.headers.get("accept", "*/*")
    if ARROW in wanted:
        return "arrow"
    if JSON in wanted and _content_type(request) == ARROW:
        return "columns"
    return None


def _json(content: object) -> Response:
    return Response(to_json(content), media_type=JSON)
