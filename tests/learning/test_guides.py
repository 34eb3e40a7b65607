"""The Python of the README and of every page in docs/ runs as it is written, to what it says that it prints."""

from __future__ import annotations

import json
import re
from contextlib import nullcontext
from dataclasses import replace

import pytest
import torch

from qloom.learning import PageRun
from qloom.learning.answers import same
from qloom.training.configuration import make_configuration
from tests.learning.guide_checks import CHECKS
from tests.learning.guide_names import NAMES, NEEDS, ON_CUDA, SHORTER
from tests.learning.guides import PAGES, guides
from tests.learning.whole_pages import run_parts

GUIDES = guides()
TOLD = re.compile(r"\bprints \*\*(.+?)\*\*")


@pytest.fixture(autouse=True)
def no_process_group():
    """As it was."""
    yield
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


@pytest.mark.filterwarnings("ignore:.*gradient_checkpointing:FutureWarning")  # of transformers about itself
@pytest.mark.parametrize("guide", GUIDES, ids=[guide.name for guide in GUIDES])
def test_it_runs_as_it_is_written(guide, tmp_path):
    if guide.name in NEEDS:
        pytest.importorskip(NEEDS[guide.name], reason=f"{NEEDS[guide.name]} is not installed")
    run = PageRun(guide.page.path)
    run.names.update(NAMES.get(guide.name, lambda folder: {})(tmp_path))
    is_refused = guide.name in ON_CUDA and not torch.cuda.is_available()
    with pytest.raises((AssertionError, RuntimeError), match="CUDA") if is_refused else nullcontext():
        printed = run_parts(run, shortened(guide), tmp_path)
        assert comes_in(printed, " ".join(TOLD.findall(guide.prose)))
        if guide.name in CHECKS:
            CHECKS[guide.name](guide, run.names, printed, tmp_path)


def shortened(guide):
    for old, new in SHORTER.get(guide.name, {}).items():
        assert any(old in part.source for part in guide.python)
        guide = replace(guide, parts=[replace(part, source=part.source.replace(old, new)) for part in guide.parts])
    return guide.python


def comes_in(printed: str, told: str) -> bool:
    """Whether what prose says is printed comes in its order."""
    words = iter(printed.split())
    return all(any(same(word, wanted) for word in words) for wanted in told.split())


def test_tables_name_guides_that_there_are():
    assert {*NAMES, *CHECKS, *SHORTER, *NEEDS, *ON_CUDA} <= {guide.name for guide in GUIDES}


OTHERS = [(page.name, part) for page in PAGES for part in page.parts if part.kind in ("yaml", "json")]


@pytest.mark.parametrize(("page", "part"), OTHERS, ids=[f"{name}-{part.line + 1}" for name, part in OTHERS])
def test_what_is_no_code_can_be_read(page, part):
    """YAML is part of a configuration."""
    if part.kind == "json":
        json.loads(part.source)
        return
    import yaml

    make_configuration({"data": {"source": "demo:iris", "target": "species"}} | yaml.safe_load(part.source))


def test_languages_are_those_that_are_known():
    found = {part.kind for page in PAGES for part in page.parts}
    assert found <= {"prose", "python", "sh", "text", "console", "yaml", "json"}
