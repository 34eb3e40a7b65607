"""llms.txt and llms-full.txt: what coding assistants read, made of the same pages."""

from __future__ import annotations

import re
from collections.abc import Mapping

from qloom.learning.pages import without_facts

_SUMMARY = (
    "Hybrid quantum-classical learning and optimization on PyTorch with a native engine. Qubit 0 is the leftmost bit; "
    "angles are radians and come first, qubits after; nothing is converted silently; every result stands beside its "
    "classical control."
)


def write_for_assistants(pages: Mapping[str, str]) -> dict[str, str]:
    """File name -> text: a list of the pages with their first sentences, and all pages in one."""
    order = sorted(pages, key=lambda name: (name.count("/"), name))
    texts = {name: without_facts(pages[name]).strip() for name in order}
    lines = [f"- [{title_of(text)}]({_address(name)}): {first_sentence(text)}" for name, text in texts.items()]
    listing = f"# qloom\n\n> {_SUMMARY}\n\n## Pages\n\n" + "\n".join(lines) + "\n"
    whole = f"# qloom\n\n> {_SUMMARY}\n" + "".join(f"\n\n<!-- {name} -->\n\n{text}\n" for name, text in texts.items())
    return {"llms.txt": listing, "llms-full.txt": whole}


def _address(name: str) -> str:
    return re.sub(r"\.(md|rst)$", ".html", name)


def title_of(text: str) -> str:
    """The first heading, of Markdown or, underlined, of a page of the reference."""
    found = re.search(r"^# (.*)|\A(\S.*)\n=+$", text, re.MULTILINE)
    return (found[1] or found[2]) if found else ""


def first_sentence(text: str) -> str:
    """Of the first paragraph that is prose: no heading, code, list, table, note in italics or directive."""
    plain = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    for paragraph in re.split(r"\n\s*\n", plain)[1:]:
        if not re.match(r"    |#|[-*|>!.:]|\d+\. |=", paragraph) and (words := " ".join(paragraph.split())):
            return re.split(r"(?<=[.:。])\s", words)[0].rstrip(":")
    return ""
