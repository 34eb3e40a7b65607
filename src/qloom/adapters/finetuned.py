"""A pretrained model with an adapter and a linear head: rows in, classes or numbers out, trained together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import peft
import torch
from sklearn.linear_model import LogisticRegression, Ridge
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from qloom.adapters.inputs import Inputs
from qloom.adapters.tuner import AdaptedLinear
from qloom.backbones import BackboneWithHead
from qloom.backbones.with_head import loss_of
from qloom.errors import ConfigError
from qloom.fitting import Training, cosine

STRENGTHS = (0.01, 0.1, 1.0, 10.0, 100.0)  # of logistic regression; ridge has their inverses


Score = Callable[[Tensor], float]


class FineTuned(BackboneWithHead):
    """The adapted model with its head; its state is what is trained, not the pretrained weights.

    Args:
        model: a model of transformers without a head, changed in place.
        method: of peft; None for a head alone.
        head: (B, F) -> (B, C).
        pooling: as in `qloom.backbones.Backbone`.
    """

    def __init__(self, model: nn.Module, method: peft.PeftConfig | None, head: nn.Module, pooling: str = "mean"):
        model.requires_grad_(False)
        backbone = model if method is None else peft.get_peft_model(model, method)
        if method is not None and not any(p.requires_grad for p in backbone.parameters()):
            raise ConfigError(
                f"the adapter {method.peft_type} trains nothing here, expected some of the model's weights"
            )
        super().__init__(backbone, head, pooling, frozen=method is None)

    def train(self, mode: bool = True) -> FineTuned:
        """As every module's; averages of the pretrained model over batches stay as they are."""
        super().train(mode)
        for module in self.backbone.modules():
            if isinstance(module, _BatchNorm):
                module.eval()
        return self

    def state_dict(self, *args: Any, **kwargs: Any) -> dict[str, Any]:  # type: ignore[override]
        trained = {name for name, parameter in self.named_parameters() if parameter.requires_grad}
        return {name: value for name, value in super().state_dict(*args, **kwargs).items() if name in trained}

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """What `state_dict` gave."""
        found = super().load_state_dict(state_dict, strict=False, assign=assign)
        missing = [name for name in self.state_dict() if name not in state_dict]
        if strict and (missing or found.unexpected_keys):
            raise RuntimeError(f"state of another model: {(*missing, *found.unexpected_keys)[0]} is not in both")
        return found

    @property
    def n_trained(self) -> int:
        """Numbers of the adapter; those of the head are not counted."""
        return sum(p.numel() for p in self.backbone.parameters() if p.requires_grad)

    @property
    def n_quantum(self) -> int:
        """Of these, what turns qubits."""
        layers = [layer for layer in self.backbone.modules() if isinstance(layer, AdaptedLinear)]
        return sum(
            layer.numbers(name)[each].numel()
            for layer in layers for name, form in layer.forms.items() for each in form.quantum
        )  # fmt: skip

    @property
    def n_head(self) -> int:
        """Numbers of the head."""
        return sum(p.numel() for p in self.head.parameters())


@dataclass(frozen=True)
class Recipe:
    """How adapters are trained: AdamW, cosine, early stopping on the validation loss.

    Attributes:
        epochs: at most.
        batch_size: rows a step.
        learning_rate: of the adapter's numbers.
        head_learning_rate: of the head, which begins as the best linear model on frozen features.
        weight_decay: of the head.
        patience: epochs without a better validation loss.
        seed: of the order of rows and of dropout.
    """

    epochs: int = 8
    batch_size: int = 16
    learning_rate: float = 0.05
    head_learning_rate: float = 0.001
    weight_decay: float = 0.01
    patience: int = 3
    seed: int = 0

    def training(
        self, module: FineTuned, train: Inputs, y: Tensor, validation: Inputs, y_validation: Tensor,
        score: Score | None = None,
    ) -> Training:  # fmt: skip
        """A training, which begins with the head as it is.

        Args:
            score: what outputs (B, C) of the validation rows are worth, for the history.

        Shapes: y (B,) int64 classes or float32 numbers.
        """
        fast = [p for p in module.backbone.parameters() if p.requires_grad]
        # AdamW's decay of angles would pull circuits to the identity.
        groups: list[dict[str, Any]] = [
            {"params": fast, "first": self.learning_rate, "weight_decay": 0.0},
            {"params": list(module.head.parameters()), "first": self.head_learning_rate,
             "weight_decay": self.weight_decay},
        ]  # fmt: skip
        training = _Finetuning(
            module, lambda network, batch: network(**batch[0], labels=batch[1])["loss"],
            lambda epoch: Batches(train, y, self.batch_size, (self.seed, epoch)),
            torch.optim.AdamW([group for group in groups if group["params"]]), epochs=self.epochs,
            rate=cosine(1.0, self.epochs), patience=self.patience, seed=self.seed,
        )  # fmt: skip
        training.held_out, training.score = (validation, y_validation), score
        return training


