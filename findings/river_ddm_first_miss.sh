#!/bin/sh
# How often does river's DDM see a drift in a stream whose share of misses stays what it is?
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet river==0.26.1
cd "$folder"
environment/bin/python - <<'PYTHON'
import random

from river import __version__
from river.drift import ADWIN
from river.drift.binary import DDM


def alarms(make, share, seed):
    detector, drawn, count = make(), random.Random(seed), 0
    for _ in range(2000):
        detector.update(drawn.random() < share)
        count += detector.drift_detected
    return count


detector = DDM()
fired = []
for row, miss in enumerate([False] * 100 + [True]):
    detector.update(miss)
    if detector.drift_detected:
        fired.append(row)
shares = (0.01, 0.05, 0.2)
ddm, adwin = ([sum(alarms(make, share, seed) > 0 for seed in range(100)) for share in shares] for make in (DDM, ADWIN))
print(f"river {__version__}: one miss after 100 hits, DDM sees a drift at {fired}")
print(f"  of 100 streams of 2,000 rows with a steady share of misses {shares}, DDM fires in {ddm}, ADWIN in {adwin}")
assert fired == [100], "the first miss is no drift any more"
assert all(count >= 10 for count in ddm) and max(adwin) <= 3, "how often they fire has changed"
PYTHON
