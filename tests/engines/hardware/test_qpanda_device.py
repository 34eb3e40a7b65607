"""OriginQ's chips by what the package sends and reads: the cloud is played by a process beside this one."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest

import qloom as ql
from qloom.engines.hardware import DeviceEngine, DeviceError
from qloom.engines.hardware.qpanda_device import QPandaDevice

qcloud = pytest.importorskip("pyqpanda3.qcloud", reason="the extra 'devices' is not installed")


@pytest.fixture
def cloud(tmp_path, monkeypatch, request):
    """A backend of a cloud on this machine, and what was sent there."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    file = tmp_path / "port"
    program = [sys.executable, str(Path(__file__).with_name("origin_cloud.py")), str(file), *request.param]
    with subprocess.Popen(program) as process:
        try:
            for _ in range(600):
                if file.exists() or process.poll() is not None:
                    break
                time.sleep(0.05)
            address = f"http://127.0.0.1:{file.read_text()}"

            def sent() -> list[dict]:
                with urlopen(address) as answer:
                    return json.load(answer)["obj"]

            yield qcloud.QCloudService(api_key="none", url=address).backend("WK_C180"), sent
        finally:
            process.terminate()


def circuit() -> ql.Circuit:
    out = ql.Circuit(3)
    x = out.inputs(2)
    unitary = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))[0]
    return out.ry(x[0], 0).ry(x[1], 1).unitary(unitary, (2, 0)).cx(1, 2).rz(0.7, 2).global_phase(0.3)


VALUES = np.array([[0.4, 1.7], [-0.6, 0.2]])


@pytest.mark.parametrize("cloud", [[]], indirect=True)
def test_values_are_right_and_bought_once(cloud, tmp_path):
    """Six standard errors of 4,000 shots; a second run finds everything in its journal."""
    backend, sent = cloud
    right = ql.expectation(circuit(), [ql.Z(0), ql.Z(1) @ ql.Z(2)], VALUES)
    found = []
    for _ in range(2):
        engine = DeviceEngine(QPandaDevice(backend), 4000, tmp_path / "journal.sqlite")
        found.append(ql.expectation(circuit(), [ql.Z(0), ql.Z(1) @ ql.Z(2)], VALUES, engine=engine))
    assert np.abs(found[0] - right).max() < 6 / np.sqrt(4000)
    assert (found[0] == found[1]).all()
    (task,) = sent()
    assert len(task["QProg"]) == 2
    assert task["Configuration"]["amendFlag"] == 0
    assert not any(word in text for text in task["QProg"] for word in ("ORACLE", "Karus"))


@pytest.mark.parametrize("cloud", [["lose"]], indirect=True)
def test_a_job_whose_answer_is_lost_is_not_sent_again(cloud, tmp_path):
    """It stops with its batch number, in the next run too, and goes on by the number of its task."""
    backend, sent = cloud
    journal, known = tmp_path / "journal.sqlite", {}
    for said in (r"\(QCloud HTTP request failed with status 502", "batch number"):
        engine = DeviceEngine(QPandaDevice(backend), 100, journal)
        with pytest.raises(DeviceError, match=said):
            ql.expectation(circuit(), [ql.Z(0)], VALUES, engine=engine)
    (task,) = sent()
    known[task["batchNo"]] = "T1"
    engine = DeviceEngine(QPandaDevice(backend, known), 100, journal)
    assert ql.expectation(circuit(), [ql.Z(0)], VALUES, engine=engine).shape == (2, 1)
    assert len(sent()) == 1


@pytest.mark.parametrize("cloud", [["lose"]], indirect=True)
def test_a_job_that_the_account_does_not_have_is_sent_again(cloud, tmp_path):
    backend, sent = cloud
    engine = DeviceEngine(QPandaDevice(backend), 100, tmp_path / "journal.sqlite")
    with pytest.raises(DeviceError, match="cannot be asked"):
        ql.expectation(circuit(), [ql.Z(0)], VALUES, engine=engine)
    known = {sent()[0]["batchNo"]: ""}
    engine = DeviceEngine(QPandaDevice(backend, known), 100, tmp_path / "journal.sqlite")
    ql.expectation(circuit(), [ql.Z(0)], VALUES, engine=engine)
    assert len(sent()) == 2


def test_other_local_simulators_are_refused(tmp_path):
    with pytest.raises(DeviceError, match="no local simulator 'GPUQVM', expected one of CPUQVM"):
        QPandaDevice.local("GPUQVM", tmp_path)
