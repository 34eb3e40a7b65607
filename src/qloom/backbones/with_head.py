"""A pretrained model and a head as one module, for any training loop, that of transformers' Trainer among them."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from qloom.backbones.backbone import Backbone
from qloom.data.pretrained.encoding import check_pooling, hidden_states, pooled
from qloom.errors import ShapeError


class BackboneWithHead(nn.Module):
    """Inputs as the backbone takes them, its tokens pooled, the head; a loss where there are labels.

    Args:
        backbone: a model of transformers without a head.
        head: (B, F) -> (B, C); with pooling "tokens" (B, T, F) and `key_padding_mask` (B, T) -> (B, C).
        pooling: as in `Backbone`.
        frozen: whether the backbone stays as it is, without dropout and slopes. Of one that does not, parameters are
            trained that already are, such as those of an adapter; all of them where none is.

    Raises:
        ConfigError: for a pooling that there is not.
    """

    def __init__(self, backbone: nn.Module, head: nn.Module, pooling: str = "mean", frozen: bool = True):
        super().__init__()
        check_pooling(pooling)
        if frozen or not any(parameter.requires_grad for parameter in backbone.parameters()):
            backbone.requires_grad_(not frozen)
        self.backbone, self.head = backbone, head
        self.pooling, self.frozen = pooling, frozen
        self.train(self.training)

    def train(self, mode: bool = True) -> BackboneWithHead:
        """As every module's; a frozen backbone stays in evaluation mode."""
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        return self

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        labels: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Logits, and with labels the loss: cross entropy of classes, squared error of numbers.

        Shapes: input_ids, attention_mask, token_type_ids (B, T); pixel_values as the backbone takes them; labels (B,)
        int64
        classes, or (B,) or (B, C) numbers -> logits (B, C), loss ().

        Raises:
            ShapeError: for labels that do not fit the logits.
        """
        given = {"input_ids": input_ids, "attention_mask": attention_mask, "token_type_ids": token_type_ids,
                 "pixel_values": pixel_values}  # fmt: skip
        inputs = {name: tensor for name, tensor in given.items() if tensor is not None}
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            hidden = hidden_states(self.backbone, inputs)
        mask = torch.ones(hidden.shape[:2], device=hidden.device) if attention_mask is None else attention_mask
        if self.pooling == "tokens":
            logits = self.head(hidden, key_padding_mask=mask == 0)
        else:
            logits = self.head(pooled(hidden, mask, self.pooling))
        return {"logits": logits} if labels is None else {"loss": loss_of(logits, labels), "logits": logits}


def loss_of(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross entropy of classes, squared error of numbers."""
    if not labels.is_floating_point():
        return nn.functional.cross_entropy(logits, labels)
    if labels.numel() != logits.numel():
        raise ShapeError(
            f"labels are numbers {tuple(labels.shape)}, expected as many as the logits {tuple(logits.shape)}; classes "
            "are integers"
        )
    return nn.functional.mse_loss(logits, labels.reshape(logits.shape))


def with_head(backbone: Any, head: nn.Module, *, frozen: bool = True, pooling: str | None = None) -> BackboneWithHead:
    """One module of a pretrained model and a head, such as `ql.nn.QuantumHead(384, 2)`.

    Args:
        backbone: a `Backbone`, or a model of transformers without a head. What a `Backbone` has is copied before it is
            trained, so that its features stay those of its folder; all else is used as it is.
        head: (B, F) -> (B, C).
        frozen: whether only the head is trained.
        pooling: as in `Backbone`; None for that of a `Backbone`, "mean" of a model.

    Raises:
        ConfigError: for a pooling that there is not.
    """
    if isinstance(backbone, Backbone):
        model = backbone.model if frozen else copy.deepcopy(backbone.model)
        return BackboneWithHead(model, head, pooling or backbone.pooling, frozen)
    return BackboneWithHead(backbone, head, pooling or "mean", frozen)
