"""One sentence for what cannot be, and nothing lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from peft import PeftModel, get_peft_model
from peft.utils import PeftType
from torch import nn
from transformers import BertConfig, BertModel

import qloom as ql
from qloom.adapters import GeneratedConfig, GivensConfig, PauliAdapterConfig, TwoAxisConfig, givens_circuit
from qloom.adapters.methods import make_method
from qloom.adapters.registration import KINDS, register_all
from qloom.errors import ArtifactError, ConfigError, QloomError, UnsupportedError

from .small_models import ADAPTERS, TOKENS, bert, trained


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (lambda: PauliAdapterConfig(target_modules=["query", "vlaue"]), "'vlaue'.*expected names such as value"),
        (lambda: PauliAdapterConfig(target_modules=["q_proj"]), "'q_proj', which no layer .* expected names such as"),
        (lambda: PauliAdapterConfig(r=25, target_modules=["query"]), "query: r=25 for a weight of 24 x 24, .* most 24"),
        (lambda: GeneratedConfig(r=25, target_modules=["query"]), "query: r=25 for a weight of 24 x 24, .* most 24"),
        (lambda: GivensConfig(n_modes=25, target_modules=["query"]), "query: blocks of 25 features .* 24 inputs"),
        (lambda: TwoAxisConfig(axes=[2, 3], target_modules=["query"]), "query: axes 2 x 3 for a width of 24"),
        (
            lambda: PauliAdapterConfig(target_modules=["LayerNorm"]),
            "LayerNorm is a LayerNorm, expected torch.nn.Linear",
        ),
        (lambda: PauliAdapterConfig(r=2, target_modules="("), "no place for the adapter: .* layers end in"),
        (lambda: PauliAdapterConfig(r=2, target_modules="quarry"), "no place for the adapter: .* end in .*query"),
        (
            lambda: PauliAdapterConfig(r=2, target_modules=["query"], layers_to_transform=[9]),
            "no place for the adapter",
        ),
        (lambda: PauliAdapterConfig(target_modules=5), "target_modules=5, expected names"),
        (lambda: TwoAxisConfig(axis=2, axes=[2] * 12, target_modules=["query"]), "66 pairs of 12 axes, .* larger axis"),
        (lambda: TwoAxisConfig(axes="ab"), "axes='ab', expected two or more integers"),
        (lambda: TwoAxisConfig(axes=[2.7, 4.9]), "axes=.2.7, 4.9., expected two or more integers"),
        (lambda: TwoAxisConfig(axis=1), "axis=1, expected"),
        (lambda: PauliAdapterConfig(rotations=["a"]), "rotations=.'a'., expected one of"),
        (lambda: PauliAdapterConfig(seed=1.5), "seed=1.5, expected an integer"),
        (lambda: PauliAdapterConfig(entangle="no"), "entangle='no', expected True or False"),
        (lambda: PauliAdapterConfig(scaling=float("inf")), "scaling=inf, expected a finite"),
        (lambda: PauliAdapterConfig(r=0), "r=0, expected"),
        (lambda: PauliAdapterConfig(n_layers=1.5), "n_layers=1.5, expected"),
        (lambda: PauliAdapterConfig(rotations="rx"), "rotations='rx', expected one of ry-cz, pauli"),
        (lambda: TwoAxisConfig(pairs="some"), "pairs='some', expected one of all, chain"),
        (lambda: TwoAxisConfig(axes=[24]), "axes=.24., expected two or more"),
        (lambda: GivensConfig(order=16), "order=16 of n_modes=16, expected an order from 1 to 15"),
        (lambda: GivensConfig(scaling=2.0), "scaling=2.0, expected 1"),
        (lambda: PauliAdapterConfig(dropout=1.0), "dropout=1.0, expected a share"),
        (lambda: PauliAdapterConfig(random=True, classical=True), "random=True and classical=True, expected one"),
        (
            lambda: PauliAdapterConfig(target_modules="all-linear", layers_to_transform=[0]),
            "layers_to_transform beside",
        ),
    ],
)
def test_refused_in_a_sentence(config: Any, told: str) -> None:
    model = bert()
    before = {name: p.clone() for name, p in model.named_parameters()}
    with pytest.raises(QloomError, match=told) as raised:
        get_peft_model(model, config())
    assert "\n" not in str(raised.value)
    after = dict(model.named_parameters())
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], p) for name, p in before.items())


def test_a_model_that_an_adapter_did_not_fit_can_be_adapted_by_another() -> None:
    model = bert()
    with pytest.raises(ConfigError, match="classifier: r=24 for a weight of 2 x 24"):
        get_peft_model(model, PauliAdapterConfig(r=24, target_modules=["query", "intermediate.dense", "classifier"]))
    assert not any("base_layer" in name for name, _ in model.named_modules())
    again = get_peft_model(model, PauliAdapterConfig(r=3, n_layers=3, target_modules=["value"]))
    assert again.get_nb_trainable_parameters()[0] == 2 * (2 * 15 + 3)


def test_an_adapter_that_does_not_fit_leaves_the_others_in_place() -> None:
    model = trained(get_peft_model(bert(), PauliAdapterConfig(r=3, target_modules=["query"])))
    with torch.no_grad():
        expected = model(input_ids=TOKENS).logits
    with pytest.raises(ConfigError, match="classifier"):
        model.add_adapter("second", PauliAdapterConfig(r=24, target_modules=["query", "classifier"]))
    assert set(model.peft_config) == {"default"}
    with torch.no_grad():
        assert torch.equal(model(input_ids=TOKENS).logits, expected)


def test_of_a_model_of_another_width(tmp_path: Path) -> None:
    def wide() -> nn.Module:
        sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 40}
        return BertModel(BertConfig(vocab_size=50, **sizes), add_pooling_layer=False)

    for kind, make in ADAPTERS.items():
        get_peft_model(bert().bert, make(target_modules=["query"])).save_pretrained(tmp_path / kind)
        with pytest.raises((ArtifactError, RuntimeError)) as raised:
            PeftModel.from_pretrained(wide(), tmp_path / kind)
        if isinstance(raised.value, ArtifactError):
            assert "of a weight of 24 x 24, the model has one of 32 x 32, expected the same" in str(raised.value)
    with pytest.raises(ArtifactError, match="24 x 24"):
        PeftModel.from_pretrained(wide(), tmp_path / "givens")


@pytest.mark.parametrize(
    ("name", "settings", "told"),
    [
        ("qauli", {}, "adapter 'qauli', expected one of pauli, two_axis"),
        ("pauli", {"inference_mode": True}, "setting 'inference_mode' of the adapter pauli"),
        ("lora", {"rank": 3}, "setting 'rank' of the adapter lora, expected one of .*rank_pattern"),
        ("lora", {"lora_dropout": 0.1, "layers_pattern": "x"}, "adapter lora: .*; check its settings"),
    ],
)
def test_methods_by_name(name: str, settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        get_peft_model(bert(), make_method(name, {"target_modules": ["query"], **settings}))


def test_a_name_that_one_of_several_lacks_is_refused_before_anything_is_replaced() -> None:
    model = bert()
    with pytest.raises(ConfigError, match="'valeu'"):
        get_peft_model(model, PauliAdapterConfig(target_modules=["query", "valeu"]))
    assert not any("base_layer" in name for name, _ in model.named_modules())
    get_peft_model(model, PauliAdapterConfig(r=3, target_modules=["query", "value"]))


def test_of_another_version(tmp_path: Path) -> None:
    model = trained(get_peft_model(bert(), PauliAdapterConfig(r=3, target_modules=["query"])))
    model.save_pretrained(tmp_path)
    path = tmp_path / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "qloom_format": 7}))
    with pytest.raises(ArtifactError, match="saved in format 7, expected 1; use the version of qloom that saved it"):
        PeftModel.from_pretrained(bert(), tmp_path)


def test_no_circuit_of_what_has_none() -> None:
    model = get_peft_model(bert(), PauliAdapterConfig(r=3, target_modules=["query"]))
    with pytest.raises(UnsupportedError, match="adapter 'default' of a PauliLinear has no circuit"):
        givens_circuit(model.base_model.model.bert.encoder.layer[0].attention.self.query)


def test_a_trained_givens_adapter_runs_on_a_device() -> None:
    """Counts of unary states are the squares of a column of the block, within four standard errors."""
    model = trained(get_peft_model(bert(), GivensConfig(n_modes=5, target_modules=["query"])), n_steps=8)
    layer = model.base_model.model.bert.encoder.layer[0].attention.self.query
    (turns,) = layer.together["default"].made_for(layer)
    column = turns[0, :, 2].detach().double().numpy()
    counts = ql.counts(ql.Circuit(5).x(2) + givens_circuit(layer), 100_000, seed=0)
    for mode, amplitude in enumerate(column):
        share = counts.get("0" * mode + "1" + "0" * (4 - mode), 0) / 100_000
        assert abs(share - amplitude**2) < 4 * (amplitude**2 * (1 - amplitude**2) / 100_000) ** 0.5 + 1e-6
    assert sum(counts.values()) == 100_000


def test_peft_knows_all_kinds() -> None:
    assert tuple(int(part) for part in peft.__version__.split(".")[:2]) >= (0, 21)
    for config, tuner in KINDS:
        member = PeftType(config.kind.upper())
        assert member is PeftType[config.kind.upper()] is getattr(PeftType, config.kind.upper())
        assert member in list(PeftType)
        assert peft.mapping.PEFT_TYPE_TO_TUNER_MAPPING[member] is tuner
        assert config(target_modules=["x"]).peft_type == member
    assert PeftType("LORA") is PeftType.LORA
    with pytest.raises(KeyError):
        register_all()  # once a process


def test_the_extra_is_named_where_it_is_missing() -> None:
    code = "import sys; sys.modules['peft'] = None\ntry:\n    import qloom.adapters\nexcept ImportError as e: print(e)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told == "qloom.adapters needs peft; install it with: pip install 'qloom[llm]'\n"


def test_any_torch_model() -> None:
    model = get_peft_model(nn.Sequential(nn.Linear(6, 9), nn.ReLU(), nn.Linear(9, 2)), PauliAdapterConfig(
        r=2, target_modules=["0", "2"]))  # fmt: skip
    assert model(torch.ones(3, 6)).shape == (3, 2)
    assert TOKENS.shape == (3, 7)
