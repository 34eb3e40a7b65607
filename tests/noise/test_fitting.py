"""Rates learnt from counts: synthetic ones of known rates, and recorded ones of published rates."""

import numpy as np
import pytest

from benchmarks.noise.recorded import programs, readout_error
from qloom.circuits import Circuit
from qloom.engines import ReferenceEngine, StatevectorEngine, probabilities
from qloom.engines.density import DensityEngine
from qloom.errors import CircuitError, UnsupportedError
from qloom.noise import NoiseModel, fit
from tests.shared import shared

TRUE = NoiseModel.uniform(0.004, 0.02, 0.03)
START = NoiseModel.uniform(0.01, 0.01, 0.01)
NAMES = ("one_qubit", "two_qubit", "readout")


def circuits():
    """Gates that undo each other, of several lengths, on two qubits: what is left tells the rates."""
    made = [Circuit(2)]
    for length in (4, 12):
        made.append(Circuit(2))
        for _ in range(length):
            made[-1].x(0).x(1)
        made.append(Circuit(2).h(0))
        for _ in range(length):
            made[-1].cx(0, 1)
        made[-1].h(0)
    return made


def counted(shares, shots, generator):
    counts = generator.multinomial(shots, shares / shares.sum())
    width = len(shares).bit_length() - 1
    return {f"{k:0{width}b}": int(count) for k, count in enumerate(counts) if count}


def exact_shares(model):
    return [probabilities(model.apply(circuit), engine=ReferenceEngine()) for circuit in circuits()]


def test_shares_themselves_give_the_rates_back():
    tables = [{f"{k:02b}": 1e6 * share for k, share in enumerate(shares)} for shares in exact_shares(TRUE)]
    found = fit(START, circuits(), tables, NAMES, engine=DensityEngine())
    assert found.values == pytest.approx([0.004, 0.02, 0.03], rel=1e-6)
    assert found.model == pytest.approx(found.model)
    assert found.names == NAMES
    again = fit(found.model, circuits(), tables, NAMES, engine=DensityEngine())
    assert again.values == pytest.approx(found.values, rel=1e-7)
    assert str(found).count("95%") == 3


@pytest.mark.parametrize(("experiments", "least"), [(20, 49), pytest.param(100, 270, marks=pytest.mark.slow)])
def test_intervals_hold_the_rates_as_often_as_they_say(experiments, least):
    """Of 3 rates an experiment, 95% intervals: fewer than 49 of 60, or 270 of 300, once in 10^4 or less if they do."""
    generator, shares, truth = np.random.default_rng(4), exact_shares(TRUE), [0.004, 0.02, 0.03]
    held = 0
    for _ in range(experiments):
        tables = [counted(each, 1000, generator) for each in shares]
        intervals = fit(TRUE, circuits(), tables, NAMES, engine=DensityEngine()).intervals()
        held += ((intervals[:, 0] <= truth) & (intervals[:, 1] >= truth)).sum()
    assert held >= least


def test_errors_are_those_of_the_information():
    """Readout alone on one bit: p with variance p (1 - p) / shots."""
    found = fit(
        NoiseModel.uniform(readout=0.1), [Circuit(1)], [{"0": 900, "1": 100}], "readout", engine=DensityEngine()
    )
    assert found.values == pytest.approx([0.1])
    assert found.errors == pytest.approx([np.sqrt(0.09 / 1000)])
    assert found.log_likelihood == pytest.approx(900 * np.log(0.9) + 100 * np.log(0.1))


def test_several_rates_of_a_name_have_one_factor():
    device = (
        NoiseModel("device").after("x", Circuit(1).bit_flip(0.01, 0), [0]).after("x", Circuit(1).bit_flip(0.03, 0), [1])
    )
    tables = [{"10": 0.02 * 0.94, "00": 0.02 * 0.06, "01": 0.0, "11": 0.0}]
    circuit = Circuit(2).x(0).x(1)
    shares = probabilities(device.scaled(2).apply(circuit), engine=ReferenceEngine())
    tables = [{f"{k:02b}": 1e5 * share for k, share in enumerate(shares)}]
    found = fit(device, [circuit], tables, "x", engine=DensityEngine())
    assert found.values == pytest.approx([2.0])
    assert found.model.apply(circuit).operations[1].angles[0].offset == pytest.approx(0.02)


def test_crosstalk_joins_qubits_that_no_gate_does():
    model = NoiseModel().after("cx", Circuit(2).depolarizing(0.05, 0, 1)).with_crosstalk(0.4, [(1, 2)])
    circuit = Circuit(3).h(2).cx(0, 1).h(2)
    shares = probabilities(model.apply(circuit), engine=ReferenceEngine())
    tables = [{f"{k:03b}": 1e6 * share for k, share in enumerate(shares)}]
    found = fit(model.scaled(1.2), [circuit], tables, ("cx", "crosstalk"), engine=DensityEngine())
    assert found.values == pytest.approx([0.05, 0.4], rel=1e-5)


@pytest.mark.parametrize(("model", "counts", "free", "names"), [
    (START, [{"00": 1}], "cx", "rates of cx, expected some of one_qubit, two_qubit, readout"),
    (START, [{"00": 1}], ("one_qubit",), "counts tell nothing of one_qubit"),
    (START, [{"0": 1}], "readout", "string '0', expected 2 bits"),
    (START, [{"00": -1}], "readout", "counted -1 times"),
    (START, [{}], "readout", "counts of a circuit are empty"),
    (START, [], "readout", "1 circuits and 0 counts"),
    (START, [{"00": 1}], (), "fit of no rates"),
    (NoiseModel.uniform(0.0, readout=0.1), [{"00": 1}], "one_qubit", "one_qubit has rates of 0"),
])  # fmt: skip
def test_what_cannot_be_fitted_is_refused(model, counts, free, names):
    with pytest.raises(CircuitError, match=names):
        fit(model, [Circuit(2)], counts, free, engine=DensityEngine())


def test_engines_that_do_not_walk_back_are_refused():
    with pytest.raises(UnsupportedError, match="fit needs an exact engine that walks back"):
        fit(START, [Circuit(1)], [{"0": 9, "1": 1}], "readout", engine=ReferenceEngine())
    with pytest.raises(UnsupportedError, match=r"takes .* gates only, got depolarizing"):
        fit(START, [Circuit(1).x(0)], [{"0": 9, "1": 1}], "one_qubit", engine=StatevectorEngine())


@shared
@pytest.mark.slow
def test_recorded_programs_give_the_published_two_qubit_error():
    """15 programs on four pairs of H2-1: 1.28(8)e-3 of the two-qubit gate, within twice both errors together.

    Of one-qubit gates the published error is taken, of readout that of the machine's own counts.
    """
    model = NoiseModel.uniform(1.5 * 2.9e-5, 2e-3, readout_error("H2-1 2024_05_20"), free=("rz",))
    found = fit(model, *programs(), ("two_qubit",), engine=DensityEngine())
    infidelity, error = 0.8 * found.values[0], 0.8 * found.errors[0]
    assert abs(infidelity - 1.28e-3) <= 2 * np.hypot(error, 0.08e-3)
