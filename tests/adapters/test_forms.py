"""What adapters add to weights, against matrices of circuits and sums written out."""

from __future__ import annotations

from itertools import combinations, product
from math import comb
from typing import Any

import numpy as np
import pytest
import torch

import qloom as ql
from qloom.adapters import GeneratedConfig, GivensConfig, PauliAdapterConfig, TwoAxisConfig
from qloom.adapters.circuits import ROTATIONS, orthogonal_circuit
from qloom.adapters.columns import Columns
from qloom.adapters.generated import GeneratedForm
from qloom.adapters.givens import GivensForm, compound
from qloom.adapters.pauli import PauliForm
from qloom.adapters.sharing import shared
from qloom.adapters.two_axis import TwoAxisForm, axes_for
from qloom.engines import ReferenceEngine

FORMS: Any = {
    PauliAdapterConfig: PauliForm, TwoAxisConfig: TwoAxisForm, GivensConfig: GivensForm, GeneratedConfig: GeneratedForm,
}  # fmt: skip


def dense(circuit: ql.Circuit, angles: np.ndarray, column: int) -> np.ndarray:
    """A column of the circuit's matrix, by the dense reference."""
    n = circuit.n_qubits
    start = ql.Circuit(n)
    for qubit in range(n):
        if column >> n - 1 - qubit & 1:
            start.x(qubit)
    return ql.state(start + circuit, weights=angles, engine=ReferenceEngine())


@pytest.mark.parametrize("entangle", [True, False])
@pytest.mark.parametrize("random_seed", [None, 3])
@pytest.mark.parametrize("rotations", ROTATIONS)
@pytest.mark.parametrize(("n_qubits", "n_columns"), [(1, 2), (3, 5), (4, 1), (5, 8)])
def test_columns_are_those_of_the_circuits_matrices(
    rotations: str, n_qubits: int, n_columns: int, entangle: bool, random_seed: int | None
) -> None:
    circuit = orthogonal_circuit(n_qubits, 3, rotations, entangle, random_seed)
    angles = np.random.default_rng(0).normal(size=(3, circuit.n_weights))
    found = Columns(circuit, n_columns)(torch.from_numpy(angles)).numpy()
    for k, j in product(range(3), range(n_columns)):
        np.testing.assert_allclose(found[k, j], dense(circuit, angles[k], j), atol=1e-12)


