"""Who may ask: checked before anything of a request is read."""

from __future__ import annotations

import hmac
import re
from time import perf_counter

from pydantic_core import to_json
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qloom.serving.metrics import Metrics
from qloom.serving.refusals import RequestError
from qloom.serving.settings import Settings

PATHS = ("/", "/predict", "/health", "/schema", "/metrics", "/drift")
# The page holds nothing of the model, and a probe of its health has no token.
_OPEN = ("/", "/health")
_PORT = re.compile(r":\d+$")
_OWN_NAMES = ("localhost", "127.0.0.1", "[::1]")


class Guard:
    """Refuses requests without the token, and, without one, those that a foreign page makes a browser send here.

    Args:
        app: what answers the others.
    """

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics):
        self._app, self._metrics = app, metrics
        self._token = None if settings.token is None else settings.token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, path = perf_counter(), scope["path"] if scope["path"] in PATHS else "other"

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._metrics.answered(path, message["status"], perf_counter() - start)
            await send(message)

        refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, counted)
        else:
            self._metrics.refused(refusal.reason)
            await _answer(refusal, counted)

    def _refusal(self, scope: Scope) -> RequestError | None:
        headers = dict(scope["headers"])
        if self._token is None:
            name = headers.get(b"host", b"localhost").decode("latin-1").lower()
            if _PORT.sub("", name) not in _OWN_NAMES:
                line = f"host {name[:60]!r}, expected localhost; a server for other names takes --host and a token"
                return RequestError(403, "host", line)
            return None
        given = headers.get(b"authorization", b"")
        if scope["path"] in _OPEN or hmac.compare_digest(given, b"Bearer " + self._token):
            return None
        line = "no token, or another one, expected the header Authorization: Bearer TOKEN"
        return RequestError(401, "token", line, headers={"www-authenticate": "Bearer"})


async def _answer(refusal: RequestError, send: Send) -> None:
    body = to_json(refusal.content())
    headers = {"content-type": "application/json", "content-length": str(len(body)), **refusal.headers}
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": refusal.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
