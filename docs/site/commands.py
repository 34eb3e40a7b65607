"""Pages made of tables in the code: the command line, the keys of a configuration, the gates."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Sequence
from dataclasses import MISSING
from typing import Any, get_args

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from benchmarks.tables import markdown
from qloom.circuits import GATES
from qloom.cli.main import COMMANDS, make_app
from qloom.engines.choice import ENGINES, EngineChoice
from qloom.training.configuration import Configuration


def pages() -> dict[str, str]:
    """Path on the site -> Markdown."""
    return {"commands.md": _commands(), "configuration.md": _configuration(), "gates.md": _gates()}


def table(heads: Sequence[str], rows: Iterator[Sequence[object]]) -> str:
    """A table of texts, none of which ends a cell."""
    return markdown(heads, ([str(cell).replace("|", "\\|") for cell in row] for row in rows), len(heads))


def _commands() -> str:
    text = (
        "# The command line\n\nWhat `qloom COMMAND --help` prints. `--debug`, anywhere in a line, shows the traceback "
        "of an error. A mistake of the user ends in one line and code 2, Ctrl-C in 130.\n"
    )
    for name in COMMANDS:
        command = typer.main.get_command(make_app(name)).commands[name]  # type: ignore[attr-defined]
        text += f"\n## qloom {name}\n\n{_prose(command.help)}\n\n{table(('', 'what'), _options(command))}"
    return text


def _prose(text: str | None) -> str:
    return " ".join((text or "").split())


def _options(command: Any) -> Iterator[tuple[str, str]]:
    """Arguments and options: how they are written, and what they are."""
    for each in command.params:
        if each.name == "help":
            continue
        is_option = each.param_type_name == "option"
        names = ", ".join([*each.opts, *each.secondary_opts]) if is_option else each.name.upper()
        asked = "" if is_option or each.required else " (may be left out)"
        shown = (
            ""
            if not is_option or each.default in (None, False, ()) or callable(each.default)
            else f" Default: `{each.default}`."
        )
        yield f"`{names}`{asked}", _prose(each.help) + shown


def _configuration() -> str:
    text = (
        "# Keys of a configuration\n\n`qloom init TABLE --target COLUMN` writes a file with all of them; "
        "`--set SECTION.KEY=VALUE` changes one. Unknown keys and values out of range are refused by name.\n"
    )
    for name, field in Configuration.model_fields.items():
        text += f"\n## {name}\n\n"
        text += f"{field.description[0].upper()}{field.description[1:]}.\n\n" if field.description else ""
        for section in _sections(field.annotation):
            doc = inspect.getdoc(section) or ""
            summary = _prose(re.split(r"\n\s*Attributes:", doc)[0])
            text += f"{summary}\n\n{table(('key', 'default', 'what'), _keys(section, doc))}\n"
    return text


def _sections(annotation: Any) -> Iterator[type]:
    """The sections that a key may be: several for an engine, which are told apart by name."""
    if annotation is EngineChoice:
        yield from ENGINES.values()
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for each in get_args(annotation):
        yield from _sections(each)


def _keys(section: Any, doc: str) -> Iterator[tuple[str, str, str]]:
    """Keys of a section: name, default, what it is by its description or by the docstring."""
    told = dict(re.findall(r"^    (\w+): (.*(?:\n        .*)*)", doc, re.MULTILINE))
    fields = section.model_fields if issubclass(section, BaseModel) else section.__dataclass_fields__
    for key, field in fields.items():
        what = field.description if isinstance(field, FieldInfo) else field.metadata.get("description")
        yield f"`{key}`", _default(field), what or _prose(told.get(key))


def _default(field: Any) -> str:
    default = field.get_default(call_default_factory=True) if isinstance(field, FieldInfo) else field.default
    if repr(default) in ("PydanticUndefined", repr(MISSING)):
        return "required"
    return "" if default in (None, (), {}, []) else f"`{default}`"


def _gates() -> str:
    text = (
        "# Gates and channels\n\nEach is a method of `Circuit` by its name: angles first, in radians, then "
        "qubits. The angles of a channel are its rates. Any angle or rate may be a number, an input or a weight.\n"
    )
    kinds = {
        kind: [gate for gate in GATES.values() if gate.kind == kind]
        for kind in dict.fromkeys(g.kind for g in GATES.values())
    }
    for kind, gates in kinds.items():
        rows = ((f"`{gate.name}`", gate.n_qubits, gate.n_angles, _prose(gate.doc), gate.qasm or "") for gate in gates)
        text += f"\n## {kind.capitalize()}\n\n{table(('name', 'qubits', 'angles', 'what', 'OpenQASM'), rows)}"
    return text
