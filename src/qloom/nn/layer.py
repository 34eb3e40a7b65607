"""The circuit as a torch module."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.module import _EXTRA_STATE_KEY_SUFFIX

from qloom.circuits.circuit import Circuit
from qloom.engines.base import DifferentiableEvaluator, Engine
from qloom.engines.batch import Batch, check_amplitudes
from qloom.engines.evaluation import checked_engine
from qloom.engines.outputs import as_outputs
from qloom.engines.streams import Stream
from qloom.errors import ShapeError, UnsupportedError
from qloom.gradients import Differentiator, ShotPlan, jacobians, prepare_gradient
from qloom.nn.arrays import as_array, placed
from qloom.nn.bridge import evaluate, evaluate_outside_graphs
from qloom.nn.documents import content_of, document_of, fingerprint
from qloom.nn.initialization import initial_weights, shared_weights
from qloom.nn.named import joined
from qloom.nn.operators import GraphKey, evaluate_in_graph
from qloom.noise.model import NoiseModel

# Kinds of devices whose tensors layers take.
DEVICES = ("cpu", "cuda")


def _as_constant(function: Any) -> Any:
    """Mark a function whose result is a constant of a graph; torch's own marker would import the compiler."""
    function._dynamo_marked_constant = True
    return function


class QuantumLayer(nn.Module):
    """A circuit as a layer: inputs are angles (or amplitudes), outputs expectation values or probabilities.

    Gradients flow to the weights, to the inputs and, where the circuit starts from given amplitudes, to those.

    Args:
        circuit: copied; later changes to it have no effect.
        observables: Pauli sums, one output each; None for Z on every qubit; "probabilities" for all 2^n outcomes;
            "state" for the 2^n amplitudes, complex.
        engine: StatevectorEngine() by default, with noise DensityEngine().
        differentiator: "auto", "adjoint", "parameter-shift", "finite-difference", "spsa" or a `Differentiator`.
        shots: estimate outputs and gradients from that many measurements; None for exact ones.
        noise: of every gate and of readout, a `NoiseModel`; None for none.
        init: "uniform" in [-pi, pi]; "normal" of deviation 1; "small" of 0.1; "scaled", normal and the smaller the
            deeper the circuit; "beta", 2 pi (Beta(2, 2) - 1/2); "auto" for the smaller of "small" and "scaled"; or
            numbers: flat (W,), as declared, or by name.
        dtype: of the weights, and then of inputs and outputs; None for torch's default.
        seed: of the initial weights and of the measurements; None for torch's generator and fresh entropy. Copies, and
            processes forked off, measure with random numbers of their own.

    Shapes: x (..., I) -> (..., O); a circuit without inputs is called with nothing, giving (O,), or with x (B, 0).
    Where the circuit declares inputs in one block of another shape, x may end in that; of any blocks x may be a
    dictionary of tensors by name.

    Attributes:
        weights: nn.Parameter (W,), in order of declaration; `named_weights` has them by name in the shapes declared.
        initialization: name of how they began, the one that "auto" picked; "given" for numbers.

    Raises:
        ShapeError: for what is no circuit, a dtype that is neither float32 nor float64, or an `init` that does not fit;
            when it is called, for x of another shape, dtype or device.
        CircuitError: for observables that the circuit does not have, or an engine or noise that is none.
        UnsupportedError: for gates that the engine does not run, outputs that it does not give, or derivatives that the
            differentiator cannot find there.
    """

    weights: nn.Parameter

    def __init__(
        self,
        circuit: Circuit,
        observables: Any = None,
        engine: Engine | None = None,
        differentiator: str | Differentiator = "auto",
        shots: int | None = None,
        noise: NoiseModel | None = None,
        init: Any = "auto",
        dtype: torch.dtype | None = None,
        seed: int | None = None,
    ):
        super().__init__()
        if not isinstance(circuit, Circuit):
            raise ShapeError(f"circuit is a {type(circuit).__name__}, expected a Circuit")
        self.circuit = circuit.copy()
        self.n_inputs = circuit.n_inputs
        self._recipe = (observables, checked_engine(engine, shots, seed, noise), differentiator)
        self._trained: np.ndarray | None = None
        dtype = dtype or torch.get_default_dtype()
        if dtype not in (torch.float32, torch.float64):
            raise ShapeError(f"dtype={dtype}, expected torch.float32 or torch.float64")
        self._prepare()
        first, self.initialization = initial_weights(init, circuit, dtype, seed)
        self.weights = nn.Parameter(first)

    def _prepare(self) -> None:
        observables, engine, differentiator = self._recipe
        self._evaluator: DifferentiableEvaluator = prepare_gradient(self.circuit, observables, engine, differentiator)
        self._evaluator.trained = self._trained
        self._outputs = as_outputs(self.circuit, observables)
        self._complex = self._outputs.is_complex
        self.n_outputs = self._evaluator.n_outputs // (2 if self._complex else 1)
        self._key, self._fingerprint = GraphKey(self._evaluator), b""

    @property
    def observables(self) -> Any:
        """What is measured, as it was given; None for Z on every qubit."""
        return self._recipe[0]

    @property
    def engine(self) -> Engine:
        """What runs the circuit."""
        return self._recipe[1]

    def with_engine(self, engine: Engine, differentiator: str | Differentiator = "auto") -> QuantumLayer:
        """The same weights under another execution: a layer that shares this one's parameter, circuit and observables.

        Args:
            engine: such as `Shots(StatevectorEngine(), 1000)`.
            differentiator: as of the class.

        Raises:
            UnsupportedError: for an engine or differentiator that does not do what this layer asks for.
        """
        other = QuantumLayer.__new__(type(self))
        nn.Module.__init__(other)
        kept = ("circuit", "n_inputs", "_trained", "initialization")
        other.__dict__.update({name: self.__dict__[name] for name in kept})
        other._recipe = (self.observables, checked_engine(engine), differentiator)
        other._prepare()
        other.weights = self.weights
        return other.train(self.training)

    def named_weights(self) -> dict[str, Tensor]:
        """Views of the weights by name, in the shapes that the circuit declares; gradients flow through them.

        ``layer.circuit.weight_slots.named(layer.weights.grad)`` are their gradients.
        """
        return self.circuit.weight_slots.named(self.weights)  # type: ignore[no-any-return]

    def set_weights(self, values: Any) -> QuantumLayer:
        """Put numbers in the place of the weights: flat (W,), in the shape declared, or a dictionary by name.

        Returns:
            The layer.

        Raises:
            ShapeError: for numbers that do not fit, or are not finite.
        """
        with torch.no_grad():
            self.weights.copy_(shared_weights(self.circuit, values, "weights"))
        return self

    @property
    def evaluator(self) -> DifferentiableEvaluator:
        """The circuit as the engine prepared it."""
        return self._evaluator

    @property
    def takes_any_norm(self) -> bool:
        """Whether the circuit is taken as a linear map of amplitudes, as in `QuantumLinear`."""
        return self._evaluator.any_norm

    @property
    def shots(self) -> int | None:
        """Measurements a value; None if nothing is measured."""
        return self.engine.shots

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
        slopes = self._evaluator.slopes
        return slopes.count if slopes is not None else 0

    @property
    def plan(self) -> ShotPlan | None:
        """What says how many measurements derivatives take; None where the layer's own `shots` do."""
        slopes = self._evaluator.slopes
        return slopes.plan if slopes is not None else None

    def follow(self, plan: ShotPlan) -> None:
        """Let a plan say how many measurements each of the `n_slopes` takes, as long as it lives: keep it somewhere.

        Raises:
            UnsupportedError: where derivatives are not measured.
        """
        if self._evaluator.slopes is None:
            raise UnsupportedError("derivatives are not measured one by one; give shots and parameter shift")
        self._evaluator.slopes.follow(plan)

    def train_weights(self, which: Any = None) -> QuantumLayer:
        """Train only some of the weights; the others get a gradient of 0, which costs nothing on the walk back.

        Make a new optimizer afterwards: momentum of former steps, or weight decay, would move frozen weights.

        Args:
            which: names of blocks, or one; or indices, a slice, or booleans (W,); None for all.

        Returns:
            The layer.

        Raises:
            ShapeError: if there are no such weights.
        """
        trained, which = np.zeros(self.circuit.n_weights, bool), [which] if isinstance(which, str) else which
        which = list(which) if isinstance(which, tuple) else which
        if isinstance(which, list) and which and all(isinstance(name, str) for name in which):
            which = np.concatenate([np.r_[self.circuit.weight_slots[name].places] for name in which])
        try:
            trained[slice(None) if which is None else which] = True
        except (IndexError, TypeError, ValueError):
            raise ShapeError(
                f"which={which!r}, expected indices, a slice or booleans of {self.circuit.n_weights} weights"
            ) from None
        self._trained = self._evaluator.trained = None if trained.all() else trained
        return self

    def exchange(self, circuit: Circuit) -> None:
        """Put a circuit of as many qubits, inputs and weights in the place of this one; the weights stay.

        Raises:
            ShapeError: for a circuit with other numbers of them.
        """
        kept = [(c.n_qubits, c.n_inputs, c.n_weights) for c in (self.circuit, circuit)]
        if kept[0] != kept[1]:
            raise ShapeError(
                f"{circuit!r} in the place of {self.circuit!r}, expected as many qubits, inputs and weights"
            )
        before, self.circuit = self._evaluator.slopes, circuit.copy()
        self._prepare()
        if self._evaluator.slopes is not None:
            self._evaluator.slopes.go_on_from(before)

    @property
    def stream(self) -> Stream | None:
        """Of the random numbers of measurements; its `state` can be taken out and put back. None for exact values."""
        return self._evaluator.stream

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        for made in ("_evaluator", "_outputs", "_key", "_fingerprint"):
            del state[made]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._prepare()

    # -- what is saved: the weights, and beside them what they belong to

    def fingerprint(self) -> bytes:
        """32 bytes that tell circuits and observables apart, the same in every process."""
        if not self._fingerprint:
            self._fingerprint = fingerprint(content_of(self.circuit, self._outputs))
        return self._fingerprint

    def get_extra_state(self) -> Tensor:
        """The fingerprint and which weights are trained, uint8 (32 + W,): a tensor, as safetensors needs."""
        return torch.from_numpy(np.concatenate([np.frombuffer(self.fingerprint(), np.uint8), self.trained]))

    def set_extra_state(self, state: Tensor) -> None:
        self.train_weights(state.numpy(force=True)[32:].astype(bool))

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: Any, strict: bool, missing_keys: Any, unexpected_keys: Any,
        error_msgs: Any,
    ) -> None:  # fmt: skip
        key = prefix + _EXTRA_STATE_KEY_SUFFIX
        if key in state_dict:
            mistake = self._mistake_in(state_dict[key])
            if mistake:
                error_msgs.append(f"{prefix}weights: {mistake}")
                return
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )
        if key in missing_keys:
            missing_keys.remove(key)
        if key not in state_dict and f"{prefix}weights" in state_dict:
            warnings.warn(
                f"{prefix}weights come without the fingerprint of their circuit, as older versions saved them: whether "
                "they belong to this circuit is not known; save them again",
                stacklevel=2,
            )

    def _mistake_in(self, state: Any) -> str | None:
        if not isinstance(state, Tensor) or state.shape != (32 + self.circuit.n_weights,):
            return f"fingerprint of a circuit with other weights, expected one of {self.circuit.n_weights}"
        if state.numpy(force=True)[:32].astype(np.uint8).tobytes() != self.fingerprint():
            return (
                f"saved from another circuit or other observables than {self.circuit!r}; load them into the layer they "
                "come from, or copy the numbers: layer.weights.data.copy_(...)"
            )
        return None

    # -- evaluation

    def forward(self, x: Tensor | Mapping[str, Tensor] | None = None) -> Tensor:
        weights = self.weights
        if x is None:
            x = weights.new_empty(0)
        elif not isinstance(x, Tensor) and isinstance(x, Mapping):
            x = joined(self.circuit.input_slots, x)
        if torch.compiler.is_compiling():
            return self._forward_in_graph(x, weights)
        x = self._checked(x, weights, self.n_inputs)
        if x.dim() == 2 and not self._complex:
            return evaluate(x, weights, self._evaluator)
        return self._shaped(evaluate(_rows(x), weights, self._evaluator), x)

    def jacobian(self, x: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Derivatives of every output by the inputs and by the weights as each sample sees them, in one call.

        Plain numbers, through which no gradient flows. Complex outputs count as their real and imaginary parts side by
        side.

        Shapes: x (..., I), None for a circuit without inputs -> (..., O, I) and (..., O, W).

        Raises:
            ShapeError: for x of another shape, dtype or device.
        """
        weights = self.weights.detach()
        x = self._checked(weights.new_empty(0) if x is None else x.detach(), weights, self.n_inputs)
        batch = Batch(as_array(_rows(x)), as_array(weights), single=False)
        check_amplitudes(self.circuit, batch)
        by_inputs, by_weights = (
            torch.from_numpy(part).to(x.device).reshape(*x.shape[:-1], *part.shape[1:])
            for part in jacobians(placed(self._evaluator, x), batch)
            if part is not None
        )
        return by_inputs, by_weights

    def _forward_in_graph(self, x: Tensor, weights: Tensor) -> Tensor:
        """The same where no number of this layer may be read: a graph would then be of this layer alone."""
        x = self._checked(x, weights, self._key.sizes.shape[0])
        rows = _rows(x)
        if is_exporting():
            values = evaluate_in_graph(rows, weights, None, None, self._document())
        elif self._evaluator.deterministic:
            values = evaluate_in_graph(rows, weights, self._key.number, self._key.sizes, "")
        else:
            values = evaluate_outside_graphs(rows, weights, self._evaluator)
        return self._shaped(values, x)

    def _shaped(self, values: Tensor, x: Tensor) -> Tensor:
        if self._complex:
            return torch.view_as_complex(values.reshape(*x.shape[:-1], values.shape[-1] // 2, 2))
        return values.reshape(*x.shape[:-1], values.shape[-1])

    @_as_constant
    def _document(self) -> str:
        _, engine, differentiator = self._recipe
        return document_of(self.circuit, self._outputs, engine, differentiator, self._trained)

    def _checked(self, x: Tensor, weights: Tensor, n_inputs: int) -> Tensor:
        """x, in the weights' dtype under autocast; ShapeError unless x and the weights fit the circuit and each other.

        Angles need the digits that autocast's dtypes lack, so the layer is one of those that compute in float32.
        """
        if not isinstance(x, Tensor):
            raise ShapeError(f"x is a {type(x).__name__}, expected a torch.Tensor; convert it with torch.as_tensor(x)")
        if x.shape[-1:] != (n_inputs,):
            x = self._from_declared(x, n_inputs)
        if x.dtype != weights.dtype:
            x = in_full_precision(x, weights.dtype)
        if x.dtype != weights.dtype:
            raise ShapeError(
                f"x is {x.dtype}, the layer's weights are {weights.dtype}, expected one dtype; "
                "convert with x.to(...) or layer.to(...)"
            )
        if x.dtype not in (torch.float32, torch.float64):
            raise ShapeError(f"the layer is {x.dtype}, expected torch.float32 or torch.float64; use layer.float()")
        if x.device != weights.device or x.device.type not in DEVICES:
            raise ShapeError(
                f"x is on {x.device}, the weights on {weights.device}, expected both on cpu or on one CUDA device; "
                "move them with .to(...)"
            )
        return x

    def _from_declared(self, x: Tensor, n_inputs: int) -> Tensor:
        """x (..., I) from what ends in the shape of the one block of inputs."""
        slots = self.circuit.input_slots
        shape = next(iter(slots)).shape if len(slots) == 1 else ()
        n_lead = x.dim() - len(shape)
        if len(shape) < 2 or tuple(x.shape[n_lead:]) != shape:
            declared = f", declared as {slots}" if len(shape) > 1 or len(slots) > 1 else ""
            raise ShapeError(
                f"x has shape {tuple(x.shape)}, expected (..., {n_inputs}); the circuit takes {n_inputs} inputs a "
                f"sample{declared}"
            )
        return x.reshape(*x.shape[:n_lead], n_inputs)

    def extra_repr(self) -> str:
        _, engine, differentiator = self._recipe
        return f"{self.circuit!r}, n_outputs={self.n_outputs}, differentiator={differentiator!r}, engine={engine}"


def _rows(x: Tensor) -> Tensor:
    """Samples in rows: (..., I) -> (B, I). Reshape could not where there are no numbers."""
    return x.flatten(0, -2) if x.dim() > 1 else x.unsqueeze(0)


def in_full_precision(x: Tensor, dtype: torch.dtype) -> Tensor:
    """What autocast made half as wide, in a layer's dtype; anything else as it is."""
    if x.dtype in (torch.bfloat16, torch.float16) and torch.is_autocast_enabled(x.device.type):
        return x.to(dtype)
    return x


def is_exporting() -> bool:
    """Whether a graph is made for torch.export; versions of torch that do not tell have no such graphs."""
    return getattr(torch.compiler, "is_exporting", bool)()
