"""Several processes behind one address: each has its own interpreter and model, the kernel deals connections out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from qloom.errors import ArtifactError
from qloom.serving.live_model import LiveModel
from qloom.serving.server import open_socket, run
from qloom.serving.service import Service
from qloom.serving.settings import Settings

_READY = "ready\n"
# Deaths of workers within a minute from which the server gives up.
_MOST_DEATHS = 5


class Workers:
    """The processes of a server.

    Args:
        settings: port and number of workers among them.
        shared: folder for what they tell each other.
    """

    def __init__(self, settings: Settings, shared: Path):
        self.settings, self._shared = settings, shared
        self._processes: list[subprocess.Popen[str]] = []
        self._deaths: list[float] = []
        self._is_stopping = False

    def start(self) -> None:
        """Start all; returns when each answers.

        Raises:
            ArtifactError: if one ends instead.
        """
        self._processes = [self._begin() for _ in range(self.settings.workers)]
        for process in self._processes:
            assert process.stdout is not None
            if process.stdout.readline() != _READY:
                self.stop()
                raise ArtifactError("a worker ended while it started, expected it to answer; see the lines above")

    def _begin(self) -> subprocess.Popen[str]:
        environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(self._shared)}
        command = [sys.executable, "-m", "qloom.serving.workers", str(self._shared)]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True, start_new_session=True
        )
        assert process.stdin is not None
        process.stdin.write(self.settings.to_json() + "\n")
        process.stdin.flush()
        return process

    def watch(self) -> None:
        """Until it is stopped; a worker that dies is replaced, and what it counted stays.

        Raises:
            ArtifactError: if they go on dying.
        """
        while not self._is_stopping:
            time.sleep(0.1)
            for k, process in enumerate(self._processes):
                if process.poll() is not None and not self._is_stopping:
                    self._mourn(process)
                    self._processes[k] = self._begin()

    def _mourn(self, process: subprocess.Popen[str]) -> None:
        now = time.monotonic()
        self._deaths = [death for death in self._deaths if now - death < 60] + [now]
        print(f"worker {process.pid} ended ({process.returncode}), another one takes its place", file=sys.stderr)
        if len(self._deaths) > _MOST_DEATHS:
            self.stop()
            raise ArtifactError(
                f"{len(self._deaths)} workers ended within a minute, expected none; the server is stopped"
            )

    def ask_to_stop(self, *_: object) -> None:
        """End `watch`."""
        self._is_stopping = True

    def stop(self) -> None:
        """Let all finish what is in flight, then end them."""
        self._is_stopping = True
        for process in self._processes:
            process.terminate()
        end = time.monotonic() + self.settings.drain + 2
        for process in self._processes:
            try:
                process.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def serve(settings: Settings, model: LiveModel, started: Callable[[Settings], None]) -> None:
    """Answer until SIGTERM or Ctrl-C.

    Args:
        started: is told the settings, with the port, once requests are answered.

    Raises:
        QloomError: for an address that cannot be had, or workers that do not start.
    """
    with open_socket(settings) as listening:
        settings = replace(settings, port=listening.getsockname()[1])
        if settings.workers == 1:
            run(settings, Service(settings, model), listening, lambda: started(settings))
            return
    # Bound but not listening: the port stays this server's while workers come and go.
    with open_socket(settings, shared=True), tempfile.TemporaryDirectory(prefix="qloom-serve-") as folder:
        workers = Workers(settings, Path(folder))
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, workers.ask_to_stop)
        workers.start()
        started(settings)
        try:
            workers.watch()
        finally:
            workers.stop()


def main() -> None:
    """One worker: settings come as a line on stdin, whose end is the end of the server that started it."""
    settings = Settings.from_json(sys.stdin.readline())
    threading.Thread(target=_stop_with_parent, daemon=True).start()
    service = Service(settings, LiveModel(settings.run, settings.model), Path(sys.argv[1]))
    with open_socket(settings, shared=True) as listening:
        run(settings, service, listening, lambda: print(_READY, end="", flush=True))


def _stop_with_parent() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
