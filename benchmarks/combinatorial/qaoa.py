"""QAOA of max-cut on 3-regular graphs beside other systems, and of the Sherrington-Kirkpatrick model.

Goals: value and gradient of all 12 angles at n = 20, p = 6 in under 0.1 s, at n = 24 in under 2 s, where 300
multiply-adds an amplitude and layer are the floor; at least 5 times the fastest peer. Of the Sherrington-Kirkpatrick
model, the energies that infinitely many spins have at p = 1 to 6.

Run: python -m benchmarks.combinatorial.qaoa cases | peers [NAME ...] | glasses   (reads ../shared)
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cases import Case, run
from benchmarks.others import noting_others
from benchmarks.peers.installation import install, python_of
from benchmarks.peers.running import environment, stay_on
from benchmarks.results import append_row, provenance
from benchmarks.shared import SHARED
from qloom.combinatorial import MaxCut, Quadratic
from qloom.combinatorial.qaoa import QAOA, CircuitLandscape, Polynomial, qaoa_circuit

THREADS, FLOOR = 2, 300
TOLERANCE = {"c64": 1e-4, "c128": 1e-9}
# A system's name in the adapters: the environment it is installed in, the package whose version counts.
PEERS = {
    "qulacs": ("qulacs", "qulacs"),
    "mindquantum": ("mindquantum", "mindquantum"),
    "tc-jax-diag": ("tensorcircuit", "tensorcircuit-ng"),
    "pl-lightning": ("lightning", "pennylane-lightning"),
}
# Energies a spin of infinitely many. Source: Farhi, Goldstone, Gutmann, Zhou 2022, Quantum 6, 759.
GLASS = (0.3033, 0.4075, 0.4726, 0.5157, 0.5476, 0.5721)


@cache
def problem(n: int, p: int) -> tuple[MaxCut, np.ndarray, dict[str, Any]]:
    """The graph, the angles (1, 2 p) and what a dense simulation found; that is kept in a temporary folder."""
    sys.path.insert(0, str(SHARED / "peers"))
    import common
    from common import tempfile

    common.REF = str(Path(tempfile.gettempdir()) / "qaoa_references")
    edges, gammas, betas = common.w2_problem(n, p)
    graph = MaxCut(n, np.array(edges), np.ones(len(edges)))
    return graph, np.concatenate([gammas, betas])[None], common.w2_ref(n, p)


def relative_error(found: Any, expected: Any) -> float:
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    return float(np.abs(found - expected).max() / max(1.0, np.abs(expected).max()))


def ours(n: int, p: int, threads: int = THREADS, whole: bool = False) -> Callable[[], Any]:
    """The checked value and gradient to time: as the search has them, or of the circuit on all n qubits."""
    graph, angles, expected = problem(n, p)
    cost = Polynomial.from_quadratic(graph.quadratic)
    landscape = QAOA(p, dtype=np.float32, threads=threads).landscape(cost)
    if whole:
        landscape = CircuitLandscape(qaoa_circuit(cost, p), cost, dtype=np.float32, threads=threads)
    values, gradients = landscape(angles)
    assert relative_error(-values[0], expected["E"]) < TOLERANCE["c64"]
    assert relative_error(-gradients[0], np.concatenate([expected["gg"], expected["gb"]])) < TOLERANCE["c64"]
    return partial(landscape, angles)


def make_case(n: int, p: int, goal: float, threads: int, whole: bool) -> Case:
    return Case(
        "QAOA value and gradient" + (", all qubits" if whole else ""), {"n": n, "layers": p},
        partial(ours, n, p, threads, whole), goal=goal, threads=threads, multiply_adds=FLOOR * p * 2**n, seconds=5,
    )  # fmt: skip


CASES = [
    make_case(n, 6, goal, threads, whole)
    for n, goal in ((20, 100), (24, 2000)) for threads in (1, 2) for whole in (False, True)
]  # fmt: skip

# Runs in a peer's own environment: a step a line read, its seconds a line written, after the results of a first one.
WORKER = """
import json, sys, time
folder, name, n, p, threads = sys.argv[1:]
sys.path.insert(0, folder)
import numpy as np
from common import w2_problem
from w2 import W2
peer = W2[name][1]()
peer.setup(int(n), int(p), *w2_problem(int(n), int(p)), int(threads))
value, gammas, betas = peer.step()
found = [peer.precision, float(np.real(value)), np.real(gammas).tolist(), np.real(betas).tolist()]
print("RESULT " + json.dumps(found), flush=True)
for line in sys.stdin:
    start = time.perf_counter()
    peer.step()
    print("RESULT %r" % (time.perf_counter() - start), flush=True)
