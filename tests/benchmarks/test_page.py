"""The page says what the rows say."""

from __future__ import annotations

import pytest

from benchmarks import page, results, tables
from benchmarks.peers.running import TOO_LONG


def peer_row(peer, point, status="ok", median="10", ours="2", ratio="5"):
    n, batch, layers = point
    return {
        "peer": peer, "title": f"The {peer} system, JAX", "task": "step", "n": n, "batch": batch, "layers": layers,
        "threads": "2", "status": status, "version": "1", "first_call_s": "3", "error": "1e-8",
        "median_ms": median, "ours_ms": ours, "ratio": ratio, "limit_s": "60", "others": "0", "commit": "abc",
        "machine": "this", "day": "today",
    }  # fmt: skip


ROWS = [
    peer_row("one", ("4", "32", "2")),
    peer_row("one", ("8", "32", "4"), TOO_LONG, "", "1", "60000"),
    peer_row("qulacs", ("4", "32", "2"), median="20", ours="4", ratio="5"),
    peer_row("torchquantum", ("4", "32", "2"), "error: no", "", ratio="") | {"error": ""},
    peer_row("torchquantum", ("8", "32", "4"), "wrong result", "", ratio="") | {"error": "0.00025"},
]


@pytest.fixture
def places(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(page, "ROOT", tmp_path)
    monkeypatch.setattr(page, "PAGE", tmp_path / "docs" / "performance.md")
    monkeypatch.setattr(page, "PLOTS", tmp_path / "docs" / "plots")
    markers = "between\n".join(f"{begin}\nold\n{end}\n" for begin, end in page.PARTS.values())
    (tmp_path / "README.md").write_text(f"before\n{markers}after\n")
    return tmp_path


def test_the_page_without_results_is_a_page(places):
    page.main()
    assert "Nothing measured yet" in (places / "README.md").read_text()


def test_the_page_shows_ratios_and_links_plots(places):
    for row in ROWS:
        results.append_row("peers", row)
    page.main()
    text = (places / "docs" / "performance.md").read_text()
    assert "10.0 (5.00)" in text
    assert "> 60 s" in text
    assert "failed" in text
    assert "error 2.5e-04" in text
    for name in ("times", "ratios", "first_calls"):
        assert f"plots/{name}.svg" in text
        assert (places / "docs" / "plots" / f"{name}.svg").stat().st_size > 1000
    readme = (places / "README.md").read_text()
    assert readme.startswith("before\n")
    assert readme.endswith("after\n")
    assert "old" not in readme


def test_plots_are_the_same_from_the_same_rows(places):
    for row in ROWS:
        results.append_row("peers", row)
    page.main()
    first = (places / "docs" / "plots" / "ratios.svg").read_bytes()
    page.main()
    assert (places / "docs" / "plots" / "ratios.svg").read_bytes() == first


def test_markers_are_needed(tmp_path):
    (tmp_path / "README.md").write_text("no markers")
    with pytest.raises(ValueError, match="put the markers"):
        page.write_between(tmp_path / "README.md", "speed", "text")


def test_ours_is_the_median_over_the_peers():
    rows = [peer_row(str(k), ("4", "32", "2"), ours=str(k)) for k in (1, 2, 9)]
    assert tables.ours_at(rows) == {(4, 32, 2): 2.0}


@pytest.mark.parametrize(("number", "text"), [(0.012345, "0.0123"), (5, "5.00"), (1234.5, "1,234"), (20.04, "20.0")])
def test_three_digits(number, text):
    assert tables.three(number) == text


def test_the_readme_shows_the_fraction_of_the_plain_step(places):
    """Steps in double precision and with inputs in every layer have the same size."""
    plain = {
        "case": "a", "name": "training step", "size": "n=4 batch=32 layers=2", "threads": "2", "precision": "float32",
        "unit": "ms", "median": "1", "spread": "0", "goal": "", "goal_fraction": "", "fraction": "0.25",
        "fma_rate": "1e11", "others": "0", "commit": "abc", "machine": "this", "day": "today",
    }  # fmt: skip
    results.append_row("training_step", plain)
    results.append_row("training_step", plain | {"case": "b", "precision": "float64", "fraction": "0.75"})
    results.append_row("training_step", plain | {"case": "c", "name": "re-uploading step", "fraction": "0.85"})
    results.append_row("peers", ROWS[0])
    page.main()
    assert "| (4,32,2) | 2.00 ms | 25% |" in (places / "README.md").read_text()


def test_the_readme_shows_what_others_published(places):
    row = {"name": "a model", "expected": ".98", "measured": ".981", "met": True, "seconds": 2.5, "commit": "abc",
           "machine": "this", "day": "today"}  # fmt: skip
    results.append_row("published", row | {"met": False})
    results.append_row("published", row)
    page.main()
    assert "| a model | .98 | .981 | 2.50 s | reached |" in (places / "README.md").read_text()
