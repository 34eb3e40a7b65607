"""Layers on the very GPU: training, CUDA graphs, compiled models, streams, several processes, adapters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import qloom as ql
from qloom import ansatze, encoders
from qloom.adapters.columns import columns_of
from qloom.benchmarking.gpu import captured
from qloom.engines.circuit_batch import CircuitBatch
from qloom.errors import ShapeError
from qloom.nn import CircuitLayer, QuantumLayer, QuantumLinear
from tests.engines.gpu import device
from tests.engines.gpu.device import DEVICE, check_twins, needs_gpu, samples, slopes, twins

# What a version of torch says of its own graphs, compilers and backends is shown, and is no error.
pytestmark = [needs_gpu, pytest.mark.filterwarnings("default")]
CIRCUIT = encoders.angle(4) + ansatze.strongly_entangling(4, 2)
# Of 16 qubits states are in global memory.
LARGE = encoders.angle(16) + ansatze.strongly_entangling(16, 1)
OUTPUTS = [None, [ql.X(0) @ ql.Y(3), 0.5 * ql.Z(1) - ql.Z(2)], "probabilities", "state"]
# So many cycles of a GPU are 50 ms or more: longer than a step takes its host, by far.
LONG = 200_000_000


# -- as on the CPU


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("observables", OUTPUTS, ids=str)
def test_values_and_slopes_are_those_of_the_cpu(observables, dtype):
    check_twins(*twins(CIRCUIT, observables, dtype=dtype), samples(2, 3, 4, dtype=dtype))


def test_large_registers():
    check_twins(*twins(LARGE), samples(3, 16))


def hybrid(layer: QuantumLayer, seed: int = 0) -> nn.Sequential:
    """Linear layers around a circuit, with the same weights every time."""
    torch.manual_seed(seed)
    first, last = nn.Linear(6, 4), nn.Linear(4, 1)
    return nn.Sequential(first.to(layer.weights), nn.Tanh(), layer, last.to(layer.weights))


def trained(model: nn.Module, x: Tensor, y: Tensor, steps: int = 25) -> list[Tensor]:
    """Losses and weights at the end of a training, on the CPU."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (model(x) - y).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return [torch.stack(losses).cpu(), *(parameter.detach().cpu() for parameter in model.parameters())]


@pytest.mark.parametrize(("dtype", "bound"), [(torch.float32, 2e-3), (torch.float64, 1e-8)])
def test_a_training_ends_in_the_same_numbers(dtype, bound):
    here, there = (hybrid(layer) for layer in twins(CIRCUIT, dtype=dtype))
    x = samples(40, 6, dtype=dtype)
    y = x[:, :1].sin() * x[:, 1:2]
    right, mine = trained(here, x, y), trained(there, x.to(DEVICE), y.to(DEVICE))
    for found, truth in zip(mine, right, strict=True):
        torch.testing.assert_close(found, truth, rtol=0, atol=bound)
    assert mine[0][-1] < 0.7 * mine[0][0]


def test_two_layers_take_turns():
    (here, there), (other_here, other_there) = twins(CIRCUIT), twins(CIRCUIT, "probabilities")
    for seed in range(3):
        x = samples(7, 4, seed=seed)
        check_twins(here, there, x)
        check_twins(other_here, other_there, x)
    x = samples(7, 4).to(DEVICE).requires_grad_()
    both = there(x).sum() + other_there(x).square().sum()
    mine = torch.autograd.grad(both, x)[0].cpu()
    x = samples(7, 4).requires_grad_()
    right = torch.autograd.grad(here(x).sum() + other_here(x).square().sum(), x)[0]
    torch.testing.assert_close(mine, right, rtol=0, atol=1e-4)


def test_transforms_and_jacobians():
    here, there = twins(CIRCUIT, dtype=torch.float64)
    x, weights = samples(3, 4, dtype=torch.float64), samples(3, here.weights.numel(), dtype=torch.float64)

    def loss(layer: QuantumLayer) -> Callable[[Tensor, Tensor], Tensor]:
        return lambda w, x: torch.func.functional_call(layer, {"weights": w}, (x,)).square().sum()

    mine = torch.func.vmap(torch.func.grad(loss(there)))(weights.to(DEVICE), x.to(DEVICE))
    torch.testing.assert_close(mine.cpu(), torch.func.vmap(torch.func.grad(loss(here)))(weights, x))
    for found, truth in zip(there.jacobian(x.to(DEVICE)), here.jacobian(x), strict=True):
        torch.testing.assert_close(found.cpu(), truth)


