"""What a pretrained model made of rows, kept by what the rows hold: rows that were seen are read, others computed.

A folder has one folder for each way of computing (model, pooling, ...), named by its hash, with blocks of up to 1,024
rows in files of their own. Several processes may read and write at once: a file is written under another name and moved
into place, and two that compute the same row keep it twice.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qloom.data.pretrained.ragged import Ragged
from qloom.errors import ArtifactError
from qloom.files import replace_file

if TYPE_CHECKING:
    from torch import Tensor

BLOCK = 1024
"""Rows that are computed, and then kept, at once."""
_KEY = pa.binary(16)
_MOST_HELD = 1 << 28  # bytes in memory from which on what was held is forgotten
_SUFFIX = ".safetensors"
_FORMAT, _VERSION = "qloom.features", "1"


def key_of(content: bytes) -> bytes:
    """What a row is found by: half of its sha256."""
    return hashlib.sha256(content).digest()[:16]


class FeatureBlocks:
    """Features by the keys of rows.

    Args:
        folder: where blocks are kept; None for memory alone.
        about: all that features depend on beside the row, as plain JSON values.
        least: new rows from which on a block is written; fewer are held in memory.

    Attributes:
        n_computed: rows that were not found, over all calls.
    """

    def __init__(self, folder: str | Path | None, about: Mapping[str, Any], least: int = 1):
        self.about = json.dumps(dict(about), sort_keys=True)
        name = hashlib.sha256(self.about.encode()).hexdigest()[:32]
        self.folder = None if folder is None else Path(folder) / name
        self.least, self.n_computed = least, 0
        self._files: dict[str, _File] = {}
        self._held: list[_Held] = []
        self._lock = Lock()

    def features(self, keys: Sequence[bytes], compute: Callable[[list[int]], Ragged]) -> Ragged:
        """Features of rows, in the order of their keys; of equal rows one is computed.

        Args:
            compute: numbers of rows, at most BLOCK -> their features.

        Raises:
            ArtifactError: for a file that is damaged.
        """
        wanted = pa.array(keys, _KEY).dictionary_encode()
        firsts = np.unique(wanted.indices.to_numpy(), return_index=True)[1]
        with self._lock:
            self._refresh()
            new = np.flatnonzero(self._places(wanted.dictionary) < 0)
            for chunk in (new[start : start + BLOCK] for start in range(0, len(new), BLOCK)):
                self._keep(wanted.dictionary.take(pa.array(chunk)), compute(firsts[chunk].tolist()))
            self.n_computed += len(new)
            return self._taken(self._places(wanted.dictionary)).take(wanted.indices.to_numpy())

    # -- looking up

    @property
    def _blocks(self) -> list[_File | _Held]:
        return [*self._files.values(), *self._held]

    def _places(self, keys: pa.Array) -> np.ndarray:
        """Where keys are in the rows of all blocks, one after the other; -1 for nowhere. Shapes: -> int64 (N,)."""
        known = pa.concat_arrays([pa.array([], _KEY), *(block.keys for block in self._blocks)])
        return pc.fill_null(pc.index_in(keys, value_set=known), -1).to_numpy().astype(np.int64)

    def _taken(self, places: np.ndarray) -> Ragged:
        blocks = self._blocks
        ends = np.cumsum([len(block.keys) for block in blocks])
        which = np.searchsorted(ends, places, side="right")
        parts, order = [], []
        for k in np.unique(which):
            block, rows = blocks[k], np.flatnonzero(which == k)
            parts.append(block.read().take(places[rows] - ends[k] + len(block.keys)))
            order.append(rows)
        return Ragged.joined(parts).take(np.argsort(np.concatenate(order)))

    # -- keeping

    def _refresh(self) -> None:
        """Look for files that others wrote or took away, and let go of what is held beyond a bound."""
        if sum(block.size for block in self._held) > _MOST_HELD:
            self._held.clear()
        names = set() if self.folder is None or not self.folder.is_dir() else set(os.listdir(self.folder))
        self._files = {name: file for name, file in self._files.items() if name in names}
        for name in sorted(names - set(self._files)):
            if self.folder is not None and name.endswith(_SUFFIX):
                self._files[name] = _File(self.folder / name, self.about)

    def _keep(self, keys: pa.Array, features: Ragged) -> None:
        if self.folder is None or len(keys) < self.least:
            self._held.append(_Held(keys, features))
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        path = replace_file(self.folder / f"{secrets.token_hex(8)}{_SUFFIX}", _written(keys, features, self.about))
        self._files[path.name] = _File(path, self.about)


class _Held:
    """A block in memory."""

    def __init__(self, keys: pa.Array, features: Ragged):
        self.keys, self._features = keys, features
        self.size = features.values.nbytes

    def read(self) -> Ragged:
        return self._features


class _File:
    """A block in a file: keys are read at once, features when they are wanted.

    Raises:
        ArtifactError: for a file that is damaged, or of other features.
    """

    def __init__(self, path: Path, about: str):
        self.path, self._is_checked = path, False
        heading, found = self._open("keys")
        if heading.get("about") != about or heading.get("format") != _FORMAT or heading.get("version") != _VERSION:
            raise self._damaged("it is of other features")
        self._digest = heading.get("values_sha256")
        if _hash(found["keys"]) != heading.get("keys_sha256"):
            raise self._damaged("its keys have another sha256")
        self.keys = _as_keys(found["keys"].numpy())

    def read(self) -> Ragged:
        _, found = self._open("values", "lengths")
        if not self._is_checked and _hash(found["values"], found["lengths"]) != self._digest:
            raise self._damaged("its features have another sha256")
        self._is_checked = True
        return Ragged(found["values"], found["lengths"].numpy())

    def _open(self, *names: str) -> tuple[dict[str, str], dict[str, Tensor]]:
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self.path, framework="pt") as file:
                return file.metadata() or {}, {name: file.get_tensor(name) for name in names}
        except (OSError, SafetensorError) as error:
            raise self._damaged(str(error)) from None

    def _damaged(self, why: str) -> ArtifactError:
        return ArtifactError(
            f"{self.path} is damaged ({why}), expected features as they were written; delete it, and its rows are "
            "computed anew"
        )


def _as_keys(array: np.ndarray) -> pa.Array:
    """Shapes: uint8 (N, 16) -> (N,)."""
    return pa.FixedSizeBinaryArray.from_buffers(_KEY, len(array), [None, pa.py_buffer(np.ascontiguousarray(array))])


def _written(keys: pa.Array, features: Ragged, about: str) -> bytes:
    """The content of a block's file."""
    import torch
    from safetensors.torch import save

    # Keys that were taken out of others may begin within their buffer.
    flat = np.frombuffer(b"".join(keys.to_pylist()), np.uint8).reshape(-1, 16).copy()
    tensors = {
        "keys": torch.from_numpy(flat), "values": features.values.contiguous(),
        "lengths": torch.from_numpy(features.lengths),
    }  # fmt: skip
    digests = {
        "keys_sha256": _hash(tensors["keys"]), "values_sha256": _hash(tensors["values"], tensors["lengths"])
    }  # fmt: skip
    return bytes(save(tensors, {"format": _FORMAT, "version": _VERSION, "about": about, **digests}))


def _hash(*tensors: Tensor) -> str:
    import torch

    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(tensor.contiguous().view(torch.uint8).numpy().data)
    return digest.hexdigest()
