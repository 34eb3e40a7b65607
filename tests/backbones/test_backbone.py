"""Frozen features against transformers itself, one row at a time; what a cache knows; what is refused."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch

from qloom.backbones import Backbone
from qloom.errors import ArtifactError, ConfigError, DataError

TEXTS = ["free prize now", "see you at home", "call", "ok", "you win a prize claim it now 12345", "see you at home", ""]
RNG = np.random.default_rng(0)
IMAGES = [RNG.integers(0, 256, (20, 30, 3), dtype=np.uint8) for _ in range(5)]
# Of features of about 1 in size, in float32.
ROUNDING = 3e-6


def hidden_of(folder, text, max_length=None):
    """Last hidden states of a text by itself, (T, F)."""
    from transformers import AutoModel, AutoTokenizer

    model, tokenizer = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    inputs = tokenizer([text], truncation=max_length is not None, max_length=max_length, return_tensors="pt")
    with torch.no_grad():
        return model(**inputs).last_hidden_state[0]


@pytest.mark.parametrize("batch_size", [1, 3, 32])
def test_texts_are_pooled_as_if_each_stood_alone_and_come_in_their_order(text_folder, batch_size):
    expected = [hidden_of(text_folder, text) for text in TEXTS]
    mean = Backbone(text_folder, batch_size=batch_size).features(TEXTS)
    torch.testing.assert_close(mean, torch.stack([each.mean(0) for each in expected]), atol=ROUNDING, rtol=0)
    first = Backbone(text_folder, pooling="first", batch_size=batch_size).features(TEXTS)
    torch.testing.assert_close(first, torch.stack([each[0] for each in expected]), atol=ROUNDING, rtol=0)
    tokens = Backbone(text_folder, pooling="tokens", batch_size=batch_size).features(TEXTS)
    assert tokens.values.shape == (*tokens.padding.shape, 16)
    assert (~tokens.padding).sum(1).tolist() == [len(each) for each in expected]
    assert not tokens.values[tokens.padding].any()
    for found, padding, each in zip(*tokens, expected, strict=True):
        torch.testing.assert_close(found[~padding], each, atol=ROUNDING, rtol=0)


def test_a_row_depends_on_the_rows_beside_it_by_rounding_alone(text_folder):
    texts = [" ".join(RNG.choice(["free", "you", "prize", "a"], size)) for size in RNG.integers(1, 30, 60)]
    alone = Backbone(text_folder, batch_size=1).features(texts)
    together = Backbone(text_folder, batch_size=60).features(texts)
    assert 0 < (together - alone).abs().max() < ROUNDING
    assert alone.abs().max() > 0.5


def test_of_a_model_that_also_decodes_the_encoder_is_taken(text_folder, tmp_path):
    from transformers import T5Config, T5EncoderModel, T5Model

    config = T5Config(vocab_size=200, d_model=16, num_layers=1, num_heads=2, d_ff=32, d_kv=8)
    whole = T5Model(config).eval()
    encoder = T5EncoderModel(config)
    encoder.load_state_dict({name: value for name, value in whole.state_dict().items() if "decoder" not in name})
    for name, model in (("whole", whole), ("encoder", encoder)):
        folder = shutil.copytree(text_folder, tmp_path / name)
        model.save_pretrained(folder)
        backbone = Backbone(folder)
        ids = backbone.tokenizer([TEXTS[4]], return_tensors="pt")["input_ids"]
        with torch.no_grad():
            expected = whole.get_encoder()(input_ids=ids).last_hidden_state[0].mean(0)
        torch.testing.assert_close(backbone.features(TEXTS)[4], expected, atol=ROUNDING, rtol=0)


def test_long_texts_are_cut(text_folder):
    long = "you " * 200
    assert Backbone(text_folder).max_length == 48
    cut = Backbone(text_folder, max_length=10, pooling="tokens").features([long, "ok"])
    torch.testing.assert_close(cut.values[0], hidden_of(text_folder, long, 10), atol=ROUNDING, rtol=0)
    assert Backbone(text_folder, pooling="tokens").features([long]).values.shape == (1, 48, 16)


def test_images_are_arrays_pictures_or_files(image_folder, tmp_path):
    from PIL import Image
    from transformers import AutoImageProcessor, AutoModel

    backbone = Backbone(image_folder, batch_size=2)
    found = backbone.features(IMAGES)
    model, processor = AutoModel.from_pretrained(image_folder).eval(), AutoImageProcessor.from_pretrained(image_folder)
    with torch.no_grad():
        states = [model(**processor([each], return_tensors="pt")).last_hidden_state for each in IMAGES]
    torch.testing.assert_close(found, torch.cat([each.mean(1) for each in states]), atol=ROUNDING, rtol=0)
    pictures = [Image.fromarray(each) for each in IMAGES]
    pictures[0].save(tmp_path / "0.png")
    torch.testing.assert_close(backbone.features(pictures), found, atol=ROUNDING, rtol=0)
    torch.testing.assert_close(backbone.features([tmp_path / "0.png"])[0], found[0], atol=ROUNDING, rtol=0)
    grey = backbone.features([np.full((9, 9), 7, np.uint8), np.full((9, 9, 3), 7, np.uint8)])
    torch.testing.assert_close(grey[0], grey[1], atol=ROUNDING, rtol=0)
    palettes = [Image.fromarray(np.zeros((9, 9), np.uint8), "L").convert("P") for _ in range(2)]
    palettes[1].putpalette([255, 0, 0] * 256)
    black, red = backbone.features(palettes)
    assert (black - red).abs().max() > 0.01  # their cells are the same, their colours not
    tokens = Backbone(image_folder, pooling="tokens").features(IMAGES)
    torch.testing.assert_close(tokens.values, torch.cat(states), atol=ROUNDING, rtol=0)
    assert not tokens.padding.any()


def test_dtype_is_as_asked_and_nothing_has_slopes(text_folder):
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        backbone = Backbone(text_folder, dtype=dtype)
        found = backbone.features(TEXTS)
        assert (found.dtype, found.requires_grad, backbone.model.training) == (dtype, False, False)
    doubles = Backbone(text_folder, dtype=torch.float64).features(TEXTS)
    torch.testing.assert_close(doubles.float(), Backbone(text_folder).features(TEXTS), atol=ROUNDING, rtol=0)


def test_the_generator_of_torch_is_left_alone(text_folder):
    torch.manual_seed(3)
    before = torch.get_rng_state()
    Backbone(text_folder).features(TEXTS)
    assert torch.equal(torch.get_rng_state(), before)


# -- the cache


@pytest.mark.parametrize("pooling", ["mean", "tokens"])
def test_rows_that_were_seen_are_read(text_folder, tmp_path, pooling):
    options = {"pooling": pooling, "cache": tmp_path}
    first = Backbone(text_folder, **options)
    found = first.features(TEXTS)
    assert first.blocks.n_computed == len(set(TEXTS))
    again = Backbone(text_folder, **options)
    same = again.features(TEXTS[::-1])
    assert again.blocks.n_computed == 0
    more = again.features(["quite new", *TEXTS])
    assert again.blocks.n_computed == 1
    for one, other in ((found, same), (found, more)):
        one, other = (each.values if pooling == "tokens" else each for each in (one, other))
        assert torch.equal(one, other.flip(0) if other is same or len(other) == len(one) else other[1:])


def test_features_of_another_kind_are_other_features(text_folder, image_folder, tmp_path):
    found = Backbone(text_folder, cache=tmp_path).features(TEXTS)
    for changed in ({"pooling": "first"}, {"max_length": 5}, {"dtype": torch.float64}):
        other = Backbone(text_folder, cache=tmp_path, **changed)
        other.features(TEXTS)
        assert other.blocks.n_computed == len(set(TEXTS))
    copied = shutil.copytree(text_folder, tmp_path / "copy")
    moved = Backbone(copied, cache=tmp_path)
    assert torch.equal(moved.features(TEXTS), found)
    assert moved.blocks.n_computed == 0  # the same model in another place
    config = (copied / "config.json").read_text()
    (copied / "config.json").write_text(config.replace('"layer_norm_eps": 1e-12', '"layer_norm_eps": 1e-03'))
    changed = Backbone(copied, cache=tmp_path)
    assert changed.sha256 != moved.sha256
    assert (changed.features(TEXTS) - found).abs().max() > 1e-4
    images = Backbone(image_folder, cache=tmp_path)
    images.features(IMAGES)
    images.features([each.copy() for each in IMAGES])
    assert images.blocks.n_computed == len(IMAGES)


# -- what is refused


def test_a_name_is_no_folder():
    with pytest.raises(ArtifactError, match=r"'all-MiniLM-L6-v2' is no folder, expected one with .*never downloaded"):
        Backbone("all-MiniLM-L6-v2")


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("config.json", r"has no config\.json, expected the configuration of a model"),
        ("model.safetensors", r"has no model\.safetensors, expected weights, since nothing is unpickled"),
        ("tokenizer.json", r"has no tokenizer\.json, expected the tokenizer of a model of texts"),
    ],
)
def test_a_folder_without_a_file(text_folder, tmp_path, missing, message):
    folder = shutil.copytree(text_folder, tmp_path / "copy")
    (folder / missing).unlink()
    with pytest.raises(ArtifactError, match=message):
        Backbone(folder)


def test_a_folder_without_a_processor(image_folder, tmp_path):
    folder = shutil.copytree(image_folder, tmp_path / "copy")
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(ArtifactError, match=r"has no preprocessor_config\.json, expected the processor"):
        Backbone(folder)


def test_damaged_and_foreign_weights(text_folder, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(text_folder, tmp_path / "copy")
    weights = load_file(folder / "model.safetensors")
    name = "encoder.layer.1.output.dense.weight"
    save_file({key: value for key, value in weights.items() if key != name}, folder / "model.safetensors",
              {"format": "pt"})  # fmt: skip
    with pytest.raises(ArtifactError, match=r"are of another model than its config\.json \(1 tensors are missing"):
        Backbone(folder)
    (folder / "model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(ArtifactError, match="cannot be read by AutoModel of transformers"):
        Backbone(folder)
    (folder / "config.json").write_text("{}")
    with pytest.raises(ArtifactError, match="cannot be read by AutoModel of transformers"):
        Backbone(folder)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("one text", "features of one str, expected a sequence of texts"),
        ([], "features of 0 rows, expected at least one of texts"),
        (["a", None], "row 1 is NoneType, expected a text"),
    ],
)
def test_rows_that_are_no_texts(text_folder, rows, message):
    with pytest.raises(DataError, match=message):
        Backbone(text_folder).features(rows)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((4, 4, 3)), r"image 0 is an array float64 \(4, 4, 3\), expected uint8"),
        (np.zeros((3, 4, 4), np.uint8), r"image 0 is an array uint8 \(3, 4, 4\)"),
        ("nowhere.png", "image 'nowhere.png' cannot be read"),
        (7, "image 0 is int, expected a PIL image"),
    ],
)
def test_rows_that_are_no_images(image_folder, image, message):
    with pytest.raises(DataError, match=message):
        Backbone(image_folder).features([image])


def test_a_file_that_is_no_image(image_folder, tmp_path):
    (tmp_path / "a.png").write_text("no picture")
    with pytest.raises(DataError, match="cannot be read"):
        Backbone(image_folder).features([tmp_path / "a.png"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pooling": "max"}, "pooling='max', expected one of mean, first, tokens"),
        ({"max_length": 49}, "max_length=49, expected an integer from 1 to 48"),
        ({"batch_size": 0}, "batch_size=0, expected an integer of at least 1"),
    ],
)
def test_options_that_are_none(text_folder, options, message):
    with pytest.raises(ValueError, match=message):
        Backbone(text_folder, **options)


def test_images_have_no_length(image_folder):
    with pytest.raises(ConfigError, match="max_length=5 for a model of images"):
        Backbone(image_folder, max_length=5)
