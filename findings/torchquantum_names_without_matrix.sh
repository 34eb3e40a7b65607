#!/bin/sh
# Gates of TorchQuantum, called as its encoders and layers call them: do they all run?
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6 scipy==1.17.1 opt-einsum==3.4.0 tqdm==4.67.1
"$folder/environment/bin/pip" install --quiet --no-deps torchquantum==0.1.8
cd "$folder"
environment/bin/python -W ignore - <<'PYTHON'
import importlib.abc
import importlib.machinery
import sys
from unittest.mock import MagicMock


class Absent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Stands in for what data sets, logs and plugins for hardware import, and gates never use."""

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("matplotlib", "pathos", "qiskit", "qiskit_ibm_runtime", "torchdiffeq", "torchpack", "torchvision"):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return MagicMock(__spec__=spec, __path__=[], __all__=[], __file__="")

    def exec_module(self, module):
        pass


sys.meta_path.insert(0, Absent())
import torch
import torchquantum as tq

broken, ran = [], []
for name in sorted(tq.functional.func_name_dict):
    op = tq.op_name_dict.get(name)
    n_wires, n_params = (int(getattr(op, key, -1)) for key in ("num_wires", "num_params"))
    if n_wires < 1 or n_params < 0:
        continue
    params = torch.full((1, n_params), 0.3) if n_params else None
    try:
        tq.functional.func_name_dict[name](tq.QuantumDevice(n_wires=n_wires), wires=list(range(n_wires)), params=params)
        ran.append(name)
    except NameError as error:
        broken.append(name)
        sentence = str(error)
print(f"torchquantum {tq.__version__}: {len(ran)} gates run, {len(broken)} raise NameError ({sentence}):")
print(f"  {', '.join(broken)}")
encoder = tq.GeneralEncoder([{"input_idx": [0], "func": "u1", "wires": [0]}])
try:
    encoder(tq.QuantumDevice(n_wires=1), torch.ones(1, 1))
    fails = False
except NameError:
    fails = True
assert fails and {"u1", "u2", "cu1", "toffoli", "singleexcitation"} <= set(broken), "these gates run now"
PYTHON