class _Finetuning(Training):
    """Groups of parameters that begin at rates of their own and fall alike; validation rows are gone through once.

    Attributes:
        metric: what the score is called.
    """

    unit = "epoch"
    metric = ""
    held_out: tuple[Inputs, Tensor]
    score: Score | None

    def batches_now(self) -> Iterator[Any]:
        for batch in super().batches_now():
            for group in self.optimizer.param_groups:
                group["lr"] *= group["first"]
            yield batch

    def judged(self) -> tuple[float | None, float | None]:
        inputs, y = self.held_out
        made = outputs(self.module, inputs)  # type: ignore[arg-type]
        return float(loss_of(made, y)), None if self.score is None else self.score(made)


class Batches:
    """Rows in batches, shuffled by a seed."""

    def __init__(self, inputs: Inputs, y: Tensor, size: int, seed: Sequence[int]):
        order = np.random.default_rng(seed).permutation(len(y))
        self._parts = [order[start : start + size] for start in range(0, len(order), size)]
        self._inputs, self._y = inputs, y

    def __len__(self) -> int:
        return len(self._parts)

    def __iter__(self) -> Iterator[tuple[dict[str, Tensor], Tensor]]:
        for rows in self._parts:
            yield self._inputs.batch(rows), self._y[torch.from_numpy(rows)]


def outputs(module: FineTuned, inputs: Inputs, batch_size: int = 64) -> Tensor:
    """Logits or numbers of all rows, (B, C)."""
    module.eval()
    order = inputs.by_length()
    with torch.no_grad():
        parts = [
            module(**inputs.batch(order[start : start + batch_size]))["logits"]
            for start in range(0, len(order), batch_size)
        ]
    return torch.cat(parts)[torch.from_numpy(np.argsort(order))]


def fit_head(
    features: np.ndarray, y: np.ndarray, validation: np.ndarray, y_validation: np.ndarray, n_classes: int | None
) -> nn.Linear:
    """The linear model on frozen features whose strength validates best, as a layer.

    Shapes: features (N, F), y (N,) class codes, or numbers where n_classes is None.
    """
    center, scale = features.mean(0), features.std(0) + 1e-6
    x, x_validation = (features - center) / scale, (validation - center) / scale
    found = min(
        (_linear(x, y, c, n_classes) for c in STRENGTHS), key=lambda f: _loss(f, x_validation, y_validation, n_classes)
    )
    weight, bias = found
    head = nn.Linear(features.shape[1], len(bias))
    with torch.no_grad():
        head.weight.copy_(torch.from_numpy(weight / scale))
        head.bias.copy_(torch.from_numpy(bias - (weight / scale) @ center))
    return head


def _linear(x: np.ndarray, y: np.ndarray, strength: float, n_classes: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Weights (C, F) and biases (C,); classes that no row has get a score that is never the largest."""
    if n_classes is None:
        model = Ridge(alpha=1 / strength).fit(x, y)
        return model.coef_[None], np.array([model.intercept_])
    model = LogisticRegression(C=strength / len(x) * 10, max_iter=2000).fit(x, y)
    weight, bias = np.zeros((n_classes, x.shape[1])), np.full(n_classes, -20.0)
    if len(model.classes_) == 2:
        both = (
            np.concatenate([-model.coef_, model.coef_]) / 2,
            np.concatenate([-model.intercept_, model.intercept_]) / 2,
        )
    else:
        both = model.coef_, model.intercept_
    weight[model.classes_], bias[model.classes_] = both
    return weight, bias


def _loss(found: tuple[np.ndarray, np.ndarray], x: np.ndarray, y: np.ndarray, n_classes: int | None) -> float:
    made = torch.from_numpy(x @ found[0].T + found[1])
    truth = torch.from_numpy(np.asarray(y))
    if n_classes is None:
        return float(nn.functional.mse_loss(made[:, 0], truth.to(made)))
    return float(nn.functional.cross_entropy(made, truth.long()))
