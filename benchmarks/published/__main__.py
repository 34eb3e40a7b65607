"""`python -m benchmarks.published`: find again what others published; needs ../shared."""

from __future__ import annotations

import time

from benchmarks.published import mnist_3_6, qcnn, qml_kernels, qml_variational, reuploading


def main() -> None:
    start = time.perf_counter()
    for part in (qml_kernels, mnist_3_6, qcnn, reuploading, qml_variational):
        part.main()
    print(f"all of it: {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
