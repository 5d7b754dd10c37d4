"""Profiles: time against pandas and against reading every row once; joins found again; growth of time and memory.

    python -m benchmarks.profiling [--rounds N] [--case TEXT] [--large] [--json] [--joins] [--growth FOLDER]

Without options: one table of four generated databases (a long one of 2 and of 20 million cells, a wide one of 2,000
columns, one heavy with text), each beside the floor, which is one loop over all rows of `sqlite3`, and the rival, a
profile made with pandas column by column; all in turns, after a warm-up, medians of N rounds, 20 million cells once.
Each case stands twice: by the clock, where the large table is shared among processes, and in processor seconds of all
processes together, which say the same on a machine that does other work. The floor and the rival are one process.
Then what is found of the declared keys of Spider's and BIRD's databases once they are removed. `--large` profiles 100
million cells (1 GB of disk) once, without pandas, and prints the peak memory, which is this process's and the largest
child's together. `--growth` writes plots to a folder.
"""

import argparse
import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.generated_databases import long_table, text_table, wide_table
from benchmarks.growth import Point, exponent, growth_svg, peak_megabytes
from benchmarks.measured import Measured, machine, measured_by, processor_seconds, show
from benchmarks.undeclared_joins import lines
from nl2sql.benchmarks import load_benchmark
from nl2sql.profiling.profile_database import profile_database
from nl2sql.rows import Database, Profile
from nl2sql.schema import quote

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
NO_PANDAS = "pandas is not installed: pip install pandas shows the rival"
ONE_READ = 100  # from so many columns on the rival reads the table once: once a column would favour us
LONG_ROWS, WIDE_ROWS, TEXT_ROWS = 200_000, 1_000, 100_000
CLOCKS = {"clock": time.perf_counter, "processor": processor_seconds}


@dataclass(frozen=True)
class Case:
    """One generated database: its name, how it is made, and how often it is timed (0: as often as is asked for)."""

    name: str
    make: Callable[[Path], None]
    rounds: int = 0


CASES = (
    Case("long, 2M cells", partial(long_table, rows=LONG_ROWS)),
    Case("wide, 2,000 columns, 2M cells", partial(wide_table, rows=WIDE_ROWS)),
    Case("text, 100 MB", partial(text_table, rows=TEXT_ROWS)),
    Case("long, 20M cells", partial(long_table, rows=10 * LONG_ROWS), rounds=1),
)


def profiled(path: Path) -> list[Profile]:
    """Ours."""
    return profile_database(Database(path.stem, str(path), "", 0, "", "", ""))


def read_rows(path: Path) -> int:
    """The floor: every row once, as Python sees it."""
    with closing(sqlite3.connect(path)) as connection:
        return sum(1 for _ in connection.execute("SELECT * FROM t"))


def pandas_profile(path: Path) -> list[dict[str, Any]]:
    """The rival: counts, different values, extremes, lengths, the ten most frequent and the share of numbers."""
    pd: Any = import_module("pandas")
    with closing(sqlite3.connect(path)) as connection:
        names = [row[1] for row in connection.execute("PRAGMA table_info(t)")]
        if len(names) >= ONE_READ:
            whole = pd.read_sql("SELECT * FROM t", connection)
            return [_pandas_column(whole[name]) for name in names]
        return [_pandas_column(pd.read_sql(f"SELECT {quote(n)} FROM t", connection)[n]) for n in names]


def _pandas_column(series: Any) -> dict[str, Any]:
    pd: Any = import_module("pandas")
    filled = series.dropna()
    lengths = filled.astype(str).str.len()
    return {
        "column": series.name,
        "rows": len(series),
        "nulls": int(series.isna().sum()),
        "distinct": int(series.nunique()),
        "minimum": filled.min(),
        "maximum": filled.max(),
        "shortest": lengths.min(),
        "longest": lengths.max(),
        "top": series.value_counts().head(10),
        "numeric_fraction": pd.to_numeric(filled, errors="coerce").notna().mean(),
    }


def disagreements(ours: Sequence[Profile], rivals: Sequence[dict[str, Any]]) -> list[str]:
    """Columns where the two profiles differ by more than the stated error of an estimate (0.8 % at one sigma)."""
    return [
        p.column
        for p, r in zip(ours, rivals, strict=True)
        if (p.rows, p.nulls) != (r["rows"], r["nulls"]) or abs(p.distinct - r["distinct"]) > 0.035 * r["distinct"]
    ]


