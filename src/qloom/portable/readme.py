"""README.md of an export: what the files are, what runs them, and how far off they were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_USES = {
    "network.pt2": """\
```python
import torch{also}
network = torch.export.load("network.pt2").module()
predictions = network(torch.tensor(features, dtype=torch.float32))
```""",
    "network.onnx": """\
```python
import onnxruntime
session = onnxruntime.InferenceSession("network.onnx")
predictions, = session.run(None, {{"features": features.astype("float32")}})
```""",
    "model.onnx": """\
```python
import onnxruntime
session = onnxruntime.InferenceSession("model.onnx")  # one input a column, (rows, 1)
predictions, = session.run(None, {{name: table[name].to_numpy()[:, None] for name in columns}})
```""",
    "network.npz": """\
```python
from predict import Network  # predict.py of this folder; numpy alone
predictions = Network("network.npz").predict(features)
```""",
}  # fmt: skip


def readme(record: Mapping[str, Any], files: Sequence[str]) -> str:
    """The page, from what export.json holds."""
    checked = record["checked"]
    what = "class probabilities" if record["classes"] else f"the number {record['target']!r}"
    paragraphs = [
        f"# {record['model']} model as {record['to']}",
        f"Written by qloom {record['versions']['qloom']}. Features (rows, {len(record['features'])}) go in, {what} "
        f"{'come' if record['classes'] else 'comes'} out. It runs with {record['runs_with']}.",
        *record["notes"],
        *([record["execution"]] if record["execution"] else []),
        f"**Checked** on {checked['rows']}: the largest deviation from the original is "
        f"{checked['largest_deviation']:.2g}, the bound {checked['bound']:.2g} ({checked['of']}). The bound: "
        f"{checked['how_bounded']}.",
        _features(record),
        *_decisions(record),
        "## Use",
        *_uses(record, files),
        "## Files",
        "\n".join(f"- `{name}`  sha256 {record['files_sha256'][name]}" for name in files),
        "`export.json` has all of this for programs. `preprocessing.json` is how rows become features.",
    ]
    return "\n\n".join(paragraphs) + "\n"


def _features(record: Mapping[str, Any]) -> str:
    if "columns" in record:
        return (
            "`model.onnx` codes the columns itself, bit for bit as qloom does; `export.json` says what goes into each."
        )
    return (
        "Features come from rows by `preprocessing.json`: "
        "`qloom.data.Preprocessing.from_json(json.load(file)).transform(table)`."
    )


def _decisions(record: Mapping[str, Any]) -> list[str]:
    if record["classes"] is None:
        return []
    classes = ", ".join(map(str, record["classes"]))
    threshold = record["threshold"]
    decided = (
        "the most probable one" if threshold is None else f"the second where its probability is above {threshold:g}"
    )
    return [f"Classes, in the order of the columns: {classes}. Decided for is {decided}."]


def _uses(record: Mapping[str, Any], files: Sequence[str]) -> list[str]:
    also = "\nimport qloom  # the circuit is its operator" if "qloom" in record["runs_with"] else ""
    return [text.format(also=also) for name, text in _USES.items() if name in files] or ["See the notes above."]
