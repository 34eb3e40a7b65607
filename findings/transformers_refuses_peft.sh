#!/bin/sh
# transformers has methods of its own for adapters of peft. Do they take the newest peft, here 0.21.2?
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet torch==2.13.0 numpy transformers==5.24.0 peft==0.21.2
cat > "$folder/ask.py" <<'PYTHON'
from importlib.metadata import requires, version

import torch
from peft import LoraConfig, get_peft_model
from transformers import BertConfig, BertModel

small = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8}
model = BertModel(BertConfig(vocab_size=30, **small))
asked = [each for each in requires("transformers") if each.startswith("peft")]
print("transformers", version("transformers"), "peft", version("peft"), "asked for by transformers:", asked)
try:
    model.add_adapter(LoraConfig(target_modules=["query"]))
except ValueError as error:
    print("add_adapter:", error)
adapted = get_peft_model(model, LoraConfig(target_modules=["query"]))
print("get_peft_model:", tuple(adapted(input_ids=torch.zeros(1, 3, dtype=torch.long)).last_hidden_state.shape))
PYTHON
cd "$folder"
environment/bin/python -W ignore ask.py 2> warned.txt > told.txt || { cat warned.txt; exit 1; }
cat told.txt
grep -q "^transformers 5.24.0 peft 0.21.2 asked for by transformers: \[\]$" told.txt
grep -q "^add_adapter: .*please use a version >= 0.22.0" told.txt
grep -q "^get_peft_model: (1, 3, 8)$" told.txt
