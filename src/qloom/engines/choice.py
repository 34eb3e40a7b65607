"""Engines by name: plain values, as a configuration or a saved model has them, and the engine that they mean.

An engine to be found by name is a subclass of `EngineChoice` with a line in ENGINES; its fields are keys of the section
`engine` of a configuration.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from qloom.checks import checked_seed, is_integer
from qloom.engines.base import Engine
from qloom.engines.density import DensityEngine
from qloom.engines.measuring.shots import Shots, checked_shots
from qloom.engines.noisy import with_noise
from qloom.engines.propagation import PropagationEngine
from qloom.engines.reference import ReferenceEngine
from qloom.engines.statevector import StatevectorEngine
from qloom.engines.trajectories import TrajectoryEngine
from qloom.engines.trajectories.engine import checked_trajectories
from qloom.errors import ConfigError, UnsupportedError
from qloom.noise.model import NoiseModel

CPU = "cpu"


def checked_place(device: Any) -> None:
    """ConfigError for what names no device of this machine."""
    if not (isinstance(device, str) and re.fullmatch(r"cpu|cuda(:\d+)?", device)):
        raise ConfigError(f"engine.device is {device!r}, expected cpu, cuda, or one of several such as cuda:1")


def described(description: str, default: Any = None) -> Any:
    """A field of a choice, with the line that says what it does."""
    return field(default=default, metadata={"description": description})


@dataclass(frozen=True, kw_only=True)
class EngineChoice(ABC):
    """What runs the circuits of the hybrid model and of its control without entangling gates."""

    name: str
    noise: str | None = described("JSON file of a noise model, or of a device's calibration; empty: none")
    shots: int | None = described("measurements of each word, or words measured together; empty: exact values")
    seed: int | None = described("of the measurements; empty: that of the run")

    def __post_init__(self) -> None:
        if self.shots is not None:
            checked_shots(self.shots)
        checked_seed(self.seed)

    @abstractmethod
    def unmeasured(self, threads: int | None, stream: Sequence[int] = ()) -> Engine:
        """The engine before anything is measured."""

    def engine(self, stream: Sequence[int] = (), threads: int | None = None) -> Engine:
        """The engine.

        Args:
            stream: numbers that tell its random numbers from those of other engines with the same seed.
            threads: of those that can be told; None for all.
        """
        engine, noise = self.unmeasured(threads, stream), self.noise_model()
        if noise is not None:
            engine = with_noise(engine, noise)
        return engine if self.shots is None else Shots(engine, self.shots, self.seed_of(stream))

    def seed_of(self, stream: Sequence[int]) -> int | None:
        """A seed for one of the engine's streams; None for fresh entropy."""
        if self.seed is None:
            return None
        words = np.random.SeedSequence([self.seed, *stream]).generate_state(4)
        return sum(int(word) << 32 * k for k, word in enumerate(words))

    def noise_model(self) -> NoiseModel | None:
        """What `noise` names, read; ArtifactError if it is none."""
        return None if self.noise is None else NoiseModel.from_calibration(self.noise)

    def kept_in(self, folder: Path) -> EngineChoice:
        """The same with what it writes in a folder, where nothing else was chosen."""
        return self

    def seeded(self, seed: int) -> EngineChoice:
        """The same with this seed where none was chosen."""
        return replace(self, seed=seed) if self.seed is None else self

    def changed(self, changes: Mapping[str, Any]) -> EngineChoice:
        """The choice with other values; of another engine those stay that it has too.

        Raises:
            ConfigError: as `choose_engine`.
        """
        if changes.get("noise") is not None and self.name == DEFAULT:
            changes = {"name": NOISY_DEFAULT, **changes}
        name = changes.get("name", self.name)
        known = {each.name for each in fields(_kind_of(name))} - ({"device"} if name != self.name else set())
        return choose_engine({key: value for key, value in self.values().items() if key in known} | dict(changes))

    def undisturbed(self) -> EngineChoice:
        """The same without noise and measurements: exact values, but for what engines of wide circuits cut."""
        return self.changed({"noise": None, "shots": None})

    @property
    def is_exact(self) -> bool:
        """Whether values are those of the circuit."""
        return self.shots is None and self.noise is None and self.unmeasured(1).is_exact

    @property
    def title(self) -> str:
        """For people, such as "1,000 shots a word"."""
        parts = [] if self.shots is None else [f"{self.shots:,} shot{'s' * (self.shots > 1)} a word"]
        if self.noise is not None:
            parts.append(f"the noise of {Path(self.noise).name}")
        given = " and ".join(parts)
        if self.name == DEFAULT:
            return given or "exact values"
        return f"{given} on {self.engine_title}" if parts else self.engine_title

    @property
    def engine_title(self) -> str:
        """What the engine itself is called."""
        return f"engine {self.name}"

    def values(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class StatevectorChoice(EngineChoice):
    """Exact simulation of state vectors, natively."""

    name: str = "statevector"
    device: str = described("where circuits run: cpu, cuda, or one of several such as cuda:1", CPU)

    def __post_init__(self) -> None:
        super().__post_init__()
        checked_place(self.device)

    def unmeasured(self, threads: int | None, stream: Sequence[int] = ()) -> Engine:
        engine = StatevectorEngine(threads)
        return engine if self.device == CPU else engine.on(self.device)

    @property
    def is_exact(self) -> bool:
        return self.shots is None and self.noise is None  # known where there is no such device, too


@dataclass(frozen=True, kw_only=True)
class ReferenceChoice(EngineChoice):
    """Whole matrices, slowly: a check on few qubits."""

    name: str = "reference"

    def unmeasured(self, threads: int | None, stream: Sequence[int] = ()) -> Engine:
        return ReferenceEngine()


@dataclass(frozen=True, kw_only=True)
class DensityChoice(EngineChoice):
    """Exact simulation of noisy circuits as density matrices, natively."""

    name: str = "density"

    def unmeasured(self, threads: int | None, stream: Sequence[int] = ()) -> Engine:
        return DensityEngine(threads)


@dataclass(frozen=True, kw_only=True)
class TrajectoriesChoice(EngineChoice):
    """Noise by random trajectories, natively."""

    name: str = "trajectories"
    n_trajectories: int = described("random error patterns of every sample, whose values are averaged", 1)
    device: str = described("where states run: cpu, cuda, or one of several such as cuda:1", CPU)

    def __post_init__(self) -> None:
        super().__post_init__()
        checked_trajectories(self.n_trajectories)
        checked_place(self.device)

    def unmeasured(self, threads: int | None, stream: Sequence[int] = ()) -> Engine:
        # Errors have random numbers of their own, beside those of measurements.
        device = None if self.device == CPU else self.device
        return TrajectoryEngine(self.n_trajectories, self.seed_of((*stream, _ERRORS)), threads, device)

    @property
    def is_exact(self) -> bool:
        return False

    @property
    def engine_title(self) -> str:
        return f"{self.n_trajectories:,} trajector{'ies' if self.n_trajectories > 1 else 'y'} a sample"


@dataclass(frozen=True, kw_only=True)
class PropagationChoice(EngineChoice):
    """Expectation values of wide circuits, by sums of Pauli words run backwards."""

    name: str = "propagation"
    min_coefficient: float | None = described("words with smaller coefficients are dropped; empty: none", 1e-6)
    max_weight: int | None = described("letters that a word may have; empty: any number")
    max_words: int | None = described("words of one value; empty: as many as memory has room for")
    max_frequency: int | None = described("rotations that may have turned a word; empty: any number")
    tolerance: float | None = described("of values; it chooses min_coefficient where all cuts are empty")

    def __post_init__(self) -> None:
        super().__post_init__()
        self.unmeasured(1)

    def unmeasured(self, threads: int | None, stream: Sequence[int] = ()) -> Engine:
        return PropagationEngine(
            self.min_coefficient, self.max_weight, self.max_words, self.max_frequency, self.tolerance, threads=threads
        )

    @property
    def engine_title(self) -> str:
        return "sums of Pauli words" if self.unmeasured(1).is_exact else "cut sums of Pauli words"


@dataclass(frozen=True, kw_only=True)
class DeviceChoice(EngineChoice):
    """A device, or one that this machine plays."""

    name: str = "device"
    device: str | None = described("such as qiskit FakeManilaV2, qiskit NAME of IBM's, braket arn:..., qloom exact")
    journal: str | None = described("SQLite file of all jobs; empty: in the run folder")
    budget_shots: int | None = described("measurements that all runs of the journal may buy")
    budget_money: float | None = described("in the device's currency; empty: any")
    budget_minutes: float | None = described("on the device; empty: any")
    ask_above: int | None = described("shots of a run above which qloom train asks first; empty: never", 100_000)
    money_a_shot: float | None = described("price; empty: the adapter's, or none")
    money_a_row: float | None = described("price of a circuit; empty: the adapter's, or none")
    seconds_a_shot: float | None = described("on the device; empty: the adapter's, or none")
    timeout: float = described("seconds that a result is waited for", 3600.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        for key, what in (("device", "a name"), ("shots", "a number"), ("budget_shots", "what may be bought")):
            if getattr(self, key) is None:
                raise ConfigError(f"engine.{key} is empty, expected {what}: nothing is bought without one")
        if not isinstance(self.device, str):
            raise ConfigError(f"engine.device is {self.device!r}, expected a name such as qloom exact")
        if self.noise is not None:
            raise ConfigError(f"engine.noise={self.noise!r}, expected none: a device has its own")
        for key in ("budget_shots", "ask_above"):
            value = getattr(self, key)
            if value is not None and not (is_integer(value) and value >= 0):
                raise ConfigError(f"engine.{key} is {value!r}, expected an integer from 0 on")
        for key in ("budget_money", "budget_minutes", "money_a_shot", "money_a_row", "seconds_a_shot", "timeout"):
            value = getattr(self, key)
            if value is not None and (type(value) not in (int, float) or not value >= 0 or (key == "timeout") > value):
                raise ConfigError(f"engine.{key} is {value!r}, expected a number from {int(key == 'timeout')} on")

    def unmeasured(self, threads: int | None, stream: Sequence[int] = ()) -> Engine:
        raise UnsupportedError(f"{self.device} gives bits alone")

    def engine(self, stream: Sequence[int] = (), threads: int | None = None) -> Engine:
        from qloom.engines.hardware import DeviceEngine, find_device  # files are locked, as not all systems do
        from qloom.engines.hardware.jobs import PRICES

        for key in ("journal", "seed"):
            if getattr(self, key) is None:
                raise ConfigError(f"engine.{key} is empty, expected one: jobs that were paid are found again by it")
        assert self.journal is not None and self.device is not None and self.shots is not None  # noqa: PT018
        place = Path(self.journal)
        given = {price: getattr(self, price) for price in PRICES}
        device = find_device(self.device, place.with_name(f"{place.name}.service"))
        return DeviceEngine(
            device.priced({price: value for price, value in given.items() if value is not None}), self.shots, place,
            self.budget, self.seed_of(stream) or 0, self.timeout,
        )  # fmt: skip

    @property
    def is_exact(self) -> bool:
        return False

    @property
    def title(self) -> str:
        return f"{self.shots:,} shots a word on {self.device}"

    @property
    def budget(self) -> Any:
        """What all runs of the journal may spend."""
        from qloom.engines.hardware import Budget

        return Budget(self.budget_shots, self.budget_money, self.budget_minutes)

    def undisturbed(self) -> EngineChoice:
        return choose_engine()

    def kept_in(self, folder: Path) -> DeviceChoice:
        """The same with its journal in a folder, where none was chosen."""
        return self if self.journal is not None else replace(self, journal=str(folder / JOURNAL))


# In seeds of the errors of trajectories.
_ERRORS = 1
# Where the jobs of a run are.
JOURNAL = "jobs.sqlite"
# What runs circuits where nothing is chosen, and where noise is.
DEFAULT, NOISY_DEFAULT = "statevector", "density"
ENGINES: dict[str, type[EngineChoice]] = {
    DEFAULT: StatevectorChoice, "reference": ReferenceChoice, "density": DensityChoice,
    "trajectories": TrajectoriesChoice, "propagation": PropagationChoice, "device": DeviceChoice,
}  # fmt: skip


def choose_engine(values: EngineChoice | Mapping[str, Any] | None = None) -> EngineChoice:
    """The choice that plain values make; exact values of the state-vector engine for none, of density matrices where
    noise alone is given.

    Raises:
        ConfigError: for an unknown name or field, or a value that its engine cannot take.
    """
    if isinstance(values, EngineChoice):
        return values
    if values is not None and not isinstance(values, Mapping):
        raise ConfigError(f"engine is {values!r}, expected keys with values such as shots: 1000")
    given: dict[Any, Any] = {} if values is None else dict(values)
    name = given.get("name", DEFAULT if given.get("noise") is None else NOISY_DEFAULT)
    kind, known = _kind_of(name), fields_of(name)
    for key in given:
        if key not in known:
            raise ConfigError(f"engine.{key} is no setting of the engine {name}, which has {', '.join(known)}")
    try:
        return kind(**{key: _as_number(name, key, value) for key, value in given.items()})
    except ConfigError:
        raise
    except (TypeError, ValueError) as error:
        raise ConfigError(f"engine.{error}") from None


def _kind_of(name: Any) -> type[EngineChoice]:
    if not isinstance(name, str) or name not in ENGINES:
        raise ConfigError(f"engine.name is {name!r}, expected one of {', '.join(ENGINES)}; choose one of them")
    return ENGINES[name]


def _as_number(name: str, key: str, value: Any) -> Any:
    """Numbers such as 1e-6 or 2e5, which YAML reads as text."""
    takes = {each.name: str(each.type) for each in fields(ENGINES[name])}[key]
    if not isinstance(value, str) or not ("float" in takes or "int" in takes):
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    return number if "float" in takes else int(number) if number.is_integer() else value


def fields_of(name: str) -> dict[str, str]:
    """What an engine's choice has, each with what it does."""
    found = {each.name: each.metadata.get("description", "") for each in fields(ENGINES[name])}
    return {**found, "name": ", ".join(ENGINES)}
