"""The cell index against two others: building, loading, looking up, finding, and how it grows.

    python -m benchmarks.cells [--values N] [--large] [--json] [--plots FOLDER] [--data FOLDER]

Rivals: values hashed one MinHash at a time and pickled, as CHESS does, and SQLite's FTS5 trigram index. Building is
from the database to files on disk, with the digest and the card of an artifact. Finding is the share of the strings of
gold SQL among the ten best cells: as they stand there, and written as users write them. Growth is measured in a process
of its own for each size. `--large` adds three and ten million values.
"""

import argparse
import json
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
from rich.console import Console
from rich.table import Table

from benchmarks.cell_recall import Lookup, measure_recall, show_recall, slip
from benchmarks.cell_rivals import TOP, OneAtATime, Trigrams, Value
from benchmarks.growth import exponent, growth_svg, peak_megabytes
from benchmarks.measured import Measured, interleaved, machine, show
from nl2sql.benchmarks import describe_database, load_benchmark
from nl2sql.contracts import arrow_schema
from nl2sql.indexes.cell_bands import bands_schema, mapped_bands, runs_of, stream_bands, with_digests
from nl2sql.indexes.cells import CellIndex, stream_cells
from nl2sql.indexes.texts import mapped_texts
from nl2sql.profiling.profile_database import profile_database
from nl2sql.rows import Cell, Database, Profile
from tasks.artifact_store import Artifact, ArtifactStore, Provenance, file_digest, map_file

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SMALL = 10_000  # values at which the slower rival is measured
QUERIES = 200
SIZES, LARGE_SIZES = (10_000, 100_000, 1_000_000), (3_000_000, 10_000_000)
Found = TypeVar("Found")


# --- what is indexed ------------------------------------------------------------------------------------------------


def generate(path: Path, count: int) -> tuple[Database, list[Profile]]:
    """A database of one text column with so many different names of two or three invented words."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("CREATE TABLE person (person_id INTEGER PRIMARY KEY, name TEXT)")
    connection.executemany("INSERT INTO person (name) VALUES (?)", ((name,) for name in names(count)))
    connection.commit()
    profiles = profile_of_few(path, connection)
    connection.close()
    return describe_database("generated", path), [replace(p, rows=count, distinct=count) for p in profiles]


def names(count: int) -> Iterator[str]:
    """Different names: the words of a number in base 3,000, shuffled, and often a third word."""
    chance = random.Random(11)
    syllables = ["".join(chance.choices("bcdfghklmnprstvw", k=1) + chance.choices("aeiou", k=1)) for _ in range(60)]
    words = list(dict.fromkeys("".join(chance.choices(syllables, k=chance.randrange(2, 5))) for _ in range(6000)))[
        :4000
    ]
    for number in range(count):
        first, second = divmod(number * 7919 % (len(words) ** 2), len(words))
        third = f" {chance.choice(words).title()}" if number % 3 == 0 else ""
        yield f"{words[first].title()} {words[second].title()}{third}"


def profile_of_few(path: Path, connection: sqlite3.Connection) -> list[Profile]:
    """The profiles of the first thousand rows, so that profiling takes no part in what is measured."""
    few = path.with_suffix(".few")
    with sqlite3.connect(few) as small:
        small.execute("CREATE TABLE person (person_id INTEGER PRIMARY KEY, name TEXT)")
        small.executemany("INSERT INTO person VALUES (?, ?)", connection.execute("SELECT * FROM person LIMIT 1000"))
    small.close()
    return profile_database(Database("generated", str(few), "", 0, "", "", ""))


# --- the three ways -------------------------------------------------------------------------------------------------


def build(store: ArtifactStore, database: Database, profiles: Sequence[Profile]) -> tuple[Artifact, Artifact]:
    """Cells and bands as the tasks write them."""
    batches = pa.RecordBatchReader.from_batches(arrow_schema(Cell), stream_cells(database, profiles))
    cells = store.write("cells", "made", batches, Provenance("benchmark"))
    file = map_file(cells)
    texts = mapped_texts(file, "value", "end")
    runs = with_digests(texts, runs_of(file.read(["table", "column"])))
    bands = pa.RecordBatchReader.from_batches(bands_schema(runs), stream_bands(texts, runs))
    return cells, store.write("cell_bands", "made", bands, Provenance("benchmark"))


def open_index(cells: Artifact, bands: Artifact) -> CellIndex:
    """The index as an online task opens it."""
    return CellIndex(mapped_texts(map_file(cells), "value", "end"), (), mapped_bands(map_file(bands)))


def values_of(database: Database) -> Iterator[Value]:
    """The generated values, read for the rivals."""
    connection = sqlite3.connect(database.path)
    for (name,) in connection.execute("SELECT name FROM person GROUP BY 1 ORDER BY 1"):
        yield Value("person", "name", name)
    connection.close()


def build_one_at_a_time(database: Database, folder: Path) -> None:
    """CHESS's way, from the database to its pickles."""
    OneAtATime(values_of(database)).save(folder)


