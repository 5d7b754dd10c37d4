"""The child process that makes API calls: many at once, each answer on the disk before it is handed over.

Messages in, over the socket that is its standard input: {cache, life, limits, prices} once, then {number, request,
cache_prefix}. Out: {number, reply}, {number, failed: {kind, message, retry_after}} or {number, error, user}, in any
order; {number: null, error} before an end that has a reason.
"""

import asyncio
import os
import socket
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from sqlite3 import Error as DiskError
from typing import Any

from nl2sql.errors import UserError
from nl2sql.garbage import no_collections
from nl2sql.models.chat import Prompt, Reply, Request, Turn
from nl2sql.models.event_loop import InlineExecutor
from nl2sql.models.framed_json import frame, receive_message
from nl2sql.models.litellm_loading import bare_completion
from nl2sql.models.prices import Price, Prices
from nl2sql.models.rate_limits import ProviderLimits
from nl2sql.models.refusals import CallFailed
from nl2sql.models.remote import Remote, provider_of
from nl2sql.models.response_cache import ResponseCache

LOOK_SECONDS = 0.1  # between two looks for the answer that another courier waits for
Message = dict[str, Any]


@dataclass
class Worker:
    """The attempts of one parent."""

    remote: Remote
    cache: ResponseCache
    life: str
    writer: asyncio.StreamWriter
    places: dict[str, asyncio.Semaphore] = field(default_factory=dict)  # by provider: calls that are there at once
    under_way: "set[asyncio.Task[Message]]" = field(default_factory=set)

    def start(self, message: Message) -> None:
        """Make an attempt beside the others."""
        task = asyncio.create_task(self._attempt(read_request(message["request"]), message["cache_prefix"]))
        self.under_way.add(task)
        task.add_done_callback(lambda done: self._hand_over(message["number"], done))

    def left(self) -> bool:
        """Whether nobody asks any more. Certain also where the end of the connection is not here yet: the parent's
        locks end at one moment, so that who takes one of its keys comes after whoever takes this.
        """
        return self.cache.try_lock(self.life)

    async def _attempt(self, request: Request, cache_prefix: bool) -> Message:
        """What to say of an attempt; {} for one that is not made since nobody asks any more."""
        while not self.cache.try_carry(request.key):  # another courier waits for the answer
            await asyncio.sleep(LOOK_SECONDS)
        try:
            reply = self.cache.get(request.key) or await self._ask(request, cache_prefix)
            return {"reply": asdict(reply)} if reply else {}
        except CallFailed as failure:
            if failure.charged and self.left():
                self.cache.note_broken(request, self.remote.prices.bound(request), failure.message)
            return {"failed": {name: getattr(failure, name) for name in ("kind", "message", "retry_after")}}
        finally:
            self.cache.put_down(request.key)

    async def _ask(self, request: Request, cache_prefix: bool) -> Reply | None:
        async with self.places.get(provider_of(request.model), nullcontext()):
            if self.left():
                return None
            reply = await self.remote.attempt(request, cache_prefix)
        with suppress(DiskError):  # the parent finds it missing there, and stops
            await asyncio.wrap_future(self.cache.put(request, reply))
        return reply

    def _hand_over(self, number: int, done: "asyncio.Task[Message]") -> None:
        self.under_way.discard(done)
        error = done.exception()
        said = {"error": str(error), "user": isinstance(error, UserError)} if error else done.result()
        self.tell({"number": number, **said})

    def tell(self, message: Message) -> None:
        """Tell the parent, if there is one."""
        if not self.writer.is_closing():
            self.writer.write(frame(message))


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Make attempts until the input ends, then wait for those that are under way."""
    with no_collections():
        bare_completion()  # the import takes seconds: not within an attempt, and perhaps before anyone has spoken
    if (order := await receive_message(reader)) is None:
        return
    limits = {given["provider"]: ProviderLimits(**given) for given in order["limits"]}
    prices = Prices({given["model"]: Price(**given) for given in order["prices"]})
    cache = ResponseCache(Path(order["cache"]))
    places = {name: asyncio.Semaphore(limit.concurrency) for name, limit in limits.items()}
    worker = Worker(Remote(prices, limits), cache, order["life"], writer, places)
    while (message := await receive_message(reader)) is not None:
        worker.start(message)
    await asyncio.gather(*worker.under_way, return_exceptions=True)
    cache.close()
    await worker.remote.close()


def read_request(given: Message) -> Request:
    """A request from plain data."""
    turns = tuple(Turn(**turn) for turn in given["turns"])
    return Request(**{**given, "prompt": Prompt(**given["prompt"]), "turns": turns})


async def run() -> None:
    """Serve the connection; an end that has a reason tells it."""
    asyncio.get_running_loop().set_default_executor(InlineExecutor(max_workers=4))
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=os.dup(0)))
    try:
        await serve(reader, writer)
    except UserError as error:
        writer.write(frame({"number": None, "error": str(error)}))
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


def main() -> None:
    """Serve until the standard input ends."""
    asyncio.run(run())
    os._exit(0)  # all is written and closed; taking litellm apart takes longer than a parent should wait
