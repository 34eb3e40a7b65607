"""A newcomer in one file: an engine that answers later, from another process, and may be asked again."""

from __future__ import annotations

import multiprocessing
import weakref
from concurrent.futures import Future, ProcessPoolExecutor

import numpy as np

import qloom as ql
from qloom.engines import Batch, Engine, Evaluator, Outputs, Pending, ReferenceEngine, make_batch
from qloom.testing import EngineContract


def _work(circuit: str, outputs: Outputs, batch: Batch) -> np.ndarray:
    return ReferenceEngine().prepare(ql.Circuit.from_json(circuit), outputs).values(batch)


class Remote(Engine):
    gives = frozenset({"expectations", "probabilities"})

    def __init__(self) -> None:
        self.pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
        weakref.finalize(self, self.pool.shutdown)

    def evaluator(self, circuit: ql.Circuit, outputs: Outputs) -> Evaluator:
        return RemoteEvaluator(self.pool, circuit.copy(), outputs)


class RemoteEvaluator(Evaluator):
    def __init__(self, pool: ProcessPoolExecutor, circuit: ql.Circuit, outputs: Outputs):
        self.pool, self.circuit, self.outputs, self.n_outputs = pool, circuit, outputs, outputs.size

    def submit(self, batch: Batch) -> Pending:
        return Later(self.pool.submit(_work, self.circuit.to_json(), self.outputs, batch))

    def values(self, batch: Batch) -> np.ndarray:
        return self.submit(batch).result()


class Later(Pending):
    def __init__(self, future: Future):
        self.future = future

    def is_done(self) -> bool:
        return self.future.done()

    def result(self, timeout: float | None = None) -> np.ndarray:
        return self.future.result(timeout)


ENGINE = Remote()


class TestRemote(EngineContract):
    def make_engine(self) -> Engine:
        return ENGINE


def test_both_of_two_pending_come():
    circuit = ql.Circuit(1)
    (angle,) = circuit.inputs(1)
    circuit.ry(angle, 0)
    evaluator = ENGINE.prepare(circuit)
    pending = [evaluator.submit(make_batch(circuit, [[angle]])) for angle in (0.0, np.pi)]
    assert [round(float(p.result(60)[0, 0])) for p in reversed(pending)] == [-1, 1]
