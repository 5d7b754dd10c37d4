"""Judgements kept between scores: one artifact per database and way of judging, which any number of runs share.

What cannot be trusted (another file under its card's name, another version of the code or of SQLite) is not found, and
scoring executes the statements again.
"""

import fcntl
import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

from nl2sql import execution, query_worker, read_only, row_digest
from nl2sql.errors import UserError
from nl2sql.execution import Limits
from nl2sql.scoring import execution_accuracy, explain_verdict
from nl2sql.scoring.execution_accuracy import Judgement, Pair
from nl2sql.scoring.judgement_cache import judgements_from_table, judgements_to_table
from tasks.artifact_store import ArtifactStore, Provenance, read_table
from tasks.remote_files import cache_folder

KIND = "judgements"
AT_ONCE = 4  # databases whose judgements are written
CODE: tuple[ModuleType, ...] = (execution, query_worker, read_only, row_digest, execution_accuracy, explain_verdict)


@dataclass(frozen=True)
class JudgementStore:
    """The judgements in a folder of artifacts that were made under these limits and this rule about columns."""

    store: ArtifactStore
    limits: Limits
    any_column_order: bool = False

    def load(self, digests: Iterable[str]) -> dict[Pair, Judgement]:
        """All judgements on the databases with these digests."""
        found: dict[Pair, Judgement] = {}
        for digest in dict.fromkeys(digests):
            found |= self._read(digest)
        return found

    def keep(self, judged: Mapping[Pair, Judgement]) -> None:
        """Add judgements to those that are there, also to those that another run has added meanwhile.

        Raises UserError when the folder cannot be written.
        """
        by_database: dict[str, dict[Pair, Judgement]] = {}
        for pair, judgement in judged.items():
            by_database.setdefault(pair[0], {})[pair] = judgement
        with ThreadPoolExecutor(AT_ONCE) as pool:  # mostly compressing and waiting for the disk
            for _ in pool.map(self._add, by_database.values()):
                pass

    def _add(self, found: Mapping[Pair, Judgement]) -> None:
        digest = next(iter(found))[0]
        with self._locked(digest):
            held = self._read(digest)
            merged = {**held, **found}
            if merged != held:
                options = {**asdict(self.limits), "any_column_order": self.any_column_order}
                provenance = Provenance("score", {"database": digest}, options, _code())
                self.store.write(KIND, self._key(digest), judgements_to_table(merged), provenance)

    def _read(self, digest: str) -> dict[Pair, Judgement]:
        found = self.store.find(KIND, self._key(digest))
        try:
            return judgements_from_table(read_table(found)) if found else {}
        except UserError:  # another run has put a newer one in its place since it was found
            return {}

    def _key(self, digest: str) -> str:
        parts = [digest, asdict(self.limits), self.any_column_order, _code()]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]

    def _lock_file(self, digest: str) -> Path:
        """Beside the artifact. For a remote one on this machine: runs on two machines may then each judge the same."""
        key = self._key(digest)
        return cache_folder() / f"{key}.lock" if self.store.remote else self.store.file(KIND, key).with_suffix(".lock")

    @contextmanager
    def _locked(self, digest: str) -> Iterator[None]:
        path = self._lock_file(digest)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("wb")
        except OSError as error:
            raise UserError(f"cannot write {path}: {error.strerror}. Name another folder with --artifacts") from error
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)  # released with the file, also when the process is killed
            yield


@cache
def _code() -> str:
    """Digest of the code that makes a judgement, as it lies in its files, and of the SQLite under it."""
    digest = hashlib.sha256(sqlite3.sqlite_version.encode())
    for module in CODE:
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()
