"""Times nl2sql's scoring against a plain reading of BIRD's official script, on all recorded predictions, in one run.

    python -m benchmarks.scoring [--data ../shared/data] [--large] [--only bird|spider|large] [--rounds N]

The rival is what the official script does: a process pool that, for every prediction, starts a thread for the time
limit (func_timeout does that in the script), opens the database, executes the prediction and then its gold, and
compares Python sets of rows. One pool serves all systems, where the script starts one for each, and it works on a copy
of the databases, because its connections can write. The same without the threads is timed as well.
The floor is the time inside SQLite for the distinct statements on one warm connection, over the cores. All are run in
turns, the figures are medians of N rounds (3; the generated database once). Processor time is printed too, because it
tells more on a machine that does other work as well.

`--large` adds a generated database whose statements take about a second. Exit status 1 when a verdict differs.
"""

import argparse
import json
import multiprocessing
import os
import random
import shutil
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.measured import Measured
from nl2sql.benchmarks import describe_database, load_benchmark
from nl2sql.garbage import rare_collections
from nl2sql.query_pool import close_workers, cores, start_workers
from nl2sql.rows import Database, Question
from nl2sql.scoring.execution_accuracy import SCORING_LIMITS, Scores, score_predictions
from nl2sql.scoring.predictions import load_predictions
from tasks.artifact_store import ArtifactStore
from tasks.judgement_store import JudgementStore

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
Job = tuple[str, str, str]  # database, predicted SQL, gold SQL
LIMIT = 30.0  # seconds for a prediction and its gold together
LARGE_ROWS = 1_300_000
LARGE_SYSTEMS = 6


@dataclass(frozen=True)
class Case:
    """One benchmark with one predictions file."""

    name: str
    questions: tuple[Question, ...]
    databases: tuple[Database, ...]
    predictions: Path


def plain_verdict(job: Job) -> bool:
    """The official rules for one prediction, read plainly."""
    found: list[bool] = []
    opened: list[sqlite3.Connection] = []
    thread = threading.Thread(target=lambda: found.append(compared(job, opened.append)))
    thread.start()
    thread.join(LIMIT)
    if thread.is_alive():
        opened[0].interrupt()
        thread.join()
    return found == [True]


def unthreaded_verdict(job: Job) -> bool:
    """The same, but SQLite looks at the clock."""
    deadline = time.monotonic() + LIMIT
    return compared(job, lambda c: c.set_progress_handler(lambda: time.monotonic() > deadline, 10_000))


def compared(job: Job, prepare: Callable[[sqlite3.Connection], object]) -> bool:
    """Whether prediction and gold give the same set of rows; False for what does not run."""
    path, sql, gold = job
    connection = sqlite3.connect(path)
    prepare(connection)
    try:
        predicted = connection.execute(sql).fetchall()
        return set(predicted) == set(connection.execute(gold).fetchall())
    except (sqlite3.Error, sqlite3.Warning, ValueError, MemoryError):
        return False
    finally:
        connection.close()


def plain_scores(case: Case, paths: dict[str, str], verdict: Callable[[Job], bool]) -> list[bool]:
    """Score every line of the predictions file in one pool; separate runs of the script would start it each time."""
    golds = {q.question_id: (q.db_id, q.gold_sql) for q in case.questions}
    jobs = []
    for line in case.predictions.read_text().splitlines():
        item = json.loads(line)
        db_id, gold = golds[str(item["question_id"])]
        jobs.append((paths[db_id], item["sql"], gold))
    pool = multiprocessing.get_context("spawn").Pool(cores())
    try:
        return pool.map(verdict, jobs, chunksize=1)
    finally:
        pool.close()
        pool.join()  # its processor time counts once they have ended


@rare_collections()
def our_scores(case: Case, artifacts: Path, strict_parity: bool = True) -> Scores:
    """Score the file as `nl2sql score` does: read it, take the judgements that are kept, execute the rest, keep it."""
    databases = [describe_database(d.db_id, Path(d.path)) for d in case.databases]  # digests are part of the work
    store = JudgementStore(ArtifactStore(str(artifacts)), SCORING_LIMITS)
    judged = store.load(d.sha256 for d in databases)
    known = len(judged)
    if not known:
        start_workers()
    predictions = load_predictions(case.predictions)
    scores = score_predictions(predictions, case.questions, databases, strict_parity=strict_parity, judged=judged)
    if len(judged) > known:
        store.keep(judged)
    return scores


