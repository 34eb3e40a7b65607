"""The engines of the house are run through the contract of engines."""

from qloom.engines import Engine, ReferenceEngine, Shots, StatevectorEngine
from qloom.testing import EngineContract


class TestStatevector(EngineContract):
    def make_engine(self) -> Engine:
        return StatevectorEngine(2)


class TestReference(EngineContract):
    def make_engine(self) -> Engine:
        return ReferenceEngine()


class TestShots(EngineContract):
    def make_engine(self) -> Engine:
        return Shots(StatevectorEngine(), 500, seed=0)