"""


def compare(name: str, n: int, p: int, threads: int, seconds: float = 40) -> dict[str, Any]:
    """Ours, that of the circuit on all qubits, and a peer's, in turn; ratios are medians of the turns'."""
    where, package = PEERS[name]
    if trouble := install(where):
        raise SystemExit(f"{where} cannot be installed ({trouble})")
    words = [str(python_of(where)), "-c", WORKER, str(SHARED / "peers"), name, str(n), str(p), str(threads)]
    steps, expected = [ours(n, p, threads, whole) for whole in (False, True)], problem(n, p)[2]
    stay_on(threads)  # and so does the peer
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(words, text=True, env=environment(threads), **pipes) as peer:  # type: ignore[call-overload]
        precision, *found = answer(peer)
        truth = [expected["E"], expected["gg"], expected["gb"]]
        error = max(map(relative_error, found, truth))
        assert error < TOLERANCE[precision], f"{name} is off by {error}"
        turns, end = [], time.perf_counter() + seconds
        while len(turns) < 3 or (len(turns) < 101 and time.perf_counter() < end):
            mine = [timed(step) for step in steps]
            peer.stdin.write("\n")
            peer.stdin.flush()
            turns.append((*mine, answer(peer)))
        peer.stdin.close()
    times = 1e3 * np.array(turns)
    half, whole, theirs = np.median(times, axis=0)
    ratios = np.median(times[:, 2:] / times[:, :2], axis=0)
    return {
        "peer": name, "version": peer_version(where, package), "precision": precision, "n": n, "layers": p,
        "threads": threads, "ours_ms": half, "all_qubits_ms": whole, "theirs_ms": theirs, "ratio": ratios[0],
        "all_qubits_ratio": ratios[1], "turns": len(turns), "goal": 5,
    }  # fmt: skip


def timed(function: Callable[[], Any]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def answer(peer: subprocess.Popen) -> Any:
    for line in peer.stdout:  # type: ignore[union-attr]
        if line.startswith("RESULT "):
            return json.loads(line.removeprefix("RESULT "))
    raise SystemExit(f"a peer ended with {peer.wait()} and no result")


def peer_version(where: str, package: str) -> str:
    code = f"from importlib.metadata import version; print(version({package!r}))"
    return subprocess.run([python_of(where), "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def glass(n: int, seed: int) -> Quadratic:
    """Sherrington-Kirkpatrick: normal couplings of variance 1 / n."""
    random = np.random.default_rng([n, seed])
    return Quadratic.from_matrix(np.triu(random.normal(size=(n, n)), 1) / np.sqrt(n), "spin")


def measure_glasses(n: int, n_instances: int) -> None:
    """Energies a spin, turned round, at the angles of infinitely many spins and at their own best ones."""
    known = json.loads((SHARED / "instances/qaoa_angles/best_SK_QAOA_parameters.json").read_text())
    for p, limit in enumerate(GLASS, 1):
        angles = np.concatenate([known[str(p)]["gammas"], known[str(p)]["betas"]])
        found = []
        for seed in range(n_instances):
            search = QAOA(p, start=angles, n_starts=1, dtype=np.float32, threads=THREADS)
            best = search.optimize(glass(n, seed), seed=0)
            found.append((-best.landscape(angles[None])[0][0] / n, -best.value / n))
        fixed, own = np.mean(found, axis=0)
        errors = np.std(found, axis=0, ddof=1) / np.sqrt(n_instances)
        row = {
            "n": n, "layers": p, "instances": n_instances, "fixed_angles": fixed, "standard_error": errors[0],
            "own_angles": own, "own_standard_error": errors[1], "infinite": limit,
        }  # fmt: skip
        print(row, flush=True)
        append_row("qaoa_glasses", {key: _plain(value) for key, value in row.items()} | provenance())


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, np.floating) else value


def main(words: list[str]) -> None:
    what = words[0] if words else ""
    if what == "cases":
        run("qaoa", CASES, words[1:])
    elif what == "peers":
        for threads, (n, p), name in product((2, 1), ((16, 4), (20, 6)), words[1:] or PEERS):
            seen = {"others": 0.0}
            with noting_others(seen):
                row = {key: _plain(value) for key, value in compare(name, n, p, threads).items()}
            print(row | seen, flush=True)
            append_row("qaoa_peers", row | seen | provenance())
    elif what == "glasses":
        for n, n_instances in ((10, 100), (14, 50), (20, 20)):
            measure_glasses(n, n_instances)
    else:
        raise SystemExit(f"{words}, expected cases, peers or glasses")


if __name__ == "__main__":
    main(sys.argv[1:])
