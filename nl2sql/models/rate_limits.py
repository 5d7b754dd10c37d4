"""Manners towards a provider: how many calls at once and a minute, how many tokens, and when to keep quiet."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count

BURST_SECONDS = 5.0  # a bucket holds what flows in within so long: providers also look at less than a minute
LONGEST_NAP = 0.5  # seconds until a waiting call looks whether it still has to wait
FIRST_DELAY, LONGEST_DELAY = 1.0, 60.0  # seconds of the exponential backoff, before jitter


@dataclass(frozen=True)
class ProviderLimits:
    """How one provider is reached. None for a limit that does not hold."""

    provider: str  # as in the model's name, before the slash
    concurrency: int = 8
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None  # of prompts and answers together
    timeout: float = 180.0  # seconds for a whole attempt
    retries: int = 5  # further attempts after a failure that may pass
    api_base: str = ""  # '' for the provider's own address
    api_key: str = field(default="", repr=False)
    key_name: str = ""  # environment variable that the key came from, for messages


@dataclass
class Bucket:
    """A token bucket that may be overdrawn: whoever comes next then waits longer."""

    per_minute: float | None
    level: float = 0.0
    updated: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.level = self.capacity

    @property
    def capacity(self) -> float:
        """What it holds at most."""
        return max(1.0, (self.per_minute or 0) * BURST_SECONDS / 60)

    def wait(self, amount: float) -> float:
        """Seconds until `amount` may be taken; an amount above the capacity needs a full bucket."""
        if self.per_minute is None:
            return 0.0
        now = time.monotonic()
        self.level = min(self.capacity, self.level + (now - self.updated) * self.per_minute / 60)
        self.updated = now
        missing = min(amount, self.capacity) - self.level
        return max(0.0, missing * 60 / self.per_minute) if missing > 1e-9 else 0.0

    def take(self, amount: float) -> None:
        """Take an amount, or give it back when negative."""
        self.level -= amount if self.per_minute is not None else 0.0


class Places:
    """A number of places, of which the next that is free goes to the lowest rank, among equals to who came first.

    For use within one event loop.
    """

    def __init__(self, number: int) -> None:
        self._free = number
        self._numbers = count()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def take(self, rank: int) -> AsyncIterator[None]:
        """Wait for a place and have it inside the block."""
        if self._free:
            self._free -= 1
        else:
            await self._wait(rank)
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, rank: int) -> None:
        turn = asyncio.get_running_loop().create_future()
        heappush(self._waiting, (rank, next(self._numbers), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it has the place already
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        while self._waiting:
            *_, turn = heappop(self._waiting)
            if not turn.done():  # who was cancelled waits no more
                turn.set_result(None)
                return
        self._free += 1


class Throttle:
    """Admits calls to one provider, those of the lowest rank first. For use within one event loop."""

    def __init__(self, limits: ProviderLimits) -> None:
        self.limits = limits
        self.paused_until = 0.0  # by the monotonic clock
        self._requests = Bucket(limits.requests_per_minute)
        self._tokens = Bucket(limits.tokens_per_minute)
        # A quarter more: a call's preparation and reading are work here, not at the provider, whose connections
        # are limited where they are made.
        self._places = Places(limits.concurrency + limits.concurrency // 4)
        self._turn = asyncio.Lock()
        self._opened = False

    @asynccontextmanager
    async def admit(self, tokens: float, rank: int = 0) -> AsyncIterator[None]:
        """Wait for a place, and until the minute's limits have room for a call of so many tokens."""
        async with self._places.take(rank):
            async with self._turn:
                while (wait := self._wait(tokens)) > 0 and not self._opened:
                    await asyncio.sleep(min(wait, LONGEST_NAP))
                self._requests.take(1)
                self._tokens.take(tokens)
            yield

    def correct(self, tokens: float) -> None:
        """Take further tokens once a call's true number is known; negative to give some back."""
        self._tokens.take(tokens)

    def pause(self, seconds: float) -> None:
        """Admit no call for so long."""
        self.paused_until = max(self.paused_until, time.monotonic() + seconds)

    def open_up(self) -> None:
        """Let everyone through from now on: nobody makes a call any more, all only wait to be told so."""
        self._opened = True

    def _wait(self, tokens: float) -> float:
        paused = self.paused_until - time.monotonic()
        return max(paused, self._requests.wait(1), self._tokens.wait(tokens))


def backoff(attempt: int) -> float:
    """Seconds to wait after the attempt of that number, from 0: full jitter, so that calls do not come back at once."""
    return random.uniform(0, min(LONGEST_DELAY, FIRST_DELAY * 2**attempt))
