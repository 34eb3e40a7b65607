"""The reference: a page for each package with public names, what they are from their docstrings."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator
from functools import cache, cached_property
from itertools import pairwise
from types import ModuleType
from typing import Any

import qloom


@cache
def packages() -> dict[str, ModuleType]:
    """Every package that says what is public in it, by name; qloom itself first, its exceptions too."""
    found = {"qloom": qloom, "qloom.errors": importlib.import_module("qloom.errors")}
    for each in pkgutil.walk_packages(qloom.__path__, "qloom."):
        if each.ispkg and hasattr(package := importlib.import_module(each.name), "__all__"):
            found[each.name] = package
    return found


@cache
def homes() -> dict[str, dict[str, Any]]:
    """Package -> its public names and what they are; each thing at the top of the packages that export it.

    What is exported by qloom and one of its packages is described at the package.
    """
    order = sorted(packages(), key=lambda name: (name == "qloom", name.count("."), name))
    seen: set[int] = set()
    found: dict[str, dict[str, Any]] = {}
    for package in order:
        for name in packages()[package].__all__:
            thing = getattr(packages()[package], name)
            if inspect.ismodule(thing) or (id(thing) in seen and not isinstance(thing, (int, float, str, tuple))):
                continue
            seen.add(id(thing))
            found.setdefault(package, {})[name] = thing
    return found


def members(thing: type) -> list[str]:
    """Public methods and properties of a class that are described by ours: not what other packages' classes say."""
    return [name for name in _own_names(thing) if _is_described(thing, name)]


def _own_names(thing: type) -> list[str]:
    ours = [base for base in thing.__mro__ if base.__module__.startswith("qloom")]
    names = {name: None for base in ours for name in vars(base) if not name.startswith("_")}
    # scikit-learn adds methods to classes that describe themselves: what of a row's facts a method asks for.
    static = ((name, inspect.getattr_static(thing, name)) for name in names if not re.fullmatch("set_.*_request", name))
    return [
        name for name, value in static if inspect.isroutine(value) or isinstance(value, (property, cached_property))
    ]


def _is_described(thing: type, name: str) -> bool:
    """Whether a class of ours says what a method is; torch and scikit-learn describe theirs."""
    ours = (vars(base) for base in thing.__mro__ if base.__module__.startswith("qloom"))
    return any((names[name].__doc__ or "").strip() for names in ours if name in names)


def documentation(name: str, thing: Any) -> str | None:
    """A docstring that is not inherited and not written by Python itself; of a constant the text below it."""
    if inspect.isclass(thing):
        doc = vars(thing).get("__doc__")
        return None if doc and doc.startswith(f"{thing.__name__}(") else doc
    return thing.__doc__ if inspect.isroutine(thing) else _below_assignment(name, thing)


def _below_assignment(name: str, thing: Any) -> str | None:
    """The text below the line that a constant is given its value on, in whichever module does."""
    holders = (module for key, module in sys.modules.items() if key.startswith("qloom"))
    for module in [module for module in holders if vars(module).get(name) is thing]:
        for node, below in pairwise(ast.parse(inspect.getsource(module)).body):
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            is_text = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
            if is_text and any(isinstance(target, ast.Name) and target.id == name for target in targets):
                return str(below.value.value)
    return None


def undocumented() -> Iterator[str]:
    """Public names without a docstring, as "package.Name.method"."""
    for package, names in homes().items():
        for name, thing in names.items():
            if not documentation(name, thing):
                yield f"{package}.{name}"
            for each in _own_names(thing) if inspect.isclass(thing) else ():
                if not inspect.getdoc(getattr(thing, each)):
                    yield f"{package}.{name}.{each}"


def pages() -> dict[str, str]:
    """Path on the site -> text."""
    return {"reference/index.md": index(), **{f"reference/{package}.rst": page(package) for package in homes()}}


def page(package: str) -> str:
    """The page of a package, in reStructuredText."""
    names = homes().get(package, {})
    head = [
        package,
        "=" * len(package),
        "",
        f".. py:module:: {package}",
        "",
        (packages()[package].__doc__ or "").strip(),
        "",
    ]
    return "\n".join(
        [*head, *_elsewhere(package), *(line for name in names for line in _entry(package, name, names[name]))]
    )


def _elsewhere(package: str) -> Iterator[str]:
    """Names that the package exports too, each with the page that describes it."""
    found = [f":py:obj:`{name} <{home}.{name}>`" for name, home in exported_from(package) if home != package]
    if found:
        yield from ("Also exported here: " + ", ".join(found) + ".", "")


def exported_from(package: str) -> Iterator[tuple[str, str]]:
    """Public names of a package with the package whose page describes them."""
    for name in packages()[package].__all__:
        thing = getattr(packages()[package], name)
        places = (home for home, names in homes().items() for each in names.values() if each is thing)
        if not inspect.ismodule(thing) and (home := next(places, None)):
            yield name, home


def _entry(package: str, name: str, thing: Any) -> list[str]:
    full = f"{package}.{name}"
    if inspect.isclass(thing):
        return [f".. autoclass:: {full}", f"   :members: {', '.join(members(thing))}", "   :show-inheritance:", ""]
    if inspect.isroutine(thing):
        return [f".. autofunction:: {full}", ""]
    text = documentation(name, thing) or ""
    return [f".. py:data:: {name}", "", *(f"   {line}" for line in text.splitlines()), ""]


def index() -> str:
    """The first page: packages, and how many names each has."""
    rows = [f"- [{name}]({name}.rst): {(packages()[name].__doc__ or '').strip().splitlines()[0]}" for name in homes()]
    return "# Reference\n\nEvery public name, by package, from the docstrings.\n\n" + "\n".join(rows) + "\n"


if __name__ == "__main__":
    print(*undocumented(), sep="\n")
