"""A newcomer in one file: a module without encoder and head learns a distribution, by an objective of its own."""

from __future__ import annotations

import copy

import numpy as np
import torch

import qloom as ql
from qloom.fitting import Training, cosine

TARGET = np.array([0.02, 0.08, 0.05, 0.3, 0.25, 0.05, 0.2, 0.05])


def surprise(born: torch.nn.Module, outcomes: torch.Tensor) -> torch.Tensor:
    """Mean of -log p: least, the target's entropy, where the circuit gives the outcomes as often as they come."""
    return -born()[outcomes].log().mean()


def batches(epoch: int) -> list[torch.Tensor]:
    """Fresh outcomes in every epoch: nothing is ever read twice."""
    random = np.random.default_rng([1, epoch])
    return list(torch.from_numpy(random.choice(8, 4000, p=TARGET)).split(1000))


HELD_OUT = list(torch.from_numpy(np.random.default_rng(0).choice(8, 20_000, p=TARGET)).split(10_000))


def make_training(epochs: int = 100, patience: int = 15, seed: int = 0) -> Training:
    circuit = ql.ansatze.hardware_efficient(3, 3, ("ry", "rz"))
    born = ql.nn.QuantumLayer(circuit, "probabilities", dtype=torch.float64, seed=seed)
    adam = torch.optim.Adam(born.parameters())
    rate = cosine(0.1, epochs)
    return Training(born, surprise, batches, adam, epochs=epochs, rate=rate, patience=patience, validation=HELD_OUT)


def test_it_learns_and_stops_by_itself():
    training = make_training().run()
    assert training.epoch < 100
    assert training.epoch == training.best_epoch + 15
    entropy = -(TARGET * np.log(TARGET)).sum()
    # The held-out mean is off by 0.006 (one standard deviation), the estimates of 4,000 outcomes by less than that.
    assert abs(training.best_loss - entropy) < 0.03
    assert np.abs(training.module().detach().numpy() - TARGET).max() < 0.03


def test_taken_out_and_put_back_it_ends_in_the_same_bits():
    taken = {}

    def watch(training: Training) -> None:
        if training.epoch == 3:
            taken.update(copy.deepcopy({"tensors": training.tensors(), "record": training.record()}))

    whole = make_training(epochs=8).run(watch)
    again = make_training(epochs=8, seed=1).restore(**taken)
    assert again.epoch == 3
    again.run()
    assert torch.equal(whole.module.weights, again.module.weights)
    losses = [[epoch["train_loss"], epoch["validation_loss"]] for epoch in whole.history]
    assert losses == [[epoch["train_loss"], epoch["validation_loss"]] for epoch in again.history]
