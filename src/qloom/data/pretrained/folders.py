"""Folders of pretrained models, as transformers writes them: what they must hold, their hash, how they are read.

Nothing is downloaded, no code of a folder is run, nothing is unpickled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qloom.checks import is_integer
from qloom.errors import ArtifactError, ConfigError
from qloom.extras import package
from qloom.files import read_json

if TYPE_CHECKING:
    import torch

CONFIG = "config.json"
WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
TOKENIZER = (
    "tokenizer.json", "vocab.txt", "vocab.json", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model"
)  # fmt: skip
PROCESSOR = ("preprocessor_config.json", "processor_config.json")
# Beside the model, as sentence-transformers writes them.
_POOLING, _LENGTH = "1_Pooling/config.json", "sentence_bert_config.json"
_HASHED = (".json", ".txt", ".safetensors", ".model")
_LONGEST = 1 << 20  # a tokenizer without a limit says 1e30
_USUAL_LENGTH = 512


def model_folder(path: str | Path) -> Path:
    """The folder, which has the two files that every model has.

    Raises:
        ArtifactError: for a name that is no folder, or a folder without one of them.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise ArtifactError(
            f"{str(path)!r} is no folder, expected one with a pretrained model; models are read from folders and never "
            "downloaded unasked"
        )
    require_one(folder, (CONFIG,), "the configuration of a model")
    require_one(folder, WEIGHTS, "weights, since nothing is unpickled")
    return folder


def require_one(folder: Path, names: tuple[str, ...], what: str) -> None:
    """Raise ArtifactError for a folder with none of some files."""
    if not any((folder / name).is_file() for name in names):
        raise ArtifactError(
            f"{folder} has no {names[0]}, expected {what} there; write it into the folder with save_pretrained"
        )


def model_digest(folder: Path) -> str:
    """The sha256 of the weights, the configuration and the tokenizer of a model: it changes where what it gives may."""
    files = sorted(file for file in folder.rglob("*") if file.suffix in _HASHED and file.is_file())
    stamps = []
    for file in files:
        found = file.stat()
        stamps.append((str(file), file.relative_to(folder).as_posix(), found.st_size, found.st_mtime_ns))
    return _digest(tuple(stamps))


@lru_cache(maxsize=16)
def _digest(stamps: tuple[tuple[str, str, int, int], ...]) -> str:
    """Of files with their names in the folder; a file is read anew where size or time of it have changed."""
    digest = hashlib.sha256()
    for path, name, *_ in stamps:
        with open(path, "rb") as file:
            digest.update(name.encode() + b"\0" + hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


# -- reading


def load_model(folder: Path, dtype: torch.dtype, device: str | torch.device) -> Any:
    """The model without a head, of one that also decodes its encoder, in evaluation mode.

    Raises:
        ArtifactError: for a folder that transformers cannot read, or weights that are not all there.
    """
    import torch

    loader = _transformers(folder).AutoModel
    with torch.random.fork_rng(devices=[]):  # tensors that are not there would be drawn
        model, found = _read(
            loader, folder, use_safetensors=True, dtype=dtype, output_loading_info=True
        )  # fmt: skip
    unread = ("decoder.",) if hasattr(model, "encoder") and hasattr(model, "decoder") else ()
    missing = [name for name in found["missing_keys"] if "pooler" not in name and not name.startswith(unread)]
    if missing or found["mismatched_keys"]:
        raise ArtifactError(
            f"the weights in {folder} are of another model than its {CONFIG} ({len(missing)} tensors are missing, "
            f"{len(found['mismatched_keys'])} of another shape), expected all of them; save the model there anew"
        )
    used = model.get_encoder() if unread else model
    return used.to(device).eval().requires_grad_(False)


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer, which fills up on the right.

    Raises:
        ArtifactError: for a folder without one: transformers would make one that knows no word.
    """
    require_one(folder, TOKENIZER, "the tokenizer of a model of texts")
    tokenizer = _read(_transformers(folder).AutoTokenizer, folder)
    tokenizer.padding_side = "right"
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_processor(folder: Path) -> Any:
    """What makes images numbers of one size.

    Raises:
        ArtifactError: for a folder without it.
    """
    require_one(folder, PROCESSOR, "the processor of a model of images")
    return _read(_transformers(folder).AutoImageProcessor, folder)


def _transformers(folder: Path) -> Any:
    return package("transformers", f"the pretrained model in {folder}", "llm")


def _read(loader: Any, folder: Path, **options: Any) -> Any:
    from safetensors import SafetensorError

    with _quiet():
        try:
            return loader.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False, **options)
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, AttributeError, SafetensorError) as error:
            told = " ".join(str(error).split())[:200]
            raise ArtifactError(
                f"{folder} cannot be read by {loader.__name__} of transformers ({told}), expected what save_pretrained "
                "writes; save the model there anew"
            ) from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Without bars and advice of transformers, which the caller's settings are given back to."""
    logging = package("transformers.utils.logging", "a pretrained model", "llm")
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


# -- what a folder says of its use


def longest_text(folder: Path, tokenizer: Any, model: Any) -> int:
    """Tokens that a text may have: the least of what tokenizer, model and, where it is there, training say."""
    told = [tokenizer.model_max_length, getattr(model.config, "max_position_embeddings", None)]
    if (folder / _LENGTH).is_file():
        told.append(read_json(folder / _LENGTH).get("max_seq_length"))
    return int(min((each for each in told if is_integer(each) and 0 < each < _LONGEST), default=_USUAL_LENGTH))


def checked_length(max_length: int | None, longest: int) -> int:
    """Tokens after which texts are cut.

    Raises:
        ConfigError: for more than the model takes.
    """
    if max_length is None:
        return longest
    if not is_integer(max_length) or not 1 <= max_length <= longest:
        raise ConfigError(f"max_length={max_length!r}, expected an integer from 1 to {longest}, or None for the last")
    return int(max_length)


def usual_pooling(folder: Path) -> str:
    """How sentence-transformers pools this model's tokens: "first", or "mean", also where nothing is said."""
    said = read_json(folder / _POOLING) if (folder / _POOLING).is_file() else {}
    return "first" if said.get("pooling_mode_cls_token") else "mean"
