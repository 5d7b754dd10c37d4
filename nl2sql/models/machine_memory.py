"""How much memory a local model may take on this machine."""

import re
import sys
from pathlib import Path

LINUX_SHARE = 0.9  # of the machine's or the container's memory; the rest is the system's
CGROUP = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
UNLIMITED = 2**60  # cgroup version 1 writes a number like this for no limit


def memory_limit() -> int:
    """Bytes: Metal's recommended working set on a Mac, a share of the memory or of the container's limit on Linux."""
    if sys.platform == "darwin":
        import mlx.core as mx  # unlike mlx_lm it leaves the process's file limit alone

        return int(mx.device_info()["max_recommended_working_set_size"])
    found = re.search(r"MemTotal:\s+(\d+) kB", Path("/proc/meminfo").read_text(encoding="ascii"))
    assert found is not None
    limits = [int(found[1]) * 1024, *(limit for path in CGROUP if (limit := _read_limit(path)))]
    return int(LINUX_SHARE * min(limits))


def _read_limit(path: Path) -> int | None:
    try:
        text = path.read_text(encoding="ascii").strip()
    except OSError:
        return None
    return int(text) if text.isdigit() and int(text) < UNLIMITED else None
