"""The values that a question could name, and the search for them: exact, by folded text, by MinHash LSH."""

import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from rapidfuzz import fuzz, process

from nl2sql.contracts import arrow_schema
from nl2sql.indexes.cell_bands import Bands, Run, bands_in_memory, fold, fold_all, keys_of, runs_of
from nl2sql.indexes.choose_columns import LONGEST_VALUE, SAMPLED, is_candidate, is_nameable
from nl2sql.indexes.literal_forms import date_texts, numbers_in
from nl2sql.indexes.texts import Texts, texts_in_memory
from nl2sql.plain_parquet import LENGTH_BYTES
from nl2sql.profiling.value_formats import date_format
from nl2sql.reading import chunks, opened
from nl2sql.rows import Cell, CellMatch, Database, Profile
from nl2sql.schema import quote

CELLS = arrow_schema(Cell)
BATCH = 1 << 18  # cells that are written at once
READ = 1 << 16  # values that are read at once
UNREADABLE = "\ufffd"
CANDIDATES = 128  # values whose text is compared with a literal
BUCKET = 128  # values of one band that are looked at
LOWEST = 0.6  # similarity below which a value is not offered
CUT = 0.9  # within a column: share of its best score that the others must reach
LONGEST_LITERAL = 200  # characters of a text that is looked up

EXACT, CASEFOLD, FOLDED, DATE, NUMBER, LSH = "exact", "casefold", "folded", "date", "number", "lsh"
SCORES = {EXACT: 1.0, CASEFOLD: 0.99, FOLDED: 0.97, DATE: 0.95, NUMBER: 0.9}


# --- building -------------------------------------------------------------------------------------------------------


def index_cells(database: Database, profiles: Sequence[Profile]) -> pa.Table:
    """The distinct values of every column that a question could name: an artifact of kind `cells`."""
    return pa.Table.from_batches(list(stream_cells(database, profiles)), schema=CELLS)


def stream_cells(database: Database, profiles: Sequence[Profile]) -> Iterator[pa.RecordBatch]:
    """The same, about BATCH cells at a time, column by column and sorted by value within each.

    Raises UserError when the database does not open or turns out to be corrupt.
    """
    waiting, end = [], 0
    with opened(database) as connection:
        for profile in profiles:
            if is_candidate(profile) and is_nameable(profile, _sampled(connection, profile)):
                for values, counts in _column_cells(connection, profile):
                    waiting.append(_batch(profile, values, counts, end))
                    end = waiting[-1]["end"][-1].as_py()
                    if sum(map(len, waiting)) >= BATCH:
                        yield pa.concat_batches(waiting)
                        waiting = []
    if waiting:
        yield pa.concat_batches(waiting)


def _sampled(connection: sqlite3.Connection, profile: Profile) -> list[str]:
    name, table = quote(profile.column), quote(profile.table)
    sql = f"SELECT DISTINCT t.{name} FROM {table} AS t WHERE typeof(t.{name}) = 'text' LIMIT {SAMPLED}"
    return [str(value) for rows in chunks(connection, sql, lenient=True) for (value,) in rows]


def _column_cells(connection: sqlite3.Connection, profile: Profile) -> Iterator[tuple[pa.StringArray, pa.Array]]:
    """Values and how often each stands, READ at a time."""
    name, table = quote(profile.column), quote(profile.table)
    sql = (
        f"SELECT t.{name} COLLATE BINARY, count(*) FROM {table} AS t"
        f" WHERE typeof(t.{name}) = 'text' AND length(t.{name}) <= {LONGEST_VALUE} GROUP BY 1 ORDER BY 1"
    )
    connection.text_factory = bytes  # Arrow reads whole columns of UTF-8 faster than Python reads texts
    cursor = connection.execute(sql)
    while block := _read(cursor):
        texts, counts = _texts(block[0]), pa.array(block[1], pa.int64())
        blank = pc.call_function("equal", [pc.call_function("utf8_trim_whitespace", [texts]), ""])
        unreadable = pc.call_function("match_substring", [texts], pc.MatchSubstringOptions(UNREADABLE))
        kept = ~(np.asarray(blank) | np.asarray(unreadable))
        if kept.any():
            yield texts.filter(pa.array(kept)), counts.filter(pa.array(kept))


def _read(cursor: sqlite3.Cursor) -> tuple[list[bytes], list[int]] | None:
    values, counts = [], []
    for value, count in islice(cursor, READ):  # as tuples that are kept they would set off the garbage collector
        values.append(value)
        counts.append(count)
    return (values, counts) if values else None


