"""A configuration as commented YAML: what `qloom init` writes and what a run keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from qloom.engines.choice import EngineChoice, fields_of
from qloom.training.configuration import Configuration, Section, section_of

_HEADING = "# A run of qloom: train it with `qloom train THIS_FILE`.\n"


def render_configuration(configuration: Configuration, remarks: Sequence[str] = ()) -> str:
    """YAML with every key, its value and its comment; it loads back to an equal configuration.

    Args:
        configuration: what to write.
        remarks: lines of comment on top, such as what was found in the table.
    """
    top = _HEADING + "".join(f"# {remark}\n" for remark in remarks)
    return top + "".join(_render_entry(configuration, name, "") for name in type(configuration).model_fields)


def _render_entry(section: Section, name: str, indent: str) -> str:
    value = getattr(section, name)
    if value is None and section_of(type(section).model_fields[name].annotation) is not None:
        return ""  # a section that this run does without
    if isinstance(value, Section):
        lines = "".join(_render_entry(value, key, "  ") for key in type(value).model_fields)
        return f"\n# {_first_line(type(value))}\n{name}:\n{lines}"
    if isinstance(value, EngineChoice):
        described = fields_of(value.name)
        lines = "".join(_render_line(key, entry, described[key], "  ") for key, entry in value.values().items())
        return f"\n# {_first_line(EngineChoice)}\n{name}:\n{lines}"
    return _render_line(name, value, type(section).model_fields[name].description, indent)


def _render_line(name: str, value: Any, comment: str | None, indent: str) -> str:
    return f"{indent}{name}: {_render_value(value)}  # {comment}\n"


def _render_value(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, Section):
        return _render_value(value.model_dump())
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_render_value(key)}: {_render_value(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_render_value(entry) for entry in value) + "]"
    if isinstance(value, str):
        return value if _is_plain(value) else yaml.safe_dump(value, default_style='"', width=10**9).strip()
    return _render_number(value)


def _render_number(value: float) -> str:
    """YAML 1.1 reads 1e-05 as text, so a float keeps its point."""
    text = repr(value)
    return text.replace("e", ".0e") if "e" in text and "." not in text else text


def _is_plain(text: str) -> bool:
    harmless = text.replace("_", "").replace("-", "").replace("/", "").replace(".", "")
    return harmless.isalnum() and harmless.isascii() and yaml.safe_load(text) == text


def _first_line(section: type) -> str:
    return (section.__doc__ or "").splitlines()[0]
