"""The values that a question could name, and the search for them: exact, by folded text, by MinHash LSH."""

import sqlite3
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from rapidfuzz import fuzz, process

from nl2sql.contracts import arrow_schema
from nl2sql.hashing import hash_texts
from nl2sql.indexes.choose_columns import LONGEST_VALUE, SAMPLED, is_candidate, is_nameable
from nl2sql.indexes.literal_forms import date_texts, numbers_in
from nl2sql.indexes.signatures import LSH_THRESHOLD, band_keys, sign
from nl2sql.profiling.value_formats import date_format
from nl2sql.reading import chunks, opened
from nl2sql.rows import Cell, CellMatch, Database, Profile
from nl2sql.schema import quote

CANDIDATES = 256  # values whose text is compared with a literal
BUCKET = 512  # values of one band that are looked at
LOWEST = 0.6  # similarity below which a value is not offered
CUT = 0.9  # within a column: share of its best score that the others must reach
LONGEST_LITERAL = 200  # characters of a text that is looked up

EXACT, CASEFOLD, FOLDED, DATE, NUMBER, LSH = "exact", "casefold", "folded", "date", "number", "lsh"
SCORES = {EXACT: 1.0, CASEFOLD: 0.99, FOLDED: 0.97, DATE: 0.95, NUMBER: 0.9}


# --- building -------------------------------------------------------------------------------------------------------


def index_cells(database: Database, profiles: Sequence[Profile]) -> pa.Table:
    """The distinct values of every column that a question could name: an artifact of kind `cells`."""
    return pa.Table.from_batches(list(stream_cells(database, profiles)), schema=arrow_schema(Cell))


def stream_cells(database: Database, profiles: Sequence[Profile]) -> Iterator[pa.RecordBatch]:
    """The same, a bounded number of cells at a time, column by column and sorted by value within each.

    Raises UserError when the database does not open or turns out to be corrupt.
    """
    with opened(database) as connection:
        for profile in profiles:
            if is_candidate(profile) and is_nameable(profile, _sampled(connection, profile)):
                yield from _column_cells(connection, profile)


def _sampled(connection: sqlite3.Connection, profile: Profile) -> list[str]:
    name, table = quote(profile.column), quote(profile.table)
    sql = f"SELECT DISTINCT t.{name} FROM {table} AS t WHERE typeof(t.{name}) = 'text' LIMIT {SAMPLED}"
    return [str(value) for rows in chunks(connection, sql, lenient=True) for (value,) in rows]


def _column_cells(connection: sqlite3.Connection, profile: Profile) -> Iterator[pa.RecordBatch]:
    name, table = quote(profile.column), quote(profile.table)
    sql = (
        f"SELECT t.{name} COLLATE BINARY, count(*) FROM {table} AS t"
        f" WHERE typeof(t.{name}) = 'text' AND length(t.{name}) <= {LONGEST_VALUE} GROUP BY 1 ORDER BY 1"
    )
    for rows in chunks(connection, sql, columns=4, lenient=True):
        # What is not UTF-8 cannot be typed in a question, nor written in a query.
        kept = [(v, n) for v, n in rows if str(v).strip() and "\ufffd" not in str(v)]
        if kept:
            yield _batch(profile, [str(v) for v, _ in kept], [n for _, n in kept])


def _batch(profile: Profile, values: Sequence[str], counts: Sequence[object]) -> pa.RecordBatch:
    schema = arrow_schema(Cell)
    constant = (profile.db_id, profile.table, profile.column)
    signatures = pa.array(sign(values).reshape(-1))
    arrays = [
        *(pa.repeat(pa.scalar(text, pa.string()), len(values)) for text in constant),
        pa.array(values, pa.string()),
        pa.array(counts, pa.int64()),
        pa.FixedSizeListArray.from_arrays(signatures, type=schema.field("signature").type),
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


# --- searching ------------------------------------------------------------------------------------------------------


def fold(text: str) -> str:
    """A text without case, accents and repeated spaces: 'Čáslav  Čáslav' and 'caslav caslav' fold to the same."""
    text = " ".join(text.split()) if "  " in text or not text.isprintable() or text != text.strip() else text
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text.casefold())
        text = "".join(c for c in decomposed if not unicodedata.combining(c))
    return text.casefold()


class Found(NamedTuple):
    """A row of the index that a literal may mean."""

    row: int
    score: float
    method: str


