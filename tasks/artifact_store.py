"""Artifacts on disk: Parquet files under content keys, each with a card that says what it is and where it came from.

A file and its card are written to temporary names, fsynced and renamed, the card last: a file without a card is not an
artifact yet. Readers check the digest, so that nothing half-written or altered is ever read.
"""

import hashlib
import json
import os
import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from nl2sql.contracts import CONTRACTS, check, from_table, to_table
from nl2sql.errors import UserError

Row = TypeVar("Row")
STALE_TEMPORARY_SECONDS = 24 * 3600


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

    root: str

    def file(self, kind: str, key: str) -> Path:
        """Where the artifact of that key lies or would lie."""
        return Path(self.root).absolute() / kind / f"{key}.parquet"

    def find(self, kind: str, key: str) -> Artifact | None:
        """The artifact of that key, None when it is missing, unfinished, altered or of an older schema."""
        card = _read_card(self.file(kind, key))
        if card is None or card.schema_version != CONTRACTS[kind].version:
            return None
        return card if _intact(card) else None

    def prepare(self) -> None:
        """Create the folder; raises UserError now rather than in the middle of a run when it cannot be written."""
        probe = Path(self.root).absolute() / ".writable"
        replace_file(probe, lambda name: Path(name).touch())
        probe.unlink(missing_ok=True)

    def write(self, kind: str, key: str, rows: Iterable[Any] | pa.Table, provenance: Provenance) -> Artifact:
        """Check rows against the contract of their kind and put them in place atomically.

        Raises ContractError for rows that break it and UserError when the folder cannot be written.
        """
        contract = CONTRACTS[kind]
        table = check(rows if isinstance(rows, pa.Table) else to_table(rows, contract.row), kind)
        path = self.file(kind, key)
        replace_file(path, lambda name: pq.write_table(table, name, compression="zstd"))
        artifact = Artifact(kind, str(path), file_digest(path), table.num_rows, contract.version, provenance.seconds)
        card = json.dumps({**asdict(artifact), "path": path.name, **asdict(provenance), "written": time.time()})
        replace_file(_card_path(path), lambda name: Path(name).write_text(card, encoding="utf-8"))
        return artifact


def read_table(artifact: Artifact) -> pa.Table:
    """The table of an artifact; raises UserError when the file is missing or not the one that was written."""
    if not _intact(artifact):
        raise UserError(
            f"{artifact.path} is missing or altered (expected digest {artifact.sha256[:12]}):"
            " run the same command again, it is rebuilt from its inputs"
        )
    with pq.ParquetFile(artifact.path, memory_map=True) as file:  # read_table first imports what reads folders
        return file.read()


def read_rows(artifact: Artifact, row: type[Row]) -> list[Row]:
    """The rows of an artifact as dataclasses."""
    return from_table(read_table(artifact), row)


def file_digest(path: str | Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def replace_file(path: Path, write: Callable[[str], Any]) -> None:
    """Write a file so that other processes see all of it or nothing; raises UserError when the disk refuses."""
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


def _card_path(path: Path) -> Path:
    return path.with_suffix(".json")


def _read_card(path: Path) -> Artifact | None:
    try:
        card = json.loads(_card_path(path).read_text(encoding="utf-8"))
        names = ("sha256", "rows", "schema_version", "seconds")
        return Artifact(card["kind"], str(path), *(card[name] for name in names))
    except (
        FileNotFoundError,
        NotADirectoryError,
        json.JSONDecodeError,
        KeyError,
        TypeError,
        UnicodeDecodeError,
    ):
        return None


def _intact(artifact: Artifact) -> bool:
    try:
        stat = os.stat(artifact.path)
    except OSError:
        return False
    return _digest_of(artifact.path, stat.st_size, stat.st_mtime_ns, stat.st_ino) == artifact.sha256


@lru_cache(maxsize=65536)
def _digest_of(path: str, size: int, modified: int, inode: int) -> str:
    """Digest of a file as it was with that size and time: each state of a file is read once per process."""
    return file_digest(path)
