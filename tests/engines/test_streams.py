"""Random numbers of measurements: one stream a copy and a process."""

from __future__ import annotations

import copy
import json
import multiprocessing
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import qloom as ql
from qloom.engines.streams import Stream

EVEN = np.full((1, 64), 1 / 64)


def draw(stream: Stream) -> list[int]:
    """A thousand measurements of 64 outcomes: two streams agree once in more than 10^40 times."""
    return stream.generator().multinomial(1000, EVEN)[0].tolist()


def test_the_key_is_numpys_and_calls_are_counted():
    stream, key = Stream(3), np.random.SeedSequence(3).generate_state(2, np.uint64).tolist()
    assert [stream.call().tolist() for _ in range(3)] == [[*key, call] for call in range(3)]
    philox = np.random.Philox(key=key, counter=[0, 0, 3, 0])
    assert draw(stream) == np.random.Generator(philox).multinomial(1000, EVEN)[0].tolist()
    assert draw(Stream()) != draw(Stream())


@pytest.mark.parametrize("seed", [0, None])
def test_copies_draw_numbers_of_their_own(seed):
    stream = Stream(seed)
    draw(stream)
    copies = [copy.deepcopy(stream), copy.deepcopy(stream), pickle.loads(pickle.dumps(stream)), stream.spawn()]
    copies.append(copy.deepcopy(copies[0]))
    drawn = [draw(one) for one in (stream, Stream(0), *copies)]
    assert all(drawn[i] != drawn[j] for i in range(len(drawn)) for j in range(i))


def test_state_is_taken_out_and_put_back():
    stream = Stream(5)
    draw(stream)
    stream.spawn()
    state = json.loads(json.dumps(stream.state))
    expected = draw(stream), draw(stream.spawn())
    again = Stream()
    again.state = state
    assert (draw(again), draw(again.spawn())) == expected
    with pytest.raises(ql.errors.CircuitError, match="state of a stream is damaged"):
        again.state = {"entropy": 3}


def _work(stream: Stream, queue) -> None:
    queue.put((multiprocessing.current_process().name, draw(stream), draw(stream)))


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("seed", [0, None])
def test_forked_processes_draw_numbers_of_their_own(seed):
    context, stream = multiprocessing.get_context("fork"), Stream(seed)
    queue = context.Queue()
    workers = [context.Process(target=_work, args=(stream, queue)) for _ in range(3)]
    for worker in workers:
        worker.start()
    drawn = [numbers for _, *pair in (queue.get(timeout=60) for _ in workers) for numbers in pair]
    for worker in workers:
        worker.join()
    drawn += [draw(stream), draw(stream)]
    assert all(drawn[i] != drawn[j] for i in range(len(drawn)) for j in range(i))


def test_threads_share_one_stream():
    """Together they draw what one would."""
    alone, shared = Stream(1), Stream(1)
    expected = sorted(draw(alone) for _ in range(40))
    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(lambda _: draw(shared), range(40))) == expected


@pytest.mark.parametrize("seed", [True, -1, 0.5, "seed"])
def test_errors(seed):
    with pytest.raises(ql.errors.CircuitError, match=r"expected an integer of at least 0, or None for fresh entropy"):
        Stream(seed)
