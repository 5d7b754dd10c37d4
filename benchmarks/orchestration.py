"""What Prefect costs: of a question of `evaluate`, and of an offline run that finds everything made.

    python -m benchmarks.orchestration [DATASET] [--questions N] [--plots FOLDER] [--json]

The questions of DATASET, repeated under new ids up to N (by default 1,534, as many as BIRD dev has), are answered with
their own gold SQL as recorded predictions, after a run with other predictions: groundings, linkings and golds are
reused, candidates, repairs, selections, verdicts and the report are made. There is no model and little work, so that
orchestration is what is left. Two ways in turn, each at a hundredth of N, a tenth of N and N:

- `nl2sql evaluate`, with its Prefect server;
- the same task functions called one after the other in one process, artifacts and report included, without Prefect.

A question's share is the difference of the outer sizes over the difference of their questions, so that no start counts.
Overhead is Prefect's share less the plain one, in processor seconds, which other work on the machine hardly changes.
Offline: the flows of `nl2sql index` from nothing, then again, in seconds by the clock without the server's start, on
BIRD's databases and train questions where they are here, else on the demo.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.growth import Point, exponent, growth_svg
from benchmarks.measured import Measured, machine

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "datasets" / "demo"
BIRD = ROOT.parent / "shared" / "data" / "bird"
PRESET = 'lineup = ["rules"]\nwithout = ["linking", "cells", "examples", "fixer"]\n'
PARTS = (100, 10, 1)  # of the questions: growth is drawn over these sizes


@dataclass(frozen=True)
class Cost:
    """One run: processor seconds of it and of its server, seconds by the clock, MB of its largest process."""

    processor: float
    clock: float
    peak: float


@dataclass(frozen=True)
class Orchestration:
    """Milliseconds a question, and what an offline run costs again as a share of the first."""

    questions: int
    flows_ms: float
    plain_ms: float
    flows_clock_ms: float
    growth: tuple[Point, ...]  # of `evaluate`: questions, processor seconds, MB of its largest process
    index_first: float  # seconds
    index_again: float

    @property
    def overhead_ms(self) -> float:
        """Of Prefect, per question."""
        return self.flows_ms - self.plain_ms


def enlarge(dataset: Path, folder: Path, n: int) -> Path:
    """A benchmark in BIRD's layout: `n` questions over the databases of `dataset`, and their gold as predictions."""
    from nl2sql.benchmarks import load_benchmark

    benchmark = load_benchmark(str(dataset))
    known = [q for q in benchmark.questions if q.gold_sql.strip()]
    asked = [known[i % len(known)] for i in range(n)]
    places = folder / "dev_databases"
    for database in benchmark.databases:
        place = places / database.db_id
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{database.db_id}.sqlite").symlink_to(Path(database.path).absolute())
    lines = [
        {"question_id": i, "db_id": q.db_id, "question": q.question, "evidence": q.evidence, "SQL": q.gold_sql}
        for i, q in enumerate(asked)
    ]
    (folder / "dev.json").write_text(json.dumps([{**line, "difficulty": "simple"} for line in lines]))
    for name in ("golds", "blanks"):
        told = [{**line, "model": "recorded", "sql": line["SQL"] if name == "golds" else "SELECT 1"} for line in lines]
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, told)))
    return folder


def run(words: Sequence[object], folder: Path) -> Cost:
    """Run a command of ours with a Prefect home of its own. Raises RuntimeError with its output when it fails."""
    surroundings = {k: v for k, v in os.environ.items() if k != "PREFECT_API_URL"}
    surroundings |= {"PREFECT_HOME": str(folder / "prefect"), "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true"}
    before, start = _children(), time.perf_counter()
    done = subprocess.run(
        [sys.executable, *map(str, words)], cwd=ROOT, env=surroundings, capture_output=True, text=True, check=False
    )
    clock, after = time.perf_counter() - start, _children()
    if done.returncode:
        raise RuntimeError(f"{words[:4]} ended with {done.returncode}: {done.stdout[-1500:]}{done.stderr[-1500:]}")
    return Cost(after[0] - before[0], clock, after[1])