class CellIndex:
    """The cells of one database. Arrays are built at the first search, the database is not opened."""

    def __init__(self, table: pa.Table, profiles: Sequence[Profile] = (), threshold: float = LSH_THRESHOLD) -> None:
        self._table = table
        self._profiles = profiles
        self._threshold = threshold

    def lookup(self, texts: Sequence[str], limit: int = 10) -> list[list[CellMatch]]:
        """For each text the cells that it may mean, best first; scores are 1 for the same text, less for others.

        Within a column only what comes near its best match is kept. A number also finds the numeric columns in whose
        most frequent values it stands, a date the cells that write it otherwise. Blank texts find nothing.
        """
        cut = [text[:LONGEST_LITERAL].strip() for text in texts]
        folded = [fold(text) for text in cut]
        found = zip(cut, self._same(cut, folded), self._similar(folded), strict=True)
        return [self._ranked(text, [*same, *similar], limit) for text, same, similar in found]

    def _ranked(self, text: str, found: list[Found], limit: int) -> list[CellMatch]:
        if not text:
            return []
        found = [*found, *self._dates(text)]
        best: dict[int, Found] = {}
        for each in sorted(found, key=lambda f: -f.score):
            best.setdefault(each.row, each)
        matches = [*self._matches(text, list(best.values())), *self._numbers(text)]
        kept = _cut_by_column(sorted(matches, key=lambda m: -m.score))
        return kept[:limit]

    def _matches(self, text: str, found: Sequence[Found]) -> list[CellMatch]:
        names = self._columns
        return [
            CellMatch(text, table, column, self._values[f.row].as_py(), f.score, f.method)
            for f in found
            for table, column in [names[self._owners[f.row]]]
        ]

    # The columns of the table as arrays

    @cached_property
    def _values(self) -> pa.LargeStringArray:
        return self._table["value"].cast(pa.large_string()).combine_chunks()

    @cached_property
    def _folded(self) -> list[str]:
        return [fold(value) for value in self._values.to_pylist()]

    @cached_property
    def _columns(self) -> list[tuple[str, str]]:
        return [(t, c) for t, c, _, _ in self._runs]

    @cached_property
    def _runs(self) -> list[tuple[str, str, int, int]]:
        """Table, column, first row and end of each stretch of one column's cells."""
        if not len(self._table):
            return []
        tables, columns = (self._table[n].combine_chunks().dictionary_encode() for n in ("table", "column"))
        codes = np.stack([np.asarray(tables.indices), np.asarray(columns.indices)])
        starts = [0, *(np.flatnonzero((codes[:, 1:] != codes[:, :-1]).any(axis=0)) + 1).tolist()]
        ends = [*starts[1:], len(self._table)]
        names = [(tables.dictionary[int(t)].as_py(), columns.dictionary[int(c)].as_py()) for t, c in codes[:, starts].T]
        return [(t, c, start, end) for (t, c), start, end in zip(names, starts, ends, strict=True)]

    @cached_property
    def _owners(self) -> np.ndarray:
        lengths = [end - start for _, _, start, end in self._runs]
        return np.repeat(np.arange(len(lengths)), lengths)

    # The same text

    @cached_property
    def _dictionary(self) -> tuple[np.ndarray, np.ndarray]:
        hashes = hash_texts(self._folded)
        order = np.argsort(hashes, kind="stable")
        return hashes[order], order

    def _same(self, texts: Sequence[str], folded: Sequence[str]) -> list[list[Found]]:
        if not len(self._table) or not texts:
            return [[] for _ in texts]
        hashes, order = self._dictionary
        wanted = hash_texts(folded)
        starts, ends = np.searchsorted(hashes, wanted, "left"), np.searchsorted(hashes, wanted, "right")
        found: list[list[Found]] = []
        for text, plain, start, end in zip(texts, folded, starts, ends, strict=True):
            rows = [int(row) for row in order[start:end] if self._folded[row] == plain]
            methods = [self._method(text, row) for row in rows]
            found.append([Found(row, SCORES[method], method) for row, method in zip(rows, methods, strict=True)])
        return found

    def _method(self, text: str, row: int) -> str:
        value = self._values[row].as_py()
        if value == text:
            return EXACT
        return CASEFOLD if value.casefold() == text.casefold() else FOLDED

    # Similar text

    @cached_property
    def _bands(self) -> tuple[np.ndarray, np.ndarray]:
        flat = [c.flatten().to_numpy(zero_copy_only=False) for c in self._table["signature"].chunks]
        keys = band_keys(np.concatenate(flat).reshape(len(self._table), -1), self._threshold)
        order = np.argsort(keys, axis=1, kind="stable").astype(np.uint32)
        return np.take_along_axis(keys, order, axis=1), order

    def _similar(self, folded: Sequence[str]) -> list[list[Found]]:
        if not len(self._table) or not any(folded):
            return [[] for _ in folded]
        candidates = self._candidates(folded)
        return [self._compared(text, rows) if text else [] for text, rows in zip(folded, candidates, strict=True)]

    def _candidates(self, texts: Sequence[str]) -> list[np.ndarray]:
        keys, order = self._bands
        wanted = band_keys(sign(texts), self._threshold)
        starts = np.stack([np.searchsorted(k, w, "left") for k, w in zip(keys, wanted, strict=True)])
        ends = np.stack([np.searchsorted(k, w, "right") for k, w in zip(keys, wanted, strict=True)])
        ends = np.minimum(ends, starts + BUCKET)
        return [
            _most_frequent([o[a:b] for o, a, b in zip(order, *ends_, strict=True) if b > a])
            for ends_ in zip(starts.T, ends.T, strict=True)
        ]

    def _compared(self, text: str, rows: np.ndarray) -> list[Found]:
        if not len(rows):
            return []
        values = [self._folded[row] for row in rows]
        ratios = process.cdist([text], values, scorer=fuzz.ratio, score_cutoff=100 * LOWEST * 0.8)[0]
        ordered = process.cdist([text], values, scorer=fuzz.token_sort_ratio, score_cutoff=100 * LOWEST * 0.8)[0]
        scores = np.maximum(np.maximum(ratios, 0.95 * ordered) / 100, _parts(text, values)) * SCORES[FOLDED]
        return [Found(int(row), float(s), LSH) for row, s in zip(rows, scores, strict=True) if s >= LOWEST]

    # Dates and numbers

    @cached_property
    def _date_columns(self) -> list[tuple[str, int, int]]:
        """Format, first row and end of the stretches that hold dates."""
        found = []
        for _, _, start, end in self._runs:
            step = max(1, (end - start) // 64)
            format_ = date_format(self._values[start:end:step].to_pylist())
            found += [(format_, start, end)] if format_ else []
        return found

    def _dates(self, text: str) -> list[Found]:
        forms = {f: date_texts(text, f) for f in {f for f, _, _ in self._date_columns}}
        found = []
        for format_, start, end in self._date_columns:
            for written in forms[format_]:
                rows = self._rows_beginning_with(written, start, end)
                found += [Found(row, SCORES[DATE], DATE) for row in rows]
        return found

    def _rows_beginning_with(self, beginning: str, start: int, end: int, most: int = 3) -> list[int]:
        """The first rows of a sorted stretch whose values begin so: a day finds the moments of that day."""
        low, high = start, end
        while low < high:
            middle = (low + high) // 2
            if self._values[middle].as_py() < beginning:
                low = middle + 1
            else:
                high = middle
        rows = range(low, min(end, low + most))
        return [row for row in rows if self._values[row].as_py().startswith(beginning)]

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


def _parts(text: str, values: Sequence[str]) -> np.ndarray:
    """Scores of values whose words are all in the text, or the other way round: from 0.6 by share of the length."""
    whole = process.cdist([text], values, scorer=fuzz.token_set_ratio, score_cutoff=100)[0] == 100
    lengths = np.fromiter(map(len, values), np.float64, len(values))
    shares = np.minimum(lengths, len(text)) / np.maximum(lengths, len(text))
    return np.where(whole & (lengths > 2), 0.62 + 0.35 * shares, 0.0)


def _most_frequent(found: list[np.ndarray]) -> np.ndarray:
    """The rows that share most bands with a text, at most CANDIDATES."""
    if not found:
        return np.zeros(0, np.int64)
    rows, counts = np.unique(np.concatenate(found), return_counts=True)
    if len(rows) > CANDIDATES:
        rows = rows[np.argsort(-counts, kind="stable")[:CANDIDATES]]
    return rows.astype(np.int64)


def _cut_by_column(matches: Sequence[CellMatch]) -> list[CellMatch]:
    best: dict[tuple[str, str], float] = {}
    for match in matches:
        best.setdefault((match.table, match.column), match.score)
    return [m for m in matches if m.score >= CUT * best[m.table, m.column]]
