"""Artifacts on disk: Parquet files under content keys, each with a card that says what it is and where it came from.

A file and its card are written to temporary names, fsynced and renamed, the card last: a file without a card is not an
artifact yet. Readers check the digest, so that nothing half-written or altered is ever read.

The folder may be an address such as s3://bucket/prefix (tasks/remote_files.py): the same files in the same order, and
a card that also holds the store's stamp of its file, so that a file is read again only when the stamp has changed.
"""

import hashlib
import json
import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from nl2sql.contracts import CONTRACTS, check, check_batch, from_table, to_table
from nl2sql.errors import UserError
from nl2sql.plain_parquet import PlainParquet, writer_options
from tasks import remote_files
from tasks.remote_files import Stamp, absolute, is_remote

Row = TypeVar("Row")
STALE_TEMPORARY_SECONDS = 24 * 3600
LOCAL_FOLDER = "artifacts"
FEW_ROWS = 100_000  # are read sooner than the threads that would share the work are under way


@dataclass(frozen=True)
class Artifact:
    """A reference to one artifact: what tasks hand to each other instead of tables."""

    kind: str
    path: str
    sha256: str
    rows: int
    schema_version: int
    seconds: float  # that it took to make, whichever run made it


@dataclass(frozen=True)
class Provenance:
    """Which task made an artifact, from which inputs, with which options and which code, in how many seconds."""

    task: str
    inputs: dict[str, str] = field(default_factory=dict)  # argument -> digest of what was passed
    options: dict[str, Any] = field(default_factory=dict)
    code: str = ""
    seconds: float = 0.0
    parents: tuple[str, ...] = ()  # the artifacts that it was made from, as KIND/KEY
    run: str = ""  # name of the flow run that made it, '' outside of Prefect
    run_id: str = ""


@dataclass(frozen=True)
class ArtifactStore:
    """A folder of artifacts: one directory per kind, file names from the content key."""

    root: str  # a path, or an address that fsspec knows

    @property
    def remote(self) -> bool:
        """Whether the artifacts lie at an address."""
        return is_remote(self.root)

    def file(self, kind: str, key: str) -> Path:
        """Where the artifact of that key lies or would lie in a local folder."""
        return Path(self.root).absolute() / kind / f"{key}.parquet"

    def place(self, kind: str, key: str) -> str:
        """The same as text, also for an address."""
        return f"{absolute(self.root)}/{kind}/{key}.parquet" if self.remote else str(self.file(kind, key))

    def find(self, kind: str, key: str) -> Artifact | None:
        """The artifact of that key, None when it is missing, unfinished, altered or of an older schema.

        Raises UserError when a remote store cannot be asked.
        """
        place = self.place(kind, key)
        card = _read_card(place)
        artifact = _described(card, place)
        if artifact is None or artifact.schema_version != CONTRACTS[kind].version:
            return None
        return artifact if _intact(artifact, card.get("stamp")) else None

    def prepare(self) -> None:
        """Create the folder; raises UserError now rather than in the middle of a run when it cannot be written."""
        probe = f"{absolute(self.root)}/.writable"
        replace_file(probe, lambda name: Path(name).touch())
        discard_file(probe)

    def write(
        self, kind: str, key: str, rows: Iterable[Any] | pa.Table | pa.RecordBatchReader, provenance: Provenance
    ) -> Artifact:
        """Check rows against the contract of their kind and put them in place atomically.

        A reader's batches are written as they come, a row group each, and their making counts among the seconds.
        Raises ContractError for rows that break it and UserError when the folder cannot be written.
        """
        place, start = self.place(kind, key), time.perf_counter()
        if isinstance(rows, pa.RecordBatchReader):
            counts: list[int] = []
            digest, stamp = _put(place, lambda name: counts.extend(_write_stream(rows, kind, name)))
            made = replace(provenance, seconds=round(provenance.seconds + time.perf_counter() - start, 4))
            return self._with_card(Artifact(kind, place, digest, sum(counts), *_versioned(kind, made)), made, stamp)
        table = check(rows if isinstance(rows, pa.Table) else to_table(rows, CONTRACTS[kind].row), kind)
        digest, stamp = _put(place, lambda name: pq.write_table(table, name, compression="zstd"))
        artifact = Artifact(kind, place, digest, table.num_rows, *_versioned(kind, provenance))
        return self._with_card(artifact, provenance, stamp)

    def _with_card(self, artifact: Artifact, provenance: Provenance, stamp: Stamp | None) -> Artifact:
        name = Path(artifact.path).name
        said = {**asdict(artifact), "path": name, **asdict(provenance), "written": time.time()}
        card = json.dumps({**said, "stamp": stamp} if stamp else said)
        replace_file(_card_place(artifact.path), lambda name: Path(name).write_text(card, encoding="utf-8"))
        return artifact

    def newest(self, kind: str, **said: Any) -> Artifact | None:
        """The artifact of a kind that was written last among those whose card says all this of its making.

        For what an earlier one saves its successor. None where there is none, and always None for an address.
        """
        if self.remote:
            return None
        places = [str(p.with_suffix(".parquet")) for p in self.file(kind, "").parent.glob("*.json")]
        cards = [(card, place) for place in places if (card := _read_card(place)) and _says(card, said)]
        cards.sort(key=lambda c: c[0].get("written", 0.0), reverse=True)
        found = (self.find(kind, Path(place).stem) for _, place in cards)
        return next((artifact for artifact in found if artifact), None)


