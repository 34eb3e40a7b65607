"""The one small tree of exceptions a user can meet: each message says what was given, what was expected, what to do."""

from __future__ import annotations

__all__ = [
    "ArtifactError",
    "CircuitError",
    "ConfigError",
    "DataError",
    "ExtraError",
    "LossError",
    "MemoryLimitError",
    "ProblemError",
    "QloomError",
    "ShapeError",
    "TimeLimitError",
    "TrainabilityWarning",
    "UnsupportedError",
    "WorkerError",
]


class QloomError(Exception):
    """Base of every error that is the caller's to mend; the command line prints it as one line and exits with 2."""


class CircuitError(QloomError, ValueError):
    """A circuit, gate, qubit, angle or observable that cannot be what was asked for."""


class ShapeError(QloomError, ValueError):
    """An array whose shape or dtype does not fit the circuit or layer it was given to."""


class DataError(QloomError, ValueError):
    """A table, column or cell that cannot be used as it is."""


class ConfigError(QloomError, ValueError):
    """A configuration key or value that is unknown or out of range."""


class LossError(ConfigError):
    """A training whose loss is infinite or NaN."""


class ProblemError(QloomError, ValueError):
    """An optimization problem, file or solver setting that cannot be what was asked for."""


class MemoryLimitError(QloomError, MemoryError):
    """A request refused before it started because its arrays would not fit in memory."""


class TimeLimitError(QloomError, TimeoutError):
    """A request refused before it started because it would not end in its time."""


class ArtifactError(QloomError, ValueError):
    """A model file, circuit file or run folder that is damaged, foreign or in use."""


class WorkerError(QloomError, ConnectionError):
    """Another process of a training over several workers has gone, or cannot be reached."""


class UnsupportedError(QloomError, NotImplementedError):
    """A combination that has no defined or no implemented meaning; the message names the one that works."""


class ExtraError(QloomError, ImportError):
    """A package that only some calls need is not installed; the message names the extra that brings it."""


class TrainabilityWarning(UserWarning):
    """A circuit's gradients are too small to train by."""
