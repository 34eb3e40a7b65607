"""Other systems on the same GPU and the same checked work: rows of results/gpu_peers.csv.

Each runs in a process of its own, in this environment or in benchmarks/peers/environments/gpu-NAME where there is one;
what is in neither is left out with a line that says how it comes there. Ours is timed right before and after, in the
same way: a step, then the GPU is waited for.

Run: python -m benchmarks.gpu.peers [--peers NAME ...] [--seconds S] [--limit S] [--dry]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.gpu.cases import check_near
from benchmarks.gpu.table import PEERS as NAME
from benchmarks.peers.installation import python_of
from benchmarks.peers.running import TOO_LONG, WORKER, figures_of
from benchmarks.peers.tasks import expected, write_problem
from benchmarks.results import append_row, provenance
from qloom.benchmarking import Work
from qloom.benchmarking.gpu import Function, Place, gpu_place, host_times
from qloom.errors import QloomError

# The second is what fastqml's own page measures.
POINTS = ((8, 256, 4), (8, 32, 3))
TASK = "step"


@dataclass(frozen=True)
class Peer:
    """A system on a GPU.

    Attributes:
        title: as tables name it.
        module: of benchmarks/gpu/systems or benchmarks/peers/systems, with a class System.
        package: whose version is recorded.
        install: what pip is to be asked for.
        options: of the System.
    """

    title: str
    module: str
    package: str
    install: str
    options: dict[str, Any] = field(default_factory=dict)


ON_GPU = {"device": "cuda"}
PEERS = {
    "torchquantum": Peer("TorchQuantum", "torchquantum_gpu", "torchquantum", "torchquantum==0.1.8", ON_GPU),
    "fastqml": Peer("fastqml, CUDA graph", "fastqml_gpu", "fastqml", "fastqml==0.2.1", ON_GPU),
    "lightning-gpu": Peer(
        "PennyLane lightning.gpu, adjoint", "lightning_gpu", "pennylane-lightning-gpu",
        "pennylane==0.45.1 pennylane-lightning-gpu==0.45.0",
    ),
    "tensorcircuit": Peer(
        "TensorCircuit-NG, JAX, fused gates, scan over layers", "tensorcircuit", "tensorcircuit-ng",
        "tensorcircuit-ng==1.10.0 'jax[cuda13]'", {"fused": True, "scan": True},
    ),
}  # fmt: skip


def interpreter(name: str) -> Path | None:
    """The Python that has a peer; None where there is none."""
    code = f"from importlib.metadata import version; version({PEERS[name].package!r})"
    for python in (python_of(f"gpu-{name}"), Path(sys.executable)):
        if (
            python.exists()
            and subprocess.run([str(python), "-c", code], capture_output=True, check=False).returncode == 0
        ):
            return python
    return None


def run_worker(name: str, python: Path, path: Path, seconds: float, limit: float) -> dict[str, Any]:
    """A peer's figures and a status."""
    peer = PEERS[name]
    words = [python, WORKER, peer.module, json.dumps(peer.options), peer.package, TASK, 1, seconds, path]
    try:
        ended = subprocess.run(
            [str(word) for word in words], capture_output=True, text=True, timeout=limit, check=False, env=environment()
        )
    except subprocess.TimeoutExpired:
        return {"status": TOO_LONG}
    return figures_of(ended)


def environment() -> dict[str, str]:
    """Of a worker: the systems of this folder beside those of benchmarks/peers, and the GPU for JAX too."""
    places = [str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    more = {"JAX_PLATFORMS": "cuda", "XLA_PYTHON_CLIENT_PREALLOCATE": "false", "TF_CPP_MIN_LOG_LEVEL": "3"}
    return {**os.environ, **more, "PYTHONPATH": os.pathsep.join(places)}


def our_step(work: Work, place: Place) -> Function:
    """A checked step that comes back when the GPU is done."""
    step = work.step(engine=place.engine, device=place.device)
    check_near(step(), expected(TASK, work))

    def done() -> None:
        step()
        if place.device.type == "cuda":
            torch.cuda.synchronize(place.device)

    return done


def compare(
    name: str, python: Path, work: Work, path: Path, place: Place, options: argparse.Namespace
) -> dict[str, Any]:
    """A row: ours before, theirs, ours after."""
    mine = our_step(work, place)
    host_times(mine, 20)
    before = host_times(mine, 200)
    theirs = run_worker(name, python, path, options.seconds, options.limit)
    ours_ms = 1e3 * float(np.median(before + host_times(mine, 200)))
    figures = ("status", "version", "precision", "setup_s", "first_call_s", "error", "median_ms", "spread", "repeats")
    slowest = theirs.get("median_ms", 1e3 * options.limit if theirs["status"] == TOO_LONG else None)
    return {
        "peer": name, "title": PEERS[name].title, "n": work.n_qubits, "batch": work.batch, "layers": work.n_layers,
        **{key: theirs.get(key) for key in figures}, "limit_s": options.limit, "ours_ms": ours_ms,
        "ratio": None if slowest is None else slowest / ours_ms, "device": place.name, **provenance(),
    }  # fmt: skip


def describe(row: dict[str, Any]) -> str:
    """A row in a line for the terminal."""
    point = f"({row['n']}, {row['batch']}, {row['layers']})"
    text = f"{point:14s} {row['title']:54s} ours {row['ours_ms']:8.3f} ms"
    if row["status"] != "ok":
        return f"{text}, {row['status']}" + ("" if row["error"] is None else f", error {row['error']:.1e}")
    return f"{text}, theirs {row['median_ms']:9.3f} ms, {row['ratio']:.1f} times; error {row['error']:.0e}"


def run(place: Place, options: argparse.Namespace) -> None:
    """All peers that are there, at all points."""
    found = {name: interpreter(name) for name in options.peers}
    for name, python in found.items():
        if python is None:
            print(f"skipped: {PEERS[name].title} is not installed; pip install {PEERS[name].install}", flush=True)
    for point in POINTS:
        work = Work(*point)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "problem.npz"
            write_problem(TASK, work, path)
            for name, python in found.items():
                if python is not None:
                    row = compare(name, python, work, path, place, options)
                    print(describe(row), flush=True)
                    if not options.dry:
                        append_row(NAME, row)


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--seconds", type=float, default=1.0, help="of timing a peer")
    parser.add_argument("--limit", type=float, default=40.0, help="seconds a peer may take at a point, in all")
    parser.add_argument("--dry", action="store_true", help="print, append nothing")
    options = parser.parse_args(words)
    try:
        place = gpu_place()
    except QloomError as error:
        sys.exit(f"qloom: {error}")
    run(place, options)


if __name__ == "__main__":
    main()
