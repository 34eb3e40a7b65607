"""Warnings of peft and transformers about each other, which nobody here can mend."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """peft asks transformers for what transformers is about to rename, as its users do."""
    for item in items:
        if "adapters" in item.path.parts:
            item.add_marker(pytest.mark.filterwarnings("ignore:.*gradient_checkpointing:FutureWarning"))
            item.add_marker(pytest.mark.filterwarnings("ignore:.*pin_memory:UserWarning"))
