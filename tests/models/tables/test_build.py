"""Networks are put together as their architecture says."""

import pytest
import torch

from qloom.errors import ConfigError
from qloom.models.tables.architecture import ANSATZE, LAYERS, Architecture, build_network, observables_of
from qloom.observables import Z


def network_of(architecture, seed=0):
    circuit = architecture.circuit()
    return build_network(architecture, circuit, observables_of(circuit.n_qubits), seed)


@pytest.mark.parametrize("ansatz", ANSATZE)
@pytest.mark.parametrize("layer", LAYERS)
def test_shapes_and_gradients(ansatz, layer):
    network = network_of(Architecture(5, 3, n_qubits=3, n_layers=2, ansatz=ansatz, layer=layer))
    x = torch.randn(6, 5)
    network(x).pow(2).sum().backward()
    assert network(x).shape == (6, 3)
    assert network.encoder[0].weight.grad.abs().sum() > 0


@pytest.mark.parametrize("ansatz", ANSATZE)
def test_controls_have_as_many_parameters(ansatz):
    networks = [network_of(Architecture(5, 2, n_qubits=4, n_layers=3, ansatz=ansatz, layer=layer)) for layer in LAYERS]
    assert len({network.n_parameters for network in networks}) == 1
    assert len({network.n_layer_parameters for network in networks}) == 1


def test_separable_circuit_has_no_entanglers():
    circuit = Architecture(5, 2, n_qubits=4, layer="separable").circuit()
    assert all(op.gate.n_qubits == 1 for op in circuit.operations)
    assert any(op.gate.n_qubits == 2 for op in Architecture(5, 2, n_qubits=4).circuit().operations)


def test_encoder_and_head_start_alike_for_one_seed():
    first, second = (network_of(Architecture(5, 2, n_qubits=3, layer=layer)) for layer in ("quantum", "classical"))
    assert torch.equal(first.encoder[0].weight, second.encoder[0].weight)
    assert torch.equal(first.head[2].bias, second.head[2].bias)
    assert not torch.equal(
        first.encoder[0].weight, network_of(Architecture(5, 2, n_qubits=3), seed=1).encoder[0].weight
    )


def test_building_leaves_the_callers_random_numbers_alone():
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    network_of(Architecture(5, 2, n_qubits=2))
    assert torch.equal(torch.rand(4), expected)


def test_observables():
    assert observables_of(1) == [Z(0)]
    assert observables_of(2) == [Z(0), Z(1), Z(0) @ Z(1)]
    assert observables_of(3)[3:] == [Z(0) @ Z(1), Z(1) @ Z(2), Z(2) @ Z(0)]


@pytest.mark.parametrize("options", [{"ansatz": "ring"}, {"layer": "magic"}])
def test_unknown_choice(options):
    with pytest.raises(ConfigError, match="expected one of"):
        network_of(Architecture(5, 2, n_qubits=2, **options))
