"""A digest of a result that is equal exactly where Python finds the sets of row tuples equal."""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from heapq import merge
from itertools import chain
from typing import IO, Any

WIDTH = 16  # bytes of a row's hash
TEXT_LIMIT = 4 * 2**20  # characters of rows held as text before they are hashed
LONG_BLOB = 64  # bytes; longer ones are hashed
REWRITTEN = frozenset({float, bytes})
RUN_LENGTH = 500_000  # distinct row hashes (some 50 MB) held before they are sorted out to a temporary file


class RowDigest:
    """Takes rows and forgets them; memory is bounded whatever their number.

    Two rows are one when Python says so: 1 == 1.0 == True, -0.0 == 0, while '1', 1 and b'1' differ, and
    2**53 + 1 differs from float(2**53). NULL equals NULL. Row order and repeated rows do not matter.
    `rows` counts the rows taken, `size` the characters of their text form (close to their bytes), `types` holds the
    types of their values.
    """

    def __init__(self, text_limit: int = TEXT_LIMIT, run_length: int = RUN_LENGTH) -> None:
        """Start with no rows. Only digests made with the same `text_limit` can be compared."""
        self._text_limit, self._run_length = text_limit, run_length
        self.rows = 0
        self.size = 0
        self.types: set[type] = set()
        self._texts: set[str] = set()
        self._held = 0  # characters in _texts
        self._hashes: set[bytes] = set()
        self._runs: list[IO[bytes]] = []

    def add(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Take rows of None, int, float, str and bytes; many at a time cost a third of what they cost one by one."""
        types = set(map(type, chain.from_iterable(rows)))
        self.types |= types
        texts = list(map(repr, rows if types.isdisjoint(REWRITTEN) else map(_canonical, rows)))
        self.rows += len(rows)
        self.size += sum(map(len, texts))
        if bytes in types:
            self.size += sum(len(v) for v in chain.from_iterable(rows) if type(v) is bytes)
        new = set(texts) - self._texts
        self._texts |= new
        self._held += sum(map(len, new))
        if self._held > self._text_limit:
            self._hash_texts()

    def finish(self) -> tuple[str, int]:
        """The digest in hexadecimal and the number of distinct rows."""
        if not self._hashes and not self._runs:
            # Only the set of rows decides whether their text stays below the limit, so this is one digest per set.
            joined = "\n".join(sorted(self._texts)).encode()
            return blake2b(joined, digest_size=WIDTH).hexdigest(), len(self._texts)
        self._hash_texts()
        total, distinct = blake2b(digest_size=WIDTH), 0
        for block in _blocks(_distinct(merge(sorted(self._hashes), *map(_read_run, self._runs)))):
            total.update(b"".join(block))
            distinct += len(block)
        for run in self._runs:
            run.close()
        return total.hexdigest(), distinct

    def _hash_texts(self) -> None:
        self._hashes.update(blake2b(t.encode(), digest_size=WIDTH).digest() for t in self._texts)
        self._texts.clear()
        self._held = 0
        if len(self._hashes) > self._run_length:
            self._spill()

    def _spill(self) -> None:
        from tempfile import TemporaryFile  # a fifth of what a child process imports, and hardly ever needed

        run = TemporaryFile()  # noqa: SIM115 - lives until finish
        run.write(b"".join(sorted(self._hashes)))
        run.seek(0)
        self._runs.append(run)
        self._hashes.clear()


def _canonical(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(_canonical_value(v) if type(v) in REWRITTEN else v for v in row)


def _canonical_value(value: Any) -> Any:
    if type(value) is float:
        return int(value) if value.is_integer() else value
    # The text form of bytes is four times their size; a nested tuple cannot be mistaken for a value of SQLite's.
    return value if len(value) <= LONG_BLOB else (len(value), blake2b(value, digest_size=WIDTH).digest())


def _read_run(run: IO[bytes]) -> Iterator[bytes]:
    while block := run.read(WIDTH * 4096):
        for start in range(0, len(block), WIDTH):
            yield block[start : start + WIDTH]


def _distinct(ordered: Iterable[bytes]) -> Iterator[bytes]:
    last = b""
    for item in ordered:
        if item != last:
            yield item
            last = item


def _blocks(items: Iterable[bytes]) -> Iterator[list[bytes]]:
    block: list[bytes] = []
    for item in items:
        block.append(item)
        if len(block) == 4096:
            yield block
            block = []
    yield block