def _texts(values: Sequence[bytes]) -> pa.StringArray:
    """Texts; what is not UTF-8 holds UNREADABLE: it cannot be typed in a question, nor written in a query."""
    try:
        return pa.array(values, pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([str(value, "utf-8", "replace") for value in values], pa.string())


def _batch(profile: Profile, values: pa.StringArray, counts: pa.Array, end: int) -> pa.RecordBatch:
    constant = (profile.db_id, profile.table, profile.column)
    sizes = np.asarray(pc.call_function("binary_length", [values])).astype(np.int64) + LENGTH_BYTES
    names = (pa.repeat(pa.scalar(text, pa.string()), len(values)) for text in constant)
    return pa.RecordBatch.from_arrays([*names, values, counts, pa.array(end + np.cumsum(sizes))], schema=CELLS)


# --- searching ------------------------------------------------------------------------------------------------------


class Found(NamedTuple):
    """A row of the index that a literal may mean."""

    row: int
    score: float
    method: str
    value: str


class CellIndex:
    """The cells of one database; the database is not opened.

    Built from the files of its cells and bands nothing of them is read before the first search, and of them only what a
    search looks at. Built from a table the bands are made, in memory, at the first search.
    """

    def __init__(self, cells: pa.Table | Texts, profiles: Sequence[Profile] = (), bands: Bands | None = None) -> None:
        if isinstance(cells, Texts):
            self._texts, self._runs = cells, bands.runs if bands else ()
        else:
            self._texts, self._runs = texts_in_memory(cells["value"]), runs_of(cells)
        self._profiles = profiles
        self._given = bands

    def lookup(self, texts: Sequence[str], limit: int = 10) -> list[list[CellMatch]]:
        """For each text the cells that it may mean, best first; scores are 1 for the same text, less for others.

        Within a column only what comes near its best match is kept. A number also finds the numeric columns in whose
        most frequent values it stands, a date the cells that write it otherwise. Blank texts find nothing.
        """
        cut = [text[:LONGEST_LITERAL].strip() for text in texts]
        folded = [fold(text) for text in cut]
        keys = keys_of(folded).T.tolist() if len(self._texts) and texts else [[] for _ in texts]
        return [self._ranked(*each, limit) for each in zip(cut, folded, keys, strict=True)]

    def _ranked(self, text: str, folded: str, keys: list[int], limit: int) -> list[CellMatch]:
        if not text:
            return []
        found = [*self._same(text, folded, keys), *self._similar(folded, keys), *self._dates(text)]
        best: dict[int, Found] = {}
        for each in sorted(found, key=lambda f: -f.score):
            best.setdefault(each.row, each)
        matches = [*self._matches(text, list(best.values())), *self._numbers(text)]
        kept = _cut_by_column(sorted(matches, key=lambda m: -m.score))
        return kept[:limit]

    def _matches(self, text: str, found: Sequence[Found]) -> list[CellMatch]:
        runs = [self._runs[bisect_right(self._starts, f.row) - 1] for f in found]
        return [
            CellMatch(text, run.table, run.column, f.value, f.score, f.method)
            for f, run in zip(found, runs, strict=True)
        ]

    @cached_property
    def _starts(self) -> list[int]:
        return [run.start for run in self._runs]

    @cached_property
    def _bands(self) -> list[tuple[memoryview, np.ndarray]]:
        bands = self._given or bands_in_memory(self._texts, self._runs)
        # Pages begin anywhere in a file: numpy would copy what lies at an odd address before it searches it.
        keys = [k.view(np.uint8).data.cast("I") for k in bands.keys]
        return list(zip(keys, bands.rows, strict=True))

    # The same text

    def _same(self, text: str, folded: str, keys: list[int]) -> list[Found]:
        if not keys:
            return []
        sorted_keys, rows = self._bands[0]
        equal = rows[bisect_left(sorted_keys, keys[0]) : bisect_right(sorted_keys, keys[0])]
        values = zip(equal.tolist(), self._texts.take(equal.astype(np.int64)), strict=True)
        methods = [(row, _method(text, value), value) for row, value in values if fold(value) == folded]
        return [Found(row, SCORES[method], method, value) for row, method, value in methods]

    # Similar text

    def _similar(self, folded: str, keys: list[int]) -> list[Found]:
        rows = self._candidates(keys)
        if not len(rows):
            return []
        texts = self._texts.take(rows)
        scores = _alike(folded, fold_all(texts)) * SCORES[FOLDED]
        near = np.flatnonzero(scores >= LOWEST)
        places = zip(near.tolist(), rows[near].tolist(), scores[near].tolist(), strict=True)
        return self._near_best_of_column([Found(row, score, LSH, texts[place]) for place, row, score in places])

    def _near_best_of_column(self, found: Sequence[Found]) -> list[Found]:
        """Only what comes near the best of its column; the rows ascend."""
        columns = [bisect_right(self._starts, f.row) for f in found]
        best: dict[int, float] = {}
        for column, each in zip(columns, found, strict=True):
            best[column] = max(best.get(column, 0.0), each.score)
        return [f for column, f in zip(columns, found, strict=True) if f.score >= CUT * best[column]]

    def _candidates(self, keys: list[int]) -> np.ndarray:
        """The rows that share most bands with a text, at most CANDIDATES."""
        found = []
        for (sorted_keys, rows), key in zip(self._bands[1:], keys[1:], strict=False):
            start = bisect_left(sorted_keys, key)
            end = bisect_right(sorted_keys, key, start, min(start + BUCKET, len(sorted_keys)))
            if end > start:
                found.append(rows[start:end])
        return _most_frequent(np.concatenate(found)) if found else np.zeros(0, np.int64)

    # Dates and numbers

    @cached_property
    def _date_columns(self) -> list[tuple[str, Run]]:
        """Format and rows of the columns that hold dates."""
        found = []
        for run in self._runs:
            step = max(1, (run.end - run.start) // 64)
            format_ = date_format(self._texts.take(np.arange(run.start, run.end, step)))
            found += [(format_, run)] if format_ else []
        return found

    def _dates(self, text: str) -> list[Found]:
        forms = {f: date_texts(text, f) for f in {f for f, _ in self._date_columns}}
        found = []
        for format_, run in self._date_columns:
            for written in forms[format_]:
                rows = self._rows_beginning_with(written, run)
                found += [Found(row, SCORES[DATE], DATE, value) for row, value in rows]
        return found

    def _rows_beginning_with(self, beginning: str, run: Run, most: int = 3) -> list[tuple[int, str]]:
        """The first rows of a sorted stretch whose values begin so: a day finds the moments of that day."""
        first = bisect_left(self._texts, beginning, run.start, run.end)
        values = self._texts.take(np.arange(first, min(run.end, first + most)))
        return [(first + place, value) for place, value in enumerate(values) if value.startswith(beginning)]

    @cached_property
    def _numeric_values(self) -> dict[float, list[tuple[str, str, str]]]:
        found: dict[float, list[tuple[str, str, str]]] = {}
        for profile in self._profiles:
            if profile.integers + profile.reals and not (profile.references or profile.primary_key):
                for value in profile.top_values:
                    for number in numbers_in(value):
                        found.setdefault(number, []).append((profile.table, profile.column, value))
        return found

    def _numbers(self, text: str) -> list[CellMatch]:
        return [
            CellMatch(text, table, column, value, SCORES[NUMBER], NUMBER)
            for number in numbers_in(text)
            for table, column, value in self._numeric_values.get(number, ())
        ]


def _alike(text: str, values: Sequence[str]) -> np.ndarray:
    """The similarity of a text and each value: of their letters, of their words in any order, of parts."""
    lowest = 100 * LOWEST * 0.8
    ratios = process.cdist([text], values, scorer=fuzz.ratio, score_cutoff=lowest)[0]
    ordered = process.cdist([text], values, scorer=fuzz.token_sort_ratio, score_cutoff=lowest)[0]
    scores = (np.maximum(ratios, 0.95 * ordered) / 100).astype(np.float64)
    for place, score in _parts(text, values):
        scores[place] = max(scores[place], score)
    return scores


def _parts(text: str, values: Sequence[str]) -> Iterator[tuple[int, float]]:
    """Places and scores of values whose words are all in the text, or the other way round: from 0.6 by lengths."""
    whole = process.cdist([text], values, scorer=fuzz.token_set_ratio, score_cutoff=100)[0] == 100
    for place in np.flatnonzero(whole).tolist():
        length = len(values[place])
        if length > 2:
            yield place, 0.62 + 0.35 * (min(length, len(text)) / max(length, len(text)))


def _method(text: str, value: str) -> str:
    if value == text:
        return EXACT
    return CASEFOLD if value.casefold() == text.casefold() else FOLDED


def _most_frequent(rows: np.ndarray) -> np.ndarray:
    """The CANDIDATES numbers that stand most often in an array, ascending."""
    rows.sort()
    last = np.ones(len(rows), bool)
    np.not_equal(rows[1:], rows[:-1], out=last[:-1])
    places = last.nonzero()[0]
    rows = rows[places]
    if len(rows) > CANDIDATES:
        places[1:] -= places[:-1].copy()
        places[0] += 1
        # Negative numbers of eight bits: few enough values for numpy to sort them by counting.
        rows = rows[(-places).astype(np.int8).argsort(kind="stable")[:CANDIDATES]]
        rows.sort()
    return rows.astype(np.int64)


def _cut_by_column(matches: Sequence[CellMatch]) -> list[CellMatch]:
    best: dict[tuple[str, str], float] = {}
    for match in matches:
        best.setdefault((match.table, match.column), match.score)
    return [m for m in matches if m.score >= CUT * best[m.table, m.column]]