def _children() -> tuple[float, float]:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def peak_of(words: Sequence[object], folder: Path) -> Cost:
    """The same in a process of its own, so that the peak is that of this command and of none before it."""
    child = [sys.executable, "-m", "benchmarks.orchestration", "--cost", json.dumps([*map(str, words)]), str(folder)]
    told = subprocess.run(child, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return Cost(**json.loads(told.splitlines()[-1]))


def through_flows(dataset: Path, folder: Path) -> Cost:
    """`nl2sql evaluate` of the golds, after one of the blanks."""
    given = ("--preset", folder / "bare.toml", "--artifacts", folder / "artifacts", "--predictions")
    command = ["-m", "flows.cli", "evaluate", dataset, *given]
    run([*command, dataset / "blanks.jsonl"], folder)
    return peak_of([*command, dataset / "golds.jsonl"], folder)


def without_prefect(dataset: Path, folder: Path) -> Cost:
    """The same tasks from one loop; the offline part is that of `through_flows`."""
    words = ["-m", "benchmarks.orchestration", "--plain", dataset, folder / "artifacts", folder / "plain"]
    run([*words, dataset / "blanks.jsonl"], folder)
    return peak_of([*words, dataset / "golds.jsonl"], folder)


def measure(n: int = 256) -> list[Measured]:
    """For the table of all benchmarks: fewer questions, the same shares."""
    with tempfile.TemporaryDirectory() as name:
        found = orchestrate(DEMO, n, Path(name), (16, 1))
    said = f"overhead of Prefect {found.overhead_ms:.1f} ms of processor a question, over {n} questions"
    again = f"{100 * found.index_again / found.index_first:.1f} % of the first run, all reused"
    return [
        Measured("evaluate, a question", found.flows_ms / 1000, "", None, found.plain_ms / 1000, said),
        Measured("profile and index again", found.index_again, "from nothing", found.index_first, None, again),
    ]


def orchestrate(dataset: Path, n: int, folder: Path, parts: Sequence[int] = PARTS) -> Orchestration:
    """All runs, the small ones first, which also warm the caches of the operating system."""
    costs: dict[tuple[str, int], Cost] = {}
    sizes = [max(1, n // part) for part in parts]
    for size in sizes:
        place = folder / str(size)
        place.mkdir()
        (place / "bare.toml").write_text(PRESET)
        big = enlarge(dataset, place / "dataset", size)
        costs["flows", size] = through_flows(big, place)
        costs["plain", size] = without_prefect(big, place)
    first, last = sizes[0], sizes[-1]
    slopes = {
        way: (costs[way, last].processor - costs[way, first].processor) / (last - first) * 1000
        for way in ("flows", "plain")
    }
    clock = (costs["flows", last].clock - costs["flows", first].clock) / (last - first) * 1000
    growth = tuple(Point(size, costs["flows", size].processor, costs["flows", size].peak) for size in sizes)
    return Orchestration(n, slopes["flows"], slopes["plain"], clock, growth, *index_twice(folder / "index"))


def index_twice(folder: Path) -> tuple[float, float]:
    """Seconds of profiling and indexing from nothing, and again, each in a process of its own with its server up."""
    dataset = BIRD if BIRD.is_dir() else DEMO
    folder.mkdir()
    surroundings = {k: v for k, v in os.environ.items() if k != "PREFECT_API_URL"}
    surroundings["PREFECT_HOME"] = str(folder / "prefect")
    command = [sys.executable, "-m", "benchmarks.orchestration", dataset, "--index", folder / "artifacts"]
    told = [subprocess.run(command, cwd=ROOT, env=surroundings, capture_output=True, check=True) for _ in range(2)]
    first, again = (float(done.stdout.splitlines()[-1]) for done in told)
    return first, again


def index(dataset: Path, artifacts: Path) -> None:
    """Print the seconds that the offline flows take, without the start of Prefect's server."""
    from flows.environment import prepare, without_heartbeats
    from flows.own_server import await_server, start_server

    prepare()
    start_server()
    from flows.build_indexes import build_indexes

    await_server()
    start = time.perf_counter()
    with without_heartbeats():  # as the command does
        build_indexes(str(dataset), artifacts=str(artifacts))
    print(time.perf_counter() - start)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", nargs="?", type=Path, default=DEMO)
    parser.add_argument("--questions", type=int, default=1534)
    parser.add_argument("--plots", type=Path, metavar="FOLDER", help="draw the growth there")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--plain", nargs=4, type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--cost", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--index", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.plain:
        from benchmarks.plain_answering import answer_plainly  # only the child pays for importing all tasks

        answer_plainly(*options.plain)
    elif options.index:
        index(options.dataset, options.index)
    elif options.cost:
        print(json.dumps(asdict(run(json.loads(options.cost[0]), Path(options.cost[1])))))
    else:
        with tempfile.TemporaryDirectory() as name:
            found = orchestrate(options.dataset, options.questions, Path(name))
        show(found, options.json)
        if options.plots:
            draw(found.growth, options.plots)


def show(found: Orchestration, as_json: bool) -> None:
    """Print what was measured."""
    if as_json:
        print(json.dumps({**asdict(found), "overhead_ms": found.overhead_ms, "machine": machine()}))
        return
    print(f"{found.questions:,} questions, {machine()}")
    print(f"evaluate {found.flows_ms:.1f} ms of processor a question,", end=" ")
    print(f"without Prefect {found.plain_ms:.1f} ms: overhead {found.overhead_ms:.1f} ms;", end=" ")
    print(f"{found.flows_clock_ms:.1f} ms by the clock")
    for point in found.growth:
        print(f"{point.size:>9,} questions: {point.seconds:6.1f} s of processor, peak {point.megabytes:.0f} MB")
    times, peaks = curves(found.growth)
    print(f"time n^{exponent(times):.2f}, memory n^{exponent(peaks):.2f}")
    share = 100 * found.index_again / found.index_first
    print(f"index {found.index_first:.1f} s, again {found.index_again:.2f} s: {share:.1f} %")


def curves(growth: Sequence[Point]) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Seconds by questions, and MB by questions."""
    return [(p.size, p.seconds) for p in growth], [(p.size, p.megabytes) for p in growth]


def draw(growth: Sequence[Point], folder: Path) -> None:
    """Write the growth as SVG."""
    times, peaks = curves(growth)
    svg = growth_svg("Evaluate: growing questions", "questions", "s, MB", {"seconds": times, "peak MB": peaks})
    (folder / "evaluate-questions.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
