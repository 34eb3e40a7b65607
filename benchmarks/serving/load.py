"""A load on an HTTP server that costs little itself: connections kept alive, requests made before, answers cut short.

Two kinds, as wrk and wrk2 have them: closed, each connection asking again as soon as it is answered, for the most that
a server does; and paced, requests due at times of a fixed rate, latency counted from when each was due, so that a
server that stalls is not asked less.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

Check = Callable[[int, int, bytes], None]


@dataclass
class Measured:
    """What came of a load.

    Attributes:
        seconds: it took.
        latencies: seconds a request.
        statuses: how many answers of each.
    """

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    def quantile(self, share: float) -> float:
        """Milliseconds."""
        return float(np.quantile(self.latencies, share)) * 1e3


def request(host: str, path: str, body: bytes, kind: str = "application/json") -> bytes:
    """A POST in bytes."""
    head = f"POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


class _Connection(asyncio.Protocol):
    """One connection with one request under way at most."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._buffer, self._answer, self.ended = bytearray(), loop.create_future(), loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.WriteTransport = transport  # type: ignore[assignment]

    def connection_lost(self, error: Exception | None) -> None:
        if not self._answer.done():
            self._answer.set_exception(ConnectionError("the server ended the connection"))
        self.ended.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        at = self._buffer.find(b"content-length: ", 0, end)
        whole = end + 4 + int(self._buffer[at + 16 : self._buffer.find(b"\r\n", at)])
        if len(self._buffer) >= whole:
            status, body = int(self._buffer[9:12]), bytes(self._buffer[end + 4 : whole])
            del self._buffer[:whole]
            self._answer.set_result((status, body))

    async def ask(self, content: bytes) -> tuple[int, bytes]:
        """Status and body."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(content)
        found: tuple[int, bytes] = await self._answer
        return found


@asynccontextmanager
async def _connected(port: int) -> AsyncIterator[_Connection]:
    transport, connection = await asyncio.get_running_loop().create_connection(_Connection, "127.0.0.1", port)
    try:
        yield connection
    finally:
        transport.abort()
        await connection.ended


async def closed(
    port: int, requests: Sequence[bytes], connections: int, seconds: float, check: Check | None = None
) -> Measured:
    """Every connection asks as soon as it is answered.

    Args:
        check: is told number of request, status and body of each answer.
    """
    found, start = Measured(), perf_counter()
    turn = iter(range(1 << 62))

    async def work() -> None:
        async with _connected(port) as connection:
            while (begun := perf_counter()) - start < seconds:
                k = next(turn) % len(requests)
                await _ask(connection, k, requests, begun, found, check)

    await asyncio.gather(*(work() for _ in range(connections)))
    found.seconds = perf_counter() - start
    return found


async def paced(
    port: int, requests: Sequence[bytes], connections: int, seconds: float, rate: float, check: Check | None = None
) -> Measured:
    """Requests are due at a fixed rate; each is sent when it is due and a connection is free.

    Args:
        rate: requests a second.
    """
    found, start = Measured(), perf_counter() + 0.1
    turn = iter(range(int(rate * seconds)))

    async def work() -> None:
        async with _connected(port) as connection:
            for k in turn:
                due = start + k / rate
                if (left := due - perf_counter()) > 0:
                    await asyncio.sleep(left)
                await _ask(connection, k % len(requests), requests, due, found, check)

    await asyncio.gather(*(work() for _ in range(connections)))
    found.seconds = perf_counter() - start
    return found


async def _ask(
    connection: _Connection, k: int, requests: Sequence[bytes], begun: float, found: Measured, check: Check | None
) -> None:  # fmt: skip
    status, body = await connection.ask(requests[k])
    found.latencies.append(perf_counter() - begun)
    found.statuses[status] = found.statuses.get(status, 0) + 1
    if check is not None:
        check(k, status, body)
