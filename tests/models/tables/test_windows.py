"""Rows read in windows: every row once a pass, the same windows whenever they are read, trainings taken up midway."""

import json
from itertools import chain

import numpy as np
import pytest
import torch

from qloom.models.tables.architecture import Architecture, build_network, observables_of
from qloom.models.tables.fitting import Fit, Recipe
from qloom.models.tables.rows import Rows
from qloom.models.tables.windows import Windows

SIZES = (40, 25, 33, 1, 50, 47, 22)


def block(number):
    """Rows whose first feature is their number among all."""
    x = torch.randn(SIZES[number], 3, generator=torch.Generator().manual_seed(number))
    x[:, 0] = torch.arange(SIZES[number]) + sum(SIZES[:number])
    y = (x[:, 1] > 0.5 * x[:, 2]).long()
    return Rows(x / 100, y, None, y.numpy())


def windows(size=60, seed=3):
    return Windows(block, len(SIZES), sum(SIZES), size, seed)


def numbers(rows):
    return (100 * rows.x[:, 0]).round().int().tolist()


def test_every_row_comes_once_a_pass_and_each_pass_has_another_order():
    made = windows()
    passes = [[made.rows(k) for k in range(p * made.per_pass, (p + 1) * made.per_pass)] for p in range(2)]
    assert made.per_pass == 4
    for rows in passes:
        assert sorted(chain.from_iterable(map(numbers, rows))) == list(range(sum(SIZES)))
        assert all(np.array_equal(each.y.numpy(), each.values) for each in rows)
    assert numbers(passes[0][0]) != numbers(passes[1][0])


def test_a_window_is_a_function_of_seed_and_number():
    one, other = windows(), windows()
    later = [other.rows(k) for k in (5, 2)]
    assert numbers(one.rows(5)) == numbers(later[0])
    assert numbers(one.rows(2)) == numbers(later[1])
    assert numbers(windows(seed=4).rows(5)) != numbers(later[0])


@pytest.mark.parametrize("size", [1, 10**6])
def test_windows_are_no_smaller_than_a_block_and_no_larger_than_all(size):
    made = windows(size)
    assert made.per_pass == (len(SIZES) if size == 1 else 1)
    assert sorted(numbers(made.rows(0))) == sorted(numbers(made.read(int(made.blocks(0)[0])))) or size > 1


def make_fit(rows, **recipe):
    architecture = Architecture(3, 2, n_qubits=2, n_layers=1, width=8)
    network = build_network(architecture, architecture.circuit(), observables_of(2), seed=0)
    made = Recipe(**{"epochs": 3, "batch_size": 16, "learning_rate": 0.02, **recipe})
    return Fit(network, "classification", made, windows=rows)


NO_ROWS = Rows(torch.zeros(0, 3), torch.zeros(0, dtype=torch.long))


@pytest.mark.parametrize("stopped_after", [1, 6, 11])
def test_a_training_taken_up_within_a_pass_ends_in_the_same_bits(stopped_after):
    validation, saved = block(4), []

    def keep(fit):
        if fit.epoch == stopped_after:
            saved.append(({k: v.clone() for k, v in fit.tensors().items()}, json.dumps(fit.record())))

    whole = make_fit(windows()).run(NO_ROWS, validation, keep)
    assert whole.epoch == 12
    resumed = make_fit(windows()).restore(saved[0][0], json.loads(saved[0][1])).run(NO_ROWS, validation)
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, resumed.network.state_dict()[name])


@pytest.mark.parametrize(("given", "windows_seen"), [(1, 5), (6, 7)])
def test_no_training_ends_before_it_has_seen_all_rows(given, windows_seen):
    """Labels to judge by are the opposite of those to learn from, so that the first window has the best loss."""
    opposite = block(4)._replace(y=1 - block(4).y)
    assert make_fit(windows(), patience=given).run(NO_ROWS, opposite).epoch == windows_seen


def test_one_window_of_all_rows_trains_as_rows_in_memory_do():
    made = Windows(lambda _: block(0), 1, SIZES[0], 10**6, 0)
    streamed = make_fit(made).run(NO_ROWS, block(1))
    held = make_fit(None).run(block(0), block(1))
    for name, value in held.network.state_dict().items():
        assert torch.equal(value, streamed.network.state_dict()[name])


def test_what_cannot_be_read_stops_the_training_with_its_own_error():
    def broken(number):
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        make_fit(Windows(broken, 2, 10, 5, 0)).run(NO_ROWS, block(1))
