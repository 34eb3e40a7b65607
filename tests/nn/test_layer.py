"""QuantumLayer as torch users expect a module to behave."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader, TensorDataset

import qloom as ql
from qloom.engines.statevector import StatevectorEvaluator
from qloom.nn import QuantumLayer
from tests.circuits.strategies import circuits, random_values


def make_layer(dtype=torch.float64, **options) -> QuantumLayer:
    circuit = ql.encoders.angle(3) + ql.ansatze.strongly_entangling(3, 2)
    return QuantumLayer(circuit, dtype=dtype, **({"init": "uniform", "seed": 1} | options))


def samples(*shape: int, dtype=torch.float64) -> torch.Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(0))


@settings(max_examples=25)
@given(circuits(max_qubits=3, max_gates=8), st.integers(0, 2**32 - 1))
def test_gradcheck_on_random_circuits(circuit, seed):
    inputs, weights = random_values(circuit, 2, seed)
    layer = QuantumLayer(circuit, init=weights, dtype=torch.float64)
    x = torch.tensor(inputs, requires_grad=circuit.n_inputs > 0)
    call = lambda x, w: torch.func.functional_call(layer, {"weights": w}, (x,))  # noqa: E731
    if circuit.n_inputs or circuit.n_weights:
        assert torch.autograd.gradcheck(call, (x, layer.weights))


@pytest.mark.parametrize("observables", ["probabilities", [ql.X(0) @ ql.Y(1), ql.Z(2) + 0.5]])
@pytest.mark.parametrize("differentiator", ["adjoint", "parameter-shift"])
def test_gradcheck_of_outputs_and_differentiators(observables, differentiator):
    layer = make_layer(observables=observables, differentiator=differentiator)
    assert torch.autograd.gradcheck(layer, (samples(2, 3).requires_grad_(),))


def test_gradcheck_of_amplitudes():
    """Real and imaginary initial amplitudes, normalized in torch before they enter."""
    circuit = ql.Circuit(2)
    circuit.prepare_amplitudes(circuit.inputs(4), circuit.inputs(4))
    layer = QuantumLayer(circuit + ql.ansatze.strongly_entangling(2, 1), init="uniform", seed=0, dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda x: layer(x / x.norm(dim=-1, keepdim=True)), (samples(3, 8).requires_grad_(),)
    )


def test_leading_dimensions_are_kept():
    layer = make_layer()
    x = samples(2, 5, 3)
    assert layer(x).shape == (2, 5, 3)
    assert layer(x[0, 0]).shape == (3,)
    assert layer(x[:0]).shape == (0, 5, 3)
    torch.testing.assert_close(layer(x)[1, 2], layer(x[1, 2]))


def test_circuit_without_inputs():
    layer = QuantumLayer(ql.ansatze.basic_entangler(2, 1), init=[0.3, 0.5])
    assert layer().shape == (2,)
    assert layer(torch.zeros(4, 0)).shape == (4, 2)
    layer().sum().backward()
    single = layer.weights.grad.clone()
    layer.weights.grad = None
    layer(torch.zeros(4, 0)).sum().backward()
    torch.testing.assert_close(layer.weights.grad, 4 * single)


def test_float32_stays_float32():
    layer = make_layer(torch.float32)
    x = samples(4, 3, dtype=torch.float32).requires_grad_()
    out = layer(x)
    out.sum().backward()
    assert out.dtype == x.grad.dtype == layer.weights.grad.dtype == torch.float32
    twice = make_layer(init=layer.weights.detach())
    torch.testing.assert_close(out.double(), twice(x.double()), atol=1e-5, rtol=0)


def test_frozen_parts_get_no_gradient():
    layer = make_layer()
    layer.weights.requires_grad_(False)
    x = samples(2, 3).requires_grad_()
    layer(x).sum().backward()
    assert layer.weights.grad is None
    assert x.grad is not None
    layer.weights.requires_grad_(True)
    y = samples(2, 3)
    layer(y).sum().backward()
    assert y.grad is None
    assert layer.weights.grad is not None


def test_backward_twice_with_retained_graph():
    layer = make_layer()
    loss = layer(samples(4, 3)).square().sum()
    loss.backward(retain_graph=True)
    once = layer.weights.grad.clone()
    loss.backward()
    torch.testing.assert_close(layer.weights.grad, 2 * once)


def test_state_dict_copy_and_pickle():
    layer, x = make_layer(), samples(4, 3)
    other = make_layer(seed=2)
    assert not torch.equal(layer(x), other(x))
    other.load_state_dict(layer.state_dict())
    for twin in (other, copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        torch.testing.assert_close(twin(x), layer(x), atol=0, rtol=0)
        twin.weights.data.zero_()
    assert layer.weights.abs().sum() > 0


def test_compile_without_graph_breaks():
    layer, x = make_layer(torch.float32), samples(4, 3, dtype=torch.float32)
    model = torch.nn.Sequential(torch.nn.Linear(3, 3), layer, torch.nn.Linear(3, 1))
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    loss = model(x).sum()
    loss.backward()
    plain = [p.grad.clone() for p in model.parameters()]
    model.zero_grad()
    compiled_loss = compiled(x).sum()
    compiled_loss.backward()
    torch.testing.assert_close(compiled_loss, loss)
    for p, grad in zip(model.parameters(), plain, strict=True):
        torch.testing.assert_close(p.grad, grad)


def test_jacrev_and_vmap():
    layer, x = make_layer(), samples(5, 3)
    jacobian = torch.func.jacrev(layer)(x[0])
    torch.testing.assert_close(jacobian, torch.autograd.functional.jacobian(layer, x[0]))
    torch.testing.assert_close(torch.func.vmap(layer)(x), layer(x))
    call = lambda w, v: torch.func.functional_call(layer, {"weights": w}, (v,))  # noqa: E731
    many = torch.stack([layer.weights.detach() * k for k in (1.0, 2.0)])
    expected = torch.stack([call(w, x) for w in many])
    torch.testing.assert_close(torch.func.vmap(call, in_dims=(0, None))(many, x), expected)


def test_per_sample_gradients():
    """vmap(grad): one gradient of the weights for each sample, as differential privacy needs."""
    layer, x = make_layer(), samples(5, 3)
    loss = lambda w, v: torch.func.functional_call(layer, {"weights": w}, (v,)).square().sum()  # noqa: E731
    together = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0))(layer.weights.detach(), x)
    apart = torch.stack([torch.autograd.grad(loss(layer.weights, v), layer.weights)[0] for v in x])
    torch.testing.assert_close(together, apart)


def test_second_derivatives_are_refused():
    layer, x = make_layer(), samples(2, 3).requires_grad_()
    (first,) = torch.autograd.grad(layer(x).sum(), x, create_graph=True)
    with pytest.raises(ql.errors.UnsupportedError, match="second derivatives through a QuantumLayer"):
        first.sum().backward()


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")  # of torch itself
def test_forward_mode_is_refused():
    with pytest.raises(ql.errors.UnsupportedError, match=r"use torch\.func\.jacrev instead of jacfwd"):
        torch.func.jacfwd(make_layer())(samples(3))


def test_no_states_are_kept_beyond_need(monkeypatch):
    """Not without a gradient to come, and no longer than until it has come."""
    layer = make_layer()
    asked = []
    forward = StatevectorEvaluator.forward_into
    monkeypatch.setattr(
        StatevectorEvaluator, "forward_into", lambda *arguments: asked.append(arguments[-1]) or forward(*arguments)
    )
    with torch.no_grad():
        layer(samples(2, 3))
    loss = layer(samples(2, 3)).sum()
    loss.backward(retain_graph=True)
    first = layer.weights.grad.clone()
    loss.backward()
    torch.testing.assert_close(layer.weights.grad, 2 * first, rtol=0, atol=0)
    assert asked == [False, True]


def test_kept_states_of_one_call_are_not_those_of_another():
    """Their memory is used again, so several calls before the first walk back must not share it; nor may threads."""
    layer = make_layer()
    batches = [torch.randn(20, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(k)) for k in range(6)]
    alone = [torch.autograd.grad(layer(x).square().sum(), layer.weights)[0] for x in batches]
    losses = [layer(x).square().sum() for x in batches]
    for loss, expected in zip(losses, alone, strict=True):
        torch.testing.assert_close(torch.autograd.grad(loss, layer.weights)[0], expected, rtol=0, atol=0)

    def work(k: int) -> bool:
        grads = [torch.autograd.grad(layer(batches[k]).square().sum(), layer.weights)[0] for _ in range(50)]
        return all(torch.equal(grad, alone[k]) for grad in grads)

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(work, range(6)))


@pytest.mark.parametrize("readable", [True, False])
def test_tensors_that_do_not_lie_in_a_row(readable, monkeypatch):
    """Strided, conjugated and expanded ones, read by the native engine as they are or taken to numpy first."""
    monkeypatch.setattr("qloom.nn.arrays._READABLE", readable)
    layer, x = make_layer(), samples(5, 3)
    negative = torch.complex(torch.zeros(5, 3, dtype=torch.float64), -x).conj().imag
    assert negative.is_neg()
    assert not x.T.contiguous().T.is_contiguous()
    expected = torch.autograd.grad(layer(x).sum(), layer.weights)[0]  # the cotangents are one number, expanded
    for same in (x.T.contiguous().T, torch.cat([x, x], 1)[:, :3], negative):
        torch.testing.assert_close(layer(same), layer(x), rtol=0, atol=0)
        torch.testing.assert_close(torch.autograd.grad(layer(same).sum(), layer.weights)[0], expected, rtol=0, atol=0)
    same = x.T.contiguous().T.requires_grad_()
    torch.testing.assert_close(
        torch.autograd.grad(layer(same).square().sum(), same),
        torch.autograd.grad(layer(x.requires_grad_()).square().sum(), x), rtol=0, atol=0,
    )  # fmt: skip


def test_tensors_that_outlive_a_transform():
    """A tensor that was wrapped by torch.func and taken out of it counts as what it holds."""
    layer, x, taken = make_layer(), samples(4, 3), []
    torch.func.grad(lambda v: taken.append(v) or v.sum())(x)
    assert torch._C._functorch.is_dead_tensor_wrapper(taken[0])
    torch.testing.assert_close(layer(taken[0]), layer(x), rtol=0, atol=0)


@pytest.mark.slow
def test_compiled_graphs_of_other_processes_do_no_harm():
    """Handles count from 0 in every process; a graph cached on disk by one must not answer for another's layer."""
    import os
    import subprocess
    import sys
    import tempfile

    code = (
        "import sys, torch, qloom as ql\n"
        "n = int(sys.argv[1])\n"
        "layer = ql.nn.QuantumLayer(ql.encoders.angle(2), [float(k + 1) * ql.Z(0) for k in range(n)])\n"
        "x = torch.full((3, 2), 0.3, requires_grad=True)\n"
        "y = torch.compile(layer, fullgraph=True)(x)\n"
        "y.sum().backward()\n"
        "assert torch.allclose(y, layer(x)), y\n"
        "print(y.shape[1])\n"
    )
    with tempfile.TemporaryDirectory() as cache:
        for n in (2, 5):
            finished = subprocess.run(
                [sys.executable, "-c", code, str(n)],
                env=os.environ | {"TORCHINDUCTOR_CACHE_DIR": cache}, capture_output=True, text=True,
            )  # fmt: skip
            assert finished.stdout.strip() == str(n), finished.stderr[-2000:]


