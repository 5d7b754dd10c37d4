"""Every benchmark of speed in one table: ours, the rival's way, the ratio, the floor.

    make bench        or        python -m benchmarks.everything [--json]

Each is described in its own module and can be run alone. What needs the recorded benchmarks is left out, and said to
be, where they are not there. Rivals are written here from descriptions of how other systems do the same, and run in
turn with ours, so that a busy machine meets both.
"""

import argparse
import importlib
import json
import time
from dataclasses import asdict

from benchmarks.measured import Measured, machine, show

MODULES = ("cells", "examples", "profiling", "scoring", "orchestration")


def measure() -> list[Measured]:
    """All rows, module by module."""
    rows: list[Measured] = []
    for name in MODULES:
        start = time.perf_counter()
        try:
            rows += importlib.import_module(f"benchmarks.{name}").measure()
        except FileNotFoundError as error:
            rows.append(Measured(name, 0.0, "", None, None, f"left out: {error.filename} is not there"))
        print(f"{name}: {time.perf_counter() - start:.0f} s", flush=True)
    return rows


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = measure()
    show("Benchmarks", rows)
    if options.json:
        print(json.dumps({"machine": machine(), "rows": [asdict(row) for row in rows]}))


if __name__ == "__main__":
    main()
