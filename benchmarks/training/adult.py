"""CPU seconds of `HybridClassifier.fit` on 20,000 rows of adult_income, and the AUC of the other 12,561.

Goal: at most half of what commit 78fbdaf takes, at the same AUC. Each fit runs in a process of its own, the builds by
turns.

Run: python -m benchmarks.training.adult [--beside PYTHON]   (reads ../shared/data; PYTHON has that commit installed)
"""

from __future__ import annotations

import json
import subprocess
import sys
from argparse import ArgumentParser
from statistics import mean

from benchmarks.results import append_row, provenance
from benchmarks.shared import DATA

TABLE = DATA / "adult_income" / "adult.csv.gz"
SEEDS, GOAL = range(3), 0.5
# For any build: the rows are the same for all seeds, which are of the training.
FIT = """
import json, sys, time
import numpy as np, pandas as pd
from sklearn.metrics import roc_auc_score
from qloom.models import HybridClassifier

table = pd.read_csv(sys.argv[1])
x, y = table.drop(columns="income >50K"), table["income >50K"]
order = np.random.default_rng(0).permutation(len(table))
train, test = order[:20_000], order[20_000:]
start = time.process_time()
model = HybridClassifier(random_state=int(sys.argv[2])).fit(x.iloc[train], y.iloc[train])
seconds = time.process_time() - start
print(json.dumps([seconds, roc_auc_score(y.iloc[test], model.predict_proba(x.iloc[test])[:, 1])]))
"""


def fitted(python: str, seed: int) -> tuple[float, float]:
    """CPU seconds and AUC of one fit by the build that an interpreter has."""
    command = [python, "-c", FIT, str(TABLE), str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=TABLE.parent)
    seconds, auc = json.loads(done.stdout.splitlines()[-1])
    return seconds, auc


def main() -> None:
    parser = ArgumentParser()
    parser.add_argument("--beside", metavar="PYTHON", help="interpreter with commit 78fbdaf installed")
    beside = parser.parse_args().beside
    ours, theirs = list[tuple[float, float]](), list[tuple[float, float]]()
    for seed in SEEDS:
        ours.append(fitted(sys.executable, seed))
        if beside:
            theirs.append(fitted(beside, seed))
        print(f"seed {seed}: CPU s and AUC", *(f"{s:.2f} {auc:.4f}" for s, auc in (*ours[-1:], *theirs[-1:])))
    row = {"cpu_seconds": mean(s for s, _ in ours), "auc": mean(auc for _, auc in ours)}
    before = {"before_cpu_seconds": "", "before_auc": "", "ratio": ""}
    if theirs:
        seconds = mean(s for s, _ in theirs)
        before = {"before_cpu_seconds": seconds, "before_auc": mean(auc for _, auc in theirs),
                  "ratio": row["cpu_seconds"] / seconds}  # fmt: skip
    append_row("adult", {**row, **before, "goal": GOAL, **provenance()})


if __name__ == "__main__":
    main()
