"""Files at an address instead of in a folder: any that fsspec knows, s3:// through pyarrow's own client.

An object store puts a whole object or none, so that nothing here needs renaming. What was read or written stays in a
local cache under its digest: a large file crosses the network once per machine and is memory-mapped like any other.

s3:// takes keys and region from AWS's variables or files and the endpoint from AWS_ENDPOINT_URL; s3fs would pin a
botocore older than litellm's. Other addresses need the package that fsspec names. Stores that show an object only some
time after it was put are not covered.
"""

import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from nl2sql.errors import UserError

CACHE_DAYS = 30  # that a file stays in the cache without being read
SHA256 = re.compile(r"[0-9a-f]{64}")
Stamp = list[Any]  # bytes and time of change of an object, as its store tells them


def is_remote(place: str | Path) -> bool:
    """Whether a place is an address such as s3://bucket/prefix rather than a path."""
    return isinstance(place, str) and "://" in place


def absolute(place: str) -> str:
    """An address as it is, without the slash at its end; a path from the root on."""
    return place.rstrip("/") if is_remote(place) else str(Path(place).absolute())


def cache_folder() -> Path:
    """Where this machine keeps what it read: NL2SQL_CACHE_FOLDER, or nl2sql/artifacts in the user's cache."""
    base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return Path(os.environ.get("NL2SQL_CACHE_FOLDER", base / "nl2sql" / "artifacts"))


def read_bytes(place: str) -> bytes | None:
    """The content of a file, None when there is none; raises UserError when the store cannot be reached."""
    with _said("read", place):
        files, path = _open(place)
        try:
            return files.cat_file(path)
        except FileNotFoundError:
            return None


def stamp(place: str) -> Stamp | None:
    """What the store says of a file without sending it: another stamp, another file. None when there is none."""
    with _said("read", place):
        files, path = _open(place)
        try:
            info = files.info(path)
        except FileNotFoundError:
            return None
        changed = next((info[name] for name in ("mtime", "LastModified", "updated", "created") if info.get(name)), "")
        return [info["size"], str(changed)]


def upload(local: Path, place: str) -> None:
    """Put a local file in place, whole; raises UserError when the store refuses."""
    with _said("write", place):
        files, path = _open(place)
        if not place.startswith("s3://"):  # an object store has no folders, and pyarrow would make objects of them
            files.makedirs(path.rpartition("/")[0], exist_ok=True)
        with local.open("rb") as source, files.open(path, "wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)


def remove(place: str) -> None:
    """Remove a file if it is there and may be removed."""
    files, path = _open(place)
    with suppress(OSError):
        files.rm_file(path)


def put(place: str, write: Callable[[str], Any]) -> None:
    """Let `write` make a file under a local name and put it in place."""
    with _temporary() as temporary:
        write(str(temporary))
        upload(temporary, place)


def put_and_keep(place: str, write: Callable[[str], Any]) -> tuple[str, Stamp | None]:
    """The same, and keep the file in the cache: its digest and stamp."""
    with _temporary() as temporary:
        write(str(temporary))
        digest = _digest(temporary)
        upload(temporary, place)
        os.replace(temporary, cached_file(digest))
    return digest, stamp(place)


def local_copy(place: str, digest: str) -> Path | None:
    """The file as this machine has it, read now if it has not; None when the store has no such file any more."""
    kept = cached_file(digest)
    try:
        held = kept.stat()
        os.utime(kept, ns=(time.time_ns(), held.st_mtime_ns))  # the cache drops first what was not read for longest
    except FileNotFoundError:
        return fetch(place, digest)
    return kept


def fetch(place: str, digest: str) -> Path | None:
    """Read a file into the cache, whatever lies there; None when there is none or not the one with this digest."""
    kept = cached_file(digest)
    with _temporary() as temporary:
        with _said("read", place):
            files, path = _open(place)
            try:
                with files.open(path, "rb") as source, temporary.open("wb") as target:
                    shutil.copyfileobj(source, target, 1 << 20)
            except FileNotFoundError:
                return None
        if _digest(temporary) != digest:
            return None
        os.replace(temporary, kept)
    return kept


def cached_file(digest: str) -> Path:
    """Where the cache has the file of that digest or would have it; raises UserError for what is no digest."""
    if not SHA256.fullmatch(str(digest)):  # a card comes from outside, and this becomes a path
        raise UserError(f"{digest!r} is no SHA-256: a card or a manifest was altered. Run the same command again")
    return cache_folder() / f"{digest}.parquet"


def tidy_cache() -> None:
    """Drop from the cache what was not read for a month, and what killed runs left half-written."""
    limit = time.time() - CACHE_DAYS * 86400
    for path in cache_folder().glob("*"):
        with suppress(FileNotFoundError):  # another run was quicker
            if path.is_file() and path.stat().st_atime < limit:
                path.unlink()


@contextmanager
def _temporary() -> Iterator[Path]:
    """A name in the cache for a file that is gone in the end unless it was renamed."""
    path = cache_folder() / f".{os.getpid()}.{secrets.token_hex(8)}.tmp"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        yield path
    except OSError as error:
        said = f"cannot write {path.parent}: {error.strerror or error}"
        raise UserError(f"{said}. Free space there or export NL2SQL_CACHE_FOLDER=FOLDER") from error
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def _said(verb: str, place: str) -> Iterator[None]:
    """What a store refuses, as one line for the user."""
    try:
        yield
    except OSError as error:
        said = " ".join(str(error).split())
        raise UserError(
            f"cannot {verb} {place}: {said}. See that the bucket, the keys and the endpoint are right"
            " (docs/scaling.md), or name another place with --artifacts"
        ) from error


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _open(place: str) -> tuple[Any, str]:
    """The file system of an address and the path in it; raises UserError for an address that nothing here can read."""
    if place.startswith("s3://"):
        return _s3(), place.removeprefix("s3://")
    from fsspec.core import url_to_fs

    try:
        return url_to_fs(place)
    except (ValueError, ImportError) as error:
        raise UserError(f"{place}: {error}. Name a folder or an s3:// address with --artifacts") from error


@lru_cache(maxsize=1)
def _s3() -> Any:
    """S3 through pyarrow, which reads all of AWS's variables but that of the endpoint."""
    from fsspec.implementations.arrow import ArrowFSWrapper
    from pyarrow.fs import S3FileSystem

    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    scheme, _, host = endpoint.rstrip("/").rpartition("://")
    return ArrowFSWrapper(
        S3FileSystem(endpoint_override=host or None, scheme=scheme or "https", allow_delayed_open=True)
    )
