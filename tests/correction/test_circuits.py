"""Circuits of codes: distances, detectors that never fire without noise, and where noise stands."""

import pytest
import stim

from qloom.correction import LayerNoise, memory_experiment
from qloom.correction.color_circuit import Triangle, color_circuit, color_words
from qloom.correction.layers import with_layer_noise
from qloom.correction.surface_circuit import Patch, surface_circuit

QUIET = LayerNoise()
IDLES = LayerNoise.uniform(0.001)


@pytest.mark.parametrize("make", [surface_circuit, color_circuit, color_words])
@pytest.mark.parametrize("basis", ["X", "Z"])
@pytest.mark.parametrize("distance", [3, 5])
def test_without_noise_nothing_fires(make, basis, distance):
    circuit = make(distance, 3, basis)
    detectors, flips = circuit.compile_detector_sampler(seed=1).sample(64, separate_observables=True)
    assert not detectors.any()
    assert not flips.any()
    # Stim refuses detectors and observables that are not determined.
    circuit.detector_error_model()


@pytest.mark.parametrize("basis", ["X", "Z"])
@pytest.mark.parametrize("distance", [3, 5])
def test_the_surface_circuit_has_its_full_distance(basis, distance):
    circuit = memory_experiment("rotated_surface", distance=distance, rounds=3, noise=IDLES, basis=basis).circuit
    assert len(circuit.shortest_graphlike_error()) == distance
    assert circuit.num_qubits == 2 * distance**2 - 1


@pytest.mark.parametrize("distance", [3, 5, 7])
def test_patches_have_their_words(distance):
    patch = Patch(distance)
    words = {basis: [patch.neighbours(spot, basis) for spot in patch.ancillas(basis)] for basis in "XZ"}
    for basis in "XZ":
        assert len(words[basis]) == (distance**2 - 1) // 2
        logical = set(patch.logical(basis))
        assert len(logical) == distance
        assert all(len(logical & set(word)) % 2 == 0 for word in words["Z" if basis == "X" else "X"])
    assert all(len({*x} & {*z} - {None}) % 2 == 0 for x in words["X"] for z in words["Z"])


@pytest.mark.parametrize("distance", [3, 5, 7])
def test_triangles_have_their_words(distance):
    triangle = Triangle(distance)
    words = [set(triangle.around(face)) for face in triangle.faces]
    assert len(triangle.data) == (3 * distance**2 + 1) // 4
    assert len(words) == (3 * distance**2 - 3) // 8
    assert {len(word) for word in words} <= {4, 6}
    assert all(len(a & b) % 2 == 0 for a in words for b in words)
    assert len(triangle.logical) == distance
    assert all(len(set(triangle.logical) & word) % 2 == 0 for word in words)
    # Faces that share qubits have different colors.
    rows = [face[1] % 3 for face in triangle.faces]
    assert all(rows[i] != rows[j] for i, a in enumerate(words) for j, b in enumerate(words) if i != j and a & b)


def test_three_errors_pass_the_smallest_color_circuit():
    for basis in "XZ":
        circuit = memory_experiment("color", distance=3, rounds=3, noise=IDLES, basis=basis).circuit
        shortest = circuit.search_for_undetectable_logical_errors(
            dont_explore_detection_event_sets_with_size_above=6,
            dont_explore_edges_with_degree_above=6,
            dont_explore_edges_increasing_symptom_degree=False,
        )
        assert len(shortest) == 3


def test_layers_get_their_noise():
    plain = stim.Circuit("""
        R 0 1
        RX 2
        TICK
        H 0
        TICK
        CX 0 1
        TICK
        M 1
        MX 2
        DETECTOR rec[-1]
    """)
    expected = stim.Circuit("""
        R 0 1
        RX 2
        X_ERROR(0.04) 0 1
        Z_ERROR(0.04) 2
        TICK
        H 0
        DEPOLARIZE1(0.01) 0
        DEPOLARIZE1(0.03) 1 2
        TICK
        CX 0 1
        DEPOLARIZE2(0.02) 0 1
        DEPOLARIZE1(0.03) 2
        TICK
        M(0.05) 1
        MX(0.05) 2
        DETECTOR rec[-1]
        DEPOLARIZE1(0.03) 0
    """)
    assert with_layer_noise(plain, LayerNoise(0.01, 0.02, 0.03, 0.04, 0.05)) == expected
    assert with_layer_noise(plain, QUIET) == plain


def test_six_layers_a_round():
    circuit = memory_experiment("rotated_surface", distance=3, rounds=4, noise=IDLES, basis="X").circuit
    assert circuit.num_ticks == 4 * 6 - 1
    # Every qubit is worked on or idles in every layer: the resets, 12 of CX, measurements.
    text = str(surface_circuit(3, 4, "X"))
    assert text.count("CX") == 16
    assert "H " not in text
