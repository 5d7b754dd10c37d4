"""The child process of `column_pool`: reads its share of a table's columns and answers with their tallies.

Messages are those of `query_worker`; the first of an answer says how long rows were, each other one is a tally. It ends
when its input does, whatever it is doing: its parent is gone then. It also ends, without an answer, when its share
cannot be read; the parent reads that itself and meets the same error.
"""

import gc
import os
import signal
import sqlite3
import sys
from contextlib import closing
from queue import SimpleQueue
from threading import Thread
from typing import Any

from nl2sql.garbage import OBJECTS
from nl2sql.query_worker import Messages, message, write_all
from nl2sql.read_only import open_read_only

Jobs = SimpleQueue[tuple[Any, ...]]  # path, then the fields of Columns


def listen(source: int, jobs: Jobs) -> None:
    """Take jobs from a descriptor; end the process with it."""
    messages = Messages()
    while block := os.read(source, 2**16):
        messages.add(block)
        while (job := messages.next()) is not None:
            jobs.put(job)
    os._exit(0)


def answer(job: tuple[Any, ...], out: int) -> None:
    """Read some columns and write their tallies. Raises sqlite3.Error when they cannot be read."""
    from nl2sql.profiling.read_columns import Columns, read_columns  # numpy and Arrow, see main

    path, *fields = job
    with closing(open_read_only(path, double_quoted_strings=True)) as connection:
        tallies, heaviest = read_columns(connection, Columns(*fields))
    write_all(out, message((heaviest,)))
    for tally in tallies:
        write_all(out, message(tally.content()))


def main() -> None:
    """Answer until the standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupted parent ends its children itself
    gc.set_threshold(OBJECTS)  # rows are many and hold no cycles
    jobs: Jobs = SimpleQueue()
    # Before the large imports: the parent, which has work of its own, must not wait to send a long job.
    Thread(target=listen, args=(sys.stdin.fileno(), jobs), daemon=True).start()
    try:
        while True:
            answer(jobs.get(), sys.stdout.fileno())
    except (sqlite3.Error, UnicodeDecodeError, MemoryError):
        sys.exit(1)
