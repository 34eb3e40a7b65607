"""Circuits of all layers run once a step, whatever asks how often; slopes are those of one pass after another."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from peft import get_peft_model
from torch import Tensor

from qloom.adapters import PauliAdapterConfig
from qloom.adapters.columns import Columns
from qloom.adapters.pauli import PauliForm
from qloom.errors import UnsupportedError

from .small_models import ADAPTERS, TOKENS, bert, trained

KINDS = ("pauli", "two axes", "givens", "generated")


def adapted(kind: str = "pauli", **more: Any) -> Any:
    return get_peft_model(bert(), ADAPTERS[kind](target_modules=["query", "value"], task_type="SEQ_CLS", **more))


def slopes(model: Any) -> dict[str, Tensor]:
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many layers were made at once, a number a call."""
    made: list[int] = []
    inner = PauliForm.make.__func__  # type: ignore[attr-defined]

    def counting(cls: type, forms: Any, numbers: Any) -> Any:
        made.append(len(forms))
        return inner(cls, forms, numbers)

    monkeypatch.setattr(PauliForm, "make", classmethod(counting))
    return made


def test_once_a_step_for_all_layers(calls: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    model = adapted()
    model.train()
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    runs: list[int] = []
    inner = Columns.__call__
    monkeypatch.setattr(Columns, "__call__", lambda self, angles: runs.append(len(angles)) or inner(self, angles))
    for _ in range(3):
        for rows in TOKENS.split(1):  # micro-batches of one step
            model(input_ids=rows).logits.sum().backward()
        optimizer.step()
        optimizer.zero_grad()
    assert calls == [4, 4, 4]
    assert runs == [8, 8, 8]  # left and right of four layers, of one width, in one call
    model.eval()
    with torch.no_grad():
        for _ in range(3):
            model(input_ids=TOKENS)
    assert calls == [4, 4, 4, 4]


def test_micro_batches_have_the_slopes_of_their_batch() -> None:
    for kind in KINDS:
        whole, parts = adapted(kind), adapted(kind)
        trained(whole), trained(parts)
        whole.zero_grad(), parts.zero_grad()
        whole(input_ids=TOKENS).logits.sum().backward()
        for rows in TOKENS.split(1):
            parts(input_ids=rows).logits.sum().backward()
        for name, slope in slopes(whole).items():
            torch.testing.assert_close(slopes(parts)[name], slope, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("change", ["step", "data", "copied", "load", "replaced"])
def test_made_anew_when_numbers_change(change: str) -> None:
    model, other = trained(adapted()), adapted()
    with torch.no_grad():
        before = model(input_ids=TOKENS).logits
        numbers = {name: p for name, p in model.named_parameters() if "numbers" in name}
        for name, p in numbers.items():
            new = dict(other.named_parameters())[name].detach().clone() + 0.3
            if change == "step":
                p.add_(0.3)
            elif change == "data":
                p.data.add_(0.3)  # which torch's counters of versions do not see
            elif change == "copied":
                p.copy_(new)
            elif change == "load":
                model.load_state_dict({name: new}, strict=False)
            else:
                place, _, last = name.rpartition(".")
                setattr(model.get_submodule(place), last, torch.nn.Parameter(new))
        after = model(input_ids=TOKENS).logits
        fresh = adapted()
        fresh.load_state_dict(model.state_dict())
        assert torch.equal(after, fresh.eval()(input_ids=TOKENS).logits)
    assert not torch.equal(before, after)
    model(input_ids=TOKENS).logits.sum().backward()
    assert all(p.grad is not None for name, p in model.named_parameters() if "numbers" in name)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reentrant", [False, True])
def test_gradient_checkpointing(kind: str, reentrant: bool, calls: list[int]) -> None:
    plain, saving = trained(adapted(kind)), trained(adapted(kind))
    saving.gradient_checkpointing_enable({"use_reentrant": reentrant})
    saving.enable_input_require_grads()
    calls.clear()
    for model in (plain, saving):
        model.zero_grad()
        model.train()
        torch.manual_seed(0)
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        model(input_ids=TOKENS).logits.sum().backward()
    if kind == "pauli":  # once a model, and once more where the first pass is without slopes
        assert calls == [4] * (3 if reentrant else 2)
    for name, slope in slopes(plain).items():
        torch.testing.assert_close(slopes(saving)[name], slope, atol=1e-6, rtol=1e-5)


def test_copies_have_their_own_layers() -> None:
    model = trained(adapted())
    model(input_ids=TOKENS)
    twin = copy.deepcopy(model)
    trained(twin)
    with torch.no_grad():
        assert not torch.equal(twin(input_ids=TOKENS).logits, model(input_ids=TOKENS).logits)
    layer = twin.base_model.model.bert.encoder.layer[0].attention.self.query
    assert all(any(each is module for module in twin.modules()) for each in layer.together["default"].layers)


def test_bf16_model_keeps_angles_in_float32() -> None:
    for kind in KINDS:
        model = get_peft_model(
            bert().bfloat16(), ADAPTERS[kind](target_modules=["query", "value"]), autocast_adapter_dtype=False
        )
        numbers = [p for name, p in model.named_parameters() if "numbers" in name]
        assert {p.dtype for p in numbers} == {torch.float32}
        assert model(input_ids=TOKENS).logits.dtype == torch.bfloat16
        trained(model)
        assert all(p.grad.dtype == torch.float32 and p.grad.abs().sum() > 0 for p in numbers if p.numel() > 1)
        merged = model.merge_and_unload()
        assert merged.bert.encoder.layer[0].attention.self.query.weight.dtype == torch.bfloat16


def test_autocast() -> None:
    for kind in KINDS:
        model = trained(adapted(kind))
        expected = model(input_ids=TOKENS).logits
        model.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(input_ids=TOKENS).logits
        assert logits.dtype == torch.bfloat16
        torch.testing.assert_close(logits.float(), expected, atol=0.02, rtol=0.05)
        logits.float().sum().backward()
        assert all(slope.dtype == torch.float32 and slope.isfinite().all() for slope in slopes(model).values())


def test_double_precision() -> None:
    """What is made of numbers that became float64 is made anew."""
    model = trained(adapted())
    model(input_ids=TOKENS)
    model.double()
    layer = model.base_model.model.bert.encoder.layer[0].attention.self.query
    with torch.no_grad():
        made = layer.together["default"].made_for(layer)
        form, numbers = layer.forms["default"], layer.numbers("default")
        expected = form.make([form], [numbers])[0]
    assert made[0].dtype == torch.float64
    torch.testing.assert_close(made, expected, atol=1e-14, rtol=0)
    assert (made[0] - made[0].float().double()).abs().max() > 0


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_made_does_not_depend_on_autocast(kind: str) -> None:
    for control in ({}, {"classical": True}):
        model = trained(adapted(kind, **control))
        layer = model.base_model.model.bert.encoder.layer[0].attention.self.query
        expected = layer.get_delta_weight("default")
        layer.together["default"].forget()
        with torch.autocast("cpu", torch.bfloat16):
            model(input_ids=TOKENS).logits.sum().backward()
            assert torch.equal(layer.get_delta_weight("default"), expected)
        assert torch.equal(layer.get_delta_weight("default"), expected)
        model(input_ids=TOKENS).logits.sum().backward()


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_changed_between_the_passes(kind: str) -> None:
    """Noticed where a number itself was kept for the way back; elsewhere slopes are those of the pass."""
    model, other = trained(adapted(kind)), trained(adapted(kind))
    for each in (model, other):
        each.zero_grad()
    loss = model(input_ids=TOKENS).logits.sum()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "numbers" in name:
                p.add_(0.1)
    if kind == "generated":
        with pytest.raises(RuntimeError, match="changed in place between the passes"):
            loss.backward()
        return
    loss.backward()
    other(input_ids=TOKENS).logits.sum().backward()
    for name, slope in slopes(other).items():
        torch.testing.assert_close(slopes(model)[name], slope)


def test_a_replica_of_data_parallel_is_refused_in_a_sentence() -> None:
    model = trained(adapted())
    layer = model.base_model.model.bert.encoder.layer[0].attention.self.query
    replica = layer._replicate_for_data_parallel()
    with pytest.raises(UnsupportedError, match=r"replica of nn.DataParallel.*torchrun"):
        replica(torch.ones(1, 24))


def test_models_made_on_another_device_first() -> None:
    """Constants that are kept for all layers of a shape are on the CPU."""
    config = PauliAdapterConfig(target_modules=["query"], r=2, n_layers=5)
    controls = PauliAdapterConfig(target_modules=["query"], r=2, n_layers=5, classical=True)
    with torch.device("meta"):
        for each in (config, controls):
            get_peft_model(bert(), each)
    for each in (config, controls):
        assert get_peft_model(bert(), each)(input_ids=TOKENS).logits.isfinite().all()


def test_hooks_of_the_base_layer_are_called() -> None:
    for kind in KINDS:
        model, calls = adapted(kind), []
        layer = model.base_model.model.bert.encoder.layer[0].attention.self.query
        layer.base_layer.register_forward_hook(lambda *_, calls=calls: calls.append(1))
        model(input_ids=TOKENS)
        assert calls == [1]


@pytest.mark.parametrize("control", [{}, {"classical": True}, {"random": True}])
def test_made_alone_as_together(control: dict[str, bool]) -> None:
    """Under torch.func each layer makes its own; layers are of several widths."""
    for kind in KINDS:
        targets = ["query", "intermediate.dense", "output.dense"]
        model = trained(get_peft_model(bert(), ADAPTERS[kind](target_modules=targets, **control)))
        numbers = {name: p.detach() for name, p in model.named_parameters() if "numbers" in name}
        with torch.no_grad():
            expected = model(input_ids=TOKENS).logits

        def loss(values: dict[str, Tensor], model: Any = model) -> tuple[Tensor, Tensor]:
            logits = torch.func.functional_call(model, values, kwargs={"input_ids": TOKENS}).logits
            return logits.sum(), logits

        _, logits = torch.func.grad(loss, has_aux=True)(numbers)
        torch.testing.assert_close(logits, expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_per_sample_slopes_under_torch_func(kind: str) -> None:
    model = trained(adapted(kind)).eval()
    numbers = {name: p.detach() for name, p in model.named_parameters() if "numbers" in name}

    def loss(values: dict[str, Tensor]) -> Tensor:
        return torch.func.functional_call(model, values, kwargs={"input_ids": TOKENS}).logits.sum()

    by_function = torch.func.grad(loss)(numbers)
    model.zero_grad()
    model(input_ids=TOKENS).logits.sum().backward()
    for name, slope in slopes(model).items():
        if name in by_function:
            torch.testing.assert_close(by_function[name], slope, atol=1e-6, rtol=1e-4)


@pytest.mark.slow  # the compiler takes half a minute a kind
@pytest.mark.parametrize("kind", KINDS)
def test_compiled(kind: str) -> None:
    model = trained(adapted(kind)).eval()
    expected = model(input_ids=TOKENS).logits
    model.zero_grad()
    expected.sum().backward()
    plain = slopes(model)
    model.zero_grad()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compiled: Callable[..., Any] = torch.compile(model, fullgraph=True)
        logits = compiled(input_ids=TOKENS).logits
        logits.sum().backward()
    torch.testing.assert_close(logits, expected, atol=1e-5, rtol=1e-5)
    for name, slope in slopes(model).items():
        torch.testing.assert_close(slope, plain[name], atol=1e-5, rtol=1e-4)
