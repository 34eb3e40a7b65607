#!/usr/bin/env bash
# The engine for GPUs, checked and measured on this machine's GPU: scripts/gpu_check.sh
#
#   1. Right: `qloom doctor --gpu`, then the tests that need a GPU, against the CPU's engine and the reference.
#   2. Fast: benchmarks/gpu, against the least time that the GPU's rates allow: benchmarks/results/gpu.csv.
#   3. Beside other systems on the same GPU, those that are installed: benchmarks/results/gpu_peers.csv.
#
# Less than eight minutes on one GPU, once the environment is there: build/venv-gpu, which the first run makes with
# whatever torch pip finds. PYTHON=/path/to/python takes an environment that has qloom from here, pytest, hypothesis and a
# torch with CUDA.
# Ends with 1 where there is no GPU, or something was wrong; goals that are missed are told, and end with 0.
set -u

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd) || exit 1
case ${PYTHON:-} in
/* | "") ;;
*/*) PYTHON=$PWD/$PYTHON ;; # of the folder that this is called from
esac
cd "$ROOT" || exit 1
export PYTHONUNBUFFERED=1
TESTS="tests/engines/gpu/test_on_device.py tests/nn/test_on_device.py"
# Seconds that a part may take.
DOCTOR=${DOCTOR_SECONDS:-60} TEST=${TEST_SECONDS:-180} BENCH=${BENCH_SECONDS:-170} PEERS=${PEERS_SECONDS:-60}
failed=""

stop() {
    echo "qloom: $1" >&2
    exit 1
}

# Asks CUDA's driver, before anything is installed.
count_gpus() {
    "$1" - <<'PYTHON'
import ctypes
try:
    driver, count = ctypes.CDLL("libcuda.so.1"), ctypes.c_int(0)
    found = driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0
except OSError:
    found = False
print(count.value if found else 0)
PYTHON
}

# part NAME SECONDS COMMAND...: runs it, tells how long it took, and notes what failed.
part() {
    local name=$1 limit=$2 start=$SECONDS code
    shift 2
    echo "== $name"
    timeout --kill-after=10 "$limit" "$@"
    code=$?
    [ $code -eq 124 ] && echo "$name: stopped after $limit s"
    [ $code -ne 0 ] && failed="$failed, $name"
    echo "== $name: $((SECONDS - start)) s"
}

ANY=${PYTHON:-python3}
command -v "$ANY" >/dev/null || stop "$ANY is not found, expected Python 3.11 or later; name one with PYTHON=..."
[ "$(count_gpus "$ANY")" -gt 0 ] || stop "no GPU here: CUDA's driver finds none, expected one; see nvidia-smi"

if [ -z "${PYTHON:-}" ]; then
    ALLOW_CUDA=1 python3 scripts/install.py build/venv-gpu ||
        stop "build/venv-gpu could not be made, see above; or name an environment with PYTHON=..."
    PYTHON=$ROOT/build/venv-gpu/bin/python
    "$PYTHON" -c "import cuda.bindings.nvrtc" 2>/dev/null ||
        "$PYTHON" -m pip install --quiet --no-build-isolation --editable "$ROOT[gpu]" ||
        stop "what compiles kernels could not be installed, see above"
fi
HOW="$PYTHON -m pip install --no-build-isolation --editable '$ROOT[gpu]' pytest hypothesis"
"$PYTHON" - "$ROOT" "$HOW" <<'PYTHON' || exit 1
import sys
from importlib.util import find_spec
from pathlib import Path

root, how = sys.argv[1:]
missing = [name for name in ("torch", "qloom", "typer", "pytest", "hypothesis") if find_spec(name) is None]
if missing:
    sys.exit(f"qloom: {sys.executable} has no {', '.join(missing)}; leave PYTHON out, or: {how}")
import qloom
from qloom.engines.gpu.cuda import check_device
from qloom.errors import QloomError

if not Path(qloom.__file__).is_relative_to(Path(root).resolve()):
    sys.exit(f"qloom: {sys.executable} has the qloom of {Path(qloom.__file__).parent}, expected that of {root}; {how}")
try:
    check_device(0)
except QloomError as error:
    sys.exit(f"qloom: {error}")
PYTHON

part doctor "$DOCTOR" "$PYTHON" -m qloom doctor --gpu
# shellcheck disable=SC2086
part tests "$TEST" "$PYTHON" -m pytest -p no:cacheprovider $TESTS
part benchmark "$BENCH" "$PYTHON" -m benchmarks.gpu
part "other systems" "$PEERS" "$PYTHON" -m benchmarks.gpu.peers
"$PYTHON" -m benchmarks.gpu --table
[ -z "$failed" ] || stop "these failed or were stopped: ${failed#, }"
