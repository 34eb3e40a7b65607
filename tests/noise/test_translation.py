"""Circuits in a device's gates: the same unitary, no gate that the device lacks, few gates where few do."""

import numpy as np
import pytest

from qloom.circuits import Circuit
from qloom.engines import ReferenceEngine, expectation, probabilities, state
from qloom.errors import CircuitError
from qloom.noise import NoiseModel, compiled
from qloom.noise.compilation.device_gates import gate_errors
from qloom.observables import X, Y, Z
from tests.noise.test_calibrations import device
from tests.shared import shared

FLIP = Circuit(1).bit_flip(0.0, 0)


def made(entangler, pairs, both=True, one="sx"):
    """A device without noise."""
    model = NoiseModel(entangler, free=("rz",), is_strict=True).after(one, FLIP)
    for a, b in pairs:
        model = model.after(entangler, FLIP, (a, b))
        if both:
            model = model.after(entangler, FLIP, (b, a))
    return model


LINE = [(0, 1), (1, 2), (2, 3)]
DEVICES = [
    made("cz", LINE), made("cx", LINE, False), made("ecr", [(1, 0), (1, 2), (3, 2)], False),
    made("cz", LINE, one="one_qubit"), made("cx", [(0, 1), (0, 2), (0, 3)]),
]  # fmt: skip


def circuits():
    """Of every gate, with slots, far pairs, words of three letters, and random one-qubit gates between."""
    generator, found = np.random.default_rng(0), []
    for _ in range(4):
        circuit = Circuit(4)
        w = circuit.weights(3)
        circuit.h(0).rot(*generator.normal(size=3), 1).rx(w[0], 2).ry(2 * w[1] + 0.3, 0).cx(0, 1).u(
            *generator.normal(size=3), 3
        )
        circuit.cz(1, 3).ecr(2, 0).rzz(w[2], 0, 3).swap(1, 2).sx(2).x(3).cp(0.4, 3, 1).ch(0, 2).t(1).y(0)
        circuit.pauli_rotation(w[0], "XZY", (3, 0, 2)).cx(3, 2).rxx(np.pi / 2, 1, 2).ryy(-np.pi / 2, 2, 3).rzz(
            np.pi, 0, 1
        )
        found.append(circuit.ccx(0, 1, 2) if len(found) % 2 else circuit.iswap(0, 1).rz(w[1], 2))
    return found


@pytest.mark.parametrize("model", DEVICES, ids=["cz", "cx", "ecr", "any one-qubit", "star"])
def test_the_unitary_is_the_same_in_the_devices_gates(model):
    for k, circuit in enumerate(circuits()):
        weights = np.random.default_rng(k).normal(size=3)
        found = compiled(circuit, model)  # far pairs are brought together, then it is translated
        translated = found.circuit
        found.model.apply(translated)  # refuses gates that it lacks
        a, b = (state(c, weights=weights) for c in (circuit, translated))
        assert abs(np.vdot(a, b)) == pytest.approx(1, abs=1e-10)


def test_few_gates_where_few_do():
    model = made("cz", LINE)
    for circuit, counts in (
        (Circuit(2).h(0).cx(0, 1), {"sx": 2 + 1, "cz": 1}),  # H before and behind the CZ, H on the other
        (Circuit(1).h(0).h(0), {}),
        (Circuit(1).rz(0.3, 0).t(0).s(0), {}),
        (Circuit(2).rzz(np.pi / 2, 0, 1), {"cz": 1}),
        (Circuit(2).rzz(0.3, 0, 1), {"cz": 2, "sx": 4}),
    ):
        found = model.translated(circuit).gate_counts()
        assert {name: n for name, n in found.items() if name != "rz"} == counts


def test_measurements_and_channels_stay_where_they_are():
    circuit = Circuit(2).h(0).measure(0).h(0).depolarizing(0.1, 0, 1).cx(0, 1).readout_error(0.1, 0.2, 0)
    words = [Z(0), X(1), Y(0) @ X(1), Z(0) @ Z(1)]
    found = expectation(made("cx", LINE).translated(circuit), words, engine=ReferenceEngine())
    assert found == pytest.approx(expectation(circuit, words, engine=ReferenceEngine()), abs=1e-12)


def test_what_cannot_be_translated_is_refused():
    with pytest.raises(CircuitError, match="qubits 0 and 3 are not joined in cz, expected a way"):
        made("cz", [(0, 1), (2, 3)]).translated(Circuit(4).cz(0, 3))
    with pytest.raises(CircuitError, match="expected sx or one_qubit"):
        NoiseModel().after("h", FLIP).translated(Circuit(1).x(0))
    with pytest.raises(CircuitError, match="starts from given amplitudes"):
        made("cz", LINE).translated(Circuit(1).prepare_amplitudes([0, 1]))


def test_of_a_pairs_gates_the_one_that_errs_least_is_taken():
    """Whatever order they were given in, and the same in every process."""
    errors = {("cx", (1, 0)): 0.02, ("ecr", (0, 1)): 0.01, ("cx", (0, 1)): 0.03}
    for order in (1, -1):
        model = NoiseModel("pair", free=("rz",)).after("sx", FLIP)
        for (gate, pair), error in list(errors.items())[::order]:
            model = model.after(gate, Circuit(2).depolarizing(error, 0, 1), pair)
        assert gate_errors(model) == pytest.approx({key: 0.8 * error for key, error in errors.items()})
        assert model.translated(Circuit(2).rzz(0.3, 0, 1)).gate_counts()["ecr"] == 2
        twice = model.after("ecr", Circuit(2).depolarizing(0.02, 0, 1), (0, 1))
        gates = [op for op in twice.translated(Circuit(2).rzz(0.3, 0, 1)).operations if len(op.qubits) == 2]
        assert {(op.gate.name, op.qubits) for op in gates} == {("cx", (1, 0))}


@shared
@pytest.mark.parametrize(
    "name", ["ibm_manila", "ibm_lagos", "ibm_guadalupe", "ibm_kyiv", "ibm_torino", "google_willow_pink"]
)
def test_circuits_run_on_real_devices(name):
    model = device(name)
    placed = compiled(Circuit(4).h(0).cx(0, 1).cx(1, 2).cx(2, 3), model)
    found = probabilities(placed.model.without_readout().apply(placed.circuit), engine=ReferenceEngine())
    assert found.sum() == pytest.approx(1)
    assert 0.8 < found[0] + found[-1] < 1
