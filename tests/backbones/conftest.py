"""Tiny models in folders of their own; tests here need the extra llm."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.backbones.tiny_models import make_image_model, make_text_model


@pytest.fixture(scope="session")
def text_folder(tmp_path_factory) -> Path:
    """A random BERT."""
    pytest.importorskip("transformers")
    return make_text_model(tmp_path_factory.mktemp("bert"))


@pytest.fixture(scope="session")
def image_folder(tmp_path_factory) -> Path:
    """A random ViT."""
    pytest.importorskip("transformers")
    pytest.importorskip("PIL")
    return make_image_model(tmp_path_factory.mktemp("vit"))
