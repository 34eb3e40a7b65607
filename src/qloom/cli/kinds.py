"""The options --kind and --text-model, which several commands have."""

from __future__ import annotations

from qloom.errors import ConfigError

KIND_HELP = "COLUMN=KIND: number, category, boolean, date, text or drop; also 'price=number:1.234,5'; may be repeated."
TEXT_MODEL_HELP = "Folder of a pretrained sentence model that codes free text, frozen, in place of its words."


def parse_kinds(words: list[str]) -> dict[str, str] | None:
    """Column -> kind of every "COLUMN=KIND"; None if none is given."""
    for word in words:
        if "=" not in word:
            raise ConfigError(f"--kind {word!r} names no kind, expected COLUMN=KIND such as zip=category")
    return dict(word.rsplit("=", 1) for word in words) or None