def test_shots_estimate_values_and_gradients():
    """10,000 shots: every value within 6 standard errors of the exact one (2e-9 each)."""
    layer, exact = make_layer(shots=10_000, init="small"), make_layer(init="small")
    x = samples(3, 3)
    assert (layer(x) - exact(x)).abs().max() < 6 / 100
    layer(x).sum().backward()
    exact(x).sum().backward()
    # A derivative adds 9 outputs' halves of differences of +-1 means over at most 3 samples.
    assert (layer.weights.grad - exact.weights.grad).abs().max() < 6 * np.sqrt(9 / 2) / 100
    assert not torch.equal(layer(x), layer(x))


class _Rows(torch.utils.data.Dataset):
    """A dataset that runs a circuit for each row, as a feature map in a worker would."""

    def __init__(self):
        self.layer = make_layer()

    def __len__(self):
        return 8

    def __getitem__(self, k):
        with torch.no_grad():
            return self.layer(torch.full((40, 3), float(k), dtype=torch.float64)).sum(dim=0)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_data_loader_workers():
    rows = _Rows()
    expected = torch.stack([rows[k] for k in range(8)])
    loaded = torch.cat(list(DataLoader(rows, batch_size=4, num_workers=2, multiprocessing_context="fork")))
    torch.testing.assert_close(loaded, expected)


