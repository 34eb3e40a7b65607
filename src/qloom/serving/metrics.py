"""What a server counts, for Prometheus; of several processes the sums."""

from __future__ import annotations

import os
from typing import Any

from qloom.extras import package

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096, 16384)
_SHARED = "PROMETHEUS_MULTIPROC_DIR"


class Metrics:
    """Counters of one process; where the environment names a folder for it, in files that all processes share."""

    def __init__(self) -> None:
        self._client: Any = package("prometheus_client", "qloom serve", "serve")
        own = self.registry = self._client.CollectorRegistry()
        counter, histogram = self._client.Counter, self._client.Histogram
        self._requests = counter("qloom_requests", "Requests by path and status.", ["path", "status"], registry=own)
        self._refusals = counter("qloom_refusals", "Requests without predictions by reason.", ["reason"], registry=own)
        self.rows = counter("qloom_rows", "Rows predicted.", registry=own)
        self._batches = histogram("qloom_batch_rows", "Rows predicted at once.", buckets=_ROWS, registry=own)
        self._work = counter("qloom_predicting_seconds", "Seconds spent on predictions.", registry=own)
        self._seconds = histogram(
            "qloom_request_seconds", "From a request of /predict to its answer.", buckets=_SECONDS, registry=own
        )
        self.waiting = self._client.Gauge(
            "qloom_waiting_rows", "Rows in the queue.", registry=own, multiprocess_mode="livesum"
        )
        self._reloads = counter("qloom_reloads", "New versions by what became of them.", ["outcome"], registry=own)
        # Labels are looked up once.
        self._known: dict[tuple[str, int], Any] = {}

    def answered(self, path: str, status: int, seconds: float) -> None:
        """A request that was answered."""
        key = (path, status)
        if key not in self._known:
            self._known[key] = self._requests.labels(path, str(status))
        self._known[key].inc()
        if path == "/predict":
            self._seconds.observe(seconds)

    def refused(self, reason: str) -> None:
        """A request that was not served."""
        self._refusals.labels(reason).inc()

    def predicted(self, n_rows: int, seconds: float) -> None:
        """A batch."""
        self._batches.observe(n_rows)
        self._work.inc(seconds)

    def reloaded(self, outcome: str) -> None:
        """A new version was "loaded" or "rejected"."""
        self._reloads.labels(outcome).inc()

    def text(self, drift: dict[str, Any]) -> tuple[bytes, str]:
        """What `/metrics` answers, and its content type.

        Args:
            drift: what `/drift` answers.
        """
        registry = self.registry
        if _SHARED in os.environ:
            registry = self._client.CollectorRegistry()
            package("prometheus_client.multiprocess", "qloom serve", "serve").MultiProcessCollector(registry)
        text: bytes = self._client.generate_latest(registry) + _drift_text(self._client, drift)
        return text, self._client.CONTENT_TYPE_LATEST


def _drift_text(client: Any, drift: dict[str, Any]) -> bytes:
    """Of all processes already, so that it is not summed."""
    registry = client.CollectorRegistry()
    index = client.Gauge("qloom_drift_psi", "Population stability index since start.", ["column"], registry=registry)
    for column in drift["columns"]:
        index.labels(column["column"]).set(column["psi"])
    matters = client.Gauge("qloom_drift_columns", "Columns whose drift matters.", registry=registry)
    matters.set(len(drift["matters"]))
    text: bytes = client.generate_latest(registry)
    return text
