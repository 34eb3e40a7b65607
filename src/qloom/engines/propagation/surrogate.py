"""A circuit's values over words that were found once: for many angles, without looking for words again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError, safe_open

from qloom import _native
from qloom.circuits.circuit import Circuit
from qloom.circuits.kinds import NOISY
from qloom.engines.base import DifferentiableEvaluator, Engine, checked_threads
from qloom.engines.outputs import Expectations, Outputs, outputs_from_json
from qloom.engines.propagation.cuts import Cuts, checked_tolerance
from qloom.engines.propagation.evaluator import PropagationEvaluator, Recorded
from qloom.errors import ArtifactError, UnsupportedError
from qloom.files import read_document, replace_file

FORMAT, VERSION = "qloom.surrogate", 1
# Of an observable's recording, as the native side gives them.
_ARRAYS = ("given", "coefficients", "moments", "operands", "read", "ends", "letters")


class Surrogate(Engine):
    """An engine for one circuit and its observables; `PropagationEngine.surrogate` makes it.

    Which words there are, and which a step mixes, was written down at some samples. Values are those of the
    trigonometric polynomial of all angles that this comes to: exact where no word was cut, and at the samples
    themselves what the engine gives that has them in one walk. Elsewhere the words that are missing may be larger than
    there: the bound beside each value says what they can change, at its own angles.

    Another circuit, or other observables, are refused by UnsupportedError.

    Args:
        recorded: the words and steps that were written down.
        cuts: that words were dropped by then.
        tolerance: bounds above it are refused.
        warns: whether they are a warning, where they would be refused.
        threads: how many to use; None for all this process may run on. Results do not depend on it.

    Attributes:
        circuit, observables: what was recorded; a layer of them takes this engine.
        n_slots: coefficients of all observables that are worked on.
        n_bytes: what the recording takes.
    """

    gives = walks_back = frozenset({"expectations"})
    runs = NOISY
    is_bounded = True
    chooses = False

    def __init__(
        self, recorded: Recorded, cuts: Cuts, tolerance: float | None = None, warns: bool = False,
        threads: int | None = None,
    ):  # fmt: skip
        self.recorded, self.recorded_cuts = recorded, cuts
        self.tolerance, self.warns, self.threads = checked_tolerance(tolerance), warns, checked_threads(threads)
        self.cuts = Cuts()
        self.is_exact = not cuts.any

    def __repr__(self) -> str:
        return f"Surrogate({self.circuit!r}, {self.n_slots} words)"

    @property
    def circuit(self) -> Circuit:
        """The circuit that was recorded, the only one that it evaluates."""
        return self.recorded.circuit

    @property
    def observables(self) -> list[Any]:
        """The Pauli sums that were recorded, O of them; a new list."""
        return list(self.recorded.outputs.observables)

    @property
    def n_slots(self) -> int:
        """Coefficients of all observables that are worked on."""
        return int(self.recorded.native.slots)

    @property
    def n_bytes(self) -> int:
        """Bytes that the arrays of the recording take."""
        return sum(array.nbytes for o in range(self.recorded.outputs.size) for array in self._arrays(o).values())

    @property
    def n_threads(self) -> int:
        """Threads that are used: `threads`, or all that this process may run on."""
        return self.threads or _native.available_threads()

    def evaluator(self, circuit: Circuit, outputs: Outputs) -> DifferentiableEvaluator:
        if circuit != self.circuit or outputs != self.recorded.outputs:
            raise UnsupportedError(
                f"{self!r} was recorded for another circuit or other observables, expected its own; record one for "
                "these"
            )
        return PropagationEvaluator(circuit, outputs, self, self.recorded)

    def __reduce__(self) -> Any:
        raise TypeError("a surrogate is not pickled; save it")

    # -- files

    def _arrays(self, output: int) -> dict[str, np.ndarray]:
        _, *arrays = self.recorded.native.arrays(output)
        return {f"{output}.{name}": array for name, array in zip(_ARRAYS, arrays, strict=True)}

    def save(self, path: str | Path) -> Path:
        """Write one safetensors file, whole or not at all; the path."""
        outputs = self.recorded.outputs
        document = {
            "format": FORMAT,
            "version": VERSION,
            "circuit": self.circuit.to_json(),
            "outputs": outputs.to_json(),
            "cuts": self.recorded_cuts.given,
            "slots": [self.recorded.native.arrays(o)[0] for o in range(outputs.size)],
            "steps_sha256": self.recorded.steps_sha256,
        }
        arrays = {name: array for o in range(outputs.size) for name, array in self._arrays(o).items()}
        hashed = {"surrogate": json.dumps(document), "sha256": _sha256(arrays)}
        return replace_file(Path(path), safetensors.numpy.save(arrays, hashed))

    @classmethod
    def load(
        cls, path: str | Path, tolerance: float | None = None, warns: bool = False, threads: int | None = None
    ) -> Surrogate:
        """What `save` wrote.

        Args:
            path: of the file.
            tolerance, warns, threads: as of the class; they are not in the file.

        Raises:
            ArtifactError: for a missing, damaged or foreign file.
        """
        try:
            with safe_open(path, "numpy") as file:
                heading = file.metadata() or {}
                arrays = {name: np.ascontiguousarray(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
        except OSError as error:
            raise ArtifactError(f"{path} cannot be read ({error}), expected a surrogate's file") from None
        except SafetensorError as error:
            raise ArtifactError(
                f"{path} is no safetensors file ({error}), expected what Surrogate.save wrote"
            ) from None
        if heading.get("sha256") != _sha256(arrays):
            raise ArtifactError(f"{path} holds other arrays than were written (sha256 differs); save it again")
        recorded, cuts = read_document(
            heading.get("surrogate", ""), "surrogate", (FORMAT, VERSION), lambda document: _build(document, arrays)
        )
        return cls(recorded, cuts, tolerance, warns, threads)


def _build(document: dict[str, Any], arrays: dict[str, np.ndarray]) -> tuple[Recorded, Cuts]:
    circuit = Circuit.from_json(document["circuit"])
    outputs = outputs_from_json(document["outputs"])
    assert isinstance(outputs, Expectations)
    recorded = Recorded(circuit, outputs.checked(circuit))
    if recorded.steps_sha256 != document["steps_sha256"]:
        raise ArtifactError("the surrogate is of steps that this version makes otherwise; record it again")
    for o, slots in enumerate(document["slots"]):
        recorded.append(slots, *(arrays[f"{o}.{name}"] for name in _ARRAYS))
    return recorded, Cuts(**document["cuts"])


def _sha256(arrays: dict[str, np.ndarray]) -> str:
    found = hashlib.sha256()
    for name in sorted(arrays):
        found.update(name.encode() + arrays[name].tobytes())
    return found.hexdigest()
