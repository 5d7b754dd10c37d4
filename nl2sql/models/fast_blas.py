"""A fast matrix product for mlx on Linux, where its wheel brings the slow reference one.

Measured with 1024 x 1024 in fp32 on two cores: 2.7 GFLOP/s as it comes, 57-72 with OpenBLAS loaded before mlx. One
thread, since a second one halves small products.
"""

import ctypes
import importlib.util
import sys
from pathlib import Path

SYSTEM = ("libopenblas.so.0", "libopenblas.so")
# faiss-cpu, a dependency of ours, brings one, with the libraries that it needs, in this order.
BUNDLED = ("libquadmath*", "libgomp*", "libgfortran*", "libopenblas*")


def load_fast_blas() -> str:
    """Load OpenBLAS where there is one; its name, '' where there is none or none is needed. Call it before mlx."""
    if not sys.platform.startswith("linux"):
        return ""
    for name, files in (*((name, [name]) for name in SYSTEM), ("faiss-cpu's OpenBLAS", _bundled())):
        library = _load(files)
        if library is not None:
            library.openblas_set_num_threads(1)
            return name
    return ""


def _load(files: list[str]) -> ctypes.CDLL | None:
    try:
        return [ctypes.CDLL(file, mode=ctypes.RTLD_GLOBAL) for file in files][-1] if files else None
    except OSError:  # not on this machine
        return None


def _bundled() -> list[str]:
    found = importlib.util.find_spec("faiss")  # does not import it
    if found is None or found.origin is None:
        return []
    folder = Path(found.origin).parents[1] / "faiss_cpu.libs"
    files = [next(iter(sorted(folder.glob(pattern))), None) for pattern in BUNDLED]
    return [str(file) for file in files if file] if files[-1] else []