def measure(rounds: int = 3, cases: Sequence[Case] = CASES) -> list[Measured]:
    """Time each case; the rival is left out, and the note says so, when pandas is missing."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "generated.sqlite"
        return [row for case in cases for row in _measured(case, path, case.rounds or rounds)]


def _measured(case: Case, path: Path, rounds: int) -> list[Measured]:
    case.make(path)
    has_pandas = find_spec("pandas") is not None
    works: dict[str, Callable[[], object]] = {"floor": lambda: read_rows(path), "ours": lambda: profiled(path)}
    note = NO_PANDAS
    if has_pandas:
        works["rival"] = lambda: pandas_profile(path)
        note = "" if case.rounds else _agreement(disagreements(profiled(path), pandas_profile(path)))
    taken = measured_by(CLOCKS, works, rounds, warm_up=not has_pandas and not case.rounds)
    return [
        Measured(f"{case.name}, {clock}", by["ours"], "pandas by column", by.get("rival"), by["floor"], note)
        for clock, by in taken.items()
    ]


def _agreement(columns: Sequence[str]) -> str:
    return f"differs in {', '.join(columns)}" if columns else "equal within the stated error"


def once(path: Path) -> Point:
    """Profile in a process of its own, which also says its peak memory."""
    command = [sys.executable, "-m", "benchmarks.profiling", "--child", str(path)]
    output = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1]).stdout
    seconds, megabytes = json.loads(output)
    return Point(0, seconds, megabytes)


def child(path: Path) -> None:
    """Print processor seconds and peak memory of one profile, those of its own children among them."""
    start = processor_seconds()
    profiled(path)
    print(json.dumps([processor_seconds() - start, peak_megabytes() + peak_megabytes(resource.RUSAGE_CHILDREN)]))


def growth() -> Iterator[tuple[str, list[Point]]]:
    """1, 10 and 100 times the rows, and the columns, of a small table."""
    makers = {
        "rows": [(n, partial(long_table, rows=n)) for n in (20_000, 200_000, 2_000_000)],
        "columns": [(n, partial(wide_table, rows=2_000, columns=n)) for n in (20, 200, 2_000)],
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "generated.sqlite"
        for name, sizes in makers.items():
            points = []
            for size, make in sizes:
                make(path)
                found = once(path)
                points.append(Point(size, found.seconds, found.megabytes))
            yield name, points


def draw(folder: Path) -> None:
    """Write the plots and print their figures."""
    found = dict(growth())
    for name, points in found.items():
        times, peaks = [(p.size, p.seconds) for p in points], [(p.size, p.megabytes) for p in points]
        series = {"seconds": times, "peak MB": peaks}
        title = f"Profile: {'ten columns' if name == 'rows' else '2,000 rows'}, growing {name}"
        (folder / f"profiles-{name}.svg").write_text(growth_svg(title, name, "s, MB", series), encoding="utf-8")
        for p in points:
            print(f"{name} {p.size:>9,}: {p.seconds:7.2f} s {p.megabytes:7.0f} MB")
        print(f"{name}: time n^{exponent(times):.2f}, memory n^{exponent(peaks):.2f}")
    print(machine())


def large() -> None:
    """100 million cells, once: 10 million rows of ten columns."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "generated.sqlite"
        long_table(path, 50 * LONG_ROWS)
        starts = time.process_time(), time.perf_counter()
        read_rows(path)
        floors = time.process_time() - starts[0], time.perf_counter() - starts[1]
        start = time.perf_counter()
        found = once(path)
        clock = time.perf_counter() - start
        print(f"100M cells, {path.stat().st_size / 2**30:.1f} GB, processor: floor {floors[0]:.1f} s,", end="")
        print(
            f" ours {found.seconds:.1f} s ({found.seconds / floors[0]:.1f}x); clock, with the start of Python:", end=""
        )
        print(f" floor {floors[1]:.1f} s, ours {clock:.1f} s ({clock / floors[1]:.1f}x);", end="")
        print(f" peak memory {found.megabytes:.0f} MB; {machine()}")


def joins() -> list[str]:
    """What is found of removed keys, by benchmark."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for name in ("bird", "spider"):
            if (DATA / name).is_dir():
                found += [f"{name}, {line}" for line in lines(load_benchmark(DATA / name).databases, Path(folder))]
    return found or [f"no databases in {DATA}: nothing to find keys in"]


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--case", default="", metavar="TEXT", help="only the cases whose name holds this")
    parser.add_argument("--large", action="store_true", help="100 million cells, once")
    parser.add_argument("--joins", action="store_true", help="only the removed keys")
    parser.add_argument("--growth", type=Path, metavar="FOLDER", help="only the growth plots")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return child(options.child)
    if options.growth:
        return draw(options.growth)
    if options.large:
        return large()
    rows = [] if options.joins else measure(options.rounds, [c for c in CASES if options.case in c.name])
    found = [] if options.case else joins()
    if options.json:
        print(json.dumps({"machine": machine(), "steps": [asdict(r) for r in rows], "joins": found}, indent=1))
        return None
    if rows:
        show("Profiles", rows, Console(width=150))
    print(*found, sep="\n")
    return None


if __name__ == "__main__":
    main()
