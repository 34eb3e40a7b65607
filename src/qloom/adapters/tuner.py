"""Our adapters as peft has them: a layer around a linear layer, and what puts such layers into a model."""

from __future__ import annotations

import difflib
import warnings
import zlib
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from peft.tuners.tuners_utils import BaseTuner, BaseTunerLayer, check_adapters_to_merge
from peft.utils import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING
from torch import Tensor, nn
from torch.nn.functional import linear
from transformers.pytorch_utils import Conv1D

from qloom.adapters.form import Form
from qloom.adapters.settings import AdapterConfig
from qloom.adapters.together import Together
from qloom.errors import ConfigError, UnsupportedError


class AdaptedLinear(nn.Module, BaseTunerLayer):
    """A linear layer and its adapters.

    Attributes:
        forms: what each adapter is, by its name.
        together: the layers that each adapter shares its work with.
    """

    form: ClassVar[type[Form[Any]]]
    other_param_names = ("forms", "together", "qloom_dropout")

    def __init__(self, base_layer: nn.Module):
        super().__init__()
        self.base_layer = base_layer
        self.forms: dict[str, Form[Any]] = {}
        self.together: dict[str, Together] = {}
        self.qloom_dropout = nn.ModuleDict()
        setattr(self, self.adapter_layer_names[0], nn.ModuleDict())
        self._disable_adapters, self.merged_adapters = False, []
        self.is_transposed = isinstance(self.get_base_layer(), Conv1D)
        self.out_features, self.in_features = self._as_rows(self._base_weight).shape

    @property
    def _base_weight(self) -> Tensor:
        return self.get_base_layer().weight  # type: ignore[return-value]

    @property
    def _numbers(self) -> nn.ModuleDict:
        return getattr(self, self.adapter_layer_names[0])  # type: ignore[no-any-return]

    def numbers(self, adapter: str) -> Mapping[str, Tensor]:
        """What is trained, by name."""
        return dict(self._numbers[adapter].items())  # type: ignore[operator]

    def add_adapter(self, adapter: str, config: AdapterConfig, together: Together, seed: int) -> None:
        form = self.form(config, self.in_features, self.out_features, len(together.layers))
        first = form.start(torch.Generator().manual_seed(seed))
        device = self._base_weight.device
        # Angles need the digits that half precision lacks, whatever the layer has.
        self._numbers[adapter] = nn.ParameterDict(
            {name: nn.Parameter(value.to(torch.float32).to(device)) for name, value in first.items()}
        )
        self.forms[adapter], self.together[adapter] = form, together
        self.qloom_dropout[adapter] = nn.Dropout(config.dropout) if config.dropout else nn.Identity()
        together.layers.append(self)
        self.set_adapter(self.active_adapters, inference_mode=config.inference_mode)

    def delete_adapter(self, adapter_name: str) -> None:
        if adapter_name in self.together:
            self.together[adapter_name].layers.remove(self)
        super().delete_adapter(adapter_name)

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if self.disable_adapters or self.merged:
            if self.merged and self.disable_adapters:
                self.unmerge()
            return self.base_layer(x, *args, **kwargs)  # type: ignore[no-any-return]
        working = [(self.forms[name], self.together[name].made_for(self), self.qloom_dropout[name])
                   for name in self.active_adapters if name in self.forms]  # fmt: skip
        if self._is_one_product(working, x, args, kwargs):
            return self._one_product(working, x)
        turned = x
        for form, made, dropout in reversed(working):
            change = form.turned(self._seen(turned, made), made)
            turned = turned if change is None else turned + dropout(change).to(turned.dtype)
        result = self.base_layer(turned, *args, **kwargs)
        for form, made, dropout in working:
            change = form.added(dropout(self._seen(x, made)), made)
            result = result if change is None else result + change.to(result.dtype)
        return result  # type: ignore[no-any-return]

    def _is_one_product(self, working: list[Any], x: Tensor, args: Any, kwargs: Any) -> bool:
        """Whether x may be multiplied by the changed weight: less work where changes are whole matrices."""
        plain = type(self.base_layer) in (nn.Linear, Conv1D) and not (args or kwargs)
        return (
            bool(working)
            and plain
            and all(
                form.is_dense and not (dropout.training and isinstance(dropout, nn.Dropout))
                for form, _, dropout in working
            )
        )

    def _one_product(self, working: list[Any], x: Tensor) -> Tensor:
        base: Any = self.base_layer
        weight = self._as_rows(base.weight)
        for form, made, _ in working:
            weight = weight + form.delta(made, weight).to(weight.dtype)
        return linear(x, weight, base.bias)

    def merge(self, safe_merge: bool = False, adapter_names: list[str] | None = None) -> None:
        weight = self._base_weight
        for name in check_adapters_to_merge(self, adapter_names):
            if name not in self.forms:
                continue
            changed = weight.data + self.get_delta_weight(name).to(weight.dtype)
            if safe_merge and not bool(torch.isfinite(changed).all()):
                raise ValueError(f"adapter {name} gives weights that are infinite or NaN, expected finite; train anew")
            weight.data = changed
            self.merged_adapters.append(name)

    def unmerge(self) -> None:
        if not self.merged:
            warnings.warn("no adapter is merged, nothing to do", stacklevel=2)
        weight = self._base_weight
        while self.merged_adapters:
            name = self.merged_adapters.pop()
            with torch.no_grad():
                made = self.together[name].made_for(self)
                whole = self._as_rows(weight.data).to(made[0].dtype)
                weight.data = self._as_rows(self.forms[name].restored(made, whole)).to(weight.dtype)

    def get_delta_weight(self, adapter: str) -> Tensor:
        """What an adapter adds to the layer's weight, shaped as that."""
        with torch.no_grad():
            made = self.together[adapter].made_for(self)
            whole = self._as_rows(self._base_weight.data).to(made[0].dtype)
            return self._as_rows(self.forms[adapter].delta(made, whole)).contiguous()

    def supports_lora_conversion(self, adapter_name: str = "default") -> bool:
        return True

    def _as_rows(self, weight: Tensor) -> Tensor:
        """(D_out, D_in) of the layer's own weight, and back."""
        return weight.T if self.is_transposed else weight

    @staticmethod
    def _seen(x: Tensor, made: tuple[Tensor, ...]) -> Tensor:
        """Inputs in the adapter's dtype; under autocast they are left to that."""
        return x if torch.is_autocast_enabled(x.device.type) else x.to(made[0].dtype)

    def extra_repr(self) -> str:
        return "; ".join(f"{name}: {form.described()}" for name, form in self.forms.items())


