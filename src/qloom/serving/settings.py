"""What a server is told: where it listens, what it lets in, how long it waits."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import asdict, dataclass
from typing import Any

from qloom.errors import ConfigError


@dataclass(frozen=True)
class Settings:
    """Of one server.

    Attributes:
        run: run or model folder.
        model: its name in the run; None for the hybrid one, in its version in force.
        host, port: where to listen; port 0 for any that is free.
        workers: processes.
        token: that requests must carry; None for none.
        batch_rows: rows from which a batch is predicted without waiting for more.
        wait: seconds that a request waits for others.
        queue_rows: rows that may wait; beyond them requests are sent away.
        timeout: seconds until a request is given up, from its first byte to its answer.
        max_rows, max_bytes: of a request.
        drain: seconds that a server which is stopped gives to what is in flight.
        poll: seconds between looks for a new version.
    """

    run: str
    model: str | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    token: str | None = None
    batch_rows: int = 256
    wait: float = 0.002
    queue_rows: int = 20_000
    timeout: float = 30.0
    max_rows: int = 10_000
    max_bytes: int = 8 << 20
    drain: float = 30.0
    poll: float = 1.0

    def __post_init__(self) -> None:
        if not self.is_local and not self.token:
            raise ConfigError(
                f"host {self.host!r} is open to other machines, expected a token that requests must carry; set "
                "QLOOM_TOKEN or give --token-file"
            )
        if self.max_rows > self.queue_rows:
            raise ConfigError(
                f"{self.max_rows} rows of one request do not fit into a queue of {self.queue_rows}, expected at most as"
                " many; allow fewer in a request, or more to wait"
            )

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the server."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def address(self) -> str:
        """For a browser on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(
            self.host, f"[{self.host}]" if ":" in self.host else self.host
        )
        return f"http://{host}:{self.port}"

    def to_json(self) -> str:
        """Text that `from_json` reads."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """The settings that `to_json` wrote."""
        fields: dict[str, Any] = json.loads(text)
        return cls(**fields)
