#!/bin/sh
# After one solve in a Python process Ctrl-C ends the process at once: no KeyboardInterrupt, though Python still names its own handler.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet ortools==9.15.6755
cd "$folder"
cat > pressed.py <<'PYTHON'
import signal
import sys

from ortools.sat.python import cp_model

signal.signal(signal.SIGINT, signal.default_int_handler)
if sys.argv[1] == "solve":
    model = cp_model.CpModel()
    model.maximize(model.new_int_var(0, 3, "x"))
    cp_model.CpSolver().solve(model)
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    sys.exit(7)
PYTHON
environment/bin/python - <<'PYTHON'
import signal
import subprocess
import sys

seen = {when: subprocess.run([sys.executable, "pressed.py", when]).returncode for when in ("import", "solve")}
print(f"ortools 9.15.6755, Ctrl-C after import only: {seen['import']} (7: KeyboardInterrupt was raised)")
print(f"ortools 9.15.6755, Ctrl-C after one solve: {seen['solve']} ({-signal.SIGINT}: ended by the signal)")
assert seen == {"import": 7, "solve": -signal.SIGINT}, "something else happens now"
PYTHON
