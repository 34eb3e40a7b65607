"""Drift since start: of the rows that were asked about, by the counts of the folder's own reference."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from qloom.data.drift import find_drift
from qloom.serving.bodies import ARROW
from qloom.serving.drift import counts_from_json, counts_to_json
from qloom.training.evaluation import open_model
from qloom.training.reference import read_reference
from tests.serving.conftest import table_of
from tests.serving.test_predictions import stream_of


def test_drift_is_that_of_all_rows_since_start(run, serve):
    new = table_of(600, 9).drop_columns(["label"])
    new = new.set_column(1, "age", pc.add(new["age"], 25))
    with serve(run) as served:
        assert "expected 50" in served.client.get("/drift").json()["note"]
        for start in range(0, 600, 100):
            served.predict({"rows": new.slice(start, 100).to_pylist()})
        found = served.client.get("/drift").json()
        metrics = served.client.get("/metrics").text
    model = open_model(run, None)
    reference = read_reference(run / "model", model)
    expected = find_drift(reference, reference.counts(new, model.predict_table(new)))
    assert found["columns"] == [drift.to_json() for drift in expected]
    assert (found["n_rows"], "age" in found["matters"]) == (600, True)
    line = next(line for line in metrics.splitlines() if line.startswith('qloom_drift_psi{column="age"}'))
    assert float(line.split()[1]) == next(drift.psi for drift in expected if drift.column == "age")


def test_rows_are_counted_in_slices(run, serve, monkeypatch):
    """Counted once many have come, and when asked: nothing twice."""
    monkeypatch.setattr("qloom.serving.drift._FOLD", 120)
    new = table_of(100, 10).drop_columns(["label"])
    with serve(run) as served:
        for size in (50, 100, 7, 90):
            part = pa.concat_tables([new] * 2).slice(0, size)
            assert served.predict(stream_of(part), **{"content-type": ARROW}).status_code == 200
        assert served.client.get("/drift").json()["n_rows"] == 247
        counts = served.service.current[2].counts()
    assert counts.n_rows == 247
    assert all(each.sum() == 247 for each in counts.columns.values())
    again = counts_from_json(counts_to_json(counts))
    assert {name: each.tolist() for name, each in again.columns.items()} == counts_to_json(counts)["columns"]
