"""Networks of Qiskit Machine Learning, and what trains them, as a `QuantumLayer`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from qloom.circuits.circuit import Circuit
from qloom.circuits.exchange.qiskit import read_qiskit
from qloom.circuits.parts import finished
from qloom.engines.base import Engine
from qloom.engines.outputs import Probabilities
from qloom.errors import CircuitError, UnsupportedError
from qloom.extras import package
from qloom.nn.imported.polynomials import Polynomials
from qloom.nn.imported.qiskit_symbols import PolynomialSymbols
from qloom.nn.imported.verification import Foreign, verified_layer
from qloom.nn.layer import QuantumLayer
from qloom.observables import PauliSum, pauli

# Classes are sums of up to 2^n words of Z.
_MOST_QUBITS_OF_CLASSES = 10


def from_qiskit(source: Any, weights: Any = None, engine: Engine | None = None) -> QuantumLayer | nn.Sequential:
    """A network of Qiskit Machine Learning with its weights, which are compared with the original's on the way.

    Weights and inputs stand in the network's order. Parameter vectors are blocks of their names where they stand so in
    the network, else all weights are one block "weights" and all inputs one block "inputs". Of an `EstimatorQNN`
    outputs are its observables; of a `SamplerQNN` probabilities, in Qiskit's order of outcomes, or of the classes that
    its `interpret` makes of them. Both are exact, whatever primitive the network has: estimators with a precision, and
    samplers with shots, are compared without.

    Where angles are other polynomials of degree two in inputs, such as the products of `zz_feature_map`, it is
    ``nn.Sequential``: `angles` computes them, `layer` is the `QuantumLayer`.

    Args:
        source: a `TorchConnector`; a fitted `VQC`, `VQR`, `NeuralNetworkClassifier` or `NeuralNetworkRegressor`; or an
            `EstimatorQNN` or `SamplerQNN`.
        weights: (W,), of a network alone; the others have theirs.
        engine: what runs the new layer; StatevectorEngine() by default.

    Raises:
        ExtraError: without Qiskit Machine Learning.
        CircuitError: for another object, one that has no weights, or an angle that is neither a * x + b nor of degree
            two in inputs alone.
        UnsupportedError: for a circuit compiled for a device, other outputs, or where the two networks differ: by name.
    """
    networks = package("qiskit_machine_learning.neural_networks", "from_qiskit", "exchange")
    network, numbers = _network_and_weights(networks, source, weights)
    polynomials = Polynomials(network.num_inputs or 0)
    circuit = _circuit(network, polynomials)
    is_sampler = isinstance(network, networks.SamplerQNN)
    outputs = _outcomes(network) if is_sampler else [_observable(one) for one in network.observables]
    twin = _ExactNetwork(networks, network)
    if len(numbers) != network.num_weights:
        raise CircuitError(f"weights has shape {tuple(numbers.shape)}, expected ({network.num_weights},)")
    foreign = Foreign(f"Qiskit's {type(network).__name__}", twin.values, twin.slopes)
    return verified_layer(foreign, circuit, outputs, numbers, engine, numbers.dtype, polynomials)


def _network_and_weights(networks: Any, source: Any, weights: Any) -> tuple[Any, Tensor]:
    connectors = package("qiskit_machine_learning.connectors", "from_qiskit", "exchange")
    models = package("qiskit_machine_learning.algorithms", "from_qiskit", "exchange")
    has_own = isinstance(source, connectors.TorchConnector | models.TrainableModel)
    network = source.neural_network if has_own else source
    if not isinstance(network, networks.EstimatorQNN | networks.SamplerQNN):
        raise CircuitError(
            f"from_qiskit got a {type(network).__name__}, expected a TorchConnector, EstimatorQNN, SamplerQNN, or a "
            "fitted VQC, VQR, NeuralNetworkClassifier or NeuralNetworkRegressor"
        )
    if has_own != (weights is None):
        raise CircuitError(
            f"weights given beside those of a {type(source).__name__}, expected none"
            if has_own
            else f"no weights for the {type(source).__name__}, expected {network.num_weights}; give weights=..."
        )
    if isinstance(source, models.TrainableModel):
        try:
            weights = source.weights
        except package("qiskit_machine_learning.exceptions", "from_qiskit", "exchange").QiskitMachineLearningError:
            raise CircuitError(
                f"{type(source).__name__} has no weights yet, expected a fitted one; call fit first"
            ) from None
    found = torch.as_tensor(source.weight if isinstance(source, connectors.TorchConnector) else np.asarray(weights))
    return network, found.detach().reshape(-1)


# -- the circuit


def _circuit(network: Any, polynomials: Polynomials) -> Circuit:
    """The network's circuit, with its own parameters where their order is the network's, else with vectors in it."""
    circuit = network.circuit
    if circuit.layout is not None or circuit.num_clbits:
        raise UnsupportedError(
            f"Qiskit's {type(network).__name__} has a circuit that was compiled for a device or has bits, expected "
            "gates alone; give it the circuit without pass_manager and measurements"
        )
    parameters = [list(network.input_params), list(network.weight_params)]
    if not all(_stand_so(circuit, listed) for listed in parameters):
        library = package("qiskit.circuit", "from_qiskit", "exchange")
        new = [
            library.ParameterVector(name, len(listed))
            for name, listed in zip(("inputs", "weights"), parameters, strict=True)
        ]
        circuit = circuit.assign_parameters(dict(zip(chain(*parameters), chain(*new), strict=True)))
        parameters = [list(vector) for vector in new]
    inputs = list(dict.fromkeys(_block_name(p) for p in parameters[0]))
    out, part = read_qiskit(circuit, inputs, partial(PolynomialSymbols, polynomials))
    polynomials.declare(out.input_slots)
    return finished(out, part)


def _stand_so(circuit: Any, parameters: Sequence[Any]) -> bool:
    """Whether parameters are whole vectors, or alone, in the circuit's own order."""
    mine = set(parameters)
    vectors = {p.vector.name: len(p.vector) for p in parameters if hasattr(p, "vector")}
    count = sum(vectors.values()) + sum(not hasattr(p, "vector") for p in parameters)
    return count == len(parameters) and [p for p in circuit.parameters if p in mine] == list(parameters)


