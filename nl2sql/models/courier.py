"""API calls in a process of their own, so that an answer that is on its way survives the death of who asked for it."""

import asyncio
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from itertools import count
from threading import Thread
from typing import IO, Any
from uuid import uuid4

from nl2sql.errors import UserError
from nl2sql.models.chat import Reply, Request
from nl2sql.models.child_process import ROOT, reason_of
from nl2sql.models.framed_json import BrokenFrame, frame, receive_message
from nl2sql.models.prices import Prices
from nl2sql.models.rate_limits import ProviderLimits
from nl2sql.models.refusals import BROKEN, UNREACHED, CallFailed
from nl2sql.models.response_cache import ResponseCache, read_reply

START = "import sys; sys.path.insert(0, sys.argv[1]); from nl2sql.models.courier_worker import main; main()"
END_SECONDS = 2.0  # that an idle courier may take to end


@dataclass
class Link:
    """A courier that runs, and the attempts that are in its hands."""

    process: "subprocess.Popen[Any]"
    errors: IO[bytes]  # what it writes to standard error
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    life: str  # key of a lock that this process holds while the courier shall send anything
    open: "dict[int, asyncio.Future[Reply]]" = field(default_factory=dict)


class Courier:
    """Makes single attempts through Remote in a child process, which keeps each answer before it hands it over.

    The child is a session of its own: signals to this process's group do not reach it. Once this process is gone, or
    an attempt is cancelled, the child sends nothing new, waits for the answers that are on their way, keeps them, and
    ends. It is started for the first attempt and again after its own death. For use within one event loop.
    """

    def __init__(self, cache: ResponseCache, limits: Mapping[str, ProviderLimits], prices: Prices) -> None:
        self._cache = cache
        limited, priced = ([asdict(given) for given in m.values()] for m in (limits, prices.given))
        self._order = {"cache": str(cache.path.parent.resolve()), "limits": limited, "prices": priced}
        self._link: Link | None = None
        self._starting = asyncio.Lock()
        self._numbers = count()
        self._listeners: set[asyncio.Task[None]] = set()

    async def attempt(self, request: Request, cache_prefix: bool) -> Reply:
        """Make one attempt; its answer is in the cache then, if there was room on the disk.

        Raises CallFailed, also when the courier dies: the provider may have been asked.
        """
        link, number = await self._linked(), next(self._numbers)
        link.open[number] = answer = asyncio.get_running_loop().create_future()
        try:
            link.writer.write(frame({"number": number, "request": asdict(request), "cache_prefix": cache_prefix}))
            return await answer
        except asyncio.CancelledError:
            self._drop(link, "was told to end")  # before anyone else may make this call
            raise
        finally:
            link.open.pop(number, None)

    async def close(self) -> None:
        """Let the courier go; one that has nothing to wait for has ended then."""
        if (link := self._link) is not None:  # it is None after a cancelled attempt
            self._drop(link, "was told to end")
            with suppress(ConnectionError, subprocess.TimeoutExpired):
                await link.writer.wait_closed()
                link.process.wait(END_SECONDS)

    async def _linked(self) -> Link:
        async with self._starting:
            if self._link is None:
                self._link = await _start()
                self._cache.try_lock(self._link.life)
                self._link.writer.write(frame({**self._order, "life": self._link.life}))
                listener = asyncio.create_task(self._listen(self._link))
                self._listeners.add(listener)
                listener.add_done_callback(self._listeners.discard)
            return self._link

    async def _listen(self, link: Link) -> None:
        """Hand out what comes, until the courier ends or is let go."""
        try:
            while (message := await receive_message(link.reader)) is not None:
                if message["number"] is None:
                    self._drop(link, "ended", UserError(message["error"]))
                elif (answer := link.open.get(message["number"])) is not None and not answer.done():
                    _settle(answer, message)
        except BrokenFrame:
            link.process.kill()
        if self._link is link:
            self._drop(link, reason_of(link.process, link.errors))

    def _drop(self, link: Link, reason: str, error: Exception | None = None) -> None:
        """Have no more to do with a courier; it sends nothing from here on."""
        self._cache.unlock(link.life)
        link.writer.close()
        if self._link is link:
            self._link = None
        for answer in link.open.values():
            if not answer.done():
                answer.set_exception(error or CallFailed(BROKEN, f"the process that makes the calls {reason}"))


@dataclass(frozen=True)
class Spawned:
    """A courier that nobody has spoken to yet: its imports, which take seconds, are under way."""

    process: "subprocess.Popen[Any]"
    errors: IO[bytes]
    ours: socket.socket


_SPARE: list[Spawned] = []


def prepare_courier() -> None:
    """Have one started for the first Courier that needs it; it ends with this process if none does."""
    with suppress(CallFailed):  # whoever needs it will be told
        if not _SPARE:
            _SPARE.append(_spawn())


async def _start() -> Link:
    spawned = _SPARE.pop() if _SPARE else _spawn()
    if spawned.process.poll() is not None:
        spawned.ours.close()
        spawned = _spawn()
    Thread(target=spawned.process.wait, name="courier's end", daemon=True).start()  # long after it was let go, perhaps
    reader, writer = await asyncio.open_connection(sock=spawned.ours)
    return Link(spawned.process, spawned.errors, reader, writer, uuid4().hex)


def _spawn() -> Spawned:
    ours, theirs = socket.socketpair()
    errors = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the child
    outputs: dict[str, Any] = {"stdout": errors, "stderr": errors}
    with theirs:
        command = [sys.executable, "-I", "-c", START, ROOT]
        try:
            process = subprocess.Popen(command, stdin=theirs.fileno(), start_new_session=True, **outputs)
        except OSError as error:
            raise CallFailed(UNREACHED, f"the process that makes the calls could not be started: {error}") from error
    return Spawned(process, errors, ours)


def _settle(answer: "asyncio.Future[Reply]", message: dict[str, Any]) -> None:
    if "reply" in message:
        answer.set_result(read_reply(message["reply"]))
    elif "failed" in message:
        answer.set_exception(CallFailed(**message["failed"]))
    else:
        answer.set_exception((UserError if message["user"] else RuntimeError)(message["error"]))
