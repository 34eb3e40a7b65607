"""`qloom finetune`: from a table and a model folder to a run folder, killed and resumed, and its predictions."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModel

from qloom.cli import main
from qloom.errors import QloomError
from qloom.reports import write_report
from qloom.training.configuration import make_configuration
from qloom.training.finetuning.models import MODELS, OF_IMAGES
from qloom.training.finetuning.run import finetune_run
from qloom.training.finetuning.saved import load_finetuned
from qloom.training.folder import RunFolder
from tests.backbones.tiny_models import WORDS, make_image_model, make_text_model

pytestmark = pytest.mark.filterwarnings("ignore:.*gradient_checkpointing:FutureWarning")
SETTINGS = {"target_modules": ["query", "value"], "r": 4, "n_layers": 2}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT, and a table whose classes are those of its first words."""
    folder = tmp_path_factory.mktemp("finetune")
    make_text_model(folder / "bert")
    rng = np.random.default_rng(0)
    with (folder / "notes.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["note", "label", "size", "code"])
        for row in range(160):
            words = rng.choice(WORDS, 5)
            writer.writerow([" ".join(words), "early" if words[0] < "m" else "late", len(words[0]), 10 + row])
    return folder


def command(*words: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    return int(ended.value.code or 0)


def configuration(folder: Path, output: Path, **section: Any) -> Any:
    values = {
        "name": "run", "output": str(output), "data": {"source": str(folder / "notes.csv"), "target": "label"},
        "finetune": {
            "model": str(folder / "bert"), "text": "note", "settings": SETTINGS, "epochs": 2, "learning_rate": 0.02,
        },
        "comparison": {"seeds": 2},
    }  # fmt: skip
    values["finetune"] |= section.pop("finetune", {})
    return make_configuration(values | section)


@pytest.fixture(scope="module")
def run(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finetune_run(configuration(folder, tmp_path_factory.mktemp("runs")))


def test_all_models_stand_on_the_leaderboard_with_a_verdict(run: Path) -> None:
    metrics = RunFolder(run).metrics()
    assert set(metrics["models"]) == set(MODELS)
    models = metrics["models"]
    sizes = {key: models[key]["n_parameters"] for key in ("hybrid", *MODELS) if key.startswith("hybrid")}
    assert len(set(sizes.values())) == 1
    assert len(models["lora"]["rounds"]) == 2
    assert metrics["verdict"].startswith(("The quantum adapter", "It is undecided whether the quantum adapter"))
    assert "as many classical numbers in its place" in metrics["verdict"]
    assert "rank 4, columns of" in metrics["notes"][0]
    text = write_report(run).read_text().lower()
    for title in ("quantum adapter", "lora (rank 8)", "linear model on words"):
        assert title in text


def test_what_is_kept_is_read_by_peft_alone_and_predicts_as_recorded(run: Path, folder: Path) -> None:
    loaded = load_finetuned(run)
    recorded = RunFolder(run).predictions()
    rows = recorded["row"].to_numpy()
    with (folder / "notes.csv").open() as file:
        texts = [row["note"] for row in csv.DictReader(file)]
    found = loaded.predict_cells([texts[row] for row in rows])
    np.testing.assert_allclose(found[:, 1], recorded["hybrid:probability:late"].to_numpy(), atol=1e-6)
    # Without qloom's own reading: peft's folder, the model's, and the head.
    base = AutoModel.from_pretrained(folder / "bert", local_files_only=True)
    model = PeftModel.from_pretrained(base, run / "model" / "adapter").eval()
    tokens = loaded._inputs([texts[rows[0]]]).batch(np.array([0]))
    head = load_file(run / "model" / "weights.safetensors")
    with torch.no_grad():
        pooled = model(**tokens).last_hidden_state.mean(1)
        share = (pooled @ head["weight"].T + head["bias"]).softmax(1)[0, 1]
    assert abs(float(share) - found[0, 1]) < 1e-6


def test_commands_on_its_folder(run: Path, folder: Path, tmp_path: Path, capsys: Any) -> None:
    table = str(folder / "notes.csv")
    for name in ("lora", "classical"):
        output = tmp_path / f"{name}.csv"
        assert command("predict", run, table, "--model", name, "--id", "code", "--output", output) == 0
    with (tmp_path / "lora.csv").open() as file:
        lora = list(csv.DictReader(file))
    assert len(lora) == 160
    assert list(lora[0]) == ["row", "code", "prediction", "probability:early", "probability:late"]
    assert command("report", run, "--card") == 0
    assert "the adapter pauli, and a linear head" in " ".join((run / "MODEL_CARD.md").read_text().split())
    assert command("compare", run, run) == 0
    capsys.readouterr()
    for words in (["evaluate", run, table], ["serve", run], ["watch", run, table]):
        assert command(*words) == 2
        told = capsys.readouterr().err
        assert "holds a fine-tuned model, expected a model of tables" in told
        assert told.count("\n") == 1
    assert command("predict", run, table, "--model", "words") == 2
    assert "expected one of hybrid, separable, classical, random, lora" in capsys.readouterr().err
    assert command("train", run, "--resume") == 2
    assert "use qloom finetune" in capsys.readouterr().err


@pytest.mark.slow
def test_killed_and_resumed_to_the_same_numbers(run: Path, folder: Path, tmp_path: Path) -> None:
    """The process is killed at its first checkpoint, in the middle of a training."""
    configuration(folder, tmp_path)
    code = f"""
import os, signal, sys
sys.path.insert(0, {str(Path(__file__).resolve().parents[3])!r})
import qloom.training.finetuning.competitors as competitors
from qloom.training.finetuning.run import finetune_run
from tests.training.finetuning.test_finetune import configuration
from pathlib import Path
inner, calls = competitors.checkpointing, []
def checkpointing(path):
    keep, restore = inner(path)
    def killed(fit):
        keep(fit)
        calls.append(path)
        if len(calls) == 3:
            os.kill(os.getpid(), signal.SIGKILL)
    return killed, restore
competitors.checkpointing = checkpointing
finetune_run(configuration(Path({str(folder)!r}), Path({str(tmp_path)!r})))
"""
    ended = subprocess.run([sys.executable, "-W", "ignore", "-c", code], timeout=300)
    assert ended.returncode == -9
    killed = RunFolder(tmp_path / "run")
    assert killed.is_begun
    assert killed.checkpoint("hybrid_separable", 1).exists()
    assert not (killed.path / "metrics.json").exists()
    finetune_run(configuration(folder, tmp_path), resume=True)
    for key in ("hybrid", "hybrid_separable", "lora"):
        mine, theirs = (json.loads((place / "metrics.json").read_text()) for place in (killed.path, run))
        assert mine["models"][key]["test"] == theirs["models"][key]["test"]
        place = MODELS[key].place / "adapter" / "adapter_model.safetensors"
        assert (killed.path / place).read_bytes() == (run / place).read_bytes()
    assert command("finetune", killed.path, "--resume") == 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"finetune": {"model": "bert-base-uncased"}}, "'bert-base-uncased' is no folder, .* never downloaded unasked"),
        ({"finetune": {"text": "nothing"}}, "no column 'nothing'"),
        ({"finetune": {"text": "size"}}, "column 'size' holds int64, expected texts"),
        ({"finetune": {"text": "label"}}, "column 'label' is the target too"),
        ({"finetune": {"text": None}}, "expected one of them"),
        ({"finetune": {"text": None, "image": "note"}}, "with a model of texts, expected one of images"),
        ({"finetune": {"adapter": "lora"}}, "finetune.adapter='lora', expected one of pauli, two_axis"),
        ({"finetune": {"settings": {**SETTINGS, "inference_mode": True}}}, "setting 'inference_mode'"),
        (
            {"finetune": {"settings": {**SETTINGS, "seed": 3}}},
            "finetune.settings has 'seed', which follows from the run",
        ),
        ({"finetune": {"settings": {**SETTINGS, "classical": True}}}, "has 'classical', which the controls of the run"),
        ({"finetune": {"settings": {**SETTINGS, "target_modules": "quarry"}}}, "no place for the adapter"),
        ({"finetune": {"settings": {"rank": 3}}}, "setting 'rank' of the adapter pauli, expected one of"),
        ({"finetune": {"settings": {"target_modules": ["qeury"]}}}, "'qeury', which no layer .* such as query"),
        ({"finetune": {"settings": {**SETTINGS, "r": 500}}}, "r=500 for a weight"),
        ({"finetune": {"max_length": 100_000}}, "max_length=100000, expected an integer from 1"),
    ],
)
def test_refused_before_a_file_is_written(folder: Path, tmp_path: Path, change: dict[str, Any], told: str) -> None:
    with pytest.raises(QloomError, match=told) as raised:
        finetune_run(configuration(folder, tmp_path, **change))
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "run" / "config.yaml").exists()