def test_many_threads_train_at_once():
    """Eight threads, each with a layer of its own and one they share: each gets bit by bit what it gets alone."""
    shared, own = make_layer(), [make_layer(seed=seed) for seed in range(8)]
    batches = [samples(40, 3) + seed for seed in range(8)]

    def work(number: int) -> list[torch.Tensor]:
        out = []
        for layer in (shared, own[number]):
            x = batches[number].clone().requires_grad_()
            values = layer(x)
            out += [values, *torch.autograd.grad(values.square().sum(), (x, layer.weights))]
        return out

    alone = [work(number) for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(10):
            for mine, expected in zip(pool.map(work, range(8)), alone, strict=True):
                assert all(map(torch.equal, mine, expected))


def test_training_learns():
    """Ten steps of Adam on a function a circuit represents exactly: the loss falls a hundredfold."""
    teacher, student = make_layer(seed=3), make_layer(seed=3)
    with torch.no_grad():
        student.weights += 0.2
    x = samples(32, 3)
    data = DataLoader(TensorDataset(x, teacher(x).detach()), batch_size=32)
    optimizer, losses = torch.optim.Adam(student.parameters(), lr=0.05), []
    for _ in range(60):
        for inputs, targets in data:
            loss = (student(inputs) - targets).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    assert losses[-1] < losses[0] / 100


def test_initializations():
    n = make_layer().weights.numel()
    assert make_layer(init="uniform").weights.abs().max() <= np.pi
    assert make_layer(init="small").weights.std() < 0.3
    assert make_layer(init="normal").weights.std() > 0.5
    assert QuantumLayer(ql.ansatze.strongly_entangling(3, 2)).initialization == "small"
    assert make_layer(init=np.zeros(n)).initialization == "given"
    deep = ql.ansatze.strongly_entangling(4, 50)
    for init, name, deviation in (("auto", "scaled", 1 / np.sqrt(4 * 152)), ("beta", "beta", np.pi / np.sqrt(5))):
        layer = QuantumLayer(deep, init=init, seed=0)
        assert layer.initialization == name
        # 600 numbers: their deviation is right to 3 in a hundred, five times that is a false alarm in 10^6.
        assert layer.weights.std().item() == pytest.approx(deviation, rel=0.15)
    assert QuantumLayer(deep, init="beta", seed=0).weights.abs().max() <= np.pi
    given_weights = np.arange(n, dtype=float).reshape(2, 3, 3)
    assert make_layer(init=given_weights).weights.tolist() == list(range(n))
    assert torch.equal(make_layer(seed=7).weights, make_layer(seed=7).weights)
    torch.manual_seed(5)
    a = make_layer(seed=None).weights
    torch.manual_seed(5)
    assert torch.equal(a, make_layer(seed=None).weights)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: make_layer()(samples(2, 4)), r"x has shape \(2, 4\), expected \(\.\.\., 3\)"),
        (lambda: make_layer()(), r"x has shape \(0,\), expected \(\.\.\., 3\)"),
        (
            lambda: make_layer()(samples(2, 3).float()),
            "x is torch.float32, the layer's weights are torch.float64",
        ),
        (lambda: make_layer(init=[1.0, 2.0]), r"init: weights has shape \(2,\), expected \(18,\)"),
        (lambda: make_layer(init="zeros"), "expected an array or one of auto, uniform"),
        (lambda: make_layer(dtype=torch.float16), "expected torch.float32 or torch.float64"),
        (lambda: make_layer(init=1j * np.ones(18)), "expected finite real numbers"),
        (lambda: make_layer().half()(samples(2, 3).half()), "the layer is torch.float16, expected torch.float32"),
        (lambda: make_layer()([0.1, 0.2, 0.3]), "x is a list, expected a torch.Tensor"),
        (lambda: QuantumLayer("circuit"), "circuit is a str, expected a Circuit"),
        (
            lambda: torch.func.functional_call(make_layer(), {"weights": samples(2)}, (samples(2, 3),)),
            r"weights \(2,\), expected",
        ),
        (
            lambda: QuantumLayer(ql.encoders.amplitude(2))(torch.tensor([[3.0, 4.0]])),
            "amplitudes of sample 0 have norm 5, expected 1",
        ),
        (lambda: make_layer().to("meta")(samples(2, 3)), "expected both on cpu or on one CUDA device"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ql.errors.ShapeError, match=message):
        call()


def test_repr_tells_what_it_is():
    text = repr(make_layer(shots=5))
    for part in ("3 qubits", "n_outputs=3", "shots=5"):
        assert part in text


def _train_in_process(rank: int, port: int, queue) -> None:
    torch.distributed.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    model = torch.nn.parallel.DistributedDataParallel(torch.nn.Sequential(torch.nn.Linear(3, 3).double(), make_layer()))
    model(samples(4, 3)[2 * rank : 2 * rank + 2]).square().mean().backward()
    queue.put((rank, [p.grad.tolist() for p in model.parameters()]))
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_distributed_data_parallel():
    """Two processes, half the samples each: both end with the same averaged gradients, those of one process."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    context = torch.multiprocessing.get_context("spawn")
    queue = context.Queue()
    workers = [context.Process(target=_train_in_process, args=(rank, port, queue)) for rank in (0, 1)]
    for worker in workers:
        worker.start()
    results = dict(queue.get(timeout=120) for _ in workers)
    for worker in workers:
        worker.join(timeout=60)
    assert results[0] == results[1]
    assert sum(abs(v) for v in results[0][-1]) > 0
