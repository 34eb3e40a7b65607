#!/bin/sh
# A kernel that wants about 200 registers a thread is compiled for blocks of 256, 512 and 1,024 threads: a multiprocessor then has 255, 128 and 64
# registers for a thread. How many does NVRTC give, and how many bytes of stack does it spill to? Needs no GPU.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet cuda-bindings==13.0.3 nvidia-cuda-nvrtc==13.0.88 nvidia-cuda-cuobjdump==13.2.78
cat > "$folder/ask.py" <<'PYTHON'
import re
import subprocess
import sys
from importlib.metadata import files, version

from cuda.bindings import nvrtc

HELD = 32  # numbers of each of two states that a thread holds


def exchange(mask):
    """What a thread does to its numbers r and r ^ mask."""
    lines = [f"case {mask}:"]
    for r in range(HELD):
        p = r ^ mask
        if p >= r:
            lines += [f"{{ const double x = {s}[{r}], y = {s}[{p}]; "
                      f"{s}[{r}] = fma(t, y, x); {s}[{p}] = fma(-t, x, y); }}" for s in "ab"]
    return "\n".join([*lines, "break;"])


def registers(threads):
    source = f"""
extern "C" __global__ void __launch_bounds__({threads}) walk(double* first, double* second, const int* masks, int n, double t) {{
    double a[{HELD}], b[{HELD}];
    for (int i = 0; i < {HELD}; ++i) a[i] = first[threadIdx.x * {HELD} + i], b[i] = second[threadIdx.x * {HELD} + i];
    for (int k = 0; k < n; ++k)
        switch (masks[k]) {{ {" ".join(map(exchange, range(HELD)))} }}
    for (int i = 0; i < {HELD}; ++i) first[threadIdx.x * {HELD} + i] = a[i], second[threadIdx.x * {HELD} + i] = b[i];
}}"""
    _, program = nvrtc.nvrtcCreateProgram(source.encode(), b"walk.cu", 0, [], [])
    (error,) = nvrtc.nvrtcCompileProgram(program, 1, [b"--gpu-architecture=sm_90"])
    assert not error, error
    cubin = bytearray(nvrtc.nvrtcGetCUBINSize(program)[1])
    nvrtc.nvrtcGetCUBIN(program, cubin)
    with open(f"{threads}.cubin", "wb") as file:
        file.write(cubin)
    tool = next(one.locate() for one in files("nvidia-cuda-cuobjdump") if one.name == "cuobjdump")
    told = subprocess.run([tool, "--dump-resource-usage", f"{threads}.cubin"], check=True, capture_output=True, text=True)
    return tuple(int(re.search(rf"{name}:(\d+)", told.stdout)[1]) for name in ("REG", "STACK"))


print("cuda-bindings", version("cuda-bindings"), "NVRTC", version("nvidia-cuda-nvrtc"), file=sys.stdout)
for threads in (256, 512, 1024):
    print("blocks of {}: {} registers, {} bytes of stack".format(threads, *registers(threads)))
PYTHON
cd "$folder"
chmod +x environment/lib/python3*/site-packages/nvidia/cu13/bin/cuobjdump 2> /dev/null || true
environment/bin/python ask.py | tee told.txt
grep -q "^blocks of 256: .* 0 bytes of stack$" told.txt
# Half the threads of the next line, and half its registers; more is spilled than there.
few=$(sed -n 's/^blocks of 512: \([0-9]*\) registers.*/\1/p' told.txt)
many=$(sed -n 's/^blocks of 1024: \([0-9]*\) registers.*/\1/p' told.txt)
test "$few" -eq 32
test "$many" -eq 64
spilled=$(sed -n 's/^blocks of 512: .*, \([0-9]*\) bytes.*/\1/p' told.txt)
less=$(sed -n 's/^blocks of 1024: .*, \([0-9]*\) bytes.*/\1/p' told.txt)
test "$spilled" -gt "$less"
