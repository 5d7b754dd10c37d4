"""Calls that begin alike: the first goes alone, so that the others find its beginning in the provider's cache."""

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from nl2sql.models.chat import Request
from nl2sql.models.prices import Prices, model_facts
from nl2sql.models.refusals import CallFailed

KEPT_SECONDS = 300.0  # that Claude keeps a prefix after its last use; Gemini does not say, and keeps it no shorter
LEAST_TOKENS = 4096  # of a prefix, where the price map does not say from how many on a provider caches it
WORTH_WAITING = 0.001  # dollars that the calls now waiting must save together
CHARACTERS_PER_TOKEN = 4.0  # cautious: a prefix that turns out too short is not cached, and the wait was for nothing

Prefix = bytes


@dataclass
class _Lead:
    """The call that writes a prefix, or the last one that used it."""

    answered: asyncio.Event
    used_at: float


class PrefixSharing:
    """Who leads and who follows. For use within one event loop."""

    def __init__(self, prices: Prices) -> None:
        self._prices = prices
        self._expected: Counter[Prefix] = Counter()  # calls that are about to be made
        self._leads: dict[Prefix, _Lead] = {}
        self._seen_at: dict[Prefix, float] = {}

    def announce(self, requests: Iterable[Request]) -> None:
        """Say which calls are about to come."""
        self._expected.update(_prefix(r) for r in requests)

    def withdraw(self, request: Request) -> None:
        """Say that a call is over, or was not needed."""
        prefix = _prefix(request)
        self._expected[prefix] -= 1
        if self._expected[prefix] <= 0:
            del self._expected[prefix]

    @asynccontextmanager
    async def turn(self, request: Request) -> AsyncIterator[bool]:
        """Wait for the leading call where there is one; gives whether the prefix should be marked for caching."""
        prefix = _prefix(request)
        lead = self._leads.get(prefix)
        if lead is not None and not _recent(lead.used_at):
            lead = None
        # A prefix that was used a moment ago is likely to be used again.
        followers = self._expected[prefix] - 1 + _recent(self._seen_at.get(prefix, -KEPT_SECONDS))
        self._seen_at[prefix] = time.monotonic()
        if lead is None and not self._pays(request, followers):
            yield False
            return
        if lead is not None:
            await lead.answered.wait()
            lead.used_at = time.monotonic()
            yield True
            return
        async with self._leading(prefix):
            yield True

    @asynccontextmanager
    async def _leading(self, prefix: Prefix) -> AsyncIterator[None]:
        lead = self._leads[prefix] = _Lead(asyncio.Event(), time.monotonic())
        try:
            yield
        except (CallFailed, asyncio.CancelledError):
            self._leads.pop(prefix, None)
            raise
        finally:
            lead.used_at = time.monotonic()
            lead.answered.set()

    def _pays(self, request: Request, followers: int) -> bool:
        """Whether so many followers save more than the wait is worth."""
        tokens = (len(request.prompt.system) + len(request.prompt.context)) / CHARACTERS_PER_TOKEN
        if followers < 1 or tokens < model_facts(request.model).get("prompt_cache_min_tokens", LEAST_TOKENS):
            return False
        return self._prices.saving(request.model, round(tokens), followers) >= WORTH_WAITING


def _recent(moment: float) -> bool:
    return time.monotonic() - moment < KEPT_SECONDS


def _prefix(request: Request) -> Prefix:
    said = "\0".join((request.model, request.prompt.system, request.prompt.context))
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).digest()
