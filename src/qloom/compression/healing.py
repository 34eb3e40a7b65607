"""A compressed model trained to do again what the original does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from qloom.checks import checked_seed, is_integer, is_real
from qloom.compression.feeding import evaluated, feed
from qloom.compression.layers import CompressedLinear
from qloom.errors import ConfigError
from qloom.fitting import Training, cosine

# The model and a batch -> the loss, ().
Loss = Callable[[nn.Module, Any], Tensor]
TRAINED = ("factors", "all")


def heal(
    model: nn.Module,
    batches: Iterable[Any] | Callable[[int], Iterable[Any]],
    *,
    teacher: nn.Module | None = None,
    loss: Loss | None = None,
    epochs: int = 1,
    learning_rate: float = 1e-3,
    train: str = "factors",
    validation: Iterable[Any] | None = None,
    patience: int | None = None,
    seed: int | None = 0,
) -> list[dict[str, Any]]:
    """Train a compressed model to give the outputs of the original, or by any loss.

    Adam, its rate falling along half a cosine. With a teacher dropout is off, and every floating-point tensor that
    both give (hidden states, logits) counts by its squared error over the teacher's own square; where a batch has an
    attention mask, its padding does not count.

    Args:
        model: changed in place, with the best weights on `validation` at the end, the last ones without.
        batches: walked through in every epoch, as tensors, tuples or mappings; or a function of the epoch, from 0.
        teacher: the original, such as the model before `compress(..., copy=True)`.
        loss: instead, the model and a batch -> the loss, ().
        epochs: passes.
        learning_rate: the first one.
        train: "factors" for those of compressed layers alone, "all" for every parameter that asks for gradients.
        validation, patience: as of `fitting.Training`.
        seed: of torch's generator in each epoch, for loaders and dropout that draw from it; None leaves it alone.

    Returns:
        A record an epoch: epoch, train_loss, validation_loss, seconds.

    Raises:
        ConfigError: without compressed layers, without one of teacher and loss, for outputs of other shapes.
    """
    if (teacher is None) == (loss is None):
        raise ConfigError("heal needs a teacher or a loss, expected one of them; give the model before compression")
    if teacher is model:
        raise ConfigError("the teacher is the model itself, expected the original; compress with copy=True")
    if not (is_real(learning_rate) and 0 < learning_rate < float("inf")):
        raise ConfigError(f"learning_rate={learning_rate!r}, expected a number above 0")
    if not (is_integer(epochs) and epochs >= 1):
        raise ConfigError(f"epochs={epochs!r}, expected an integer of at least 1")
    objective: Any = loss if teacher is None else _Matching(teacher)
    with _trained(model, train) as parameters, evaluated(*[model, teacher] if teacher is not None else [model]):
        training = Training(
            model, objective, batches, torch.optim.Adam(parameters, learning_rate), epochs=epochs,
            rate=cosine(learning_rate, epochs), validation=validation, patience=patience, seed=checked_seed(seed),
        )  # fmt: skip
        training.run()
    kept = ("epoch", "train_loss", "validation_loss", "seconds")
    return [{name: record[name] for name in kept} for record in training.history]


class _Matching:
    """The squared difference of a model's outputs and a teacher's, as a share of the teacher's square."""

    def __init__(self, teacher: nn.Module):
        self._teacher = teacher

    def __call__(self, model: nn.Module, batch: Any) -> Tensor:
        with torch.no_grad():
            theirs = list(_tensors(feed(self._teacher, batch)))
        model.eval()  # dropout would be noise that the teacher does not have
        ours = list(_tensors(feed(model, batch)))
        shapes = [[tuple(tensor.shape) for tensor in tensors] for tensors in (ours, theirs)]
        if shapes[0] != shapes[1] or not ours:
            raise ConfigError(f"the model gives {shapes[0]} and the teacher {shapes[1]}, expected the same, and some")
        mask = batch.get("attention_mask") if isinstance(batch, Mapping) else None
        return torch.stack([_distance(a, b, mask) for a, b in zip(ours, theirs, strict=True)]).mean()


def _tensors(output: Any) -> Iterator[Tensor]:
    """Floating-point tensors of an answer, in order."""
    if isinstance(output, Tensor):
        if output.is_floating_point():
            yield output
    elif isinstance(output, Mapping):
        yield from _tensors([part for key, part in output.items() if key != "loss"])
    elif isinstance(output, tuple | list):
        for part in output:
            yield from _tensors(part)


def _distance(ours: Tensor, theirs: Tensor, mask: Tensor | None) -> Tensor:
    if mask is not None and ours.shape[:2] == mask.shape:
        ours, theirs = ours[mask.bool()], theirs[mask.bool()]
    tiny = torch.finfo(theirs.dtype).tiny
    return (ours - theirs).square().sum() / theirs.square().sum().clamp_min(tiny)


@contextmanager
def _trained(model: nn.Module, train: str) -> Iterator[list[nn.Parameter]]:
    """The parameters to train; no others ask for gradients inside the block, and all as before after it."""
    if train not in TRAINED:
        raise ConfigError(f"train={train!r}, expected one of {', '.join(map(repr, TRAINED))}")
    layers = [module for module in model.modules() if isinstance(module, CompressedLinear)]
    if not layers:
        raise ConfigError(f"{type(model).__name__} has no compressed layers, expected some; call compress first")
    asked = {parameter: parameter.requires_grad for parameter in model.parameters()}
    factors = [factor for layer in layers for factor in layer.factors]
    chosen = factors if train == "factors" else [parameter for parameter, wanted in asked.items() if wanted]
    if not chosen:
        raise ConfigError("no parameter asks for gradients, expected some; set requires_grad or train='factors'")
    try:
        model.requires_grad_(False)
        for parameter in chosen:
            parameter.requires_grad_(True)
        yield chosen
    finally:
        for parameter, wanted in asked.items():
            parameter.requires_grad_(wanted)
