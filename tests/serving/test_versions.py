"""A new version takes over while requests go on; one that cannot predict does not."""

from __future__ import annotations

import json
import shutil
import threading

import numpy as np
import pytest

from qloom.errors import QloomError
from qloom.models.artifact import read_arrays, write_artifact
from qloom.serving.live_model import LiveModel
from qloom.training.evaluation import open_model
from qloom.training.versions import Ledger, Version


def scale_weights(folder, factor: float) -> None:
    """Write a model anew with its weights times a factor."""
    record, arrays = read_arrays(folder)
    del record["weights_sha256"]
    write_artifact(folder, record, {name: array * np.float32(factor) for name, array in arrays.items()})


def add_version(run) -> int:
    """A version of the run's model with other weights, written down as `qloom watch` does."""
    ledger = Ledger(run)
    number, folder = ledger.next_folder()
    for place in ("model", "controls"):
        shutil.copytree(run / place, folder / place, dirs_exist_ok=True)
    scale_weights(folder / "model", 1 + 0.1 * number)
    ledger.enter(Version(number, 0, {"source": "x"}, {}, {}, True, "as told"))
    return number


def test_a_new_version_takes_over_and_back(run, rows, serve):
    few = rows.slice(0, 5)
    with serve(run, poll=1000.0) as served:
        versions = []
        for change in (lambda: None, lambda: add_version(served.run), lambda: Ledger(served.run).back()):
            change()
            served.service.look()
            answer = served.predict({"rows": few.to_pylist()}).json()
            expected = open_model(served.run, None).predict_table(few)
            assert np.array_equal([list(each["probability"].values()) for each in answer["predictions"]], expected)
            assert served.client.get("/health").json()["version"] == answer["version"]
            versions.append(answer["version"])
        assert versions[0] == versions[2]
        assert versions[1].startswith("1-")
        assert 'qloom_reloads_total{outcome="loaded"} 2.0' in served.client.get("/metrics").text


def test_a_version_that_cannot_predict_is_left_alone(run, rows, serve):
    lines = []
    with serve(run, poll=1000.0) as served:
        served.service.say = lines.append
        before = served.client.get("/health").json()["version"]
        number = add_version(served.run)
        weights = served.run / "versions" / f"{number:04}" / "model" / "weights.safetensors"
        weights.write_bytes(weights.read_bytes()[:-1])
        for _ in range(3):
            served.service.look()
        assert served.client.get("/health").json()["version"] == before
        assert served.predict({"rows": rows.slice(0, 5).to_pylist()}).status_code == 200
        assert len(lines) == 1
        assert "goes on" in lines[0]
        assert 'qloom_reloads_total{outcome="rejected"} 1.0' in served.client.get("/metrics").text


def test_weights_that_predict_no_numbers_are_refused(run, tmp_path):
    folder = shutil.copytree(run / "model", tmp_path / "model")
    scale_weights(folder, float("nan"))
    with pytest.raises(QloomError, match="no number"):
        LiveModel(folder)


def test_no_request_is_lost_while_versions_change(run, rows, serve):
    """Four clients ask all the time; every answer is that of the version it names."""
    few = rows.slice(0, 8)
    body = json.dumps({"rows": few.to_pylist()})
    answers, stop = [], threading.Event()
    with serve(run, poll=0.05) as served:

        def ask() -> None:
            while not stop.is_set():
                answers.append(served.predict(body))

        clients = [threading.Thread(target=ask) for _ in range(4)]
        for client in clients:
            client.start()
        expected = {}
        for change in (lambda: None, lambda: add_version(served.run), lambda: add_version(served.run)):
            change()
            model = LiveModel(served.run)
            expected[model.version] = model.predictor.predict_table(few)
            for _ in range(200):
                if served.client.get("/health").json()["version"] == model.version:
                    break
                stop.wait(0.05)
            n_before = len(answers)
            while len(answers) < n_before + 8:  # each client has asked since then
                stop.wait(0.01)
        stop.set()
        for client in clients:
            client.join()
    assert {answer.status_code for answer in answers} == {200}
    found = [answer.json() for answer in answers]
    assert {each["version"] for each in found} == set(expected)
    for each in found:
        shares = [list(row["probability"].values()) for row in each["predictions"]]
        assert np.array_equal(shares, expected[each["version"]])
