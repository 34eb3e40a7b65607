"""JSON that is written is JSON for every reader."""

import json
import math

import numpy as np

from qloom.files import read_json, write_json


def test_what_is_no_number_is_null(tmp_path):
    value = {"a": [1.5, math.nan, {"b": -math.inf}], "c": np.float64("nan"), "d": np.int64(3), "e": "ü", "f": (1, 2)}
    path = write_json(tmp_path / "v.json", value)
    assert read_json(path) == {"a": [1.5, None, {"b": None}], "c": None, "d": 3, "e": "ü", "f": [1, 2]}

    def refuse(text):
        raise AssertionError(text)

    json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
