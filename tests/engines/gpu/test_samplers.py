"""Bits drawn by the kernels on the host: their shares, their memory, and the CPU's bits where both search a table."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import chi2

import qloom as ql
from qloom import _native
from qloom.engines import Expectations, Shots, StatevectorEngine
from qloom.engines import batch as batches
from qloom.engines.gpu import samplers
from qloom.engines.gpu.machine import Call, Variant
from qloom.engines.streams import Stream
from qloom.errors import ShapeError
from qloom.nn import QuantumLayer
from tests.engines.gpu.host_engine import HostEngine
from tests.engines.gpu.kernel_script import arrays_of, circuit_of, cut_small
from tests.engines.test_draw import KEY, PLACE, SEARCHED, numpys

ENGINE, SWEPT, CPU = HostEngine(), HostEngine(most_whole=8), StatevectorEngine(1)
FALSE_ALARMS = 1e-6


# -- the kernel


def draw(tables: np.ndarray, shots: int, blocks: int = 3, place: np.ndarray = PLACE) -> np.ndarray:
    """Outcomes of tables of probabilities (B, n), float64."""
    ends, outcomes = torch.from_numpy(tables).cumsum(1), torch.full((len(tables), shots), -1)
    call = Call()
    call.table, call.outcomes = ends.data_ptr(), outcomes.data_ptr()
    call.n_local, call.shots, call.n_columns = len(tables), shots, tables.shape[1]
    call.key_low, call.key_high, call.call_number = (int(number) for number in place)
    ENGINE.machine.launch("draw", Variant("double", 2, 3), blocks, 64, 0, call)
    return outcomes.numpy()


@pytest.mark.parametrize("shots", [1, 5, 300])
@pytest.mark.parametrize("n", [1, 2, 3, 8, 1000, SEARCHED])
def test_places_are_numpys_and_fall_where_it_finds_them(n, shots):
    tables = np.random.default_rng(n).exponential(size=(3, n)) ** 4
    for row, drawn in enumerate(draw(tables, shots)):
        ends = np.cumsum(tables[row])
        places = numpys(row).random(shots)
        np.testing.assert_array_equal(drawn, np.searchsorted(ends, places * ends[-1], side="right"))


def test_large_tables_give_the_bits_of_the_cpu():
    tables, outcomes = np.random.default_rng(0).exponential(size=(4, SEARCHED)), np.empty((4, 2000), np.int64)
    _native.draw(tables, PLACE, 2000, outcomes, 1)
    np.testing.assert_array_equal(draw(tables, 2000), outcomes)


def test_neither_blocks_nor_other_rows_change_a_row():
    tables = np.random.default_rng(1).exponential(size=(9, 16))
    whole = draw(tables, 500)
    np.testing.assert_array_equal(draw(tables, 500, blocks=1), whole)
    np.testing.assert_array_equal(draw(tables, 500, blocks=71), whole)
    np.testing.assert_array_equal(draw(tables[:4], 500), whole[:4])
    for change in np.eye(3, dtype=np.uint64):  # another key or call: of 500 draws, most differ
        assert (draw(tables, 500, place=PLACE + change) != whole).mean() > 0.1
    assert len(KEY) == 2


def test_impossible_outcomes_are_never_drawn():
    table = np.zeros((1, 64))
    table[0, [1, 4, 5]] = 0.25, 0.5, 0.25
    assert np.unique(draw(table, 20_000)).tolist() == [1, 4, 5]
    table[0, [1, 4]] = 0
    assert (draw(table, 1000) == 5).all()


# -- circuits


def check_shares(counts: np.ndarray, table: np.ndarray) -> None:
    """Chi square of counts (B, n); right ones fail once in 1 / FALSE_ALARMS seeds."""
    expected = counts.sum(axis=1, keepdims=True) * table
    rare = expected <= 10  # these together, row by row, as far as they are more
    counted, right = (np.hstack([a * ~rare, (a * rare).sum(axis=1, keepdims=True)]) for a in (counts, expected))
    often = right > 10
    total = ((counted - right) ** 2)[often] / right[often]
    assert total.sum() < chi2.isf(FALSE_ALARMS, often.sum() - len(table))


def counted(bits: np.ndarray) -> np.ndarray:
    """How often each outcome is among bits (B, shots, k): (B, 2^k)."""
    places = bits @ (1 << np.arange(bits.shape[-1])[::-1])
    return np.array([np.bincount(row, minlength=2 ** bits.shape[-1]) for row in places])


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(("engine", "n_qubits", "qubits"), [
    (ENGINE, 1, (0,)), (ENGINE, 4, (3, 0, 1, 2)), (ENGINE, 5, (4, 1)), (SWEPT, 9, (0, 8, 4)),
])  # fmt: skip
def test_shares_are_the_probabilities(engine, n_qubits, qubits, dtype):
    """Chi square of 30,000 draws a case: one false alarm in 10^6 seeds each."""
    circuit = circuit_of(n_qubits)
    batch = arrays_of(circuit, 3, dtype)
    bits = ql.sample(circuit, 10_000, batch.inputs, batch.weights, qubits=qubits, seed=1, engine=engine)
    table = ql.probabilities(circuit, batch.inputs, batch.weights, qubits=qubits, engine=CPU)
    assert bits.dtype == np.uint8
    check_shares(counted(bits), table)


def test_bits_are_found_again_by_their_seed():
    circuit = circuit_of(4)
    batch = arrays_of(circuit, 3)

    def drawn(seed: int, rows: int = 3) -> np.ndarray:
        return ql.sample(circuit, 100, batch.inputs[:rows], batch.weights, seed=seed, engine=ENGINE)

    np.testing.assert_array_equal(drawn(5), drawn(5))
    np.testing.assert_array_equal(drawn(5, rows=1), drawn(5)[:1])
    assert (drawn(5) != drawn(6)).any(axis=(1, 2)).all()
    sampler, stream = ENGINE.sampler(circuit, (0, 1)), Stream(3)
    first, second = (sampler.draw(batch, 50, stream) for _ in range(2))
    assert (first != second).any()


@pytest.mark.parametrize("engine", [ENGINE, SWEPT])
def test_many_outcomes_have_the_bits_of_the_cpu(engine):
    """Tables differ by rounding alone. Of 5,000 places one falls where they part once in 10^8 seeds in double
    precision; in single precision a few do."""
    circuit = circuit_of(13, n_layers=1)
    for dtype, most in (("f8", 0), ("f4", 20)):
        batch = arrays_of(circuit, 1, dtype)
        mine, theirs = (
            ql.sample(circuit, 5000, batch.inputs, batch.weights, seed=2, engine=one) for one in (engine, CPU)
        )
        assert len(np.unique(mine[0], axis=0)) > 500
        assert (mine != theirs).any(axis=-1).sum() <= most


def test_sums_of_parts_are_the_sums_of_all(monkeypatch):
    """In blocks of 64 threads, of which each adds up 16 numbers: 8,192 outcomes are 8 parts."""
    circuit = circuit_of(13, n_layers=1)
    batch = arrays_of(circuit, 1)
    whole = ql.sample(circuit, 500, batch.inputs, batch.weights, seed=2, engine=ENGINE)
    cut_small(monkeypatch.setattr)
    np.testing.assert_array_equal(ql.sample(circuit, 500, batch.inputs, batch.weights, seed=2, engine=ENGINE), whole)


def test_wide_registers_of_few_gates_are_sampled():
    """Of 200 fair bits fewer than 60 or more than 140 are 1 once in 10^8 seeds."""
    circuit = ql.Circuit(40).h(0)
    for q in range(39):
        circuit.cx(q, q + 1)
    bits = ql.sample(circuit, 200, seed=0, engine=ENGINE)
    assert (bits == bits[:, :1]).all()
    assert 60 < bits[:, 0].sum() < 140


def test_factors_of_a_product_are_sampled_apart():
    """Sixteen qubits, no table of all: 6 deviations of 16 means are passed once in 3 * 10^7 seeds."""
    circuit, x = ql.encoders.angle(16), np.linspace(0.1, 3, 16)
    bits = ql.sample(circuit, 2000, x, seed=0, engine=ENGINE)
    deviations = np.abs((1 - 2.0 * bits).mean(axis=0) - np.cos(x)) / (np.sin(x) / np.sqrt(2000))
    assert (deviations < 6).all()


def test_batches_are_sampled_some_at_a_time(monkeypatch):
    circuit = circuit_of(3)
    batch, sampler = arrays_of(circuit, 5), ENGINE.sampler(circuit, (0, 1, 2))
    whole = sampler.draw(batch, 400, Stream(0))
    monkeypatch.setattr(samplers, "_MOST_BLOCKS", 1)
    np.testing.assert_array_equal(sampler.draw(batch, 400, Stream(0)), whole)
    monkeypatch.setattr(batches, "MOST_NUMBERS", 800)  # two samples; each piece is a call of its own
    pieces = sampler.draw(batch, 400, Stream(0))
    np.testing.assert_array_equal(pieces[:2], whole[:2])
    check_shares(counted(pieces), ql.probabilities(circuit, batch.inputs, batch.weights, engine=CPU))


def test_no_samples_have_no_bits():
    circuit = circuit_of(2)
    assert ENGINE.sampler(circuit, (0, 1)).draw(arrays_of(circuit, 0), 7, Stream(0)).shape == (0, 7, 2)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_numbers_that_are_none_are_refused(wrong):
    circuit = circuit_of(2)
    batch = arrays_of(circuit, 3)
    batch.inputs[1, 0] = wrong
    with pytest.raises(ShapeError, match="inputs or weights hold NaN or infinity"):
        ENGINE.sampler(circuit, (0, 1)).draw(batch, 7, Stream(0))


def test_amplitudes_of_another_norm_are_refused():
    circuit = circuit_of(2, "inputs")
    with pytest.raises(ShapeError, match="expected finite numbers to measure with shots"):
        ENGINE.sampler(circuit, (0, 1)).draw(arrays_of(circuit, 3, norm=2), 7, Stream(0))


# -- estimates


def test_estimates_of_shots():
    """Within 6 of their standard errors: of 12 numbers one is further off once in 4 * 10^7 seeds."""
    circuit = circuit_of(4)
    batch, words = arrays_of(circuit, 3), (ql.Z(0) @ ql.Z(3), ql.X(1), ql.Y(2) - 0.5 * ql.Z(0), ql.Z(1))
    estimate = Shots(ENGINE, 3000, seed=1).prepare(circuit, Expectations(words)).estimate(batch)
    exact = CPU.prepare(circuit, Expectations(words)).values(batch)
    assert (np.abs(estimate.values - exact) <= 6 * estimate.errors + 1e-3).all()
    assert (estimate.errors > 0).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_layers_are_measured(dtype):
    """Values and slopes within 6 deviations, of 12 values and 6 slopes: one false alarm in 2 * 10^7 seeds."""
    circuit, shots = ql.encoders.angle(3) + ql.ansatze.basic_entangler(3, 2), 4000
    layer = QuantumLayer(circuit, engine=Shots(ENGINE, shots, seed=3), dtype=dtype, seed=2)
    right = QuantumLayer(circuit, engine=CPU, dtype=dtype, seed=2)
    x = torch.linspace(-1, 1, 12, dtype=dtype).reshape(4, 3)
    mine, truth = layer(x), right(x)
    assert mine.dtype == dtype
    assert (mine - truth).abs().max() < 6 / shots**0.5
    mine.sum().backward()
    truth.sum().backward()
    # A slope is half a difference of two means of 3 words at 4 samples, each of variance 1 at most.
    assert (layer.weights.grad - right.weights.grad).abs().max() < 6 * 3 * (4 / 2 / shots) ** 0.5


def test_counts_of_a_batch():
    circuit = circuit_of(2)
    batch = arrays_of(circuit, 2, "f4")
    tables = ql.counts(circuit, 500, batch.inputs, batch.weights, seed=0, engine=ENGINE)
    assert [sum(table.values()) for table in tables] == [500, 500]
