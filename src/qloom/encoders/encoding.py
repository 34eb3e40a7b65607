"""Encoders by name: the circuit, how features become its inputs, and how many qubits that takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qloom.checks import checked_count
from qloom.circuits.circuit import Circuit
from qloom.encoders.amplitude import amplitude, normalize
from qloom.encoders.angle import angle
from qloom.encoders.basis import basis, bits
from qloom.encoders.chebyshev import chebyshev, chebyshev_inputs
from qloom.encoders.dense_angle import dense_angle
from qloom.encoders.fourier import fourier
from qloom.encoders.hybrid_angle import hybrid_angle
from qloom.encoders.iqp import iqp, iqp_inputs, zz_inputs
from qloom.errors import CircuitError, ShapeError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Encoding:
    """A circuit that takes features in; called with features, it gives the circuit's inputs, differentiably.

    Attributes:
        name: of ENCODERS.
        n_features: F.
        circuit: without weights.
        options: of the encoder's function.

    Shapes: x (..., F) -> (..., I).

    Raises:
        ShapeError: for another number of features, or features outside the encoder's domain.
    """

    name: str
    n_features: int
    circuit: Circuit
    options: dict[str, Any]

    def __call__(self, x: Tensor) -> Tensor:
        if x.shape[-1:] != (self.n_features,):
            raise ShapeError(f"x has shape {tuple(x.shape)}, expected (..., {self.n_features}) for this {self.name}")
        return ENCODERS[self.name][1](x, self.circuit, **self.options)

    @property
    def n_qubits(self) -> int:
        """n, of the circuit."""
        return self.circuit.n_qubits

    def __str__(self) -> str:
        c = self.circuit
        return f"{self.name}: {self.n_features} features on {c.n_qubits} qubits, {len(c)} gates, depth {c.depth()}"


def _as_they_are(x: Tensor, circuit: Circuit, **options: Any) -> Tensor:
    return x


ENCODERS: dict[str, tuple[Callable[..., Circuit], Callable[..., Tensor]]] = {
    "angle": (angle, _as_they_are),
    "dense_angle": (dense_angle, _as_they_are),
    "hybrid_angle": (hybrid_angle, _as_they_are),
    "basis": (basis, lambda x, circuit: bits(x)),
    "amplitude": (amplitude, lambda x, circuit: normalize(x, circuit.n_inputs)),
    "iqp": (iqp, lambda x, circuit, n_layers=1, entangler="full": iqp_inputs(x, entangler)),
    "zz": (iqp, lambda x, circuit, n_layers=1, entangler="full": zz_inputs(x, entangler)),
    "chebyshev": (chebyshev, lambda x, circuit, **options: chebyshev_inputs(x)),
    "fourier": (fourier, _as_they_are),
}
"""Encoders by name: a function from F to the circuit, and one from features and the circuit to its inputs.

Options, such as `n_layers`, go to both. Shapes of the second: x (..., F) -> (..., I).
"""


def encoding(name: str, n_features: int, **options: Any) -> Encoding:
    """The encoder of that name for so many features.

    Args:
        name: one of ENCODERS.
        n_features: F.
        options: of the encoder's function, such as n_layers for iqp.

    Raises:
        CircuitError: for an unknown name, or options that the encoder refuses.
    """
    if name not in ENCODERS:
        raise CircuitError(f"encoder {name!r}, expected one of {', '.join(ENCODERS)}")
    return Encoding(name, n_features, ENCODERS[name][0](n_features, **options), options)


class Plan(list[Encoding]):
    """Encoders to choose from; printed as a table."""

    def __str__(self) -> str:
        titles = ("encoder", "qubits", "inputs", "gates", "depth")
        rows = [titles, *((e.name, *map(str, _sizes(e.circuit))) for e in self)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        aligned = ([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])] for row in rows)
        return "\n".join("  ".join(cells) for cells in aligned)

    __repr__ = __str__


def _sizes(circuit: Circuit) -> tuple[int, int, int, int]:
    return circuit.n_qubits, circuit.n_inputs, len(circuit), circuit.depth()


def plan(n_features: int, most_qubits: int | None = None) -> Plan:
    """Every encoder with its default options for so many features, those of fewest qubits first.

    Args:
        n_features: F.
        most_qubits: leave those out that need more.

    Raises:
        CircuitError: if all need more.
    """
    checked_count("n_features", n_features)
    able = sorted((encoding(name, n_features) for name in ENCODERS), key=lambda made: made.n_qubits)
    fitting = Plan(made for made in able if most_qubits is None or made.n_qubits <= most_qubits)
    if not fitting:
        raise CircuitError(
            f"{n_features} features on at most {most_qubits} qubits, expected at least {able[0].n_qubits} qubits "
            f"({able[0].name}); use fewer features, or re-uploading in several layers"
        )
    return fitting
