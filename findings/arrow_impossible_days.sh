#!/bin/sh
# A day that no month has becomes a day of the next month.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet pyarrow==26.0.1
"$folder/environment/bin/python" - <<'PYTHON'
import pyarrow as pa
import pyarrow.compute as pc

written = ["31/2/2006", "29/02/2023"]
read = pc.strptime(pa.array(written), format="%d/%m/%Y", unit="s", error_is_null=True)
days = [str(day)[:10] for day in read.to_pylist()]
print(f"pyarrow {pa.__version__}: {written} read as {days}, error_is_null=True")
assert days == ["2006-03-03", "2023-03-01"], "impossible days are refused now"
PYTHON
