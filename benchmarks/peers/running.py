"""One peer at one task, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from benchmarks.peers.installation import install, python_of
from benchmarks.peers.registry import PEERS

WORKER = Path(__file__).parent / "worker.py"
TOO_LONG = "over the limit"
THREAD_VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "QULACS_NUM_THREADS", "NUMBA_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
)  # fmt: skip


def run_worker(name: str, task: str, path: Path, threads: int, seconds: float, limit: float) -> dict[str, Any]:
    """A peer at a task, installed if need be: figures and a status."""
    peer = PEERS[name]
    problem = install(peer.environment)
    if problem:
        return {"status": f"not installed: {problem}"}
    words = [WORKER, peer.module, json.dumps(peer.options), peer.package, task, threads, seconds, path]
    command = [str(word) for word in (python_of(peer.environment), *words)]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False,
                               env=environment(threads), preexec_fn=lambda: stay_on(threads))  # fmt: skip
    except subprocess.TimeoutExpired:
        return {"status": TOO_LONG}
    return figures_of(ended)


def figures_of(ended: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """What a worker that has ended says: figures and a status."""
    lines = [line for line in ended.stdout.splitlines() if line.startswith("RESULT ")]
    if not lines:
        return {"status": f"error: {last_line(ended.stderr)}"}
    figures = json.loads(lines[-1].removeprefix("RESULT "))
    return {"status": "ok" if "median_ms" in figures else "wrong result", **figures}


def environment(threads: int) -> dict[str, str]:
    """Of a worker: the CPU alone, so many threads, no chatter."""
    quiet = {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu", "TF_CPP_MIN_LOG_LEVEL": "3"}
    return {**os.environ, **quiet, **dict.fromkeys(THREAD_VARIABLES, str(threads))}


def stay_on(threads: int) -> None:
    """Keep this process on so many processors, for systems that heed no variable."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def last_line(text: str) -> str:
    """What an error ends with, in short."""
    lines = text.strip().splitlines() or ["no message"]
    return " ".join(lines[-1].split())[:200]