def test_numbers_that_a_file_spells_as_text_are_no_texts(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "codes.csv"
    path.write_text("code,label\n" + "".join(f'"00{row}",{"ab"[row % 2]}\n' for row in range(60)))
    change = {"data": {"source": str(path), "target": "label"}, "finetune": {"text": "code"}}
    with pytest.raises(QloomError, match="column 'code' holds"):
        finetune_run(configuration(folder, tmp_path, **change))


def test_without_a_tokenizer(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "bert", tmp_path / "bert")
    for name in ("tokenizer.json", "vocab.txt", "tokenizer_config.json"):
        (tmp_path / "bert" / name).unlink(missing_ok=True)
    with pytest.raises(QloomError, match="has no tokenizer\\.json, expected the tokenizer of a model of texts there"):
        finetune_run(configuration(folder, tmp_path, finetune={"model": str(tmp_path / "bert")}))


def test_a_model_that_changed_is_noticed(run: Path, folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(run.parent, tmp_path / "runs") / "run"
    record = json.loads((copy / "model" / "model.json").read_text())
    moved = shutil.copytree(folder / "bert", tmp_path / "bert")
    path = Path(moved) / "config.json"
    path.write_text(path.read_text() + " ")
    (copy / "model" / "model.json").write_text(json.dumps({**record, "base": str(moved)}))
    with pytest.raises(QloomError, match="has changed since training"):
        load_finetuned(copy)


@pytest.mark.slow
def test_images(tmp_path: Path) -> None:
    from PIL import Image

    make_image_model(tmp_path / "vit")
    rng = np.random.default_rng(0)
    lines = ["picture,label"]
    for row in range(60):
        label = row % 2
        pixels = rng.integers(0, 120, (8, 8, 3), dtype=np.uint8) + np.uint8(120 * label)
        Image.fromarray(pixels).save(tmp_path / f"{row}.png")
        lines.append(f"{row}.png,{['dark', 'bright'][label]}")
    (tmp_path / "pictures.csv").write_text("\n".join(lines))
    values = {
        "name": "run", "output": str(tmp_path), "comparison": {"seeds": 1},
        "data": {"source": str(tmp_path / "pictures.csv"), "target": "label"},
        "finetune": {"model": str(tmp_path / "vit"), "image": "picture", "epochs": 1, "adapter": "givens",
                     "settings": {"target_modules": "all-linear", "n_modes": 4}},
    }  # fmt: skip
    start = time.perf_counter()
    done = finetune_run(make_configuration(values))
    assert set(RunFolder(done).metrics()["models"]) == set(OF_IMAGES)
    assert load_finetuned(done).predict_cells([tmp_path / "0.png", tmp_path / "1.png"]).shape == (2, 2)
    assert write_report(done).exists()
    assert time.perf_counter() - start < 120


def test_a_target_called_as_features_are(folder: Path, tmp_path: Path) -> None:
    text = (folder / "notes.csv").read_text().replace("note,label", "note,feature 1")
    (tmp_path / "notes.csv").write_text(text)
    data = {"source": str(tmp_path / "notes.csv"), "target": "feature 1"}
    done = finetune_run(configuration(folder, tmp_path, comparison={"seeds": 1}, finetune={"epochs": 1}, data=data))
    metrics = RunFolder(done).metrics()
    assert metrics["classes"] == ["early", "late"]
    numbers = {key: model["n_quantum_parameters"] for key, model in metrics["models"].items()}
    assert numbers["hybrid"] == numbers["hybrid_random"] == 4 * 2 * 2 * 4  # layers x qubits, twice, of four weights
    assert numbers["hybrid_classical"] == numbers["lora"] == 0


def test_tables_that_cannot_be_predicted(run: Path) -> None:
    loaded = load_finetuned(run)
    with pytest.raises(QloomError, match="the table has no rows"):
        loaded.predict_table(pa.table({"note": pa.array([], pa.string())}))
    with pytest.raises(QloomError, match="column 'note' holds int64, expected texts"):
        loaded.predict_table(pa.table({"note": [1, 2]}))
    assert loaded.predict_table(pa.table({"note": ["free prize", None]})).shape == (2, 2)


def test_numbers_as_target(folder: Path, tmp_path: Path) -> None:
    change = {"data": {"source": str(folder / "notes.csv"), "target": "code", "task": "regression"}}
    done = finetune_run(configuration(folder, tmp_path, comparison={"seeds": 1}, finetune={"adapter": "generated",
        "settings": {"target_modules": ["query"], "r": 2, "chunk": 8}}, **change))  # fmt: skip
    assert RunFolder(done).metrics()["task"] == "regression"
    assert load_finetuned(done).predict_cells(["a note", "another"]).shape == (2,)
