"""One peer at one task, in the peer's own environment: set up, run once, check, then time.

Usage: worker.py MODULE OPTIONS PACKAGE TASK THREADS SECONDS PROBLEM.npz. Prints one line: RESULT and a JSON object.
Needs NumPy alone, besides the peer.
"""

import json
import sys
import time
from importlib import import_module
from importlib.metadata import version

import numpy as np

METHODS = {"large state": "forward"}
# The largest relative error allowed, by precision.
TOLERANCE = {"complex64": 1e-4, "complex128": 1e-7}
# Means of a million outcomes: five standard errors, a false alarm in 1e5 runs. A variance is the difference of two
# numbers many times as large; ours is allowed the same.
TOLERANCE_OF = {"samples": 5e-3, "variance": 1e-3}
SLOW = 10.0  # seconds: a call longer than that is timed once


def main(module, options, package, task, threads, seconds, path):
    problem = dict(np.load(path))
    expected = [problem.pop(f"expected_{i}") for i in range(10) if f"expected_{i}" in problem]
    start = time.perf_counter()
    system = import_module(f"systems.{module}").System(problem, int(threads), **json.loads(options))
    call = getattr(system, METHODS.get(task, task))
    set_up = time.perf_counter()
    found = call()
    first = time.perf_counter() - set_up
    error = largest_error(system.arrays(found), expected)
    row = {"version": version(package), "precision": system.precision, "setup_s": set_up - start, "first_call_s": first,
           "error": error}  # fmt: skip
    if error <= TOLERANCE_OF.get(task, TOLERANCE[system.precision]):
        row |= timings(call, float(seconds))
    print("RESULT " + json.dumps(row), flush=True)


def largest_error(found, expected):
    """Of all arrays, relative to the largest entry of each if that is above 1."""
    errors = [0.0]
    for mine, truth in zip(found, expected, strict=True):
        mine = np.asarray(mine, np.float64).reshape(truth.shape)
        errors.append(np.abs(mine - truth).max() / max(1.0, np.abs(truth).max()))
    return float(np.max(errors))


def timings(call, seconds):
    times = [timed(call)]
    if times[0] < SLOW:
        times = []  # that was a warm-up
        end = time.perf_counter() + seconds
        while len(times) < 3 or (time.perf_counter() < end and len(times) < 3000):
            times.append(timed(call))
    low, median, high = np.quantile(times, (0.25, 0.5, 0.75))
    return {"median_ms": 1e3 * median, "minimum_ms": 1e3 * min(times), "spread": (high - low) / median,
            "repeats": len(times)}  # fmt: skip


def timed(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


if __name__ == "__main__":
    main(*sys.argv[1:])
