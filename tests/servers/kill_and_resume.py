"""Kill runs with SIGKILL at chosen moments, resume them, and account for every answer that the provider gave.

An answer that is on the client's disk is never asked for again, and one that is on its way when the client is killed is
waited for and kept by the courier, which outlives it.
"""

import fcntl
import json
import os
import random
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as parquet

from nl2sql.models.response_cache import CARRIED, LOCKS
from tests.servers.pipeline_process import Pipeline
from tests.servers.server_process import RunningServer

RESPONSES = "responses.sqlite"
UNLIKE = ("model_calls", "manifests", "runs")  # say what a run paid and how long it took
TIMED = "seconds"  # column of rows that also say how long something took

Start = Callable[[], "subprocess.Popen[str]"]  # a process in a session of its own


@dataclass(frozen=True)
class Segment:
    """From one start to its kill, or to the end of the last run."""

    delivered: int  # answers that the provider handed over
    kept: int  # answers that came to the client's disk

    @property
    def lost(self) -> int:
        """Answers that did not: lost on their way, or already there; neither may be."""
        return self.delivered - self.kept


@dataclass(frozen=True)
class Account:
    """What became of the provider's answers."""

    segments: tuple[Segment, ...]
    again: int  # deliveries of what had been delivered before

    @property
    def delivered(self) -> int:
        """All of them."""
        return sum(s.delivered for s in self.segments)

    @property
    def kept(self) -> int:
        """Those on the disk in the end."""
        return sum(s.kept for s in self.segments)

    @property
    def lost(self) -> int:
        """The others."""
        return self.delivered - self.kept


def kept_answers(folder: Path) -> set[str]:
    """Keys of the answers in a response cache."""
    path = folder / RESPONSES
    if not path.exists():
        return set()
    connection = sqlite3.connect(path, timeout=60)
    try:
        return {key for (key,) in connection.execute("SELECT key FROM replies")}
    except sqlite3.OperationalError:
        return set()  # killed before the table was there
    finally:
        connection.close()


def choose_moments(calls: int, kills: int, seed: int) -> list[int]:
    """Numbers of delivered answers, ascending, at which to kill."""
    return sorted(random.Random(seed).sample(range(1, max(calls, kills + 1)), kills))


def kill_and_resume(start: Start, cache: Path, server: RunningServer, moments: list[int]) -> Account:
    """Start again and again, kill when so many answers are on the disk, and let the last one end.

    Raises RuntimeError when the last one fails.
    """
    segments = []
    for moment in [*moments, None]:
        delivered, kept = len(_delivered(server)), len(kept_answers(cache))
        process = start()
        while process.poll() is None and (moment is None or len(kept_answers(cache)) < moment):
            time.sleep(0.02)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
        server.idle(30)
        await_couriers(cache)
        segments.append(Segment(len(_delivered(server)) - delivered, len(kept_answers(cache)) - kept))
        if moment is None and code:
            raise RuntimeError(f"the last run ended with {code}")
    again = sum(n - 1 for n in Counter(c["digest"] for c in _delivered(server)).values())
    return Account(tuple(segments), again)


def await_couriers(cache: Path, seconds: float = 30.0) -> None:
    """Wait until no call is in a courier's hands any more. Raises TimeoutError when one still is after `seconds`."""
    deadline = time.monotonic() + seconds
    with (cache / LOCKS).open("a+") as locks:
        while True:
            try:
                return fcntl.lockf(locks, fcntl.LOCK_EX | fcntl.LOCK_NB, CARRIED, CARRIED)
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise TimeoutError("a courier still carries a call") from error
            time.sleep(0.02)


def _delivered(server: RunningServer) -> list[dict]:
    return [c for c in server.calls() if c["delivered"] and c["status"] == 200]


def results(pipeline: Pipeline) -> dict[str, list[str]]:
    """The rows of every artifact by kind, but for what was paid and how long it took.

    Not by file name: names follow the code, which somebody may edit between two runs.
    """
    found: dict[str, list[str]] = {}
    for path in sorted(pipeline.artifacts.rglob("*.parquet")):
        kind = path.relative_to(pipeline.artifacts).parts[0]
        if kind not in UNLIKE:
            table = parquet.read_table(path)
            kept = table.select([name for name in table.column_names if name != TIMED])
            found.setdefault(kind, []).append(repr(kept.to_pylist()))
    return {kind: sorted(texts) for kind, texts in found.items()}


def predictions(pipeline: Pipeline) -> dict[str, str]:
    """The answers of the last run that came to its end."""
    files = sorted(pipeline.artifacts.glob("runs/*/predictions.json"), key=lambda p: p.stat().st_mtime)
    return json.loads(files[-1].read_text())