def test_frozen_weights_stay():
    here, there = twins(CIRCUIT)
    for layer in (here, there):
        layer.train_weights(slice(3, 9))
    check_twins(here, there, samples(5, 4))
    assert not slopes(there, samples(5, 4).to(DEVICE))[2][:3].any()


def test_maps_of_amplitudes():
    here, there = (QuantumLinear(12, dtype=torch.float64, seed=1, engine=e) for e in (None, device.ENGINE_OF_LAYERS))
    x = samples(5, 12, dtype=torch.float64)
    torch.testing.assert_close(there.to(DEVICE)(x.to(DEVICE)).cpu(), here(x))


def test_circuits_as_data():
    data = CircuitBatch([ql.Circuit(3).ry(0.3 * k, k % 3).cx(0, 1 + k % 2).rx(0.2 * k, 2) for k in range(40)])
    here, there = (CircuitLayer(ansatze.strongly_entangling(3, 1), seed=2) for _ in range(2))
    there.to(DEVICE)
    for shape in ((), (40,)):
        weights = samples(*shape, here.weights.numel())
        found = []
        for layer, w in ((here, weights), (there, weights.to(DEVICE))):
            values = layer(data, w.requires_grad_())
            found.append([values.detach().cpu(), torch.autograd.grad(values.square().sum(), w)[0].cpu()])
        for mine, right in zip(found[1], found[0], strict=True):
            torch.testing.assert_close(mine, right, rtol=0, atol=1e-4)


def test_adapters_columns():
    circuit = ansatze.hardware_efficient(5, 2, rotations=("ry",))
    columns = columns_of(circuit, 5)
    angles = samples(4, circuit.n_weights)
    found = []
    for given in (angles.clone(), angles.to(DEVICE)):
        made = columns(given.requires_grad_())
        assert made.device == given.device
        slope = torch.autograd.grad((made * torch.arange(32, device=made.device)).sum(), given)[0]
        found.append([made.detach().cpu(), slope.cpu()])
    for mine, right in zip(found[1], found[0], strict=True):
        torch.testing.assert_close(mine, right, rtol=0, atol=1e-3)


def test_autocast_leaves_angles_their_digits():
    here, there = twins(CIRCUIT)
    linear = nn.Linear(6, 4).to(DEVICE)
    with torch.autocast(DEVICE.type, dtype=torch.bfloat16):
        angles = linear(samples(8, 6).to(DEVICE))
        assert angles.dtype == torch.bfloat16
        values = there(angles)
    assert values.dtype == torch.float32
    torch.testing.assert_close(values.cpu(), here(angles.float().cpu()), rtol=0, atol=1e-5)
    values.sum().backward()
    assert linear.weight.grad.isfinite().all()


def test_tensors_on_two_devices_are_refused():
    _, there = twins(CIRCUIT)
    with pytest.raises(ShapeError, match="expected both on cpu or on one CUDA device; move them with"):
        there(samples(2, 4))


def test_a_layer_comes_back():
    """Saved on the device, loaded on the CPU; moved there and back."""
    here, there = twins(CIRCUIT)
    with torch.no_grad():
        there.weights += 0.1
    here.load_state_dict({name: tensor.cpu() for name, tensor in there.state_dict().items()})
    check_twins(here, there, samples(3, 4))
    check_twins(here, there.to("cpu").to(DEVICE), samples(3, 4))


# -- compiled


def test_compiled_in_one_graph():
    here, there = (hybrid(layer) for layer in twins(CIRCUIT))
    compiled = torch.compile(there, fullgraph=True)
    for size in (9, 9, 13):
        x = samples(size, 6)
        mine, right = compiled(x.to(DEVICE)), here(x)
        torch.testing.assert_close(mine.detach().cpu(), right.detach(), rtol=0, atol=1e-4)
        found = torch.autograd.grad(mine.square().sum(), there.parameters())
        truth = torch.autograd.grad(right.square().sum(), here.parameters())
        for one, other in zip(found, truth, strict=True):
            torch.testing.assert_close(one.cpu(), other, rtol=0, atol=2e-3)


# -- several processes, of which this is the only one


@contextmanager
def one_process(folder: Any) -> Iterator[None]:
    backend = "nccl" if DEVICE.type == "cuda" else "gloo"
    torch.distributed.init_process_group(backend, f"file://{folder}/store", rank=0, world_size=1)
    try:
        yield
    finally:
        torch.distributed.destroy_process_group()