def _block_name(parameter: Any) -> str:
    return str(parameter.vector.name if hasattr(parameter, "vector") else parameter.name)


# -- what is measured


def _observable(observable: Any) -> PauliSum:
    info = package("qiskit.quantum_info", "from_qiskit", "exchange")
    try:
        sum_ = observable if isinstance(observable, info.SparsePauliOp) else info.SparsePauliOp(observable)
        terms = [(letters, qubits, complex(factor)) for letters, qubits, factor in sum_.to_sparse_list()]
    except (TypeError, ValueError, package("qiskit.exceptions", "from_qiskit", "exchange").QiskitError):
        raise UnsupportedError(
            f"Qiskit's EstimatorQNN measures a {type(observable).__name__} that is no sum of Pauli words with numbers, "
            "expected a SparsePauliOp"
        ) from None
    return sum((factor * pauli(letters, qubits) for letters, qubits, factor in terms), PauliSum({}))


def _outcomes(network: Any) -> Any:
    """Probabilities of all outcomes, qubit 0 the least significant bit, or of the classes made of them."""
    n_qubits, shape = network.circuit.num_qubits, network.output_shape
    classes = [np.ravel(network.interpret(outcome)) for outcome in range(2**n_qubits)]
    if len(shape) == 1 and all(len(one) == 1 and one[0] == k for k, one in enumerate(classes)):
        return Probabilities(tuple(range(n_qubits))[::-1])
    if len(shape) != 1 or n_qubits > _MOST_QUBITS_OF_CLASSES:
        raise UnsupportedError(
            f"Qiskit's SamplerQNN makes outputs of shape {tuple(shape)} of {n_qubits} qubits, expected all outcomes, "
            f"or classes in one row of at most {_MOST_QUBITS_OF_CLASSES} qubits"
        )
    return [_projector(np.concatenate(classes) == k) for k in range(shape[0])]


def _projector(outcomes: np.ndarray) -> PauliSum:
    """Onto the outcomes marked, bit q of an outcome that of qubit q: words of Z by a Walsh-Hadamard transform."""
    from scipy.linalg import hadamard

    factors = hadamard(len(outcomes)) @ outcomes / len(outcomes)
    return PauliSum({(0, mask): float(factor) for mask, factor in enumerate(factors)})


# -- the network as it is, to compare with


class _ExactNetwork:
    """The same network on exact primitives: those of its own may measure, or add noise for a precision."""

    def __init__(self, networks: Any, network: Any):
        kept = {
            "circuit": network.circuit,
            "input_params": network.input_params,
            "weight_params": network.weight_params,
        }
        if isinstance(network, networks.EstimatorQNN):
            self.network = networks.EstimatorQNN(observables=network.observables, **kept)
        else:
            shape = {"interpret": network.interpret, "output_shape": network.output_shape}
            self.network = networks.SamplerQNN(**shape, **kept)

    def values(self, x: Tensor, weights: Tensor) -> Tensor:
        found = self.network.forward(*self.arguments(x, weights))
        return torch.as_tensor(np.asarray(found, float)).expand(len(x), -1)

    def slopes(self, x: Tensor, weights: Tensor, cotangents: Tensor) -> Tensor:
        found = np.asarray(self.network.backward(*self.arguments(x, weights))[1])
        return torch.einsum("bo,bow->w", cotangents, torch.as_tensor(found))

    def arguments(self, x: Tensor, weights: Tensor) -> tuple[Any, Any]:
        """None for what the network has none of."""
        given = (x.detach().numpy(), weights.detach().numpy())
        return tuple(one if one.shape[-1] else None for one in given)  # type: ignore[return-value]
