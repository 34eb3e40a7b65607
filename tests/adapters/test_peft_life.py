"""All that users of peft do with an adapter, on every kind of ours."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import AutoPeftModelForSequenceClassification, LoraConfig, PeftModel, get_peft_model, save_as_lora

from qloom.adapters.table import adapter_table, trained_numbers

from .small_models import ADAPTERS, CONTROLS, PIXELS, TOKENS, bert, gpt2, trained, vit

TARGETS = ["query", "value", "intermediate.dense"]


def adapted(kind: str, **more: Any) -> Any:
    return get_peft_model(bert(), ADAPTERS[kind](target_modules=TARGETS, task_type="SEQ_CLS", **more))


def outputs(model: Any) -> torch.Tensor:
    with torch.no_grad():
        return model.eval()(input_ids=TOKENS).logits


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("kind", ADAPTERS)
def test_starts_at_the_model_and_trains_as_many_numbers_whatever_the_control(kind: str, control: str) -> None:
    model = adapted(kind, **CONTROLS[control])
    torch.testing.assert_close(outputs(model), outputs(bert()), atol=1e-6, rtol=0)
    assert trained_numbers(model) == trained_numbers(adapted(kind))
    assert trained_numbers(model) == sum(weight.n_numbers for weight in adapter_table(model))
    before = {name: p.clone() for name, p in model.named_parameters() if "base_layer" in name}
    after = outputs(trained(model))
    assert (after - outputs(bert())).abs().max() > 1e-3
    assert all(torch.equal(p, before[name]) for name, p in model.named_parameters() if name in before)
    for name, p in model.named_parameters():
        if "numbers" in name:
            assert p.grad is not None, name


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("kind", ADAPTERS)
def test_saved_loaded_merged_and_as_lora(kind: str, control: str, tmp_path: Path) -> None:
    model = trained(adapted(kind, **CONTROLS[control]))
    expected = outputs(model)
    model.save_pretrained(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "adapter_config.json",
        "adapter_model.safetensors",
        "README.md",
    }
    loaded = PeftModel.from_pretrained(bert(), tmp_path)
    assert torch.equal(outputs(loaded), expected)
    save_as_lora(tmp_path / "lora", model, rank=24)
    as_lora = PeftModel.from_pretrained(bert(), tmp_path / "lora")
    assert as_lora.peft_config["default"].peft_type == "LORA"
    torch.testing.assert_close(outputs(as_lora), expected, atol=1e-6, rtol=0)
    model.merge_adapter()
    torch.testing.assert_close(outputs(model), expected, atol=1e-6, rtol=0)
    model.unmerge_adapter()
    torch.testing.assert_close(outputs(model), expected, atol=1e-6, rtol=0)
    merged = model.merge_and_unload(safe_merge=True)
    assert type(merged) is type(bert())
    torch.testing.assert_close(outputs(merged), expected, atol=1e-6, rtol=0)


def test_low_rank_adapters_are_loras_of_their_rank(tmp_path: Path) -> None:
    model = trained(adapted("pauli"))
    save_as_lora(tmp_path, model, rank=3)
    torch.testing.assert_close(outputs(PeftModel.from_pretrained(bert(), tmp_path)), outputs(model), atol=1e-6, rtol=0)


@pytest.mark.parametrize("kind", ADAPTERS)
def test_several_adapters(kind: str, tmp_path: Path) -> None:
    model = trained(get_peft_model(bert(), ADAPTERS[kind](target_modules=TARGETS)))
    first = outputs(model)
    model.save_pretrained(tmp_path)
    model.add_adapter("other", ADAPTERS[kind](target_modules=["value"], seed=5))
    assert torch.equal(outputs(model), first)
    model.set_adapter("other")
    assert {n.split(".")[-2] for n, p in model.named_parameters() if p.requires_grad and "numbers" in n} == {"other"}
    trained(model)
    other = outputs(model)
    assert (other - first).abs().max() > 1e-5
    model.load_adapter(tmp_path, "again")
    model.set_adapter("again")
    assert torch.equal(outputs(model), first)
    with model.disable_adapter():
        torch.testing.assert_close(outputs(model), outputs(bert()), atol=1e-6, rtol=0)
    assert torch.equal(outputs(model), first)
    model.set_adapter("other")
    assert torch.equal(outputs(model), other)
    model.delete_adapter("default")
    assert torch.equal(outputs(model), other)
    model.base_model.set_adapter(["other", "again"])
    both = outputs(model)
    assert (both - other).abs().max() > 1e-5
    torch.testing.assert_close(outputs(copy.deepcopy(model)), both, atol=0, rtol=0)
    model.base_model.merge_adapter()
    torch.testing.assert_close(outputs(model), both, atol=1e-6, rtol=0)
    model.base_model.unmerge_adapter()
    torch.testing.assert_close(outputs(model), both, atol=1e-6, rtol=0)


def test_from_a_folder_alone(tmp_path: Path) -> None:
    base = bert()
    base.save_pretrained(tmp_path / "base")
    base = type(base).from_pretrained(tmp_path / "base").eval()
    model = trained(get_peft_model(base, ADAPTERS["pauli"](target_modules=["query"], task_type="SEQ_CLS")))
    model.save_pretrained(tmp_path / "adapter")
    loaded = AutoPeftModelForSequenceClassification.from_pretrained(tmp_path / "adapter")
    assert torch.equal(outputs(loaded), outputs(model))
    low_memory = PeftModel.from_pretrained(bert(), tmp_path / "adapter", low_cpu_mem_usage=True)
    assert torch.equal(outputs(low_memory), outputs(model))
    assert json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())["qloom_format"] == 1


@pytest.mark.parametrize("kind", ADAPTERS)
def test_transposed_weights_of_gpt2(kind: str, tmp_path: Path) -> None:
    model = get_peft_model(gpt2(), ADAPTERS[kind](target_modules=["c_attn", "c_proj"], task_type="CAUSAL_LM"))
    torch.testing.assert_close(outputs(model), outputs(gpt2()), atol=1e-6, rtol=0)
    expected = outputs(trained(model))
    layer = model.base_model.model.transformer.h[0].attn.c_attn
    assert layer.get_delta_weight("default").shape == layer.base_layer.weight.shape
    save_as_lora(tmp_path, model, rank=16)
    with pytest.warns(UserWarning, match="fan_in_fan_out"):
        as_lora = PeftModel.from_pretrained(gpt2(), tmp_path)
    torch.testing.assert_close(outputs(as_lora), expected, atol=2e-6, rtol=0)
    torch.testing.assert_close(outputs(model.merge_and_unload()), expected, atol=2e-6, rtol=0)
    assert model.generate(TOKENS, max_new_tokens=3, do_sample=False, pad_token_id=0).shape == (3, 10)


def test_images() -> None:
    model = get_peft_model(vit(), ADAPTERS["pauli"](target_modules="all-linear", modules_to_save=["classifier"]))
    with torch.no_grad():
        expected = vit()(pixel_values=PIXELS).logits
    torch.testing.assert_close(model(pixel_values=PIXELS).logits, expected, atol=1e-6, rtol=0)
    trained(model, pixel_values=PIXELS)
    assert model.base_model.model.classifier.modules_to_save["default"].weight.grad is not None


def test_what_is_trained_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    model = adapted("pauli")
    model.print_trainable_parameters()
    count, everything = model.get_nb_trainable_parameters()
    assert f"trainable params: {count:,} || all params: {everything:,}" in capsys.readouterr().out
    described = repr(model.base_model.model.bert.encoder.layer[0].attention.self.query)
    assert "rank 3, columns of 5 qubits (24 of 32 rows)" in described


def test_dropout_and_scaling() -> None:
    for kind in ("pauli", "two axes", "givens"):
        model = trained(adapted(kind, dropout=0.5))
        expected = outputs(model)
        model.train()
        torch.manual_seed(0)
        first, second = (model(input_ids=TOKENS).logits for _ in range(2))
        assert not torch.equal(first, second)
        assert torch.equal(outputs(model), expected)
    doubled, single = (
        get_peft_model(bert(), ADAPTERS["pauli"](target_modules=["query"], scaling=scaling)) for scaling in (2.0, 1.0)
    )
    for model, scale in ((doubled, 0.1), (single, 0.2)):
        for name, p in model.named_parameters():
            if name.endswith("scales"):
                torch.nn.init.constant_(p, scale)
    torch.testing.assert_close(outputs(doubled), outputs(single))


def test_beside_lora_in_one_process() -> None:
    lora = get_peft_model(bert(), LoraConfig(target_modules=["query"], task_type="SEQ_CLS"))
    ours = adapted("pauli")
    torch.testing.assert_close(outputs(lora), outputs(ours), atol=1e-6, rtol=0)
    # A base that was adapted, trained, merged and unloaded can be adapted again.
    again = get_peft_model(trained(ours).merge_and_unload(), ADAPTERS["givens"](target_modules=["query"]))
    assert outputs(again).isfinite().all()