@pytest.mark.skipif(not torch.distributed.is_available(), reason="torch without torch.distributed")
def test_in_a_distributed_training(tmp_path):
    here, there = (hybrid(layer) for layer in twins(CIRCUIT))
    x, y = samples(20, 6), samples(20, 1)
    with one_process(tmp_path):
        shared = nn.parallel.DistributedDataParallel(there, device_ids=[0] if DEVICE.type == "cuda" else None)
        mine = trained(shared, x.to(DEVICE), y.to(DEVICE), steps=5)
    for found, truth in zip(mine, trained(here, x, y, steps=5), strict=True):
        torch.testing.assert_close(found, truth, rtol=0, atol=1e-3)


# -- streams, waiting and graphs: CUDA's own


def step_of(layer: QuantumLayer, x: Tensor) -> Callable[[], tuple[Tensor, ...]]:
    """A step whose tensors stay where they are."""

    def step() -> tuple[Tensor, ...]:
        x.grad = layer.weights.grad = None
        values = layer(x)
        values.square().sum().backward()
        return values.detach(), x.grad, layer.weights.grad

    return step


def check_step(found: Any, layer: QuantumLayer, x: Tensor) -> None:
    """Results on the device are those of a layer on the CPU at the same numbers."""
    right = step_of(layer, x.detach().cpu().clone().requires_grad_())()
    for mine, truth in zip(found, right, strict=True):
        torch.testing.assert_close(mine.detach().cpu(), truth, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("circuit", [CIRCUIT, LARGE], ids=["whole", "swept"])
def test_a_stream_of_ones_own(circuit):
    """Kernels that were started elsewhere would not wait for x."""
    here, there = twins(circuit)
    x = torch.zeros(5, circuit.n_inputs, device=DEVICE, requires_grad=True)
    step_of(there, x)()
    given, stream = samples(5, circuit.n_inputs).to(DEVICE), torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        torch.cuda._sleep(LONG)
        with torch.no_grad():
            x.copy_(given)
        found = step_of(there, x)()
    stream.synchronize()
    check_step(found, here, x)


@pytest.mark.parametrize("circuit", [CIRCUIT, LARGE], ids=["whole", "swept"])
def test_nobody_waits_for_the_device(circuit):
    here, there = twins(circuit)
    x = samples(5, circuit.n_inputs).to(DEVICE).requires_grad_()
    step, done = step_of(there, x), torch.cuda.Event()
    step()
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        torch.cuda._sleep(LONG)
        found = step()
        done.record()
        assert not done.query(), "the host came back when the device was done"
    finally:
        torch.cuda.set_sync_debug_mode("default")
    check_step(found, here, x)


@pytest.mark.parametrize("circuit", [CIRCUIT, LARGE], ids=["whole", "swept"])
def test_steps_in_a_cuda_graph(circuit):
    here, there = twins(circuit)
    x = samples(5, circuit.n_inputs).to(DEVICE).requires_grad_()
    replay, found = captured(DEVICE, step_of(there, x))
    for seed in range(3):
        with torch.no_grad():
            x.copy_(samples(5, circuit.n_inputs, seed=seed))
            there.weights += 0.1
        replay()
        here.set_weights(there.weights.detach().cpu())
        check_step(found, here, x)


def test_a_graphed_module():
    here, there = twins(CIRCUIT)
    x = samples(5, 4).to(DEVICE).requires_grad_()
    graphed = torch.cuda.make_graphed_callables(there, (x.detach().clone().requires_grad_(),))
    for seed in range(2):
        given = samples(5, 4, seed=seed).to(DEVICE).requires_grad_()
        found = (*torch.autograd.grad(graphed(given).square().sum(), [given, there.weights]),)
        right = step_of(here, given.detach().cpu().clone().requires_grad_())()[1:]
        for mine, truth in zip(found, right, strict=True):
            torch.testing.assert_close(mine.cpu(), truth, rtol=0, atol=1e-4)


def test_many_threads_of_the_host():
    """CUDA's context is to be found in each."""
    here, there = twins(CIRCUIT)
    given = [samples(6, 4, seed=seed) for seed in range(16)]
    right = [here(x).detach() for x in given]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda x: there(x.to(DEVICE)).detach().cpu(), given))
    np.testing.assert_allclose(torch.stack(found), torch.stack(right), atol=1e-5)
