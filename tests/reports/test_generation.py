"""The page of generated rows, beyond what `tests/cli/test_generate.py` sees of it."""

from __future__ import annotations

from matplotlib.figure import Figure

from qloom.models.generative.competitors import COMPETITORS, controls_of
from qloom.reports import generation


def models(n: int) -> dict:
    """A record's models, the last of them real rows, and their pairs."""
    names = [*(f"m{k}" for k in range(n)), "real"]
    each = {name: {"title": f"model {name}", "distances": [0.1 * k, 1.0 + 0.1 * k]} for k, name in enumerate(names)}
    return {"models": each, "pictures": {"pairs": {name: [0.1, -0.2, 0.3] for name in names}}}


def drawn(monkeypatch, picture, record) -> Figure:
    """The figure that a picture is made of."""
    kept = []
    monkeypatch.setattr(generation, "as_address", lambda inches, draw: kept.append((Figure(inches), draw)) or "")
    picture(record)
    (figure, draw) = kept[0]
    draw(figure)
    return figure


def test_every_model_is_in_the_pictures_however_many_there_are(monkeypatch):
    for n in (1, 4, 9):
        record = models(n)
        (axes,) = drawn(monkeypatch, generation._distances, record).axes
        assert len(axes.lines) == n + 1
        panels = drawn(monkeypatch, generation._pairs, record).axes
        assert [ax.get_title() for ax in panels if ax.get_title()] == [f"Model m{k}" for k in range(n)]


def test_no_two_models_of_a_run_share_a_colour():
    assert max(1 + len(controls_of(name)) for name in COMPETITORS) <= len(set(generation._COLOURS))


def test_a_single_column_has_no_pairs():
    assert generation._pairs({"pictures": {"pairs": {"real": [], "m0": []}}}) is None
