"""`qloom doctor` and `qloom bench` on GPUs: what they say without one, and with the host in its place."""

from __future__ import annotations

import json

import pytest
import torch

from qloom.benchmarking import Work
from qloom.cli import bench, doctor, gpu
from tests.engines.gpu.host_place import LIMITS, host_place


@pytest.fixture
def no_gpu(monkeypatch):
    """A build of torch for CPUs, whatever is installed."""
    monkeypatch.setattr(torch.version, "cuda", None)


@pytest.fixture
def host_for_gpu(monkeypatch):
    """The host where a GPU would be; small work."""
    monkeypatch.setattr(doctor, "_gpu_place", host_place)
    monkeypatch.setattr(doctor, "facts_of_gpu", lambda: "the host, 1.0 GiB")
    monkeypatch.setattr(gpu, "STEP", (3, 2, 1))
    monkeypatch.setattr(bench, "gpu_place", lambda index: host_place())
    monkeypatch.setattr(bench, "limits_of", lambda place: LIMITS)
    monkeypatch.setattr(bench, "GPU_STEPS", (Work(3, 4, 1),))
    monkeypatch.setattr(bench, "GPU_STATES", (Work(4, 1, 2), Work(20, 1, 2)))  # the second has no room


def line_of(text: str, name: str) -> str:
    """What stands beside a name."""
    (found,) = (line[15:] for line in text.splitlines() if line[:14].rstrip() == name)
    return found


@pytest.mark.parametrize(("driver", "told"), [
    (True, "look with: qloom doctor --gpu"), (False, f"none: no driver of CUDA here ({gpu.DRIVER})"),
])  # fmt: skip
def test_doctor_guesses_without_torch(qloom, monkeypatch, driver, told):
    monkeypatch.setattr(gpu, "has_driver", lambda: driver)
    ended = qloom("doctor")
    assert ended.code == 0
    assert line_of(ended.out, "GPU") == told


def test_a_driver_is_known_by_its_library_or_its_program(monkeypatch):
    def not_there(name):
        raise OSError(name)

    monkeypatch.setattr(gpu.shutil, "which", lambda name: None)
    monkeypatch.setattr(gpu.ctypes, "CDLL", not_there)
    assert not gpu.has_driver()
    monkeypatch.setattr(gpu.ctypes, "CDLL", lambda name: name)
    assert gpu.has_driver()


def test_doctor_says_why_torch_sees_no_gpu(qloom, no_gpu):
    ended = qloom("doctor", "--torch")
    assert ended.code == 0
    assert line_of(ended.out, "GPU") == f"none: torch {torch.__version__} is built without CUDA"


@pytest.mark.parametrize("words", [("doctor", "--gpu"), ("bench", "--device", "cuda")])
def test_without_a_gpu_it_is_one_line(qloom, no_gpu, words):
    ended = qloom(*words)
    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.count("\n") == 1
    assert ended.err.startswith(f"qloom: torch {torch.__version__} is built without CUDA, expected a build for CUDA 12")


def test_doctor_compiles_checks_and_times(qloom, host_for_gpu):
    ended = qloom("doctor", "--gpu")
    assert ended.code == 0
    assert line_of(ended.out, "GPU") == "the host, 1.0 GiB"
    assert line_of(ended.out, "GPU kernels").startswith("found compiled, loaded in ")
    assert line_of(ended.out, "GPU check").startswith("passed: Ramsey fringe and its slope off by ")
    assert "ms forward and backward, 2 rows, 3 qubits, 1 layers; " in line_of(ended.out, "GPU speed")


def test_doctor_says_what_was_compiled(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    place = host_place()
    kept = tmp_path / "qloom" / "kernels" / "new.cubin"

    def compiled(variant):
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.touch()

    monkeypatch.setattr(place.engine.machine, "prepare", compiled)
    assert gpu.prepare_kernels(place).startswith("compiled in 0.0 s")
    assert gpu.prepare_kernels(place).startswith("found compiled")


@pytest.mark.parametrize("error", [1e-3, float("nan")])
def test_doctor_ends_with_1_where_the_gpu_is_wrong(qloom, host_for_gpu, monkeypatch, error):
    monkeypatch.setattr(doctor, "check_engine", lambda engine=None: 0.0 if engine is None else error)
    ended = qloom("doctor", "--gpu")
    assert ended.code == 1
    assert line_of(ended.out, "GPU check").startswith("FAILED")


def test_bench_sets_times_beside_the_least(qloom, host_for_gpu, tmp_path):
    ended = qloom("bench", "--device", "cuda", "--seconds", "0.01", "--json", "speed.json")
    assert ended.code == 0
    assert "the host" in ended.out
    figures = json.loads((tmp_path / "speed.json").read_text())
    assert [(row["work"], row["n_qubits"]) for row in figures["rows"]] == [("training step", 3), ("forward", 4)]
    assert figures["limits"]["memory_bytes"] == LIMITS.memory_bytes
    for row in figures["rows"]:
        assert row["binds"] in ended.out
        assert row["fraction"] == pytest.approx(row["floor_milliseconds"] / row["milliseconds"])
        assert row["milliseconds"] > 0


@pytest.mark.parametrize(("words", "told"), [
    (("--device", "gpu"), "--device gpu, expected cpu, cuda, or one of several such as cuda:1"),
    (("--device", "cuda", "--threads", "2"), "expected none: threads are the CPU's; leave it out"),
])  # fmt: skip
def test_bench_refuses_other_devices(qloom, words, told):
    ended = qloom("bench", *words)
    assert ended.code == 2
    assert told in ended.err
