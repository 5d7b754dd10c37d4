"""A model that is a function: tests and demonstrations say what it answers, everything around it is real."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock

from nl2sql.models.chat import Reply, Request, Usage

BYTES_PER_TOKEN = 4  # as English has it, roughly; only the order of magnitude matters here


@dataclass
class Scripted:
    """Answers each request with what `answer` makes of it: a text, or a whole reply, e.g. one with a failure.

    Texts get the usage that their lengths suggest, and cost nothing. `asked` holds the requests in the order in which
    they came; it is safe to ask from several threads. What `answer` raises, e.g. ModelsStopped, passes through.
    """

    answer: Callable[[Request], str | Reply]
    seconds: float = 0.0  # how long each call takes; calls of one `ask` take it together
    asked: list[Request] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def ask(self, requests: Sequence[Request]) -> list[Reply]:
        """Give one reply per request, in their order."""
        return asyncio.run(self._ask_all(requests))

    async def ask_one(self, request: Request) -> Reply:
        """Give the reply to one request."""
        with self._lock:
            self.asked.append(request)
            said = self.answer(request)
        if self.seconds:
            await asyncio.sleep(self.seconds)
        return said if isinstance(said, Reply) else _reply(request, said, self.seconds)

    async def attempt(self, request: Request, cache_prefix: bool) -> Reply:
        """Stand in for the providers behind a gateway; `answer` may raise CallFailed."""
        return await self.ask_one(request)

    async def close(self) -> None:
        """Nothing is open."""

    async def _ask_all(self, requests: Sequence[Request]) -> list[Reply]:
        return list(await asyncio.gather(*(self.ask_one(r) for r in requests)))


def _reply(request: Request, text: str, seconds: float) -> Reply:
    return Reply(text, request.model, count_usage(request, text), seconds=seconds)


def count_usage(request: Request, text: str) -> Usage:
    """Estimate the tokens of a call from the lengths of its texts in UTF-8."""
    prompt = request.prompt
    said = [prompt.system, prompt.context, prompt.task, *(t.text for t in request.turns), request.schema]
    return Usage(input_tokens=sum(map(_tokens, said)), output_tokens=_tokens(text))


def _tokens(text: str) -> int:
    return -(-len(text.encode("utf-8", "surrogatepass")) // BYTES_PER_TOKEN)
