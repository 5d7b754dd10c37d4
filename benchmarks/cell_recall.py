"""The share of the strings of gold SQL that the cell index and two others find, for benchmarks/cells.py."""

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.cell_rivals import TOP, OneAtATime, Trigrams, Value
from nl2sql.benchmarks import Benchmark
from nl2sql.indexes.cells import CellIndex, index_cells
from nl2sql.online.find_literals import find_all_literals
from nl2sql.profiling.profile_database import profile_database
from nl2sql.rows import CellMatch, Database, Question
from nl2sql.schema import schema_from_profiles
from nl2sql.sql_usage import UnreadableSQL, read_usage

Lookup = Callable[[str], Sequence[Value | CellMatch]]


def slip(text: str, chance: random.Random) -> str:
    """A text with one character lost, doubled, swapped or wrong; texts of fewer than four stay."""
    if len(text) < 4:
        return text
    place = chance.randrange(1, len(text) - 1)
    ways = (
        text[:place] + text[place + 1 :],
        text[:place] + text[place] + text[place:],
        text[:place] + text[place + 1] + text[place] + text[place + 2 :],
        text[:place] + chance.choice("aeinrst") + text[place + 1 :],
    )
    return chance.choice(ways)


def first_words(text: str) -> str:
    """A text without its last word, when it has several."""
    return text.rpartition(" ")[0] or text


WAYS: dict[str, Callable[[str, random.Random], str]] = {
    "as it stands": lambda text, _: text,
    "lower case": lambda text, _: text.lower(),
    "upper case": lambda text, _: text.upper(),
    "a slip": slip,
    "a slip, lower case": lambda text, chance: slip(text, chance).lower(),
    "without its last word": lambda text, _: first_words(text),
}


def measure_recall(benchmarks: Sequence[Benchmark]) -> dict[str, dict[str, float]]:
    """For each way of writing and in the question's own words: the share of gold strings that each index finds."""
    found: dict[str, dict[str, list[bool]]] = {}
    for benchmark in benchmarks:
        for database in benchmark.databases:
            questions = [q for q in benchmark.questions if q.db_id == database.db_id]
            for way, finder, hit in _findings(database, questions):
                found.setdefault(way, {}).setdefault(finder, []).append(hit)
    return {
        w: {"strings": len(next(iter(f.values()))), **{n: _share(h) for n, h in f.items()}} for w, f in found.items()
    }


def _share(hits: Sequence[bool]) -> float:
    return sum(hits) / len(hits)


def _findings(database: Database, questions: Sequence[Question]) -> Iterator[tuple[str, str, bool]]:
    profiles = profile_database(database)
    cells = index_cells(database, profiles)
    values = [Value(*row.values()) for row in cells.select(["table", "column", "value"]).to_pylist()]
    index, one, fts = CellIndex(cells), OneAtATime(values), Trigrams(Path(":memory:"), values)
    finders: dict[str, Lookup] = {"ours": lambda t: index.lookup([t], TOP)[0], "one at a time": one.lookup}
    finders["FTS5 trigram"] = fts.lookup
    schema, chance = schema_from_profiles(profiles), random.Random(5)
    for question, words in zip(questions, find_all_literals((q.question, "") for q in questions), strict=True):
        try:
            gold = read_usage(question.gold_sql, schema).cells
        except UnreadableSQL:
            continue
        asked = {way: [(c, [write(c.value, chance)]) for c in gold] for way, write in WAYS.items()}
        asked["the question's own words"] = [(c, list(words.literals)) for c in gold]
        for way, pairs in asked.items():
            for cell, texts in pairs:
                for name, look in finders.items():
                    yield way, name, any(_same(cell, match) for text in texts for match in look(text))


def _same(gold: CellMatch, found: Value | CellMatch) -> bool:
    place = (gold.table, gold.column, gold.value.strip().casefold())
    return place == (found.table, found.column, found.value.strip().casefold())


def show_recall(recall: dict[str, dict[str, float]], console: Console) -> None:
    """Print what was found."""
    table = Table(title=f"Strings of gold SQL among the {TOP} best cells, percent", title_justify="left")
    finders = [name for name in next(iter(recall.values())) if name != "strings"]
    for name in ("written", "strings", *finders):
        table.add_column(name, justify="left" if name == "written" else "right")
    for way, shares in recall.items():
        table.add_row(way, f"{shares['strings']:,}", *(f"{100 * shares[f]:.1f}" for f in finders))
    console.print(table)