def floor(case: Case) -> None:
    """Execute each distinct statement once, on one warm connection per database."""
    paths = {d.db_id: d.path for d in case.databases}
    golds = {q.question_id: (q.db_id, q.gold_sql) for q in case.questions}
    statements = dict.fromkeys(golds.values())
    for p in load_predictions(case.predictions).items:
        statements[golds[p.question_id][0], p.sql] = None
    connections = {db_id: sqlite3.connect(f"file:{path}?mode=ro", uri=True) for db_id, path in paths.items()}
    for db_id, sql in sorted(statements):
        try:
            connections[db_id].execute(sql).fetchall()
        except (sqlite3.Error, sqlite3.Warning, ValueError):
            continue


@dataclass(frozen=True)
class Cost:
    """What some work took: seconds by the clock, and processor seconds of this process and its ended children."""

    wall: float
    processor: float


def timed(work: Callable[[], Any]) -> tuple[Any, Cost]:
    """Do the work, from the start of its child processes to their end; its result and what it took."""
    close_workers()
    before, started = sum(os.times()[:4]), time.perf_counter()
    result = work()
    wall = time.perf_counter() - started
    close_workers()
    return result, Cost(wall, sum(os.times()[:4]) - before)


def in_turns(works: dict[str, Callable[[], Any]], rounds: int) -> tuple[dict[str, Any], dict[str, Cost]]:
    """Results of the last round, and the median costs of all, which are printed."""
    results, costs = {}, {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            results[name], cost = timed(work)
            costs[name].append(cost)
    medians = {
        name: Cost(statistics.median(c.wall for c in some), statistics.median(c.processor for c in some))
        for name, some in costs.items()
    }
    for name, cost in medians.items():
        print(f"  {name:<42} {cost.wall:8.3f} s {cost.processor:8.2f} s", flush=True)
    return results, medians


@dataclass(frozen=True)
class Compared:
    """One case: what each way took, and how many verdicts differ."""

    name: str
    rival: Cost
    cold: Cost
    warm: Cost
    lowest: Cost
    unequal: int

    def rows(self) -> list[Measured]:
        """For the table of all benchmarks; the floor is that of statements that have to be executed."""
        names = (f"score {self.name}'s predictions", f"the same again ({self.name})")
        floor, plain = self.lowest.wall / cores(), "plain reading of the official script"
        note = "verdicts equal" if not self.unequal else f"{self.unequal} verdicts differ"
        cold = Measured(names[0], self.cold.wall, plain, self.rival.wall, floor, note)
        return [cold, Measured(names[1], self.warm.wall, plain, self.rival.wall, None, "judgements from disk")]


PLAIN, COLD = "plain reading of the official script", "nl2sql, cold"
UNTHREADED = "the same without a thread for each limit"
WARM, FLOOR = "nl2sql, warm (judgements from disk)", "distinct statements on one connection"


def compare(case: Case, folder: Path, rounds: int = 3) -> Compared:
    """Run everything on one case, in turns, and print the table of medians."""
    load = os.getloadavg()[0]
    print(f"{case.name}: {sum(1 for _ in case.predictions.open())} predictions, {cores()} cores, load {load:.1f}")
    print(f"  {'':<42} {'clock':>10} {'processor':>10}")
    copies = {}
    for database in case.databases:
        copies[database.db_id] = shutil.copy(database.path, folder / f"{case.name}-{database.db_id}.sqlite")
    artifacts = folder / f"{case.name}-artifacts"

    def from_nothing() -> Scores:
        shutil.rmtree(artifacts, ignore_errors=True)
        return our_scores(case, artifacts)

    works: dict[str, Callable[[], Any]] = {
        PLAIN: lambda: plain_scores(case, copies, plain_verdict),
        UNTHREADED: lambda: plain_scores(case, copies, unthreaded_verdict),
        COLD: from_nothing,
    }
    works |= {WARM: lambda: our_scores(case, artifacts), FLOOR: lambda: floor(case)}
    results, costs = in_turns(works, rounds)
    plain, ours = results[PLAIN], results[COLD]
    rival, unthreaded, cold, warm, lowest = (costs[name] for name in works)
    _show_ratios("the plain script", rival, cold, warm)
    _show_ratios("it without its threads", unthreaded, cold, warm)
    above, busy = cold.wall / lowest.wall * cores(), cold.processor / lowest.processor
    print(f"  cold {above:.2f}x the floor ({busy:.2f}x in processor time): the distinct statements over the cores")
    by_key = {(v.generator, v.question_id): v.correct for v in ours.verdicts}
    lines = [(p.model, p.question_id) for p in load_predictions(case.predictions).items]
    unequal = sum(by_key[key] != verdict for key, verdict in zip(lines, plain, strict=True))
    print(f"  {unequal} of {len(lines)} verdicts differ; right: {sum(plain)} and {sum(by_key.values())}", flush=True)
    return Compared(case.name, rival, cold, warm, lowest, unequal)


def _show_ratios(name: str, rival: Cost, cold: Cost, warm: Cost) -> None:
    busy = rival.processor / cold.processor
    print(f"  cold {rival.wall / cold.wall:.1f}x ({busy:.1f}x in processor time), ", end="")
    print(f"warm {rival.wall / warm.wall:.0f}x {name}")


def measure(data: Path = DATA) -> list[Measured]:
    """Both recorded benchmarks, for the table of all benchmarks."""
    with tempfile.TemporaryDirectory() as folder:
        return [row for name in ("bird", "spider") for row in compare(recorded(data, name), Path(folder)).rows()]


def recorded(data: Path, name: str) -> Case:
    """A benchmark and its recorded predictions."""
    benchmark = load_benchmark(data / name)
    return Case(name, benchmark.questions, benchmark.databases, data / "predictions" / f"{name}_dev.jsonl")


def large(folder: Path) -> Case:
    """A generated database of sales and the same questions answered by several systems, mostly alike."""
    path = folder / "sales.sqlite"
    generate_sales(path, random.Random(7))
    database = describe_database("sales", path)
    golds = [
        "SELECT region, COUNT(DISTINCT day), SUM(amount) FROM sale JOIN shop USING (shop_id)"
        f" WHERE day % 7 <> {day} GROUP BY region"
        for day in range(2)
    ]
    blank = Question("", "sales", "", "", "", "", "dev")
    questions = tuple(replace(blank, question_id=str(i), gold_sql=sql) for i, sql in enumerate(golds))
    lines = [
        {"question_id": i, "model": f"system {system}", "sql": sql.replace("% 7", "% 5" if system % 4 == 3 else "% 7")}
        for system in range(LARGE_SYSTEMS)
        for i, sql in enumerate(golds)
    ]
    predictions = folder / "sales.jsonl"
    predictions.write_text("\n".join(map(json.dumps, lines)))
    return Case("large", questions, (database,), predictions)


def generate_sales(path: Path, chance: random.Random) -> None:
    """Write the generated database."""
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE shop (shop_id INTEGER PRIMARY KEY, region TEXT)")
    connection.execute("CREATE TABLE sale (sale_id INTEGER PRIMARY KEY, shop_id INTEGER, day INTEGER, amount REAL)")
    connection.executemany("INSERT INTO shop VALUES (?, ?)", ((i, f"region {i % 40}") for i in range(5000)))
    rows = ((chance.randrange(5000), chance.randrange(3650), chance.randrange(10**6) / 64) for _ in range(LARGE_ROWS))
    connection.executemany("INSERT INTO sale (shop_id, day, amount) VALUES (?, ?, ?)", rows)
    connection.commit()
    connection.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; 1 when a verdict differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--large", action="store_true", help="also time a generated database")
    parser.add_argument("--only", choices=("bird", "spider", "large"), help="time nothing else")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    names = [options.only] if options.only else ["bird", "spider", *["large"] * options.large]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        cases = [large(folder) if name == "large" else recorded(options.data, name) for name in names]
        found = [compare(case, folder, options.rounds if case.name != "large" else 1) for case in cases]
    return 1 if any(c.unequal for c in found) else 0


if __name__ == "__main__":
    sys.exit(main())
