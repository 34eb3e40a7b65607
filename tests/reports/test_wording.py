"""Numbers as a report writes them, and intervals as it draws them."""

from __future__ import annotations

import math

import pytest

from qloom.reports.whiskers import Whisker, scale_of, whisker
from qloom.reports.wording import (
    capitalized,
    count_text,
    metric_heading,
    metric_title,
    score_text,
    seconds_text,
    signed_text,
)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.01234, "12.3 ms"),
        (1.5, "1.5 s"),
        (83.21, "83.2 s"),
        (600, "10.0 min"),
        (7200, "2.0 h"),
        (math.nan, "–"),
    ],
)
def test_seconds(seconds: float, text: str) -> None:
    assert seconds_text(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.76543, "0.7654"),
        (0.0, "0.0000"),
        (-1.5, "-1.5000"),
        (12345.6, "1.235e+04"),
        (1e-5, "1e-05"),
        (math.nan, "–"),
    ],
)
def test_score(value: float, text: str) -> None:
    assert score_text(value) == text


def test_signs_counts_and_titles() -> None:
    assert (signed_text(0.01234), signed_text(-0.5), signed_text(math.inf)) == ("+0.0123", "−0.5000", "–")
    assert (count_text(1234567).replace("\N{NARROW NO-BREAK SPACE}", " "), count_text(None)) == (
        "1 234 567",
        "–",
    )
    assert (metric_title("r2"), metric_title("some_metric")) == ("R²", "some metric")
    assert (metric_heading("roc_auc"), metric_heading("log_loss")) == ("ROC AUC ↑", "Log loss ↓")
    assert capitalized("ROC of x") == "ROC of x"
    assert capitalized("hybrid QNN") == "Hybrid QNN"


def test_whisker_spans_the_scale() -> None:
    scale = scale_of([0.5, 0.7, math.nan])
    assert whisker(scale, 0.6, (0.5, 0.7)) == Whisker(4, 50, 96)
    assert whisker(scale, 0.6, None) == Whisker(50, 50, 50)
    assert whisker(scale, math.nan, None) is None


def test_scale_of_one_value_puts_it_in_the_middle() -> None:
    assert scale_of([0.8]).place(0.8) == 50
    assert scale_of([]).place(0.0) == 50
