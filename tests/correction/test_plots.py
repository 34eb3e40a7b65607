"""Pictures: a curve for each distance or noise, and what stands beside them."""

from math import exp, log

import pytest

from qloom.correction import plot_distance, plot_threshold
from qloom.errors import ConfigError
from tests.correction.test_scaling import made

NOISES = (0.007, 0.009, 0.011)
RESULTS = [made(d, p, 0.01 * exp(0.5 * d * log(p / 0.0095)), 10**6) for d in (3, 5, 7) for p in NOISES]


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_thresholds_have_a_curve_for_each_distance():
    ax = plot_threshold(RESULTS)
    assert [label for label in labels(ax) if label.startswith("distance")] == [f"distance {d}" for d in (3, 5, 7)]
    assert ax.get_xscale() == ax.get_yscale() == "log"
    assert any("cross at 0.009" in text.get_text() for text in ax.texts)
    ax.figure.canvas.draw()


def test_distances_have_a_line_for_each_noise_with_its_slope():
    ax = plot_distance(RESULTS)
    assert len(labels(ax)) == 3
    assert "p = 0.007: slope -0.15" in labels(ax)[0]
    assert ax.get_yscale() == "log"
    ax.figure.canvas.draw()


def test_points_without_errors_are_arrows():
    silent = [made(3, 0.001, 1e-4, 10**6), made(5, 0.001, 0.0, 10**6), made(5, 0.002, 1e-5, 10**6)]
    ax = plot_threshold(silent)
    arrows = [line for line in ax.lines if line.get_marker() == "v"]
    assert len(arrows) == 1
    ax.figure.canvas.draw()


def test_one_code_a_picture():
    other = made(3, 0.001, 1e-4)
    with pytest.raises(ConfigError, match="results of 2 codes"):
        plot_threshold([other, type(other)(**{**vars(other), "basis": "Z"})])
    with pytest.raises(ConfigError, match="results of 0 codes"):
        plot_distance([])
