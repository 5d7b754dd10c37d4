"""What goes wrong: each kind of fault hits a run under way, and gives the function that mends the machine again."""

import fcntl
import os
import random
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.faults.runs import PrefectServer, Run

DEADLY = ("worker", "group", "machine")  # the run is gone
SERVERS = ("server", "machine")  # the Prefect server is, too
KINDS = ("worker", "group", "server", "machine", "full disk", "read-only", "clock", "locked")
JUMPS = (-400 * 86_400, -25 * 3600, -90, 90, 25 * 3600, 400 * 86_400)  # seconds
LOCK_HELD = 2.0  # seconds that the response cache or the place of the local model is held
TMPFS_BYTES = 24 * 2**20
Mend = Callable[[], None]


@dataclass(frozen=True)
class Injected:
    """A fault that is there: how to mend the machine again, and whether the fault came about at all."""

    mend: Mend
    took: bool = True


@dataclass(frozen=True)
class Place:
    """Where one trial happens."""

    artifacts: Path
    dataset: Path  # a folder of chats for training
    stage: str
    clock: Path  # by how many seconds it is moved
    server: PrefectServer
    chance: random.Random


def clock_library(folder: Path) -> str:
    """What moves the clock of a process that it is loaded into, '' where no C compiler builds it."""
    library = folder / "moved_clock.so"
    source = Path(__file__).with_name("moved_clock.c")
    try:
        subprocess.run(
            ["cc", "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"], check=True, capture_output=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return str(library)


def can_mount(folder: Path) -> bool:
    """Whether this user may mount: root outside of a locked-down container."""
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.which("mount") is None or _mount("-t", "tmpfs", "tmpfs", str(folder)):
        return False
    unmount(folder)
    return True


def mount_small(folder: Path) -> None:
    """A small disk of its own; raises OSError where that is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    if _mount("-t", "tmpfs", "-o", f"size={TMPFS_BYTES}", "tmpfs", str(folder)):
        raise OSError(f"cannot mount a tmpfs at {folder}")


def unmount(folder: Path) -> None:
    """Take a mount away; processes that still have files open there keep them."""
    subprocess.run(["umount", "-l", str(folder)], check=False, capture_output=True)


def _mount(*arguments: str) -> int:
    return subprocess.run(["mount", *arguments], check=False, capture_output=True).returncode


def clock_environment(clock: Path, library: str) -> dict[str, str]:
    """What a process needs whose clock will be moved; the monotonic clock goes on as it should."""
    clock.write_text("0")
    return {"LD_PRELOAD": library, "MOVED_CLOCK": str(clock)}


def inject(kind: str, run: Run, place: Place) -> Injected:
    """Do it."""
    return {
        "worker": _kill_worker,
        "group": _kill_group,
        "server": _kill_server,
        "machine": _kill_machine,
        "full disk": _fill,
        "read-only": _make_read_only,
        "clock": _move_clock,
        "locked": _lock,
    }[kind](run, place)


def _nothing() -> None:
    """Nothing to mend."""


def _kill_worker(run: Run, place: Place) -> Injected:
    run.kill_worker()
    return Injected(_nothing)


def _kill_group(run: Run, place: Place) -> Injected:
    run.kill()
    return Injected(_nothing)


def _kill_server(run: Run, place: Place) -> Injected:
    place.server.kill()
    return Injected(place.server.start)


def _kill_machine(run: Run, place: Place) -> Injected:
    """The run's process group and the server's at once, as when the machine is switched off."""
    run.kill()
    return _kill_server(run, place)


def _fill(run: Run, place: Place) -> Injected:
    """Leave nothing, or a few pages, of the disk."""
    left = place.chance.choice((0, 0, 4096, 16_384, 65_536))
    return Injected(fill(place.artifacts.parent / "filler", left))


def fill(filler: Path, left: int = 0) -> Mend:
    """Fill the disk on which a file lies by that file, but for so many bytes; gives what makes room again."""
    descriptor = os.open(filler, os.O_WRONLY | os.O_CREAT)
    with suppress(OSError):
        while os.write(descriptor, b"\0" * 4096):
            pass
    os.close(descriptor)
    os.truncate(filler, max(0, filler.stat().st_size - left))
    return filler.unlink


def _make_read_only(run: Run, place: Place) -> Injected:
    make_read_only(place.artifacts)
    return Injected(lambda: unmount(place.artifacts))


def make_read_only(folder: Path) -> None:
    """A read-only view over a folder: whoever opens a file from now on gets it, root too. Raises OSError.

    It is made read-only elsewhere and then moved there: where somebody writes, the system would refuse.
    """
    view = folder.with_name(f"{folder.name}.read-only")
    view.mkdir(exist_ok=True)
    steps = ("--bind", str(folder), str(view)), ("-o", "remount,bind,ro", str(view)), ("--move", str(view), str(folder))
    if any(_mount(*step) for step in steps):
        unmount(view)
        raise OSError(f"cannot mount {folder} read-only")


def _move_clock(run: Run, place: Place) -> Injected:
    place.clock.write_text(str(place.chance.choice(JUMPS)))

    def set_right() -> None:
        place.clock.write_text("0")

    return Injected(set_right)


def _lock(run: Run, place: Place) -> Injected:
    """Training: the one place of a local model is taken. Else a database is, by a transaction that shuts readers out.

    That is the response cache for a while where there is one, else a database that is asked, until the run has ended.
    """
    if place.stage == "train":
        return _hold_model_lock(place)
    cache = place.artifacts / "model_cache" / "responses.sqlite"
    path = cache if cache.exists() else next(place.dataset.rglob("zoo.sqlite"))
    connection = sqlite3.connect(path, timeout=20, isolation_level=None, check_same_thread=False)
    took = False
    with suppress(sqlite3.OperationalError):  # the file is new, and somebody is changing its journal
        connection.execute("BEGIN EXCLUSIVE")
        took = True
    if path == cache:
        threading.Timer(LOCK_HELD, connection.close).start()
        return Injected(_nothing, took)
    return Injected(connection.close, took)


def _hold_model_lock(place: Place) -> Injected:
    """Unless the training has it already."""
    folder = place.artifacts.parent / "lock"
    folder.mkdir(exist_ok=True)
    file = (folder / "model.lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return Injected(_nothing, took=False)
    threading.Timer(LOCK_HELD, file.close).start()
    return Injected(_nothing)


def held_locks(artifacts: Path) -> list[Path]:
    """Files whose lock somebody holds: marks of running tasks, stores of judgements, the model's place, equal calls."""
    whole = [
        *artifacts.glob(".under_way/*"),
        *artifacts.glob("judgements/*.lock"),
        *artifacts.parent.glob("lock/*.lock"),
    ]
    held = [path for path in whole if not _free(path, fcntl.flock)]
    return held + [path for path in artifacts.glob("model_cache/*.lock") if not _free(path, fcntl.lockf)]


def _free(path: Path, lock: Callable[[int, int], None]) -> bool:
    try:
        with path.open("r+") as file:
            lock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return True
    except BlockingIOError:
        return False
    return True
