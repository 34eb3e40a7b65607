#!/bin/sh
# A model folder without any tokenizer file, as a model's own save_pretrained writes it: what does AutoTokenizer make of it?
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet torch==2.13.0 numpy transformers==5.24.0
cat > "$folder/ask.py" <<'PYTHON'
import os

import transformers
from transformers import AutoTokenizer, BertConfig, BertModel, GPT2Config, GPT2Model

small = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8}
BertModel(BertConfig(vocab_size=30, **small)).save_pretrained("bert")
GPT2Model(GPT2Config(vocab_size=30, n_embd=8, n_layer=1, n_head=1, bos_token_id=0, eos_token_id=0)).save_pretrained("gpt2")
print("transformers", transformers.__version__)
for name in ("bert", "gpt2"):
    print(name, "holds", *sorted(os.listdir(name)))
    tokenizer = AutoTokenizer.from_pretrained(name, local_files_only=True)
    one, other = (tokenizer(text)["input_ids"] for text in ("a good film", "the worst ever"))
    print(name, len(tokenizer), "words,", one, other)
PYTHON
cd "$folder"
environment/bin/python ask.py > told.txt 2> warned.txt
cat told.txt
grep -v "Writing model shards" warned.txt || true
grep -q "^bert holds config.json model.safetensors$" told.txt
grep -q "^bert 5 words, \[2, 1, 1, 1, 3\] \[2, 1, 1, 1, 3\]$" told.txt
grep -q "^gpt2 1 words, \[\] \[\]$" told.txt
! grep -qi "tokenizer" warned.txt
