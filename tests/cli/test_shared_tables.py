"""Quality and time of the main job with default settings on real tables beside the checkout."""

import json
import time

import pytest

from benchmarks.shared import DATA


@pytest.mark.slow
@pytest.mark.parametrize(("table", "words", "least"), [
    ("credit_default_taiwan/credit_24000.csv.gz", ["--target", "default"], 0.76),
    ("telco_churn/telco_churn.csv.gz", ["--target", "Churn"], 0.83),
    ("bike_sharing/hour.csv.gz", ["--target", "cnt", "--set", "split.kind=time"], 0.80),
])  # fmt: skip
def test_one_round_reaches_its_goal_in_two_minutes(qloom, tmp_path, table, words, least):
    path = DATA / table
    if not path.exists():
        pytest.skip(f"{path} is not there: the shared tables are not beside this checkout")
    start = time.monotonic()
    assert qloom("train", path, *words, "--name", "run", "--seeds", "1").code == 0
    assert time.monotonic() - start < 120
    metrics = json.loads((tmp_path / "runs" / "run" / "metrics.json").read_text())
    assert metrics["models"]["hybrid"]["test"][metrics["metric"]] >= least
