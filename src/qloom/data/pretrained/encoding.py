"""What a pretrained model makes of texts: in batches of about one length, or each text by itself.

Matrix products of another shape add in another order: in a batch a row's features move with the rows beside it and the
padding by some last digits. By itself, on one thread, a text has the same bits whatever is asked with it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from qloom.data.pretrained.ragged import Ragged
from qloom.errors import ConfigError, UnsupportedError

if TYPE_CHECKING:
    from torch import Tensor

POOLINGS = ("mean", "first", "tokens")
Tokens = Mapping[str, Sequence[Any]]


def check_pooling(pooling: str) -> None:
    """Raise ConfigError for a pooling that is none."""
    if pooling not in POOLINGS:
        raise ConfigError(f"pooling={pooling!r}, expected one of {', '.join(POOLINGS)}; choose one of them")


def hidden_states(model: Any, inputs: Mapping[str, Tensor]) -> Tensor:
    """The last hidden states of a model; places of a picture are its tokens. Shapes: -> (B, T, F).

    Raises:
        UnsupportedError: for a model that gives none.
    """
    hidden = getattr(model(**inputs), "last_hidden_state", None)
    if hidden is None or hidden.dim() not in (3, 4):
        raise UnsupportedError(
            f"{type(model).__name__} gives no hidden states of tokens, expected a model that encodes texts or images, "
            "such as BERT or ViT"
        )
    states: Tensor = hidden.flatten(2).transpose(1, 2) if hidden.dim() == 4 else hidden
    return states


def pooled(hidden: Tensor, mask: Tensor, pooling: str) -> Tensor:
    """One vector a row: the mean over its tokens, summed in single precision at least, or the first token.

    Shapes: hidden (B, T, F), mask (B, T) with 0 for padding -> (B, F).
    """
    if pooling == "first":
        return hidden[:, 0]
    wide = hidden if hidden.dtype.itemsize > 4 else hidden.float()
    shares = mask.unsqueeze(-1).to(wide.dtype)
    return ((wide * shares).sum(1) / shares.sum(1).clamp(min=1)).to(hidden.dtype)


def rows_of(hidden: Tensor, mask: Tensor, pooling: str) -> Ragged:
    """Hidden states as features of rows. Shapes: hidden (B, T, F), mask (B, T)."""
    if pooling == "tokens":
        kept = mask.bool()
        return Ragged(hidden[kept].cpu(), kept.sum(1).cpu().numpy().astype(np.int64))
    return Ragged(pooled(hidden, mask, pooling).cpu(), np.ones(len(hidden), np.int64))


def tokenize(tokenizer: Any, texts: Sequence[str], max_length: int) -> Tokens:
    """The tokens of texts, cut after so many."""
    found: Tokens = tokenizer(list(texts), truncation=True, max_length=max_length)
    return found


def encode_batches(
    model: Any, tokenizer: Any, texts: Sequence[str], max_length: int, pooling: str, batch_size: int
) -> Ragged:
    """Features of texts, those of about one length together."""
    import torch

    tokens = tokenize(tokenizer, texts, max_length)
    order = np.argsort([len(ids) for ids in tokens["input_ids"]], kind="stable")
    parts = []
    with torch.no_grad():
        for rows in (order[start : start + batch_size] for start in range(0, len(order), batch_size)):
            chosen = {name: [ids[row] for row in rows] for name, ids in tokens.items()}
            inputs = tokenizer.pad(chosen, return_tensors="pt").to(model.device)
            parts.append(rows_of(hidden_states(model, inputs), inputs["attention_mask"], pooling))
    return Ragged.joined(parts).take(np.argsort(order))


def encode_alone(model: Any, tokenizer: Any, texts: Sequence[str], max_length: int, pooling: str) -> Ragged:
    """Features of texts, each by itself on one thread, as many at once as there are cores."""
    import torch

    tokens = tokenize(tokenizer, texts, max_length)

    def encode(row: int) -> Ragged:
        inputs = {name: torch.tensor([ids[row]], device=model.device) for name, ids in tokens.items()}
        with torch.no_grad():
            return rows_of(hidden_states(model, inputs), inputs["attention_mask"], pooling)

    return Ragged.joined(_side_by_side(encode, len(texts)))


def _side_by_side(encode: Callable[[int], Ragged], count: int) -> list[Ragged]:
    """Calls for 0 to `count` in threads of their own, each of which has one thread of torch's."""
    import torch

    workers = min(os.cpu_count() or 1, count)
    try:
        with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return list(pool.map(encode, range(count)))
    finally:
        # What a thread sets holds for itself and for threads that are yet to come; for these it is put back.
        torch.set_num_threads(torch.get_num_threads())
