"""llms.txt and llms-full.txt: what coding assistants read, made of the same pages."""

from __future__ import annotations

import re
from collections.abc import Mapping

_SUMMARY = (
    "Hybrid quantum-classical learning and optimization on PyTorch with a native engine. Qubit 0 is the leftmost bit; "
    "angles are radians and come first, qubits after; nothing is converted silently; every result stands beside its "
    "classical control."
)


def write_for_assistants(pages: Mapping[str, str]) -> dict[str, str]:
    """File name -> text: a list of the pages with their first sentences, and all pages in one."""
    order = sorted(pages, key=lambda name: (name.count("/"), name))
    lines = [f"- [{title_of(pages[name])}]({_address(name)}): {first_sentence(pages[name])}" for name in order]
    listing = f"# qloom\n\n> {_SUMMARY}\n\n## Pages\n\n" + "\n".join(lines) + "\n"
    whole = f"# qloom\n\n> {_SUMMARY}\n" + "".join(f"\n\n<!-- {name} -->\n\n{pages[name].strip()}\n" for name in order)
    return {"llms.txt": listing, "llms-full.txt": whole}


def _address(name: str) -> str:
    return re.sub(r"\.(md|rst)$", ".html", name)


def title_of(text: str) -> str:
    """The first heading, of Markdown or of a page of the reference."""
    return next((line.lstrip("# ") for line in text.splitlines() if re.match(r"# |[a-z]", line)), "")


def first_sentence(text: str) -> str:
    """Of the first paragraph that is prose."""
    for paragraph in re.split(r"\n\s*\n", re.sub(r"^---\n.*?\n---\n", "", text, flags=re.DOTALL))[1:]:
        words = " ".join(paragraph.split())
        if (words and words[0].isalpha()) or words.startswith(("⟨", "`")):
            return re.split(r"(?<=[.:])\s", words)[0].rstrip(":")
    return ""
