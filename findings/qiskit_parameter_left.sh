#!/bin/sh
# Where parameters of Qiskit cancel and one is left alone, what does its sympy form name?
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet qiskit==2.6.2 sympy==1.14.0
cd "$folder"
cat > ask.py <<'PYTHON'
from qiskit.circuit import Parameter

pairs = [(Parameter(f"gone{k}"), Parameter(f"stays{k}")) for k in range(100)]
left = [gone - gone + stays for gone, stays in pairs]
assert all(str(one) == stays.name for one, (_, stays) in zip(left, pairs))
assert all(one.bind({gone: 1.0, stays: 2.0}) == 2.0 for one, (gone, stays) in zip(left, pairs))
print(sum(str(one.sympify()) != stays.name for one, (_, stays) in zip(left, pairs)))
PYTHON
environment/bin/python - <<'PYTHON'
import os
import subprocess
import sys

from qiskit import __version__

wrong = [
    int(subprocess.run([sys.executable, "ask.py"], env=os.environ | {"PYTHONHASHSEED": str(seed)}, stdout=subprocess.PIPE, check=True).stdout)
    for seed in range(4)
]
print(f"qiskit {__version__}: of 100 expressions gone - gone + stays, which print and bind as stays, so many are called gone by sympify():")
print(f"  {wrong} in processes with four hash seeds")
assert all(10 < count < 90 for count in wrong), "sympify names the parameter that is left now"
PYTHON
