"""Run a task's function in a process of its own, so that it can end nobody else's."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from importlib import import_module
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from typing import Any

import pyarrow as pa

from nl2sql.errors import UserError
from tasks.under_way import ProcessDied

AT_ONCE = threading.BoundedSemaphore(2)  # each process takes some 300 MB
LEAVE_SECONDS = 5.0  # that a process has for leaving once its answer is here
SPAWN = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang


def _as_stream(table: pa.Table) -> tuple[Callable[[bytes], pa.Table], tuple[bytes]]:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return _from_stream, (sink.getvalue().to_pybytes(),)


def _from_stream(stream: bytes) -> pa.Table:
    return pa.ipc.open_stream(stream).read_all()


# Arrow's own pickling forgets that the numbers of a vector are never null: the table breaks its contract (pyarrow 26).
ForkingPickler.register(pa.Table, _as_stream)


class FailedApart(Exception):
    """What a task raised in its own process: type and message."""


def run_apart(function: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """What the function of a task gives; an argument that can be lent to another process is.

    Raises ProcessDied when the process ends without a result, UserError as the function does, else FailedApart.
    """
    with AT_ONCE, ExitStack() as stack:
        sent = {n: stack.enter_context(v.lent()) if hasattr(v, "lent") else v for n, v in arguments.items()}
        ours, theirs = SPAWN.Pipe(duplex=False)
        named = (theirs, function.__module__, function.__name__, sent)
        process = SPAWN.Process(target=_work, args=named, daemon=False)
        process.start()
        theirs.close()
        try:
            what, given = ours.recv()
        except EOFError:
            what, given = "died", None
        finally:
            ours.close()
            process.join(LEAVE_SECONDS)
            process.kill()
            process.join()
    if what == "died":
        raise ProcessDied(f"{function.__name__} ended its process ({_ending(process.exitcode)})")
    if what == "made":
        return given
    raise UserError(given) if what == "refused" else FailedApart(given)


def _ending(code: int | None) -> str:
    return signal.Signals(-code).name if code is not None and code < 0 else f"exit code {code}"


def _work(pipe: Connection, module: str, name: str, arguments: dict[str, Any]) -> None:
    """The other process: run the function behind the task of that name and send what came of it."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    function = getattr(import_module(module), name).function
    try:
        pipe.send(("made", function(**arguments)))
    except UserError as error:
        pipe.send(("refused", str(error)))
    except Exception as error:
        pipe.send(("failed", f"{type(error).__name__}: {error}"))
        raise SystemExit(1) from error


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
