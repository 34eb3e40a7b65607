"""Our adapters as peft has them: a layer around a linear layer, and what puts such layers into a model."""

from __future__ import annotations

import difflib
import re
import warnings
import zlib
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from peft.tuners.tuners_utils import BaseTuner, BaseTunerLayer, check_adapters_to_merge
from peft.utils import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING
from peft.utils.error import PeftError
from torch import Tensor, nn
from torch.nn.functional import linear
from transformers.pytorch_utils import Conv1D

from qloom.adapters.form import Form
from qloom.adapters.settings import AdapterConfig
from qloom.adapters.together import Together, in_full_precision
from qloom.errors import ArtifactError, ConfigError, QloomError, UnsupportedError

# What peft raises for targets that are not there.
_OF_PEFT = (ValueError, TypeError, KeyError, AttributeError, re.error, PeftError)


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
        with torch.device("cpu"):  # whatever device models are made on just now
            form = self.form(config, self.in_features, self.out_features, len(together.layers))
            first = form.start(torch.Generator().manual_seed(seed))
        device = self._base_weight.device
        # Angles need the digits that half precision lacks, whatever the layer has.
        numbers = {name: nn.Parameter(value.to(torch.float32).to(device)) for name, value in first.items()}
        self._numbers[adapter] = _Numbers(numbers, (self.out_features, self.in_features))
        self.forms[adapter], self.together[adapter] = form, together
        self.qloom_dropout[adapter] = nn.Dropout(config.dropout) if config.dropout else nn.Identity()
        together.layers.append(self)
        self.set_adapter(self.active_adapters, inference_mode=config.inference_mode)

    def delete_adapter(self, adapter_name: str) -> None:
        together = self.together.get(adapter_name)
        if together is not None:
            together.layers = [layer for layer in together.layers if layer is not self]
            together.forget()
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
        base: Any = self.base_layer
        is_watched = base._forward_hooks or base._forward_pre_hooks or hasattr(base, "_hf_hook")
        plain = type(base) in (nn.Linear, Conv1D) and not (args or kwargs or is_watched)
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
            with torch.no_grad(), in_full_precision():
                made = self.together[name].made_for(self)
                whole = self._as_rows(weight.data).to(made[0].dtype)
                weight.data = self._as_rows(self.forms[name].restored(made, whole)).to(weight.dtype)

    def get_delta_weight(self, adapter: str) -> Tensor:
        """What an adapter adds to the layer's weight, shaped as that."""
        with torch.no_grad(), in_full_precision():
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
        """As peft does it; where it cannot, the model is left as it was, and why is one sentence."""
        _check_targets(self.peft_config[adapter_name], model)
        self._together = Together(adapter_name)
        try:
            super().inject_adapter(model, adapter_name, *args, **kwargs)
        except Exception as error:
            self._take_back(model, adapter_name)
            if isinstance(error, QloomError) or not isinstance(error, _OF_PEFT):
                raise
            told = " ".join(str(error).split())
            raise ConfigError(
                f"no place for the adapter: {told or type(error).__name__}; the model's linear layers end in "
                f"{', '.join(_endings(model)[:8])}"
            ) from None

    def _take_back(self, model: nn.Module, adapter: str) -> None:
        for name, layer in list(model.named_modules()):
            if isinstance(layer, self.tuner_layer_cls) and adapter in layer.forms:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", UserWarning)
                    layer.delete_adapter(adapter)
                if not layer.forms:
                    parent, _, last = name.rpartition(".")
                    setattr(model.get_submodule(parent), last, layer.base_layer)

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
    names, endings = [name for name, module in model.named_modules() if name], _endings(model)
    for target in sorted(config.target_modules):
        if not any(name == target or name.endswith(f".{target}") for name in names):
            near = difflib.get_close_matches(target, endings, 3, 0.3) or endings[:6]
            raise ConfigError(
                f"target_modules has {target!r}, which no layer of the model ends in, expected names such as "
                f"{', '.join(near)}"
            )


def _endings(model: nn.Module) -> list[str]:
    """What names of linear layers end in."""
    return sorted({name.rpartition(".")[2] for name, module in model.named_modules() if _is_linear(module)})


class _Numbers(nn.ParameterDict):
    """What is trained of one layer, and the shape of its weight, which is saved beside it.

    Widths of about one size have as many numbers: without the shape they would be taken for each other.
    """

    shape: Tensor

    def __init__(self, numbers: Mapping[str, nn.Parameter], shape: tuple[int, int]):
        super().__init__(numbers)
        with torch.device("cpu"):
            self.register_buffer("shape", torch.tensor(shape))
        self._own = list(shape)

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *args: Any, **kwargs: Any) -> None:
        found = state_dict.get(f"{prefix}shape")
        if found is not None and found.tolist() != self._own:
            given, own = (" x ".join(map(str, sizes)) for sizes in (found.tolist(), self._own))
            raise ArtifactError(
                f"{prefix[:-1]} is of a weight of {given}, the model has one of {own}, expected the same; load the "
                "adapter onto the model that it was trained with"
            )
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)


def _is_linear(module: nn.Module) -> bool:
    plain = module.get_base_layer() if isinstance(module, BaseTunerLayer) else module
    return isinstance(plain, nn.Linear | Conv1D)
