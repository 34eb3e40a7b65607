"""Angles that are polynomials of degree two in inputs: input slots of their own, computed in front of the circuit.

A polynomial is a form in the inputs and a one behind them: with x[I] = 1 every term is a factor of x[i] * x[j], i <= j.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from qloom.circuits.parameters import Angle
from qloom.circuits.slots import Slots
from qloom.errors import ShapeError
from qloom.nn.layer import QuantumLayer, in_full_precision

Form = Mapping[tuple[int, int], float]
# Of float64: a factor that is left of nothing, and how far apart one factor is that was found twice.
_ROUNDING, _SAME = 1e-12, 1e-6


class Polynomials:
    """Slots for polynomials of a circuit's inputs, behind the slots of these; each is there once.

    Args:
        n_inputs: I.

    Attributes:
        forms: K of them, in the order of their slots.
    """

    def __init__(self, n_inputs: int):
        self.n_inputs = n_inputs
        self.forms: list[Form] = []

    def angle(self, places: Sequence[int], constant: float, linear: np.ndarray, hessian: np.ndarray) -> Angle:
        """Of constant + linear x + x hessian x / 2: the input itself where that is a * x + b of one, else a slot.

        Shapes: places (P,), of the inputs x that it is made of; linear (P,), hessian (P, P).
        """
        indices = [*places, self.n_inputs]
        form: dict[tuple[int, int], float] = {}
        matrix = np.block([[hessian, linear[:, None]], [linear, 2 * constant]]) / 2
        for (a, b), factor in np.ndenumerate(matrix):
            place = min(indices[a], indices[b]), max(indices[a], indices[b])
            form[place] = form.get(place, 0.0) + float(factor)
        form = {place: factor for place, factor in form.items() if abs(factor) > _ROUNDING}
        offset = (self.n_inputs, self.n_inputs)
        turned = [place for place in form if place != offset]
        if len(turned) == 1 and turned[0][1] == self.n_inputs:
            return Angle("input", turned[0][0], form[turned[0]], form.get(offset, 0.0))
        return Angle("input", self.n_inputs + self._place(form))

    def _place(self, form: Form) -> int:
        for k, known in enumerate(self.forms):
            if all(abs(known.get(place, 0.0) - form.get(place, 0.0)) < _SAME for place in {**known, **form}):
                return k
        self.forms.append(form)
        return len(self.forms) - 1

    def declare(self, slots: Slots) -> None:
        """A block "polynomials" (K,) behind a circuit's inputs, if there are any."""
        if self.forms:
            own = Slots("input")
            own.add((len(self.forms),), "polynomials")
            slots.extend(own)

    def in_front_of(self, layer: QuantumLayer) -> QuantumLayer | nn.Sequential:
        """The layer with what computes its inputs, `angles` and `layer`; the layer alone if there is nothing."""
        if not self.forms:
            return layer
        return nn.Sequential(OrderedDict(angles=PolynomialAngles(self.n_inputs, self.forms), layer=layer))


class PolynomialAngles(nn.Module):
    """Inputs, and behind them polynomials of degree two in them: what a circuit with such angles takes.

    It has nothing to train. Its factors are saved with a model and come back, and are float64 in models of any dtype.

    Args:
        n_inputs: I.
        forms: K of them, (i, j) -> factor of x[i] * x[j], where x[I] is 1.

    Shapes: x (..., I) -> (..., I + K), radians, in x's dtype.

    Raises:
        ShapeError: for inputs of another shape.
    """

    def __init__(self, n_inputs: int, forms: Sequence[Form]):
        super().__init__()
        self.n_inputs, self.n_forms = n_inputs, len(forms)
        terms = [(k, i, j, factor) for k, form in enumerate(forms) for (i, j), factor in form.items()]
        self.set_extra_state(torch.tensor(terms, dtype=torch.float64).reshape(-1, 4))

    def forward(self, x: Tensor) -> Tensor:
        if not isinstance(x, Tensor) or x.shape[-1:] != (self.n_inputs,):
            given = f"has shape {tuple(x.shape)}" if isinstance(x, Tensor) else f"is a {type(x).__name__}"
            raise ShapeError(f"x {given}, expected a torch.Tensor (..., {self.n_inputs})")
        x = in_full_precision(x, torch.float32)
        ones = x.new_ones(*x.shape[:-1], 1)
        # Large parts of (pi - x) * (pi - y), multiplied out, cancel: in float64, rounded once.
        padded = torch.cat([x, ones], dim=-1).double()
        slots, left, right = self._places
        terms = self._factors * padded.index_select(-1, left) * padded.index_select(-1, right)
        sums = terms.new_zeros(*x.shape[:-1], self.n_forms).index_add(-1, slots, terms)
        return torch.cat([x, sums.to(x.dtype)], dim=-1)

    # No buffers: factors of a model made float32 would be other angles once it is made float64 again.
    def get_extra_state(self) -> Tensor:
        """Terms (T, 4), float64: which polynomial, i, j and the factor."""
        return torch.cat([self._places.T.double(), self._factors[:, None]], dim=1)

    def set_extra_state(self, state: Tensor) -> None:
        self._places, self._factors = state[:, :3].long().T.contiguous(), state[:, 3].double()

    def extra_repr(self) -> str:
        return f"{self.n_inputs} inputs -> {self.n_inputs} and {self.n_forms} polynomials of degree two"
