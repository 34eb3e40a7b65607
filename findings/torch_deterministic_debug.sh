#!/bin/sh
# torch documents two ways to ask for deterministic algorithms as the same. Do both reach compiled code, and cost alike?
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet torch==2.13.0 numpy
cat > "$folder/ask.py" <<'PYTHON'
import sys
import time

import torch

start = time.process_time()
if sys.argv[1] == "algorithms":
    torch.use_deterministic_algorithms(True)
else:
    torch.set_deterministic_debug_mode("error")
seconds = time.process_time() - start
compiler = "torch._dynamo" in sys.modules
import torch._inductor.config as inductor

eager, compiled = torch.are_deterministic_algorithms_enabled(), inductor.deterministic
print(f"{sys.argv[1]}: eager {eager}, compiled code {compiled}, compiler imported {compiler}, {seconds:.2f} s of CPU")
PYTHON
cd "$folder"
for way in algorithms debug_mode; do
    environment/bin/python -W ignore ask.py "$way"
done > told.txt
environment/bin/python -W ignore -c 'import torch; print("torch", torch.__version__)'
cat told.txt
grep -q "^algorithms: eager True, compiled code True, compiler imported True" told.txt
grep -q "^debug_mode: eager True, compiled code False, compiler imported False" told.txt
