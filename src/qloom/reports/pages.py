"""Pages by the templates of this folder."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from qloom.reports.wording import capitalized, count_text, score_text

REPORT = "report.html"


def page(template: str, **content: Any) -> str:
    """A page by a template of this folder, which extends page.html.jinja."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        loader=PackageLoader("qloom", "reports"),
    )  # fmt: skip
    environment.filters |= {"score": score_text, "count": count_text, "capitalized": capitalized}
    return environment.get_template(template).render(**content)