class CircuitTuner(BaseTuner):
    """Puts adapters of one kind into a model."""

    tuner_layer_cls: type[AdaptedLinear]
    target_module_mapping: Any = TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING

    def inject_adapter(self, model: nn.Module, adapter_name: str, *args: Any, **kwargs: Any) -> None:
        _check_targets(self.peft_config[adapter_name], model)
        self._together = Together(adapter_name)
        super().inject_adapter(model, adapter_name, *args, **kwargs)

    def _create_and_replace(
        self, peft_config: Any, adapter_name: str, target: nn.Module, target_name: str, parent: nn.Module,
        current_key: str, parameter_name: str | None = None,
    ) -> None:  # fmt: skip
        seed = zlib.crc32(current_key.encode()) ^ peft_config.seed
        layer = target if isinstance(target, self.tuner_layer_cls) else self._wrapped(target, current_key)
        try:
            layer.add_adapter(adapter_name, peft_config, self._together, seed)
        except ConfigError as error:
            raise ConfigError(f"{current_key}: {error}") from None
        if layer is not target:
            if adapter_name not in self.active_adapters:
                layer.requires_grad_(False)
            self._replace_module(parent, target_name, layer, target)

    def _wrapped(self, target: nn.Module, name: str) -> AdaptedLinear:
        plain = target.get_base_layer() if isinstance(target, BaseTunerLayer) else target
        if not isinstance(plain, nn.Linear | Conv1D) or not plain.weight.is_floating_point():
            raise UnsupportedError(
                f"{name} is a {type(plain).__name__}, expected torch.nn.Linear or Conv1D of transformers with weights "
                "that are floating point numbers; name other target_modules"
            )
        return self.tuner_layer_cls(target)


def _check_targets(config: Any, model: nn.Module) -> None:
    """Refuse a name that no layer ends in, also where others do."""
    if not isinstance(config.target_modules, set | list | tuple):
        return
    names = [name for name, module in model.named_modules() if name]
    endings = sorted({name.rpartition(".")[2] for name, module in model.named_modules() if _is_linear(module)})
    for target in sorted(config.target_modules):
        if not any(name == target or name.endswith(f".{target}") for name in names):
            near = difflib.get_close_matches(target, endings, 3, 0.3) or endings[:6]
            raise ConfigError(
                f"target_modules has {target!r}, which no layer of the model ends in, expected names such as "
                f"{', '.join(near)}"
            )


def _is_linear(module: nn.Module) -> bool:
    plain = module.get_base_layer() if isinstance(module, BaseTunerLayer) else module
    return isinstance(plain, nn.Linear | Conv1D)