def build_trigrams(database: Database, folder: Path) -> None:
    """FTS5, from the database to its file."""
    (folder / "fts.sqlite").unlink(missing_ok=True)
    Trigrams(folder / "fts.sqlite", values_of(database)).connection.close()


# --- time -----------------------------------------------------------------------------------------------------------


def measure(count: int = 1_000_000, rounds: int = 3) -> list[Measured]:
    """Building, loading and looking up, at a small size against both rivals and at `count` values against FTS5."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        return [*measure_small(folder / "small", rounds), *measure_large(folder / "large", count)]


def measure_small(folder: Path, rounds: int) -> list[Measured]:
    """Against the one-at-a-time rival, which is too slow for more."""
    folder.mkdir()
    database, profiles = generate(folder / "made.sqlite", SMALL)
    store = ArtifactStore(str(folder / "artifacts"))
    spent: dict[str, list[float]] = {"ours": [], "rival": []}
    works = {
        "ours": lambda: spent["ours"].append(processor(lambda: build(store, database, profiles))),
        "rival": lambda: spent["rival"].append(processor(lambda: build_one_at_a_time(database, folder))),
        "floor": lambda: sum(1 for _ in values_of(database)),
    }
    made = build(store, database, profiles)  # warm-up; the rival has nothing to load and takes long
    taken = interleaved(works, rounds, warm_up=False)
    ratio = statistics.median(spent["rival"]) / statistics.median(spent["ours"])
    sizes = [sum(Path(a.path).stat().st_size for a in made), sum(p.stat().st_size for p in folder.glob("*.pkl"))]
    each = 1e6 * statistics.median(spent["ours"]) / SMALL
    note = f"{ratio:.0f}x in processor time, {each:.0f} µs a value; bytes a value: "
    note += "{:,.0f} and {:,.0f}".format(*(s / SMALL for s in sizes))
    rows = [Measured(f"build, {SMALL:,} values", taken["ours"], "one at a time", taken["rival"], taken["floor"], note)]
    index, rival = open_index(*made), OneAtATime.load(folder)
    loads = interleaved({"ours": lambda: open_index(*made), "rival": lambda: OneAtATime.load(folder)}, rounds)
    rows.append(Measured(f"load, {SMALL:,} values", loads["ours"], "unpickle", loads["rival"], None, ""))
    return [*rows, look_up(f"look up, {SMALL:,} values", database, index, "one at a time", rival.lookup)]


def processor(work: Callable[[], object]) -> float:
    """Seconds of all cores that a work takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def measure_large(folder: Path, count: int) -> list[Measured]:
    """Against FTS5, once: a build takes long enough to mean something."""
    folder.mkdir()
    database, profiles = generate(folder / "made.sqlite", count)
    store = ArtifactStore(str(folder / "artifacts"))
    spent: dict[str, float] = {}
    works = {
        "floor": lambda: spent.update(floor=processor(lambda: sum(1 for _ in values_of(database)))),
        "ours": lambda: spent.update(ours=processor(lambda: build(store, database, profiles))),
        "rival": lambda: spent.update(rival=processor(lambda: build_trigrams(database, folder))),
    }
    taken = interleaved(works, rounds=1, warm_up=False)
    cells, bands = (next(Path(store.root, kind).glob("*.parquet")) for kind in ("cells", "cell_bands"))
    made = (_artifact(cells), _artifact(bands))
    sizes = [cells.stat().st_size + bands.stat().st_size, (folder / "fts.sqlite").stat().st_size]
    note = f"processor time {spent['ours']:.1f} and {spent['rival']:.1f} s; "
    note += "bytes a value: {:,.0f} and {:,.0f}".format(*(s / count for s in sizes))
    rows = [Measured(f"build, {count:,} values", taken["ours"], "FTS5 trigram", taken["rival"], taken["floor"], note)]
    digests = interleaved({"ours": lambda: (file_digest(cells), file_digest(bands))}, 1, warm_up=False)
    index = open_index(*made)
    rival = Trigrams(folder / "fts.sqlite")
    loads = interleaved({"ours": lambda: open_index(*made)}, 5)
    rows.append(Measured(f"load, {count:,} values", loads["ours"], "", None, None, "map, read two footers"))
    rows.append(Measured(f"check digests, {count:,} values", digests["ours"], "", None, None, "once per process"))
    return [*rows, look_up(f"look up, {count:,} values", database, index, "FTS5 trigram", rival.lookup, 40)]


