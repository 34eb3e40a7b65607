#!/bin/sh
# An element-wise join of Arrow columns returns fewer rows than it is given.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet pyarrow==26.0.1
"$folder/environment/bin/python" - <<'PYTHON'
import pyarrow as pa
import pyarrow.compute as pc

left, right = pa.array(["x", None, "y", None]), pa.array([None, None, "z", "w"])
joined = pc.binary_join_element_wise(left, right, ";", null_handling="skip").to_pylist()
print(f"pyarrow {pa.__version__}: {left.to_pylist()} and {right.to_pylist()} joined, null_handling='skip': {joined}")
print(f"{len(left)} rows became {len(joined)}")
assert joined == ["x", "y;z", "w"], "rows of nulls are kept now"
PYTHON