def read_table(artifact: Artifact, columns: Sequence[str] | None = None) -> pa.Table:
    """The table of an artifact, or some columns of it.

    Raises UserError when the file is missing or not the one that was written.
    """
    with pq.ParquetFile(_checked(artifact), memory_map=True) as file:  # read_table first imports what reads folders
        return file.read(columns, use_threads=artifact.rows > FEW_ROWS)


def map_file(artifact: Artifact) -> PlainParquet:
    """The file of an artifact, mapped: what is not looked at is not read. Raises UserError as read_table does."""
    with pa.memory_map(_checked(artifact)) as mapped:
        return PlainParquet(mapped.read_buffer())


def read_rows(artifact: Artifact, row: type[Row]) -> list[Row]:
    """The rows of an artifact as dataclasses."""
    return from_table(read_table(artifact), row)


def file_digest(path: str | Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def local_folder(root: str) -> str:
    """The folder for what must lie on a disk of this machine, such as the answers of models, which are an SQLite file.

    The folder of artifacts itself; where that is an address, NL2SQL_LOCAL_FOLDER, or `artifacts` where the run starts.
    """
    return os.environ.get("NL2SQL_LOCAL_FOLDER", LOCAL_FOLDER) if is_remote(root) else root


def read_text(place: str | Path) -> str:
    """A text file of a folder or an address; raises FileNotFoundError."""
    if not is_remote(place):
        return Path(place).read_text(encoding="utf-8")
    content = remote_files.read_bytes(str(place))
    if content is None:
        raise FileNotFoundError(place)
    return content.decode("utf-8")


def forget(artifact: Artifact) -> None:
    """Take an artifact away, so that it is made again."""
    discard_file(artifact.path)


def discard_file(place: str) -> None:
    """Remove a file if it is there."""
    if is_remote(place):
        remote_files.remove(place)
    else:
        Path(place).unlink(missing_ok=True)


def replace_file(path: str | Path, write: Callable[[str], Any]) -> None:
    """Write a file so that other processes see all of it or nothing; raises UserError when the disk refuses."""
    if is_remote(path):
        remote_files.put(str(path), write)
        return
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(str(temporary))
        _sync(temporary)
        os.replace(temporary, path)
        _sync(path.parent)
    except OSError as error:
        _discard(temporary)
        raise UserError(
            f"cannot write {path}: {error.strerror or error}."
            " Free space there or name another folder with --artifacts or --output"
        ) from error
    except BaseException:
        _discard(temporary)
        raise


def remove_stale_temporaries(root: str | Path) -> None:
    """Remove temporary files that killed runs left behind more than a day ago."""
    if is_remote(root):
        remote_files.tidy_cache()
        return
    limit = time.time() - STALE_TEMPORARY_SECONDS
    for path in Path(root).glob("*/.*.tmp"):
        try:
            if path.stat().st_mtime < limit:
                path.unlink()
        except FileNotFoundError:  # another run was quicker
            continue


def _discard(temporary: Path) -> None:
    with suppress(OSError):  # the reason for discarding it is the one to report
        temporary.unlink()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _card_place(place: str) -> str:
    return f"{place.removesuffix('.parquet')}.json"


def _read_card(place: str) -> dict[str, Any]:
    """What the card of an artifact says; {} without a whole one."""
    try:
        card = json.loads(read_text(_card_place(place)))
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return card if isinstance(card, dict) else {}


def _described(card: dict[str, Any], place: str) -> Artifact | None:
    try:
        return Artifact(card["kind"], place, *(card[n] for n in ("sha256", "rows", "schema_version", "seconds")))
    except KeyError:  # half a card
        return None


def _says(card: dict[str, Any], said: dict[str, Any]) -> bool:
    return all(card.get("options", {}).get(name, card.get(name)) == value for name, value in said.items())


def _versioned(kind: str, provenance: Provenance) -> tuple[int, float]:
    return CONTRACTS[kind].version, provenance.seconds


def _write_stream(reader: pa.RecordBatchReader, kind: str, name: str) -> Iterator[int]:
    """Write each batch as a row group; the rows of each."""
    options = writer_options(reader.schema.names, CONTRACTS[kind].plain)
    with pq.ParquetWriter(name, reader.schema, **options) as writer:
        for batch in reader:
            check_batch(batch, kind)
            writer.write_batch(batch, row_group_size=max(1, len(batch)))
            yield len(batch)


def _put(place: str, write: Callable[[str], Any]) -> tuple[str, Stamp | None]:
    """Put a file in place: its digest, and its stamp where a remote store gives one."""
    if is_remote(place):
        return remote_files.put_and_keep(place, write)
    replace_file(place, write)
    return file_digest(place), None


def _intact(artifact: Artifact, stamp: Stamp | None = None) -> bool:
    """Whether the file is the one that was written, by the store's stamp if that is what it was, else by its digest."""
    if not is_remote(artifact.path):
        return _has_digest(artifact.path, artifact.sha256)
    found = remote_files.stamp(artifact.path)
    return found is not None and (found == stamp or _same_remotely(artifact.path, artifact.sha256, *found))


def _local_file(artifact: Artifact) -> str | None:
    """A local file with what was written, None where there is none any more."""
    if not is_remote(artifact.path):
        return artifact.path if _intact(artifact) else None
    for get in (remote_files.local_copy, remote_files.fetch):  # the cache may be damaged, too
        copy = get(artifact.path, artifact.sha256)
        if copy is not None and _has_digest(str(copy), artifact.sha256):
            return str(copy)
    return None


def _checked(artifact: Artifact) -> str:
    path = _local_file(artifact)
    if path is None:
        raise UserError(
            f"{artifact.path} is missing or altered (expected digest {artifact.sha256[:12]}):"
            " run the same command again, it is rebuilt from its inputs"
        )
    return path


def _has_digest(path: str, digest: str) -> bool:
    try:
        stat = os.stat(path)
    except OSError:
        return False
    return _digest_of(path, stat.st_size, stat.st_mtime_ns, stat.st_ino) == digest


@lru_cache(maxsize=65536)
def _same_remotely(place: str, digest: str, size: int, changed: str) -> bool:
    """Whether an object that changed has its old content, as after a copy of the bucket: read once per process."""
    return remote_files.fetch(place, digest) is not None


@lru_cache(maxsize=65536)
def _digest_of(path: str, size: int, modified: int, inode: int) -> str:
    """Digest of a file as it was with that size and time: each state of a file is read once per process."""
    return file_digest(path)