def _artifact(path: Path) -> Artifact:
    card = json.loads(path.with_suffix(".json").read_text())
    return Artifact(card["kind"], str(path), *(card[n] for n in ("sha256", "rows", "schema_version", "seconds")))


def look_up(
    step: str, database: Database, index: CellIndex, rival: str, other: Lookup, asked: int = QUERIES
) -> Measured:
    """The median literal with one slip, one at a time, in turns; the note says how many were found by both."""
    chance = random.Random(3)
    values = [v.value for v in values_of(database)]
    pairs = [(slip(value, chance), value) for value in chance.sample(values, asked)]
    index.lookup(["warm up"])
    ours, theirs, found = [], [], [0, 0]
    for text, value in pairs:
        seconds, processor, matches = timed(lambda text=text: index.lookup([text], TOP)[0])
        other_seconds, other_processor, others = timed(lambda text=text: other(text))
        ours.append((seconds, processor))
        theirs.append((other_seconds, other_processor))
        found[0] += value in [m.value for m in matches]
        found[1] += value in [m.value for m in others]
    clock, own = (statistics.median(part) for part in zip(*ours, strict=True))
    other_clock, other_own = (statistics.median(part) for part in zip(*theirs, strict=True))
    note = f"processor time {1e3 * own:.2f} and {1e3 * other_own:.2f} ms; found {found[0]} and {found[1]} of {asked}"
    return Measured(step, clock, rival, other_clock, None, note)


def timed(work: Callable[[], Found]) -> tuple[float, float, Found]:
    """Seconds by the clock and of the processor, and what came out."""
    start, processor = time.perf_counter(), time.process_time()
    made = work()
    return time.perf_counter() - start, time.process_time() - processor, made


# --- growth ---------------------------------------------------------------------------------------------------------


def grow(sizes: Sequence[int]) -> list[dict[str, float]]:
    """Building, loading and looking up at each size, in a process of its own."""
    found = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as temporary:
            generate(Path(temporary) / "made.sqlite", size)
            command = [sys.executable, "-m", "benchmarks.cells", "--child", temporary, "--values", str(size)]
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        found.append(json.loads(said))
    return found


