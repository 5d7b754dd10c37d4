"""The whole pipeline without models on threads, on one Dask worker and on two: time, processor time, same verdicts.

    python -m benchmarks.scaling [DATASET] [--workers N ...] [--limit N]
    python -m benchmarks.scaling [DATASET] --costs N

Each way starts with an empty folder of artifacts and a Prefect server of its own. `pipeline` is from the first task to
the report, the start of the workers included; `processor` is that of the run, its workers and its server together.
Exits with 1 when two ways differ in a verdict.

With --costs: the processor time and the bytes of one database and of one question, which docs/scaling.md multiplies.
"""

import argparse
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psutil

from flows.ask_question import ask_question
from flows.options import Options
from flows.runs import RunFolder, read_run
from nl2sql.benchmarks import load_benchmark
from nl2sql.rows import Verdict

THREADS = 0  # workers


@dataclass(frozen=True)
class Way:
    """One run: seconds by the clock and of the processors, its folder and its Prefect database."""

    workers: int
    pipeline: float
    processor: float
    run: RunFolder
    prefect: Path

    @property
    def name(self) -> str:
        """In words."""
        return f"dask, {self.workers} worker{'s' * (self.workers > 1)}" if self.workers else "threads"

    @property
    def verdicts(self) -> list[Verdict]:
        """All verdicts, in the run's order."""
        return self.run.rows("verdicts", Verdict)


def run_way(dataset: Path, workers: int, limit: int | None, folder: Path) -> Way:
    """Run the pipeline once; raises CalledProcessError with its output when it fails."""
    folder.mkdir()
    preset = folder / "way.toml"
    dask = f'task_runner = "dask"\ndask_workers = {workers}\n' if workers else ""
    preset.write_text(f'lineup = ["rules"]\n{dask}')
    environment = {**os.environ, "PREFECT_HOME": str(folder / "prefect")}
    environment.pop("PREFECT_API_URL", None)
    places = ["--preset", str(preset), "--artifacts", str(folder / "artifacts"), "--output", str(folder / "run")]
    command = [sys.executable, "-m", "flows.cli", "evaluate", str(dataset), *places]
    command += ["--limit", str(limit)] if limit else []
    before = _processor()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    seconds = json.loads((folder / "run" / "summary.json").read_text(encoding="utf-8"))["seconds"]
    return Way(workers, seconds, _processor() - before, read_run(str(folder / "run")), folder / "prefect/prefect.db")


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def show_ways(ways: Sequence[Way]) -> None:
    """Print a line for each way, and how much faster it is than the first."""
    print(f"{'way':<16}{'pipeline':>10}{'processor':>11}{'against':>9}   right")
    for way in ways:
        right = sum(v.correct for v in way.verdicts if v.system == "selected")
        ratio = f"{ways[0].pipeline / way.pipeline:.2f}x"
        print(f"{way.name:<16}{way.pipeline:>8.1f} s{way.processor:>9.1f} s{ratio:>9}   {right}")


def show_costs(dataset: Path, questions: int, folder: Path) -> None:
    """Print what databases and questions cost without Prefect and without scoring: processor seconds and bytes.

    Questions are asked one by one, so that a batch's share of files is as large as it can be.
    """
    benchmark = load_benchmark(dataset)
    first, second = (d for d in benchmark.databases[:2])
    asked = [q for q in benchmark.questions if q.db_id == first.db_id][: questions + 1]
    ask(first.path, asked[0].question, folder)  # pays for imports and for the spaCy model, too
    size, start = _bytes(folder), _processor_here()
    for question in asked[1:]:
        ask(first.path, question.question, folder)
    n, spent = len(asked) - 1, _processor_here() - start
    print(f"a question   {spent / n:.3f} s of processor, {(_bytes(folder) - size) / n / 1e3:.0f} kB of artifacts")
    size, start = _bytes(folder), _processor_here()
    (other,) = [q for q in benchmark.questions if q.db_id == second.db_id][:1]
    ask(second.path, other.question, folder)
    database = Path(second.path).stat().st_size
    print(
        f"a database   {_processor_here() - start - spent / n:.2f} s of processor,"
        f" {(_bytes(folder) - size) / 1e3:.0f} kB ({second.db_id}, {database / 1e3:.0f} kB of SQLite)"
    )


def ask(database: str, question: str, folder: Path) -> None:
    """Profile and index a database where that is not done, and answer a question about it."""
    ask_question(database, question, "", Options(), str(folder), lambda step: None)


def _processor_here() -> float:
    """Seconds of this process and of the children that execute SQL, which live on."""
    process = psutil.Process()
    times = [p.cpu_times() for p in (process, *process.children(recursive=True))]
    return sum(t.user + t.system for t in times)


def _bytes(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


def prefect_rows(way: Way) -> str:
    """How much a Prefect server wrote into its database, for each task of the run."""
    database, tasks = way.prefect, len(way.run.steps)
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as held:
        names = ("task_run", "task_run_state", "events", "event_resources", "log")
        rows = {name: held.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0] for name in names}
    size = sum(p.stat().st_size for p in database.parent.glob(f"{database.name}*"))
    listed = ", ".join(f"{count / tasks:.1f} {name}" for name, count in rows.items())
    return f"Prefect: {size / 1e6:.1f} MB in all; rows a task: {listed}"


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", nargs="?", type=Path, default=Path("datasets/demo"))
    parser.add_argument("--workers", type=int, nargs="*", default=[THREADS, 1, 2], help="0: threads")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N questions")
    parser.add_argument("--costs", type=int, metavar="N", help="only what a database and each of N questions cost")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        if options.costs:
            return show_costs(options.dataset, options.costs, Path(name))
        ways = [run_way(options.dataset, n, options.limit, Path(name) / str(n)) for n in options.workers]
        show_ways(ways)
        print(prefect_rows(ways[0]))
        same = all(way.verdicts == ways[0].verdicts for way in ways)
        print(f"same verdicts: {'yes' if same else 'NO'}, {len(ways[0].verdicts):,}")
        sys.exit(not same)


if __name__ == "__main__":
    main()
