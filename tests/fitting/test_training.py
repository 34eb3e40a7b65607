"""Trainings of modules that are no table models: optimizers, loaders, stages, stopping, and what is refused."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import mse_loss
from torch.utils.data import DataLoader, TensorDataset

import qloom as ql
from qloom.errors import ConfigError, UnsupportedError
from qloom.fitting import Flat, Stage, Training, cosine
from qloom.optimizers import SPSA, NaturalGradient, Rotosolve

X = torch.linspace(-1, 1, 24, dtype=torch.float64).reshape(12, 2)
Y = torch.sin(3 * X[:, :1]) * X[:, 1:]


def make_module(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    circuit = ql.encoders.angle(2) + ql.ansatze.basic_entangler(2, 2)
    layer = ql.nn.QuantumLayer(circuit, [ql.Z(0)], dtype=torch.float64, seed=seed)
    return nn.Sequential(nn.Linear(2, 2).double(), nn.Dropout(0.1), layer)


def squares(module, batch):
    x, y = batch
    return mse_loss(module(x), y)


def loader() -> DataLoader:
    return DataLoader(TensorDataset(X, Y), batch_size=5, shuffle=True)


def make_training(module, optimizer=None, objective=squares, batches=None, **options) -> Training:
    optimizer = optimizer or torch.optim.Adam(module.parameters(), 0.05)
    return Training(module, objective, loader() if batches is None else batches, optimizer, **{"epochs": 6, **options})


def test_it_is_what_a_loop_of_ones_own_does():
    found, by_hand = make_module(), make_module()
    batches = [(X[:5], Y[:5]), (X[5:], Y[5:])]
    training = make_training(found, batches=batches, rate=cosine(0.05, 6), seed=3).run()
    adam = torch.optim.Adam(by_hand.parameters())
    for epoch in range(6):
        torch.manual_seed(int(np.random.SeedSequence([3, epoch]).generate_state(1)[0]))  # dropout
        losses = []
        for step, batch in enumerate(batches):
            share = (epoch + step / 2) / 6
            adam.param_groups[0]["lr"] = 0.05 * (0.02 + 0.98 * (1 + np.cos(np.pi * share)) / 2)
            adam.zero_grad()
            loss = squares(by_hand, batch)
            loss.backward()
            adam.step()
            losses.append(loss.item())
        assert training.losses[epoch] == pytest.approx(np.mean(losses), rel=1e-12)
    for a, b in zip(found.parameters(), by_hand.parameters(), strict=True):
        torch.testing.assert_close(a, b)


OPTIMIZERS = {
    "Adam": lambda module: torch.optim.Adam(module.parameters(), 0.05),
    "SGD": lambda module: torch.optim.SGD(module.parameters(), 0.05, momentum=0.9),
    "RMSprop": lambda module: torch.optim.RMSprop(module.parameters(), 0.01),
    "SPSA": lambda module: SPSA(module, 0.1, seed=1),
    "Rotosolve": Rotosolve,
    "NaturalGradient": lambda module: NaturalGradient(module, 0.1),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_trains_and_is_taken_up_again(name):
    """Rows in random order, dropout, and whatever the optimizer remembers or draws."""
    taken = []

    def watch(training: Training) -> None:
        if training.epoch == 2:
            taken.append((training.tensors(), json.dumps(training.record())))

    module = make_module()
    before = squares(module.eval(), (X, Y)).item()
    whole = make_training(module, OPTIMIZERS[name](module), epochs=4).run(watch)
    assert squares(module, (X, Y)).item() < before
    other = make_module(5)
    again = make_training(other, OPTIMIZERS[name](other), epochs=4).restore(taken[0][0], json.loads(taken[0][1]))
    torch.manual_seed(99)  # must not matter
    again.run()
    assert again.losses == whole.losses
    for a, b in zip(module.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)


def test_shots_and_generators_of_ones_own_are_taken_up_again():
    def training(seed: int) -> Training:
        circuit = ql.encoders.angle(2) + ql.ansatze.basic_entangler(2, 1)
        layer = ql.nn.QuantumLayer(circuit, [ql.Z(0)], shots=20, seed=seed, dtype=torch.float64)
        draws, noise = torch.Generator().manual_seed(seed), np.random.default_rng(seed)

        def batches(epoch: int):
            rows = torch.randint(len(X), (4,), generator=draws)
            return [(X[rows] + 0.1 * torch.from_numpy(noise.normal(size=(4, 2))), Y[rows])]

        return make_training(layer, batches=batches, random=[draws, noise], epochs=5)

    taken = []
    whole = training(0).run(lambda t: taken.append((t.tensors(), json.dumps(t.record()))) if t.epoch == 2 else None)
    again = training(1).restore(taken[0][0], json.loads(taken[0][1])).run()
    assert again.losses == whole.losses
    assert training(1).run().losses != whole.losses


def test_stages_freeze_and_leave_everything_as_it_was():
    module, moved = make_module(), []
    module[0].bias.requires_grad_(False)  # not trained at all
    stages = [Stage("linear", ("0.*",)), Stage("half of the circuit", ("2.*",), share=(1, 2)), Stage("all")]
    before = [{name: value.clone() for name, value in module.state_dict().items()}]

    def watch(_):
        now = {name: value.clone() for name, value in module.state_dict().items()}
        names = [n for n in ("0.weight", "0.bias") if not torch.equal(now[n], before[0][n])]
        halves = [not torch.equal(*pair) for pair in zip(*(s["2.weights"].chunk(2) for s in (now, before[0])))]  # noqa: B905
        moved.append((names, halves))
        before[0] = now

    training = make_training(module, epochs=3, stages=lambda epoch: stages[epoch]).run(watch)
    assert moved == [(["0.weight"], [False] * 2), ([], [False, True]), (["0.weight"], [True] * 2)]
    assert [epoch["stage"] for epoch in training.history] == ["linear", "half of the circuit", "all"]
    assert [p.requires_grad for p in module.parameters()] == [True, False, True]
    assert module[2].trained.all()


def test_validation_and_patience_keep_the_best():
    module, seen = make_module(), {}
    training = make_training(
        module, torch.optim.SGD(module.parameters(), 0.5), epochs=50, patience=4, validation=[(X, -Y)],
        judge=lambda m: mse_loss(m(X), Y),
    )  # fmt: skip
    training.run(lambda t: seen.update({t.epoch: {n: v.clone() for n, v in t.module.state_dict().items()}}))
    losses = [epoch["validation_loss"] for epoch in training.history]
    assert training.epoch == training.best_epoch + 4 < 50
    assert training.best_loss == min(losses) == losses[training.best_epoch - 1]
    assert all(torch.equal(value, seen[training.best_epoch][n]) for n, value in module.state_dict().items())
    assert losses[0] == pytest.approx(mse_loss(_with(module, seen[1])(X), -Y).item())
    assert training.history[0]["validation_metric"] == pytest.approx(mse_loss(_with(module, seen[1])(X), Y).item())


def _with(module: nn.Module, state: dict) -> nn.Module:
    other = make_module().eval()
    other.load_state_dict(state)
    return other


def test_without_validation_the_last_weights_stay_also_after_a_restart():
    taken, module = [], make_module()
    whole = make_training(module, epochs=4).run(lambda t: taken.append((t.tensors(), t.record())))
    assert whole.best_epoch == 4
    other = make_module(1)
    make_training(other, epochs=4).restore(*taken[1]).run()
    for a, b in zip(module.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)


def test_stops_where_the_losses_are_flat():
    swinging = np.resize([1.0, -1.0], 1000)
    assert Flat(200)(list(swinging))
    assert not Flat(200)(list(swinging[:401]))
    assert not Flat(200)(list(swinging - 0.01 * np.arange(1000)))
    module = nn.Linear(1, 1)
    still = make_training(module, objective=lambda m, b: m(b).sum() * 0 + 1, batches=[torch.ones(1, 1)], epochs=100,
                          stop=Flat(10)).run()  # fmt: skip
    assert still.epoch == 22  # two intervals and two more losses


def test_training_leaves_the_callers_random_numbers_alone():
    module = make_module()
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    make_training(module, batches=[(X, Y)]).run()
    assert torch.equal(torch.rand(4), expected)


REFUSED = {
    "nothing in epoch 2, expected at least one batch": {"batches": iter([(X, Y)])},
    r"the objective gave shape \(12, 1\), expected a tensor of one number": {
        "objective": lambda m, b: (m(b[0]) - b[1]) ** 2, "batches": [(X, Y)]},
    "the objective gave a float": {"objective": lambda m, b: 0.5},
    "the loss is inf in epoch 1, expected a finite number; lower the optimizer's learning rate": {
        "objective": lambda m, b: squares(m, b) + torch.inf},
    "validation gave no batch": {"validation": []},
    "no parameter matches 'quantum.*', expected one of 0.weight": {"stages": lambda epoch: Stage("q", ("quantum.*",))},
}  # fmt: skip


@pytest.mark.parametrize("message", REFUSED)
def test_refused_in_a_sentence(message):
    with pytest.raises(ConfigError, match=message):
        make_training(make_module(), **REFUSED[message]).run()


def test_an_optimizer_of_another_module_is_refused():
    with pytest.raises(ConfigError, match="parameters that are not the module's"):
        make_training(make_module(), torch.optim.Adam(make_module().parameters()))


def test_a_state_that_cannot_be_plain_is_refused():
    module = make_module()
    training = make_training(module, torch.optim.Adam(module.parameters(), 0.1), epochs=1).run()
    training.optimizer.param_groups[0]["note"] = {1, 2}
    with pytest.raises(UnsupportedError, match=r"optimizer\.param_groups\.0\.note is a set"):
        training.record()


def test_an_endless_stream_is_cut_into_epochs():
    endless = itertools.cycle([(X[:6], Y[:6]), (X[6:], Y[6:])])
    module = make_module()
    training = make_training(
        module, batches=lambda epoch: itertools.islice(endless, 3), rate=lambda done: 0.1 / (1 + done)
    )
    training.run()
    assert training.optimizer.param_groups[0]["lr"] == 0.1 / 6  # the stream has no length: a rate an epoch
