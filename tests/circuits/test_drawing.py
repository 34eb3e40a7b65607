"""Drawings hold every gate, qubit and angle, and keep to the room they are given."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyBboxPatch

from qloom.circuits import GATES, Circuit
from qloom.circuits.drawing.layout import layout
from qloom.errors import CircuitError
from tests.circuits.strategies import circuits

mpl.use("Agg")
WORDS = {"id": "I", "sdg": "S†", "tdg": "T†", "sx": "√X", "sxdg": "√X†", "rot": "Rot", "iswap": "iSWAP",
         "givens": "Givens", "global_phase": "Phase", "measure": "M", "reset": "|0⟩", "bit_flip": "X?",
         "phase_flip": "Z?", "bit_phase_flip": "Y?", "depolarizing": "Depol", "pauli_channel": "Pauli",
         "amplitude_damping": "Decay", "generalized_amplitude_damping": "GDecay", "phase_damping": "Dephase",
         "thermal_relaxation": "Relax", "reset_error": "Reset?", "readout_error": "Read?"}  # fmt: skip
few = settings(max_examples=60, deadline=None)


@pytest.fixture(autouse=True)
def _close_figures() -> Iterator[None]:
    yield
    plt.close("all")


def layered(n_qubits: int, n_layers: int) -> Circuit:
    circuit = Circuit(n_qubits)
    x, w = circuit.inputs(n_qubits), circuit.weights(n_layers, n_qubits, 3)
    for layer in w:
        for q in range(n_qubits):
            circuit.ry(x[q], q).rot(*layer[q], q)
        for q in range(n_qubits):
            circuit.cx(q, (q + 1) % n_qubits)
    return circuit


def drawn(circuit: Circuit, width: int = 110) -> list[str]:
    return circuit.draw(width).splitlines()


class TestText:
    def test_small_circuit_by_eye(self) -> None:
        circuit = Circuit(3)
        x, w = circuit.inputs(1), circuit.weights(3)
        circuit.h(0).ry(x[0], 1).cx(0, 2).rot(*w, 1).cz(1, 2).swap(0, 1)
        assert drawn(circuit) == [
            "q0: ─H────────╭●────────────────────────╭×─",
            "q1: ─RY(x[0])─┼──Rot(w[0],w[1],w[2])─╭●─╰×─",
            "q2: ──────────╰⊕─────────────────────╰●────",
        ]

    def test_box_over_some_qubits(self) -> None:
        """Word letters stand at their own qubits; a wire that only passes crosses the sides."""
        assert drawn(Circuit(4).pauli_rotation(0.5, "XZY", (3, 0, 2))) == [
            "q0: ─╭Z RXZY(0.5)╮─",
            "q1: ─┼───────────┼─",
            "q2: ─├Y          ┤─",
            "q3: ─╰X          ╯─",
        ]

    def test_controls_of_made_gates(self) -> None:
        circuit = Circuit(2).rx(0.5, 0).x(1).controlled().controlled()
        assert drawn(circuit) == [
            "q0: ─╭●───────╭●─",
            "q1: ─├●───────├●─",
            "q2: ─╰RX(0.5)─┼──",
            "q3: ──────────╰⊕─",
        ]

    @pytest.mark.parametrize("name", GATES)
    def test_every_gate(self, name: str) -> None:
        gate = GATES[name]
        angles = [0.125 * (k + 1) for k in range(gate.n_angles)]
        rows = drawn(Circuit(4).append(gate, angles, (3, 1, 2, 0)[: gate.n_qubits]))
        text = "\n".join(rows)
        if name in ("cx", "ccx"):
            assert [row.count("⊕") for row in rows] == ([0, 1, 0, 0] if name == "cx" else [0, 0, 1, 0])
        elif name in ("swap", "cswap"):
            assert text.count("×") == 2
        elif name in ("cz", "ccz"):
            assert text.count("●") == gate.n_qubits
        else:
            inner = name[1:] if name in ("cy", "ch", "cs", "csdg", "csx", "crx", "cry", "crz", "cp", "cu") else name
            assert WORDS.get(inner, inner.upper()) in text
            assert ("●" in rows[3]) == (inner != name)
        assert all(f"{angle:.4g}" in text for angle in angles)
        touched = {row for row in range(4) if set(rows[row][4:]) != {"─"}}
        assert touched >= set((3, 1, 2, 0)[: gate.n_qubits])

    @pytest.mark.parametrize(
        ("angle", "text"),
        [(np.pi, "π"), (-np.pi / 2, "-π/2"), (3 * np.pi / 4, "3π/4"), (2 * np.pi, "2π"), (0.0, "0"),
         (3.14, "3.14"), (1 / 3, "0.3333"), (1e-7, "1e-07")],
    )  # fmt: skip
    def test_numbers_are_short(self, angle: float, text: str) -> None:
        assert drawn(Circuit(1).rx(angle, 0)) == [f"q0: ─RX({text})─"]

    def test_slots_are_shown_with_scale_and_offset(self) -> None:
        circuit = Circuit(1)
        x = circuit.inputs(2)
        circuit.rx(2 * x[0] + 0.1, 0).ry(-x[1], 0).rz(x[0] - np.pi / 2, 0)
        assert drawn(circuit) == ["q0: ─RX(2*x[0]+0.1)─RY(-x[1])─RZ(x[0]-π/2)─"]

    def test_initial_amplitudes_come_first(self) -> None:
        circuit = Circuit(2)
        circuit.inputs(1)
        circuit.prepare_amplitudes(circuit.inputs(4), circuit.inputs(4)).h(0)
        assert drawn(circuit) == ["q0: ─╭ψ(x[1…4],i x[5…8])╮─H─", "q1: ─╰                  ╯───"]
        assert "ψ(given)" in Circuit(1).prepare_amplitudes([0, 1]).draw()

    def test_empty_circuit_has_its_wires(self) -> None:
        assert drawn(Circuit(11))[0] == "q0:  ─"
        assert drawn(Circuit(11))[10] == "q10: ─"

    @few
    @given(circuits(amplitudes=True))
    def test_rows_align_and_name_every_qubit(self, circuit: Circuit) -> None:
        rows = drawn(circuit, 10_000)
        assert len(rows) == circuit.n_qubits
        assert len(set(map(len, rows))) == 1
        assert [row.split(":")[0] for row in rows] == [f"q{q}" for q in range(circuit.n_qubits)]

    @few
    @given(circuits(amplitudes=True, max_gates=25))
    def test_folds_keep_to_the_width_and_lose_nothing(self, circuit: Circuit) -> None:
        whole, folded = drawn(circuit, 10_000), drawn(circuit, 90)
        assert max(map(len, folded)) <= 90
        heads = [line for line in folded if line.startswith("[")]
        assert heads == [f"[{k} of {len(heads)}]" for k in range(1, len(heads) + 1)]
        for q, row in enumerate(whole):
            pieces = [line[4:] for line in folded if line.startswith(f"q{q}:")]
            assert "".join([pieces[0], *(piece[1:] for piece in pieces[1:])]) == row[4:]

    def test_label_that_is_too_long_is_cut(self) -> None:
        row = drawn(Circuit(1).u(0.1111, 0.2222, 0.3333, 0), 20)[0]
        assert row == "q0: ─U(0.1111,0.22…─"
        assert len(row) <= 20

    def test_width_that_is_too_small(self) -> None:
        with pytest.raises(CircuitError, match="max_width is 19, expected at least 20 characters"):
            Circuit(1).draw(19)

    def test_str_is_the_drawing(self) -> None:
        assert str(Circuit(1).h(0)) == "q0: ─H─"


class TestLayout:
    @few
    @given(circuits())
    def test_nothing_overlaps_and_order_is_kept(self, circuit: Circuit) -> None:
        taken: dict[int, int] = {}
        items = layout(circuit)
        assert len(items) == len(circuit)
        for item, op in zip(items, circuit.operations, strict=True):
            assert {*item.symbols, *item.roles} == set(op.qubits)
            for row in item.rows:
                assert taken.get(row, -1) < item.column
                taken[row] = item.column


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def patches(ax: Axes, kind: type) -> list[FancyBboxPatch | Circle]:
    return [patch for patch in ax.patches if isinstance(patch, kind)]


class TestFigure:
    def test_every_gate_and_qubit_of_a_layered_circuit(self) -> None:
        ax = layered(8, 4).plot()
        rows = texts(ax).count("q0")
        assert all(texts(ax).count(f"q{q}") == rows for q in range(8))
        assert texts(ax).count("RY") == texts(ax).count("Rot") == 32
        assert {"x[0]", "x[7]", "w[0…2]", "w[93…95]"} <= set(texts(ax))
        n_legend = 2
        assert len(patches(ax, FancyBboxPatch)) == 64 + n_legend
        assert len(patches(ax, Circle)) == 2 * 32

    def test_fills_tell_inputs_weights_and_constants_apart_in_grey_too(self) -> None:
        circuit = Circuit(1)
        circuit.rx(circuit.inputs(1)[0], 0).ry(circuit.weights(1)[0], 0).h(0)
        boxes = patches(circuit.plot(), FancyBboxPatch)[:3]
        grey = [np.dot(box.get_facecolor()[:3], (0.299, 0.587, 0.114)) for box in boxes]
        assert min(abs(np.diff(sorted(grey)))) > 0.05

    @pytest.mark.parametrize("name", GATES)
    def test_every_gate(self, name: str) -> None:
        gate = GATES[name]
        circuit = Circuit(4)
        ax = circuit.append(gate, circuit.weights(gate.n_angles), (3, 1, 2, 0)[: gate.n_qubits]).plot()
        named = {WORDS.get(name, name.upper()), WORDS.get(name[1:], name[1:].upper())} & set(texts(ax))
        symbols = len(patches(ax, Circle)) + len([line for line in ax.lines if line.get_linewidth() == 1.4])
        assert named or symbols >= 2

    @settings(max_examples=25, deadline=None)
    @given(circuits(amplitudes=True))
    def test_texts_stay_inside_and_boxes_apart(self, circuit: Circuit) -> None:
        ax = circuit.plot()
        ax.figure.canvas.draw()
        frame = ax.get_window_extent()
        boxes = [patch.get_window_extent() for patch in patches(ax, FancyBboxPatch)]
        for k, box in enumerate(boxes):
            assert frame.x0 <= box.x0 < box.x1 <= frame.x1
            assert frame.y0 <= box.y0 < box.y1 <= frame.y1
            assert not any(box.overlaps(other) for other in boxes[:k])
        for text in ax.texts:
            extent = text.get_window_extent()
            assert frame.x0 <= extent.x0
            assert extent.x1 <= frame.x1
            assert frame.y0 <= extent.y0
        plt.close(ax.figure)

    def test_long_circuits_fold_into_rows_of_a_page(self) -> None:
        ax = layered(3, 12).plot()
        assert texts(ax).count("q0") > 1
        assert ax.figure.get_size_inches()[0] < 13.5

    def test_given_axes_are_used_and_filled(self) -> None:
        figure, axes = plt.subplots(1, 2, figsize=(10, 4))
        circuit = layered(4, 3)
        assert circuit.plot(axes[1]) is axes[1]
        assert not axes[0].texts
        figure.canvas.draw()
        frame, extents = axes[1].get_window_extent(), [t.get_window_extent() for t in axes[1].texts]
        assert max(e.x1 for e in extents) <= frame.x1
        assert max(e.x1 for e in extents) - min(e.x0 for e in extents) > 0.5 * frame.width

    def test_empty_circuit(self) -> None:
        assert texts(Circuit(2).plot()) == ["q0", "q1"]