def child(folder: Path, count: int) -> dict[str, float]:
    """One size: seconds, megabytes and bytes."""
    database = describe_database("generated", folder / "made.sqlite")
    with sqlite3.connect(database.path) as connection:
        (folder / "made.few").unlink()
        profiles = [replace(p, distinct=count) for p in profile_of_few(folder / "made.sqlite", connection)]
    before = peak_megabytes()
    start, processor = time.perf_counter(), time.process_time()
    cells, bands = build(ArtifactStore(str(folder / "artifacts")), database, profiles)
    built, used = time.perf_counter() - start, time.process_time() - processor
    peak = peak_megabytes()
    row = look_up("", database, open_index(cells, bands), "", lambda _: [], QUERIES)
    loads = interleaved({"load": lambda: open_index(cells, bands)}, 5)
    size = sum(Path(a.path).stat().st_size for a in (cells, bands))
    return {
        "values": count,
        "build_s": built,
        "processor_s": used,
        "before_mb": before,
        "peak_mb": peak,
        "disk_mb": size / 2**20,
        "load_s": loads["load"],
        "look_up_s": row.ours_s,
    }


def plots(grown: Sequence[dict[str, float]], folder: Path) -> None:
    """Write the growth as SVG."""
    time_of = {
        name: [(g["values"], g[key]) for g in grown]
        for name, key in (("build, processor", "processor_s"), ("load", "load_s"), ("look up", "look_up_s"))
    }
    memory = {
        "peak of building": [(g["values"], g["peak_mb"]) for g in grown],
        "on disk": [(g["values"], g["disk_mb"]) for g in grown],
    }
    svg = growth_svg("Cell index: time by values", "values", "seconds", time_of)
    (folder / "indices-cells-time.svg").write_text(svg, encoding="utf-8")
    svg = growth_svg("Cell index: memory by values", "values", "MB", memory)
    (folder / "indices-cells-memory.svg").write_text(svg, encoding="utf-8")


# --- printing -------------------------------------------------------------------------------------------------------


def show_growth(grown: Sequence[dict[str, float]], console: Console) -> None:
    """Print growth with its exponents."""
    table = Table(title="Growth with the number of values", caption=machine(), title_justify="left")
    for name in ("values", "build", "processor", "peak memory", "before", "on disk", "load", "look up"):
        table.add_column(name, justify="right")
    for g in grown:
        cells = (
            f"{g['build_s']:.2f} s",
            f"{g['processor_s']:.2f} s",
            f"{g['peak_mb']:,.0f} MB",
            f"{g['before_mb']:,.0f} MB",
        )
        more = (f"{g['disk_mb']:,.1f} MB", f"{1e3 * g['load_s']:.2f} ms", f"{1e3 * g['look_up_s']:.2f} ms")
        table.add_row(f"{g['values']:,}", *cells, *more)
    keys = ("build_s", "processor_s", "peak_mb", "", "disk_mb", "load_s", "look_up_s")
    table.add_row("exponent", *(f"{exponent([(g['values'], g[k]) for g in grown]):.2f}" if k else "" for k in keys))
    console.print(table)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--values", type=int, default=1_000_000, help="values to build and look up among")
    parser.add_argument("--large", action="store_true", help="grow up to ten million values")
    parser.add_argument("--json", action="store_true", help="print figures alone")
    parser.add_argument("--plots", type=Path, metavar="FOLDER", help="draw the growth there")
    parser.add_argument("--data", type=Path, default=DATA, help="folder with bird/ and spider/")
    parser.add_argument("--only", choices=("time", "recall", "growth"), help="one of the three tables")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(child(options.child, options.values)))
        return
    wanted = (options.only,) if options.only else ("time", "recall", "growth")
    console = Console(quiet=options.json)
    times = measure(options.values) if "time" in wanted else []
    if times:
        show("Cell index", times, console)
    there = [load_benchmark(options.data / name) for name in ("bird", "spider") if (options.data / name).exists()]
    recall = measure_recall(there) if "recall" in wanted and there else {}
    if recall:
        show_recall(recall, console)
    grown = grow(SIZES + (LARGE_SIZES if options.large else ())) if "growth" in wanted else []
    if grown:
        show_growth(grown, console)
    if grown and options.plots:
        plots(grown, options.plots)
    if options.json:
        rows = [asdict(row) for row in times]
        print(json.dumps({"machine": machine(), "time": rows, "recall": recall, "growth": grown}))


if __name__ == "__main__":
    main()
