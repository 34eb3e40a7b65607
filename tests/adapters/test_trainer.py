"""The stock Trainer: trained, stopped early, killed and resumed; another process of it; sharded models."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel, get_peft_model
from transformers import EarlyStoppingCallback, Trainer, TrainingArguments

from .small_models import ADAPTERS, bert

KINDS = ("pauli", "two axes", "givens", "generated")


def examples(n_rows: int = 48) -> list[dict[str, Any]]:
    """Whether the first token is of the lower half of the vocabulary."""
    generator = torch.Generator().manual_seed(1)
    tokens = torch.randint(0, 50, (n_rows, 6), generator=generator)
    return [{"input_ids": row, "labels": int(row[0] < 25)} for row in tokens]


def adapted(kind: str) -> Any:
    return get_peft_model(
        bert(), ADAPTERS[kind](target_modules=["query", "value", "intermediate.dense"], task_type="SEQ_CLS")
    )


def trainer(folder: Path, kind: str, epochs: float = 4, **more: Any) -> Trainer:
    arguments = TrainingArguments(
        output_dir=str(folder), num_train_epochs=epochs, per_device_train_batch_size=8, learning_rate=0.02,
        save_strategy="epoch", eval_strategy="epoch", report_to=[], seed=0, use_cpu=True, disable_tqdm=True,
        load_best_model_at_end=True, logging_strategy="epoch", lr_scheduler_type="constant",
    )  # fmt: skip
    rows = examples()
    return Trainer(adapted(kind), arguments, train_dataset=rows[:32], eval_dataset=rows[32:], **more)


@pytest.mark.parametrize("kind", KINDS)
def test_trained_and_resumed_to_the_same_bits(kind: str, tmp_path: Path) -> None:
    whole = trainer(tmp_path / "whole", kind)
    whole.train()
    losses = [entry["loss"] for entry in whole.state.log_history if "loss" in entry]
    assert losses[-1] < losses[0]
    first = trainer(tmp_path / "parts", kind, epochs=2)
    first.train()
    resumed = trainer(tmp_path / "parts", kind)
    resumed.train(resume_from_checkpoint=True)
    assert resumed.state.global_step == whole.state.global_step
    for (name, a), (_, b) in zip(whole.model.named_parameters(), resumed.model.named_parameters(), strict=True):
        assert torch.equal(a, b), name
    saved = PeftModel.from_pretrained(bert(), whole.state.best_model_checkpoint)
    tokens = torch.stack([row["input_ids"] for row in examples()])
    with torch.no_grad():
        expected = whole.model.eval()(input_ids=tokens).logits
        assert torch.equal(saved.eval()(input_ids=tokens).logits, expected)


def test_stopped_early(tmp_path: Path) -> None:
    stopped = trainer(tmp_path, "pauli", epochs=60, callbacks=[EarlyStoppingCallback(2)])
    stopped.train()
    evaluations = [entry["eval_loss"] for entry in stopped.state.log_history if "eval_loss" in entry]
    assert len(evaluations) < 60
    assert min(evaluations) == evaluations[-3] == stopped.state.best_metric


def workers(code: str, folder: Path, n: int = 2) -> str:
    """Output of a program run by processes of torch.distributed."""
    program = textwrap.dedent(code)
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        str(n),
    ]
    path = folder / "program.py"
    path.write_text(program)
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "GLOO_SOCKET_IFNAME": "lo",
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
    }
    done = subprocess.run([*command, str(path)], capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


COMMON = """
    import torch, torch.distributed as dist
    from peft import get_peft_model
    import qloom.adapters
    import importlib.util, sys
    from tests.adapters.small_models import ADAPTERS, TOKENS, bert
    dist.init_process_group("gloo")
    rank = dist.get_rank()
    tokens = torch.cat([TOKENS, TOKENS.flip(0)[:1]])
    def adapted(kind):
        return get_peft_model(bert(), ADAPTERS[kind](target_modules=["query", "value"], task_type="SEQ_CLS"))
    def steps(model, rows, scale):
        torch.manual_seed(0)
        optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            (model(input_ids=rows).logits.square().sum() * scale).backward()
            optimizer.step()
        return model
"""


@pytest.mark.slow  # processes that import transformers
@pytest.mark.parametrize("kind", KINDS)
def test_data_parallel(kind: str, tmp_path: Path) -> None:
    told = workers(COMMON + f"""
    alone = steps(adapted("{kind}"), tokens, 0.5)
    ours = torch.nn.parallel.DistributedDataParallel(adapted("{kind}"))
    steps(ours, tokens[rank::2], 1.0)
    for (name, a), (_, b) in zip(alone.named_parameters(), ours.module.named_parameters(), strict=True):
        torch.testing.assert_close(a, b, atol=1e-6, rtol=1e-4, msg=name)
    print("same")
    dist.barrier()  # nobody leaves while others still talk
    dist.destroy_process_group()
    """, tmp_path)  # fmt: skip
    assert told.count("same") == 2


@pytest.mark.slow  # processes that import transformers
@pytest.mark.parametrize("way", ["fully_shard", "FullyShardedDataParallel"])
@pytest.mark.parametrize("kind", KINDS)
def test_sharded_model_with_replicated_angles(kind: str, way: str, tmp_path: Path) -> None:
    wrap = {
        "fully_shard": """
    from torch.distributed.fsdp import fully_shard
    for block in ours.base_model.model.bert.encoder.layer:
        fully_shard(block, ignored_params=kept)
    fully_shard(ours, ignored_params=kept)
    """,
        "FullyShardedDataParallel": """
    from torch.distributed.fsdp import FullyShardedDataParallel
    ours = FullyShardedDataParallel(
        ours, ignored_states=kept, use_orig_params=True, device_id=torch.device("cpu"))
    """,
    }[way]
    told = workers(COMMON + f"""
    alone = steps(adapted("{kind}"), tokens, 0.5)
    ours = adapted("{kind}")
    kept = qloom.adapters.replicated(ours)
    {wrap}
    steps(ours, tokens[rank::2], 1.0)
    mine = {{n.replace("_fsdp_wrapped_module.", ""): p for n, p in ours.named_parameters()}}
    n_same = 0
    for name, a in alone.named_parameters():
        if "numbers" in name:
            torch.testing.assert_close(a, mine[name], atol=1e-6, rtol=1e-4, msg=name)
            n_same += 1
    with torch.no_grad():
        torch.testing.assert_close(
            alone.eval()(input_ids=tokens).logits, ours.eval()(input_ids=tokens).logits, atol=1e-5, rtol=1e-4)
    print("same", n_same)
    dist.barrier()  # nobody leaves while others still talk
    dist.destroy_process_group()
    """, tmp_path)  # fmt: skip
    assert told.count("same") == 2
    assert "same 0" not in told
