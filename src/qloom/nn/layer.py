"""The circuit as a torch module."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from qloom.circuits.circuit import Circuit
from qloom.engines.base import AdjointEvaluator, Engine, FinalState, as_outputs
from qloom.errors import ShapeError
from qloom.gradients import Differentiator, ShotPlan, prepare_gradient
from qloom.nn.bridge import evaluate
from qloom.nn.initialization import initial_weights
from qloom.nn.operators import register


class QuantumLayer(nn.Module):
    """A circuit as a layer: inputs are angles (or amplitudes), outputs expectation values or probabilities.

    Gradients flow to the weights, to the inputs and, where the circuit starts from given amplitudes, to those.

    Args:
        circuit: copied; later changes to it have no effect.
        observables: Pauli sums, one output each; None for Z on every qubit; "probabilities" for all 2^n outcomes;
            "state" for the 2^n amplitudes, complex.
        engine: StatevectorEngine() by default.
        differentiator: "auto", "adjoint", "parameter-shift", "finite-difference" or a `Differentiator`.
        shots: estimate outputs and gradients from that many measurements; None for exact ones.
        init: "auto", "uniform", "normal", "small", "scaled", "beta", or W numbers; see `initial_weights`.
        dtype: of the weights, and then of inputs and outputs; None for torch's default.
        seed: of the initial weights and of the measurements; None for torch's generator and fresh entropy.

    Shapes: x (..., I) -> (..., O); a circuit without inputs is called with nothing, giving (O,), or with x (B, 0).

    Attributes:
        weights: nn.Parameter (W,), in order of declaration.
        initialization: name of how they began, the one that "auto" picked; "given" for numbers.
    """

    weights: nn.Parameter

    def __init__(
        self,
        circuit: Circuit,
        observables: Any = None,
        engine: Engine | None = None,
        differentiator: str | Differentiator = "auto",
        shots: int | None = None,
        init: Any = "auto",
        dtype: torch.dtype | None = None,
        seed: int | None = None,
    ):
        super().__init__()
        if not isinstance(circuit, Circuit):
            raise ShapeError(f"circuit is a {type(circuit).__name__}, expected a Circuit")
        self.circuit = circuit.copy()
        self.n_inputs = circuit.n_inputs
        self._recipe = (observables, engine, differentiator, shots, seed)
        self._trained: np.ndarray | None = None
        dtype = dtype or torch.get_default_dtype()
        if dtype not in (torch.float32, torch.float64):
            raise ShapeError(f"dtype={dtype}, expected torch.float32 or torch.float64")
        self._prepare()
        first, self.initialization = initial_weights(init, circuit, dtype, seed)
        self.weights = nn.Parameter(first)

    def _prepare(self) -> None:
        observables, engine, differentiator, shots, seed = self._recipe
        self._evaluator: AdjointEvaluator = prepare_gradient(
            self.circuit, observables, engine, differentiator, shots, seed
        )
        self._evaluator.trained = self._trained
        self._handle = register(self._evaluator)
        outputs = as_outputs(self.circuit, observables)
        self._complex = isinstance(outputs, FinalState) and not outputs.linear
        self.n_outputs = self._evaluator.n_outputs // (2 if self._complex else 1)

    @property
    def observables(self) -> Any:
        """What is measured, as it was given; None for Z on every qubit."""
        return self._recipe[0]

    @property
    def takes_any_norm(self) -> bool:
        """Whether the circuit is taken as a linear map of amplitudes, as in `QuantumLinear`."""
        return self._evaluator.any_norm

    @property
    def shots(self) -> int | None:
        """Measurements a value; None if it is exact."""
        return self._recipe[3]

    @property
    def walk_cost(self) -> int:
        """What the gradient of a sample comes to, beside its value, in runs of the circuit."""
        return self._evaluator.walk_cost

    @property
    def trained(self) -> np.ndarray:
        """Which weights are, (W,) of booleans."""
        return np.ones(self.circuit.n_weights, bool) if self._trained is None else self._trained.copy()

    @property
    def shots_a_run(self) -> int:
        """Measurements of one run: `shots` for each group of words that is measured together; 0 for exact values."""
        return (self.shots or 0) * self._evaluator.n_groups

    @property
    def n_slopes(self) -> int:
        """R, derivatives by single rotations that are measured; 0 where derivatives are not."""
        return self._evaluator.n_slopes

    @property
    def plan(self) -> ShotPlan | None:
        """What says how many measurements derivatives take; None where the layer's own `shots` do."""
        found: ShotPlan | None = self._evaluator.plan
        return found

    def follow(self, plan: ShotPlan) -> None:
        """Let a plan say how many measurements each of the `n_slopes` takes, as long as it lives: keep it somewhere.

        Raises:
            UnsupportedError: where derivatives are not measured.
        """
        self._evaluator.follow(plan)

    def train_weights(self, which: Any = None) -> QuantumLayer:
        """Train only some of the weights; the others get a gradient of 0, which costs nothing on the walk back.

        Make a new optimizer afterwards: momentum of former steps, or weight decay, would move frozen weights.

        Args:
            which: indices, a slice, or booleans (W,); None for all.

        Raises:
            ShapeError: if there are no such weights.
        """
        trained, which = np.zeros(self.circuit.n_weights, bool), list(which) if isinstance(which, tuple) else which
        try:
            trained[slice(None) if which is None else which] = True
        except (IndexError, TypeError, ValueError):
            raise ShapeError(
                f"which={which!r}, expected indices, a slice or booleans of {self.circuit.n_weights} weights"
            ) from None
        self._trained = self._evaluator.trained = None if trained.all() else trained
        return self

    def exchange(self, circuit: Circuit) -> None:
        """Put a circuit of as many qubits, inputs and weights in the place of this one; the weights stay."""
        kept = [(c.n_qubits, c.n_inputs, c.n_weights) for c in (self.circuit, circuit)]
        if kept[0] != kept[1]:
            raise ShapeError(
                f"{circuit!r} in the place of {self.circuit!r}, expected as many qubits, inputs and weights"
            )
        before, self.circuit = self._evaluator, circuit.copy()
        self._prepare()
        self._evaluator.go_on_from(before)

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        del state["_evaluator"], state["_handle"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._prepare()

    def forward(self, x: Tensor | None = None) -> Tensor:
        weights = self.weights
        if x is None:
            x = weights.new_empty(0)
        self._check(x, weights)
        if x.dim() == 2 and not self._complex:
            return evaluate(x, weights, self._evaluator, self._handle)
        # Rows are counted by hand: reshape cannot where there are no numbers.
        rows = x.reshape(x.shape[:-1].numel(), self.n_inputs)
        values = evaluate(rows, weights, self._evaluator, self._handle)
        if self._complex:
            return torch.view_as_complex(values.reshape(*x.shape[:-1], self.n_outputs, 2))
        return values.reshape(*x.shape[:-1], self.n_outputs)

    def _check(self, x: Tensor, weights: Tensor) -> None:
        """Raise ShapeError unless x and the weights fit the circuit and each other."""
        if not isinstance(x, Tensor):
            raise ShapeError(f"x is a {type(x).__name__}, expected a torch.Tensor; convert it with torch.as_tensor(x)")
        if x.shape[-1:] != (self.n_inputs,):
            raise ShapeError(
                f"x has shape {tuple(x.shape)}, expected (..., {self.n_inputs}); "
                f"the circuit takes {self.n_inputs} inputs a sample"
            )
        if x.dtype != weights.dtype:
            raise ShapeError(
                f"x is {x.dtype}, the layer's weights are {weights.dtype}, expected one dtype; "
                "convert with x.to(...) or layer.to(...)"
            )
        if x.dtype not in (torch.float32, torch.float64):
            raise ShapeError(f"the layer is {x.dtype}, expected torch.float32 or torch.float64; use layer.float()")
        if not (x.is_cpu and weights.is_cpu):
            raise ShapeError(
                f"x is on {x.device}, the weights on {weights.device}, expected both on cpu; move them with .cpu()"
            )

    def extra_repr(self) -> str:
        _, engine, differentiator, shots, _ = self._recipe
        text = f"{self.circuit!r}, n_outputs={self.n_outputs}, differentiator={differentiator!r}"
        return text + (f", shots={shots}" if shots is not None else "") + (f", engine={engine}" if engine else "")