def test_columns_have_exact_slopes() -> None:
    for entangle in (True, False):
        circuit = orthogonal_circuit(3, 2, "pauli", entangle, None)
        angles = torch.randn(2, circuit.n_weights, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        assert torch.autograd.gradcheck(Columns(circuit, 3), (angles.requires_grad_(),))


def test_a_circuit_without_coupling_is_run_qubit_by_qubit() -> None:
    n_largest = max(kind.n_qubits for kind in Columns(orthogonal_circuit(12, 4, "ry-cz", False, None), 4)._groups)
    assert n_largest == 1


@pytest.mark.parametrize("control", [{}, {"entangle": False}, {"random": True}, {"classical": True}])
def test_pauli_is_u_lambda_v(control: dict[str, bool]) -> None:
    form = PauliForm(PauliAdapterConfig(r=3, n_layers=2, scaling=0.5, **control), 8, 16, 0)
    numbers = {name: value.double() for name, value in form.start(torch.Generator().manual_seed(0)).items()}
    numbers["scales"] = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    delta = form.delta(PauliForm.make([form], [numbers])[0], torch.zeros(16, 8))
    if control.get("classical"):
        assert torch.linalg.matrix_rank(delta) == 3
        return
    expected = np.zeros((16, 8))
    for j, scale in enumerate([1.0, -2.0, 0.5]):
        left, right = (
            dense(side.circuit, numbers[name].numpy(), j).real
            for side, name in zip(form.sides, ("left", "right"), strict=True)
        )
        expected += 0.5 * scale * np.outer(left, right)
    np.testing.assert_allclose(delta, expected, atol=1e-12)
    # Widths that are powers of two: U and V are orthogonal, so lambda holds the singular values.
    np.testing.assert_allclose(np.linalg.svd(delta.numpy())[1][:3], [1.0, 0.5, 0.25], atol=1e-12)


def test_layers_of_several_widths_are_made_together_and_alone() -> None:
    forms = [PauliForm(PauliAdapterConfig(r=2), *widths, k) for k, widths in enumerate([(8, 8), (24, 8), (8, 24)])]
    numbers = [form.start(torch.Generator().manual_seed(k)) for k, form in enumerate(forms)]
    numbers = [{**each, "scales": torch.ones(2)} for each in numbers]
    for k, made in enumerate(PauliForm.make(forms, numbers)):
        alone = PauliForm.make([forms[k]], [numbers[k]])[0]
        assert all(torch.equal(a, b) for a, b in zip(made, alone, strict=True))
        assert made[0].shape == (2, forms[k].n_in)
        assert made[1].shape == (forms[k].n_out, 2)


def test_two_axis_chain_is_the_product_of_its_tensors() -> None:
    form = TwoAxisForm(TwoAxisConfig(axes=[2, 3, 2]), 12, 12, 0)
    numbers = torch.randn(form.n_numbers, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    delta = TwoAxisForm.make([form], [{"tensors": numbers}])[0][0]
    whole, start = np.eye(12), 0
    for a, b in combinations(range(3), 2):
        size = form.axes[a] * form.axes[b]
        small = np.eye(size) + numbers[start : start + size**2].reshape(size, size).numpy()
        start += size**2
        big = np.zeros((12, 12))
        for row, column in product(np.ndindex(2, 3, 2), np.ndindex(2, 3, 2)):
            if all(row[k] == column[k] for k in range(3) if k not in (a, b)):
                places = row[a] * form.axes[b] + row[b], column[a] * form.axes[b] + column[b]
                big[np.ravel_multi_index(row, (2, 3, 2)), np.ravel_multi_index(column, (2, 3, 2))] = small[places]
        whole = big @ whole
    np.testing.assert_allclose(delta, whole - np.eye(12), atol=1e-11)


def test_two_axis_without_entanglement_is_a_kronecker_product_on_most_rows() -> None:
    form = TwoAxisForm(TwoAxisConfig(axes=[3, 4], entangle=False), 12, 12, 0)
    numbers = torch.randn(form.n_numbers, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 0.1
    whole = TwoAxisForm.make([form], [{"tensors": numbers}])[0][0].numpy() + np.eye(12)
    n_left = 144 - 5 * (9 + 16) - 2 * 9  # tensors on axes of 3 and 4 in turn, while one fits
    rows = (whole / np.concatenate([1 + numbers.numpy()[-n_left:], np.ones(12 - n_left)])[:, None]).reshape(3, 4, 3, 4)
    realigned = rows.transpose(0, 2, 1, 3).reshape(9, 16)
    assert np.linalg.matrix_rank(realigned, tol=1e-10) == 1  # one Kronecker product has operator Schmidt rank 1


@pytest.mark.parametrize(
    ("width", "largest", "axes"),
    [
        (384, 8, (8, 8, 6)),
        (512, 2, (2,) * 9),
        (16, 8, (8, 2)),
        (7, 8, (4, 2)),
        (17, 8, (6, 3)),
        (1536, 16, (16, 12, 8)),
    ],
)
def test_axes_fit_the_width(width: int, largest: int, axes: tuple[int, ...]) -> None:
    assert axes_for(width, largest) == axes


@pytest.mark.parametrize("control", [{}, {"entangle": False}, {"random": True}])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_givens_block_is_what_the_circuit_does_to_states_of_as_many_ones(order: int, control: dict[str, bool]) -> None:
    m = 5
    form = GivensForm(GivensConfig(n_modes=m, order=order, **control), comb(m, order), 4, 0)
    angles = torch.randn(form.n_angles, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    block = GivensForm.make([form], [{"angles": angles}])[0][0][0].numpy()
    subsets = list(combinations(range(m), order))
    indices = [sum(1 << m - 1 - q for q in subset) for subset in subsets]
    circuit = form.turn(ql.Circuit(m), angles.tolist())
    for column, subset in enumerate(subsets):
        start = ql.Circuit(m)
        for qubit in subset:
            start.x(qubit)
        state = ql.state(start + circuit, engine=ReferenceEngine())
        if form.is_circuit:
            np.testing.assert_allclose(state[indices].real, block[:, column], atol=1e-12)
    # Pairs of a random circuit are no neighbours: two ones that pass each other would change a sign.
    assert form.is_circuit == (not control.get("random") or order == 1)
    assert (form.circuit() is not None) == form.is_circuit


def test_givens_changes_are_turns() -> None:
    for control in ({}, {"classical": True}, {"random": True}, {"entangle": False}):
        form = GivensForm(GivensConfig(n_modes=4, order=2, **control), 14, 3, 0)  # two blocks of 6, 2 left over
        angles = torch.randn(form.n_angles, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        made = GivensForm.make([form], [{"angles": angles}])[0]
        x = torch.randn(5, 14, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
        turned = x + form.turned(x, made)
        torch.testing.assert_close(turned.norm(dim=1), x.norm(dim=1))
        assert torch.equal(turned[:, 12:], x[:, 12:])
        weight = torch.randn(3, 14, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
        changed = weight + form.delta(made, weight)
        torch.testing.assert_close(x @ changed.T, turned @ weight.T)
        torch.testing.assert_close(form.restored(made, changed), weight)


def test_compounds_multiply() -> None:
    a, b = torch.randn(2, 1, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(compound(a @ b, 3), compound(a, 3) @ compound(b, 3))  # Cauchy and Binet


def test_generated_chunks_come_from_probabilities_of_the_circuit() -> None:
    form = GeneratedForm(GeneratedConfig(r=2, chunk=4, n_hidden=3, n_layers=2), 8, 6, 0)
    numbers = {name: value.double() for name, value in form.start(torch.Generator().manual_seed(0)).items()}
    numbers["scale"] = torch.tensor([1.0], dtype=torch.float64)
    a, b = GeneratedForm.make([form], [numbers])[0]
    n = form.column.circuit.n_qubits
    shares = ql.probabilities(form.column.circuit, weights=numbers["angles"].numpy()) * 2**n
    made = []
    for i in range(7):  # 2 (8 + 6) / 4
        bits = [2 * (i >> k & 1) - 1 for k in range(16)]
        hidden = np.tanh(numbers["first"].numpy() @ np.array([*bits, shares[i], 1.0]))
        made.extend(numbers["second"].numpy() @ np.array([*hidden, 1.0]))
    np.testing.assert_allclose(a.flatten(), made[:16], atol=1e-12)
    np.testing.assert_allclose(b.flatten(), np.array(made[16:]) / 8**0.5, atol=1e-12)


@pytest.mark.parametrize("control", [{"entangle": False}, {"random": True}, {"classical": True}])
@pytest.mark.parametrize("config", [PauliAdapterConfig, TwoAxisConfig, GivensConfig, GeneratedConfig])
def test_a_control_moves_about_as_far_in_a_step(config: Any, control: dict[str, bool]) -> None:
    """Trained at the adapter's rate: what the weight changes by in three steps, within a factor of ten."""
    slope = torch.randn(64, 48, generator=torch.Generator().manual_seed(1))

    def moved(**more: bool) -> float:
        made = config(**more)
        form = FORMS[config](made, 48, 64, 0)
        numbers = {name: each.requires_grad_() for name, each in form.start(torch.Generator().manual_seed(0)).items()}
        optimizer = torch.optim.Adam(list(numbers.values()), 0.01)
        for _ in range(3):
            optimizer.zero_grad()
            (form.delta(form.make([form], [numbers])[0], torch.eye(64, 48)) * slope).sum().backward()
            optimizer.step()
        return float(form.delta(form.make([form], [numbers])[0], torch.eye(64, 48)).detach().norm())

    own = {"r": 8} if config in (PauliAdapterConfig, GeneratedConfig) else {}
    assert 0.1 < moved(**own, **control) / moved(**own) < 10


def test_numbers_are_shared_evenly() -> None:
    places = shared(torch.arange(1.0, 8.0), 30, seed=0)
    _, counts = np.unique(places.abs().numpy(), return_counts=True)
    assert sorted(counts) == [4, 4, 4, 4, 4, 5, 5]
    gram = torch.stack([shared(row, 28, seed=0) for row in torch.eye(7)])
    torch.testing.assert_close(gram @ gram.T, 4 * torch.eye(7))  # an isometry up to a factor


def test_small_steps_of_givens_reach_turns_of_any_two_modes() -> None:
    """As many directions at the start as there are pairs of modes; without entanglement as many as pairs that meet."""
    for control, n_directions in (({}, 15), ({"entangle": False}, 3)):
        form = GivensForm(GivensConfig(n_modes=6, **control), 6, 6, 0)

        def turned(angles: torch.Tensor, form: GivensForm = form) -> torch.Tensor:
            return GivensForm.make([form], [{"angles": angles}])[0][0].flatten()

        start = torch.zeros(form.n_angles, dtype=torch.float64)
        assert torch.equal(turned(start).reshape(6, 6).round(decimals=6).abs(), torch.eye(6, dtype=torch.float64))
        slopes = torch.autograd.functional.jacobian(turned, start)
        assert torch.linalg.matrix_rank(slopes, rtol=1e-6) == n_directions
