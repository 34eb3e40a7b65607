"""Layers where their tensors are: the engine for devices behind them, run by the host."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

import qloom as ql
from qloom import ansatze, encoders
from qloom.adapters.columns import columns_of
from qloom.engines import DensityEngine, Noisy, OnDevice, Shots, StatevectorEngine, TrajectoryEngine
from qloom.engines.gpu import GpuBatch, GpuEngine
from qloom.errors import ShapeError, UnsupportedError
from qloom.gradients import ShotPlan
from qloom.nn import CircuitLayer, QuantumLayer, QuantumLinear
from qloom.nn.arrays import placed
from qloom.nn.circuit_layer import _evaluate
from qloom.nn.operators import GraphKey
from qloom.noise import NoiseModel
from tests.engines.gpu.host_engine import HostEngine
from tests.noise.test_compilation import line

CIRCUIT = encoders.angle(4) + ansatze.strongly_entangling(4, 2)
OUTPUTS = [None, [ql.X(0) @ ql.Y(3), 0.5 * ql.Z(1) - ql.Z(2)], "probabilities", "state"]


def twins(observables=None, dtype=torch.float64, circuit=CIRCUIT, **more):
    """A layer on the CPU, and one with the same weights whose engine is that of a device."""
    layer = QuantumLayer(circuit, observables, dtype=dtype, seed=3, **more)
    return layer, layer.with_engine(HostEngine())


def samples(*shape, dtype=torch.float64):
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(5))


def slopes(layer, x):
    x = x.clone().requires_grad_()
    values = layer(x)
    parts = torch.view_as_real(values) if values.is_complex() else values
    grads = torch.autograd.grad((parts * torch.arange(parts.numel()).reshape(parts.shape)).sum(), [x, layer.weights])
    return values, *grads


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("observables", OUTPUTS, ids=str)
def test_values_and_slopes_are_those_of_the_cpu(observables, dtype):
    here, there = twins(observables, dtype)
    x, bound = samples(2, 3, 4, dtype=dtype), 2e-4 if dtype == torch.float32 else 1e-10
    for mine, right in zip(slopes(there, x), slopes(here, x), strict=True):
        assert mine.dtype == right.dtype
        torch.testing.assert_close(mine, right, rtol=0, atol=bound)


def test_frozen_weights_stay():
    here, there = twins()
    for layer in (here, there):
        layer.train_weights(slice(3, 9))
    (*_, right), (*_, mine) = slopes(here, samples(5, 4)), slopes(there, samples(5, 4))
    assert not mine[:3].any()
    torch.testing.assert_close(mine, right)


def test_a_second_walk_back_runs_anew():
    _, there = twins()
    values = there(samples(5, 4)).sum()
    first, second = (torch.autograd.grad(values, there.weights, retain_graph=True)[0] for _ in range(2))
    torch.testing.assert_close(first, second)


def test_under_transforms():
    here, there = twins()
    x, weights = samples(3, 4), samples(3, here.weights.numel())

    def loss(layer):
        return lambda w, x: torch.func.functional_call(layer, {"weights": w}, (x,)).square().sum()

    mine, right = (torch.func.vmap(torch.func.grad(loss(layer)))(weights, x) for layer in (there, here))
    torch.testing.assert_close(mine, right)
    right = torch.func.jacrev(here)(x)
    torch.testing.assert_close(torch.func.jacrev(there)(x), right)
    for mine, right in zip(there.jacobian(x), here.jacobian(x), strict=True):
        torch.testing.assert_close(mine, right)


def test_phases_that_inputs_turn():
    circuit = ql.Circuit(2)
    x, w = circuit.inputs(2), circuit.weights(2)
    circuit.h(0).u(x[0], w[0], w[1], 0).cx(0, 1).p(x[1], 1)
    here, there = twins("state", circuit=circuit)
    for mine, right in zip(slopes(there, samples(3, 2)), slopes(here, samples(3, 2)), strict=True):
        torch.testing.assert_close(mine, right)


def test_maps_of_amplitudes():
    here = QuantumLinear(12, dtype=torch.float64, seed=1)
    there = QuantumLinear(12, dtype=torch.float64, seed=1, engine=HostEngine())
    x = samples(5, 12)
    torch.testing.assert_close(there(x), here(x))
    torch.testing.assert_close(there.matrix(), here.matrix())


def test_amplitudes_of_no_norm_give_nan():
    layer = QuantumLayer(encoders.amplitude(8) + ansatze.hardware_efficient(3, 1), engine=HostEngine(), seed=0)
    x = samples(3, 8, dtype=torch.float32)
    rows = torch.stack([x[0] / x[0].norm(), x[1], x[2] / x[2].norm()])
    assert layer(rows).isnan().all(dim=1).tolist() == [False, True, False]


def test_compiled():
    here, there = twins(dtype=torch.float32)
    compiled = torch.compile(torch.nn.Sequential(there, torch.nn.Tanh()), fullgraph=True, backend="aot_eager")
    x = samples(6, 4, dtype=torch.float32)
    torch.testing.assert_close(compiled(x), torch.tanh(here(x)))
    mine = torch.autograd.grad(compiled(x).sum(), there.weights)[0]
    right = torch.autograd.grad(torch.tanh(here(x)).sum(), here.weights)[0]
    torch.testing.assert_close(mine, right)


def test_different_circuits_in_one_launch():
    data = []
    for k in range(7):
        circuit = ql.Circuit(3).ry(0.3 * k, 0).cx(0, 1)
        data.append(circuit.rx(0.2 * k, 2) if k % 2 else circuit.h(2))
    layer = CircuitLayer(ansatze.strongly_entangling(3, 1), dtype=torch.float64, seed=2)
    prepared = layer.prepared(data)
    there = GpuBatch(prepared, HostEngine().machine)
    for weights in (layer.weights, samples(7, layer.weights.numel()).requires_grad_()):
        mine, right = _evaluate(weights, there), layer(data, weights)
        torch.testing.assert_close(mine, right)
        found, truth = (torch.autograd.grad(values.square().sum(), weights)[0] for values in (mine, right))
        torch.testing.assert_close(found, truth)


class HostTrajectories(TrajectoryEngine):
    def _machine(self, device):
        return HostEngine().machine


def test_trajectories_are_lanes():
    """Errors are drawn from the same numbers, so that values are the same and not only alike."""
    circuit = CIRCUIT.copy()
    for qubit in range(4):
        circuit.append("depolarizing", (0.2,), (qubit,))
    circuit.ry(0.4, 1)
    x, w = samples(6, 4).numpy(), samples(circuit.n_weights).numpy()
    batch = ql.engines.make_batch(circuit, x, w)
    g = samples(6, 4).numpy()
    here, there = TrajectoryEngine(50, seed=1), HostTrajectories(50, seed=1, device="cuda")
    mine, right = (ql.gradients.prepare_gradient(circuit, None, engine) for engine in (there, here))
    np.testing.assert_allclose(mine.values(batch), right.values(batch), atol=1e-12)
    for found, truth in zip(*(one.backward(batch, g, None, (True, True)) for one in (mine, right)), strict=True):
        np.testing.assert_allclose(found, truth, atol=1e-10)
    bits = [ql.sample(circuit, 40, x, w, seed=3, engine=engine) for engine in (there, here)]
    np.testing.assert_array_equal(*bits)
    assert "device='cuda'" in repr(there)


def test_channels_that_branch_stay_on_the_cpu():
    circuit = ql.Circuit(1).h(0).append("amplitude_damping", (0.1,), (0,))
    engine = HostTrajectories(5, device="cuda")
    with pytest.raises(UnsupportedError, match=r"channels that are no Pauli channels are evaluated on the CPU alone"):
        ql.expectation(circuit, engine=engine)
    with pytest.raises(UnsupportedError, match=r"are measured on the CPU alone"):
        ql.sample(circuit, 3, engine=engine)


# -- which engine runs where a tensor is


def on_cuda():
    """What tells where a tensor is, of one on a device that this machine need not have."""
    return SimpleNamespace(is_cpu=False, device=torch.device("cuda", 0))


def test_a_layer_is_run_where_its_tensors_are(monkeypatch):
    asked = []
    monkeypatch.setattr(StatevectorEngine, "on", lambda self, device: asked.append(device) or HostEngine())
    layer, x = QuantumLayer(CIRCUIT, seed=0), samples(2, 4, dtype=torch.float32)
    there = placed(layer.evaluator, on_cuda())
    assert asked == ["cuda:0"]
    assert there.machine.name == "host"
    assert placed(layer.evaluator, on_cuda()) is there
    assert placed(layer.evaluator, x) is layer.evaluator
    layer.train_weights([0])
    assert placed(layer.evaluator, on_cuda()).trained.sum() == 1


def test_shots_and_noise_go_along(monkeypatch):
    monkeypatch.setattr(StatevectorEngine, "on", lambda self, device: HostEngine())
    shots = Shots(StatevectorEngine(), 100, seed=1)
    there = shots.on("cuda:0")
    assert isinstance(there.engine, GpuEngine)
    assert there.stream is shots.stream  # copies would draw the same numbers twice


def test_plans_of_shots_go_along(monkeypatch):
    monkeypatch.setattr(StatevectorEngine, "on", lambda self, device: HostEngine())
    layer = QuantumLayer(CIRCUIT, shots=50, differentiator="parameter-shift", seed=1)
    plan = ShotPlan(np.full(layer.n_slopes, 50))
    layer.follow(plan)
    assert placed(layer.evaluator, on_cuda()).slopes.plan is plan


def test_qubits_of_a_device_go_along(monkeypatch):
    monkeypatch.setattr(TrajectoryEngine, "_machine", lambda self, device: HostEngine().machine)
    model = NoiseModel.uniform(two_qubit=0.01)
    noisy = Noisy(TrajectoryEngine(3), model).on("cuda:0")
    assert (noisy.engine.device, noisy.model) == ("cuda:0", model)
    placed_there = OnDevice(TrajectoryEngine(3), line(3), (2, 1)).on("cuda:0")
    assert placed_there.qubits == (2, 1)


def test_columns_are_for_trainings_after_an_evaluation():
    """Their numbers on a device are copied at first use, which may be under inference mode."""
    kind = columns_of(ql.Circuit(2).ry(0.1, 0).cz(0, 1), 2)._groups[0]
    with torch.inference_mode():
        there = kind._on(torch.device("cpu"))
    assert not any(tensor.is_inference() for tensor in (*there.angles, *there.picked, there.basis))


def test_layers_made_on_another_device_read_nothing_from_it():
    layer = QuantumLayer(CIRCUIT)
    with torch.device("meta"):
        key = GraphKey(layer.evaluator)
    assert key.number.is_cpu
    assert key.sizes.is_cpu


def test_what_runs_on_the_cpu_alone_says_so():
    layer = QuantumLayer(CIRCUIT, engine=DensityEngine(1))
    with pytest.raises(
        UnsupportedError, match=r"DensityEngine.* runs on the CPU, got tensors on cuda:0; move them with"
    ):
        placed(layer.evaluator, on_cuda())


def test_other_devices_are_refused():
    with pytest.raises(ShapeError, match=r"expected both on cpu or on one CUDA device; move them with .to\(...\)"):
        QuantumLayer(CIRCUIT)(torch.zeros(2, 4, device="meta"))
    elsewhere = SimpleNamespace(is_cpu=False, device=torch.device("mps"))
    with pytest.raises(UnsupportedError, match=r"tensors are on mps, expected cpu or a CUDA device"):
        placed(QuantumLayer(CIRCUIT).evaluator, elsewhere)
