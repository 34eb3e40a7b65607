"""What a circuit may be asked for: one class a kind, which an engine gives or not.

A new kind is one subclass. It says how many numbers it is and what they are in a final state, which is its definition
and all that the reference engine needs. An engine that lists the kind in `Engine.gives` computes it by itself; for any
other the kind may say of which simpler one it is made (`made_from`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from qloom.checks import is_integer
from qloom.circuits.circuit import Circuit
from qloom.engines.batch import check_memory
from qloom.errors import CircuitError, UnsupportedError
from qloom.observables import PauliSum, Z, check_fits


class Outputs(ABC):
    """What is asked of a circuit. Frozen and hashable.

    Attributes:
        kind: its name, as engines list it in `gives`.
        is_measured: whether it is an average over measurements, so that shots can estimate it.
        is_complex: whether its numbers are real and imaginary parts side by side.
        any_norm: whether initial amplitudes need not have norm 1.
    """

    kind: ClassVar[str]
    is_measured: ClassVar[bool] = True

    @property
    def is_complex(self) -> bool:
        """Whether the O numbers are real and imaginary parts side by side."""
        return False

    @property
    def any_norm(self) -> bool:
        """Whether initial amplitudes need not have norm 1."""
        return False

    @property
    @abstractmethod
    def size(self) -> int:
        """O, how many numbers a sample."""

    @abstractmethod
    def checked(self, circuit: Circuit) -> Outputs:
        """The same, with plain integers; CircuitError unless the circuit has it."""

    @abstractmethod
    def of_state(self, state: np.ndarray) -> np.ndarray:
        """The definition: the numbers (O,) of a final state (2^n,), complex."""

    def of_density(self, density: np.ndarray) -> np.ndarray:
        """The definition for mixed states: the numbers (O,) of a density matrix (2^n, 2^n).

        Raises:
            UnsupportedError: where a mixed state has none, as amplitudes.
        """
        raise UnsupportedError(
            f"a mixed state has no {self.kind}, expected a circuit of unitary gates; ask for 'density'"
        )

    def made_from(self) -> Outputs | None:
        """Simpler outputs whose values these are a function of; None where there are none."""
        return None

    def from_parts(self, values: np.ndarray) -> np.ndarray:
        """Values (B, O) from those of `made_from`, (B, P)."""
        raise NotImplementedError

    def pulled_back(self, values: np.ndarray, cotangents: np.ndarray) -> np.ndarray:
        """Cotangents (B, P) of the parts, from the parts' values (B, P) and cotangents (B, O)."""
        raise NotImplementedError

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, as files have it; CircuitError for a kind that has none."""
        raise CircuitError(f"outputs of kind {self.kind!r} have no text to save them by")


@dataclass(frozen=True)
class Expectations(Outputs):
    """Expectation values of Pauli sums, one number each.

    Args:
        observables: O of them.
    """

    observables: tuple[PauliSum, ...]
    kind: ClassVar[str] = "expectations"

    @property
    def size(self) -> int:
        return len(self.observables)

    def checked(self, circuit: Circuit) -> Expectations:
        for observable in self.observables:
            check_fits(observable, circuit.n_qubits)
        return self

    def of_state(self, state: np.ndarray) -> np.ndarray:
        return np.array([np.vdot(state, observable.times(state)).real for observable in self.observables])

    def of_density(self, density: np.ndarray) -> np.ndarray:
        n = _n_qubits(density)
        return np.array([np.einsum("ij,ji->", observable.matrix(n), density).real for observable in self.observables])

    def to_json(self) -> dict[str, Any]:
        return {"sums": [[[x, z, float(np.real(c))] for (x, z), c in sum_.terms.items()] for sum_ in self.observables]}


@dataclass(frozen=True)
class Probabilities(Outputs):
    """Probabilities of the 2^k outcomes of k qubits, in order of the bit string.

    Args:
        qubits: k different ones, the first leftmost in the string.
    """

    qubits: tuple[int, ...]
    kind: ClassVar[str] = "probabilities"

    @property
    def size(self) -> int:
        return int(2 ** len(self.qubits))

    def checked(self, circuit: Circuit) -> Probabilities:
        return Probabilities(checked_qubits(circuit, self.qubits))

    def of_state(self, state: np.ndarray) -> np.ndarray:
        return marginals(np.abs(state) ** 2, _n_qubits(state), self.qubits)

    def of_density(self, density: np.ndarray) -> np.ndarray:
        return marginals(np.diagonal(density).real, _n_qubits(density), self.qubits)

    def to_json(self) -> dict[str, Any]:
        return {"probabilities": list(self.qubits)}


@dataclass(frozen=True)
class FinalState(Outputs):
    """The 2^n amplitudes, two real numbers each; derivatives are those of the numbers.

    Args:
        n_qubits: n.
        linear: as a linear map of initial amplitudes, which may have any norm: all real parts, then all imaginary
            parts, as the inputs are; else the two of each amplitude side by side, as complex numbers lie in memory.
    """

    n_qubits: int
    linear: bool = False
    kind: ClassVar[str] = "state"
    is_measured: ClassVar[bool] = False

    @property
    def is_complex(self) -> bool:
        return not self.linear

    @property
    def any_norm(self) -> bool:
        return self.linear

    @property
    def size(self) -> int:
        return int(2 * 2**self.n_qubits)

    def checked(self, circuit: Circuit) -> FinalState:
        if self.n_qubits != circuit.n_qubits:
            raise CircuitError(f"state of {self.n_qubits} qubits, expected the circuit's {circuit.n_qubits}")
        return self

    def of_state(self, state: np.ndarray) -> np.ndarray:
        parts = (state.real, state.imag)
        return np.concatenate(parts) if self.linear else np.stack(parts, axis=-1).ravel()

    def to_json(self) -> dict[str, Any]:
        return {"state": self.n_qubits, "linear": self.linear}


@dataclass(frozen=True)
class DensityMatrix(Outputs):
    """The density matrix (2^n, 2^n), row by row, two real numbers an entry; derivatives are those of the numbers.

    Args:
        n_qubits: n.
    """

    n_qubits: int
    kind: ClassVar[str] = "density"
    is_measured: ClassVar[bool] = False

    @property
    def is_complex(self) -> bool:
        return True

    @property
    def size(self) -> int:
        return int(2 * 4**self.n_qubits)

    def checked(self, circuit: Circuit) -> DensityMatrix:
        if self.n_qubits != circuit.n_qubits:
            raise CircuitError(f"density matrix of {self.n_qubits} qubits, expected the circuit's {circuit.n_qubits}")
        return self

    def of_state(self, state: np.ndarray) -> np.ndarray:
        check_memory(32 * len(state) ** 2, f"a density matrix of {_n_qubits(state)} qubits")
        return self.of_density(np.outer(state, state.conj()))

    def of_density(self, density: np.ndarray) -> np.ndarray:
        return np.stack([density.real, density.imag], axis=-1).ravel()

    def to_json(self) -> dict[str, Any]:
        return {"density": self.n_qubits}


def as_outputs(circuit: Circuit, observables: Any = None) -> Outputs:
    """From what a user may give: Pauli sums, "probabilities", "state", "density", `Outputs`; None for every Z."""
    if observables is None:
        return Expectations(tuple(Z(q) for q in range(circuit.n_qubits)))
    if isinstance(observables, str):
        whole: dict[str, Outputs] = {
            "probabilities": Probabilities(tuple(range(circuit.n_qubits))),
            "state": FinalState(circuit.n_qubits),
            "density": DensityMatrix(circuit.n_qubits),
        }
        if observables not in whole:
            raise CircuitError(
                f"observables={observables!r}, expected Pauli sums, 'probabilities', 'state' or 'density'"
            )
        return whole[observables]
    if isinstance(observables, Outputs):
        return observables.checked(circuit)
    if isinstance(observables, PauliSum):
        observables = (observables,)
    refuse_numbers(observables)
    if not isinstance(observables, Sequence) or not observables:
        raise CircuitError(f"observables={observables!r}, expected one Pauli sum or more, such as [Z(0), Z(0) @ Z(1)]")
    return Expectations(tuple(observables)).checked(circuit)


def refuse_numbers(observables: Any) -> None:
    """Raise CircuitError where inputs or weights stand in the place of observables."""
    try:
        are_numbers = np.asarray(observables).dtype.kind in "biufc" and np.size(observables) > 0
    except (TypeError, ValueError, RuntimeError):
        are_numbers = False
    if are_numbers:
        raise CircuitError(
            "observables are numbers, expected Pauli sums; inputs and weights come after them, or by name: "
            "expectation(circuit, inputs=x, weights=w)"
        )


def as_expectations(circuit: Circuit, observables: Any, what: str) -> Expectations:
    """Pauli sums from what a user may give; CircuitError for other outputs, of which there is no `what`."""
    outputs = as_outputs(circuit, observables)
    if not isinstance(outputs, Expectations):
        raise CircuitError(
            f"{what} of observables={observables!r}, expected Pauli sums; name some, such as [Z(0), Z(0) @ Z(1)]"
        )
    return outputs


def outputs_from_json(data: dict[str, Any]) -> Outputs:
    """What `Outputs.to_json` gave; KeyError, TypeError or ValueError if it is something else."""
    if "probabilities" in data:
        return Probabilities(tuple(data["probabilities"]))
    if "state" in data:
        return FinalState(data["state"], data["linear"])
    if "density" in data:
        return DensityMatrix(data["density"])
    return Expectations(tuple(PauliSum({(x, z): c for x, z, c in terms}) for terms in data["sums"]))


def checked_qubits(circuit: Circuit, qubits: Sequence[int] | None) -> tuple[int, ...]:
    """Qubits to measure, all of them for None."""
    if qubits is None:
        return tuple(range(circuit.n_qubits))
    given = tuple(qubits) if isinstance(qubits, Iterable) else (qubits,)
    whole = all(is_integer(q) and 0 <= q < circuit.n_qubits for q in given)
    if not given or not whole or len(set(given)) != len(given):
        raise CircuitError(f"qubits {qubits!r}, expected different integers from 0 to {circuit.n_qubits - 1}")
    return tuple(int(q) for q in given)


def marginals(probabilities: np.ndarray, n_qubits: int, qubits: Sequence[int]) -> np.ndarray:
    """Probabilities of the outcomes of some qubits, in their order, from those of all."""
    cube = probabilities.reshape((2,) * n_qubits)
    others = tuple(q for q in range(n_qubits) if q not in qubits)
    kept = [q for q in range(n_qubits) if q in qubits]
    return cube.sum(axis=others).transpose([kept.index(q) for q in qubits]).ravel()


def _n_qubits(state: np.ndarray) -> int:
    return len(state).bit_length() - 1
