"""Features kept by what rows hold: found again by anyone, computed once, damage noticed."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from qloom.data.pretrained.feature_blocks import BLOCK, FeatureBlocks, key_of
from qloom.data.pretrained.ragged import Ragged
from qloom.errors import ArtifactError

ABOUT = {"model": "abc", "pooling": "mean"}


def keys(numbers):
    return [key_of(str(number).encode()) for number in numbers]


def computing(numbers, lengths=lambda number: 1):
    """Rows whose vectors say their number and their place."""

    def compute(rows):
        own = [numbers[row] for row in rows]
        sizes = np.array([lengths(number) for number in own], dtype=np.int64)
        values = [[float(number), float(k)] for number, size in zip(own, sizes, strict=True) for k in range(size)]
        return Ragged(torch.tensor(values).reshape(-1, 2), sizes)

    return compute


def test_rows_of_many_blocks_come_in_the_order_asked_for(tmp_path):
    random = np.random.default_rng(0)
    numbers = random.integers(0, 5000, 6000).tolist()
    sizes = {"lengths": lambda number: number % 4}
    for folder in (tmp_path, None):
        blocks = FeatureBlocks(folder, ABOUT)
        found = blocks.features(keys(numbers), computing(numbers, **sizes))
        assert found.lengths.tolist() == [number % 4 for number in numbers]
        expected = [[number, k] for number in numbers for k in range(number % 4)]
        assert found.values.tolist() == expected
        assert blocks.n_computed == len(set(numbers))
        again = blocks.features(keys(numbers[::-1]), computing(numbers[::-1], **sizes))
        assert again.lengths.tolist() == found.lengths.tolist()[::-1]
        assert blocks.n_computed == len(set(numbers))
    files = list(tmp_path.glob("*/*.safetensors"))
    assert len(files) == -(-len(set(numbers)) // BLOCK)


def test_what_is_about_other_features_is_kept_apart(tmp_path):
    FeatureBlocks(tmp_path, ABOUT).features(keys([1]), computing([1]))
    other = FeatureBlocks(tmp_path, {**ABOUT, "pooling": "first"})
    other.features(keys([1]), computing([1]))
    assert (other.n_computed, len(list(tmp_path.iterdir()))) == (1, 2)


def test_few_new_rows_stay_in_memory(tmp_path):
    blocks = FeatureBlocks(tmp_path, ABOUT, least=3)
    blocks.features(keys([1, 2]), computing([1, 2]))
    assert list(tmp_path.iterdir()) == []
    blocks.features(keys([1, 2, 3, 4, 5]), computing([1, 2, 3, 4, 5]))
    assert blocks.n_computed == 5
    assert len(list(tmp_path.glob("*/*.safetensors"))) == 1


@pytest.mark.parametrize("where", ["values", "keys", "end", "whole"])
def test_a_damaged_file_is_noticed_and_said(tmp_path, where):
    FeatureBlocks(tmp_path, ABOUT).features(keys(range(100)), computing(range(100)))
    (file,) = tmp_path.glob("*/*.safetensors")
    content = bytearray(file.read_bytes())
    if where == "end":
        del content[-10:]
    elif where == "whole":
        content[:] = b""
    else:
        wanted = torch.tensor([[50.0, 0.0]]).numpy().tobytes() if where == "values" else keys([50])[0]
        content[content.index(wanted) + 3] ^= 1
    file.write_bytes(content)
    blocks = FeatureBlocks(tmp_path, ABOUT)
    with pytest.raises(ArtifactError, match=rf"{file.name} is damaged .*; delete it, and its rows are computed anew"):
        blocks.features(keys(range(100)), computing(range(100)))
    file.unlink()
    assert blocks.features(keys([50]), computing([50])).values.tolist() == [[50.0, 0.0]]


def test_several_write_at_once(tmp_path):
    def work(seed):
        random, blocks = np.random.default_rng(seed), FeatureBlocks(tmp_path, ABOUT)
        for _ in range(10):
            numbers = random.integers(0, 300, 40).tolist()
            found = blocks.features(keys(numbers), computing(numbers)).values[:, 0]
            assert found.tolist() == numbers
        return blocks.n_computed

    with ThreadPoolExecutor(6) as pool:
        computed = list(pool.map(work, range(6)))
    assert min(computed) < 10 * 40
    assert not list(tmp_path.glob("*/*.part"))
    whole = FeatureBlocks(tmp_path, ABOUT)
    found = whole.features(keys(range(300)), computing(range(300))).values[:, 0]
    assert found.tolist() == list(range(300))
    assert whole.n_computed < 20  # of 300, about exp(-8) are in none of 2,400 draws


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from tests.data.pretrained.test_feature_blocks import ABOUT, FeatureBlocks, computing, keys
blocks = FeatureBlocks(Path(sys.argv[1]), ABOUT)
for start in range(0, 3000, 100):
    numbers = list(range(start, start + 150))
    assert blocks.features(keys(numbers), computing(numbers)).values[:, 0].tolist() == numbers
"""


@pytest.mark.slow
def test_two_processes_at_once(tmp_path):
    command = [sys.executable, "-c", SCRIPT, str(tmp_path), os.getcwd()]
    running = [subprocess.Popen(command) for _ in range(2)]
    assert [each.wait(120) for each in running] == [0, 0]
    blocks = FeatureBlocks(tmp_path, ABOUT)
    blocks.features(keys(range(3000)), computing(range(3000)))
    assert blocks.n_computed == 0
