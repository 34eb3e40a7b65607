"""One process that listens: its socket, and the loop around the application."""

from __future__ import annotations

import errno
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from qloom.errors import ConfigError
from qloom.extras import package
from qloom.serving.service import Service
from qloom.serving.settings import Settings


def open_socket(settings: Settings, *, shared: bool = False) -> socket.socket:
    """A socket at the settings' address, bound.

    Args:
        shared: whether others of this server bind the same one.

    Raises:
        ConfigError: for a port in use, or an address that is not this machine's.
    """
    host, port = settings.host, settings.port
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, OverflowError, UnicodeError) as error:
        raise ConfigError(f"host {host!r}, port {port} is no address ({error}), expected one of this machine") from None
    found = socket.socket(family, kind)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        found.bind(address)
    except OSError as error:
        found.close()
        raise ConfigError(_why(error, host, port)) from None
    return found


def _why(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use, expected a free one; give another --port, or 0 for any"
    return f"port {port} of {host} cannot be used ({error.strerror}), expected one of this machine; give another --port"


def run(
    settings: Settings, service: Service, listening: socket.socket, started: Callable[[], None] = lambda: None
) -> None:
    """Answer until SIGTERM or Ctrl-C, then finish what is in flight; at most `drain` seconds.

    Args:
        listening: bound.
        started: called when requests are answered.
    """
    server = make_server(settings, service, started)
    with _ending_quietly():
        server.run(sockets=[listening])


def make_server(settings: Settings, service: Service, started: Callable[[], None] = lambda: None) -> Any:
    """A server of uvicorn around the application; `should_exit = True` stops it."""
    uvicorn = package("uvicorn", "qloom serve", "serve")
    package("fastapi", "qloom serve", "serve")
    from qloom.serving.app import make_app

    # The thread that predicts is asked for the interpreter every 5 ms otherwise, and requests wait.
    sys.setswitchinterval(min(sys.getswitchinterval(), 0.001))
    config = uvicorn.Config(
        make_app(service), http="httptools", loop="asyncio" if sys.platform == "win32" else "uvloop", ws="none",
        lifespan="on", access_log=False, log_level="error", server_header=False, proxy_headers=False,
        timeout_keep_alive=60, timeout_graceful_shutdown=int(settings.drain),
    )  # fmt: skip

    class Server(uvicorn.Server):  # type: ignore[misc, name-defined]
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            started()

    return Server(config)


@contextmanager
def _ending_quietly() -> Iterator[None]:
    """uvicorn raises the signals that ended it again when it is done: then they have done their work."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.signal(each, lambda *_: None) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def serving(settings: Settings, shared: Path | None = None) -> Iterator[Service]:
    """A server in a thread of this process, for tests and notebooks: `service.settings` has its address.

    Args:
        settings: of the server.
        shared: folder of what several processes of one server share; None for one process.

    Raises:
        QloomError: for a folder that cannot be served, or an address that cannot be had.
    """
    from dataclasses import replace

    from qloom.serving.claim import claimed
    from qloom.serving.live_model import LiveModel

    model = LiveModel(settings.run, settings.model)
    with claimed(Path(settings.run)), open_socket(settings) as listening:
        settings = replace(settings, port=listening.getsockname()[1])
        service, begun = Service(settings, model, shared), threading.Event()
        server = make_server(settings, service, begun.set)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            begun.wait()
            yield service
        finally:
            server.should_exit = True
            thread.join()
