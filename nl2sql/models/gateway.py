"""The one way to models: answers already paid for, limits, retries, fallback models and the budget of a run."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from sqlite3 import Error as DiskError
from typing import Protocol

from nl2sql.models.budget import Budget
from nl2sql.models.call_progress import CallProgress
from nl2sql.models.capabilities import fit
from nl2sql.models.chat import Model, Reply, Request
from nl2sql.models.event_loop import LoopThread
from nl2sql.models.expected_outputs import ExpectedOutputs
from nl2sql.models.prefix_sharing import PrefixSharing
from nl2sql.models.prices import Prices, likely_tokens
from nl2sql.models.rate_limits import ProviderLimits, Throttle, backoff
from nl2sql.models.refusals import LIMIT, NOTHING_LOST, RETRYABLE, STOPPING, CallFailed, ModelsStopped, stop
from nl2sql.models.remote import provider_of
from nl2sql.models.response_cache import ResponseCache

LOCAL = "local:"
POLL_SECONDS = 0.1  # between looks for an answer that another process is waiting for
HOPELESS = 20  # calls of a provider in a row, after all their retries, before a run stops
LIMIT_PATIENCE = 4  # times as many attempts are made against rate limits, which are no fault of the call
LONGEST_PAUSE = 600.0  # seconds; a provider that asks for more has run out of a quota


class Attempts(Protocol):
    """Makes single attempts at calls: Courier; Remote in the process itself; Scripted in tests."""

    async def attempt(self, request: Request, cache_prefix: bool) -> Reply:
        """Give the reply, or raise CallFailed."""
        ...

    async def close(self) -> None:
        """Close what is open."""
        ...


class Gateway:
    """Fulfils Model. One per process and cache folder: limits and the budget hold for all that goes through it.

    Equal requests are one call, also among processes that share the cache. A reply of a fallback model is kept under
    that model's own key, and is not lasting: a later run asks the first model again.
    """

    def __init__(
        self,
        remote: Attempts,
        cache: ResponseCache,
        limits: Mapping[str, ProviderLimits] | None = None,
        prices: Prices | None = None,
        fallbacks: Mapping[str, str] | None = None,
        budget: Budget | None = None,
        local: Model | None = None,
    ) -> None:
        self.budget = budget
        self.progress = CallProgress()
        self._remote, self._cache, self._local = remote, cache, local
        self._limits, self._fallbacks = limits or {}, fallbacks or {}
        self._prices = prices or Prices()
        self._outputs = ExpectedOutputs()
        self._thread = LoopThread("models")
        self._throttles: dict[str, Throttle] = {}
        self._sharing = PrefixSharing(self._prices)
        self._under_way: dict[str, asyncio.Task[Reply]] = {}
        self._ranks: dict[tuple[str, str], int] = {}  # by database and question
        self._in_vain: Counter[str] = Counter()
        self._stopped: ModelsStopped | None = None
        self._workers = ThreadPoolExecutor(max_workers=4, thread_name_prefix="local-models")

    def ask(self, requests: Sequence[Request]) -> list[Reply]:
        """Give one reply per request, in their order. May be called from any number of threads.

        Raises ModelsStopped once the calls already under way are over and their answers kept.
        """
        return self._thread.run(self._ask_all(requests))

    async def ask_one(self, request: Request) -> Reply:
        """The same for one request, from another event loop."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._ask_only(request), self._thread.loop))

    def estimate(self, request: Request) -> float:
        """Dollars that a call is likely to cost, 0 for a local model; output lengths are those seen so far."""
        if request.model.startswith(LOCAL):
            return 0.0
        return self._prices.expected(request, self._outputs.tokens(request))

    def close(self) -> None:
        """Cancel what is under way and write what has arrived."""
        self._thread.close(self._remote.close())
        self._workers.shutdown(wait=False)
        self._cache.close()

    async def _ask_only(self, request: Request) -> Reply:
        return (await self._ask_all([request]))[0]

    async def _ask_all(self, requests: Sequence[Request]) -> list[Reply]:
        kept = {r.key: self._cache.get(r.key) for r in requests}
        self.progress.ask(len(kept))
        for reply in filter(None, kept.values()):
            self.progress.answer(reply)
        missing = list({r.key: r for r in requests if kept[r.key] is None}.values())
        local = [r for r in missing if r.model.startswith(LOCAL)]
        remote = [r for r in missing if not r.model.startswith(LOCAL)]
        self._sharing.announce(remote)
        try:
            batch = asyncio.ensure_future(self._ask_locally(local))
            done = await asyncio.gather(batch, *(self._once(r) for r in remote), return_exceptions=True)
        finally:
            for request in remote:
                self._sharing.withdraw(request)
        for problem in sorted((d for d in done if isinstance(d, BaseException)), key=_is_cancelled):
            raise problem
        replies = [*batch.result(), *(d for d in done if isinstance(d, Reply))]
        return _in_order(requests, kept, dict(zip((r.key for r in (*local, *remote)), replies, strict=True)))

    async def _ask_locally(self, requests: list[Request]) -> list[Reply]:
        """One batch, in a thread of its own: it takes minutes, and the loop has other calls to serve."""
        if not requests:
            return []
        if self._local is None:
            raise ModelsStopped(f"{requests[0].model} is asked, but no local models are set up: run nl2sql doctor")
        replies = await asyncio.wrap_future(self._workers.submit(self._local.ask, requests))
        for request, reply in zip(requests, replies, strict=True):
            self.progress.answer(reply)
            await self._keep(request, reply)
        return replies

    async def _counted(self, request: Request) -> Reply:
        reply = await self._once(request)
        self.progress.answer(reply)
        return reply

    async def _once(self, request: Request) -> Reply:
        """Make a call, or wait for the equal one that is under way."""
        running = self._under_way.get(request.key)
        if running is not None:
            reply = await asyncio.shield(running)
            return replace(reply, cached=reply.lasting)
        task = asyncio.ensure_future(self._exclusively(request))
        self._under_way[request.key] = task
        task.add_done_callback(lambda _: self._under_way.pop(request.key, None))
        return await asyncio.shield(task)

    async def _exclusively(self, request: Request) -> Reply:
        """Make a call unless another process is making it; then wait for its answer."""
        while not self._cache.try_lock(request.key):
            await asyncio.sleep(POLL_SECONDS)
            if (found := self._cache.get(request.key)) is not None:
                return found
        try:
            if (found := self._cache.get(request.key)) is not None:
                return found
            reply = self._given_up(request) or await self._call(request)
            if reply.failure == "unavailable" and request.model in self._fallbacks:
                return await self._fall_back(request, reply)
            return reply
        finally:
            self._cache.unlock(request.key)

    async def _fall_back(self, request: Request, failed: Reply) -> Reply:
        other = fit(request, self._fallbacks[request.model], self._prices)
        reply = await self._once(other) if (kept := self._cache.get(other.key)) is None else kept
        return replace(
            reply,
            stand_in=True,
            attempts=reply.attempts + failed.attempts,
            uncertain_dollars=reply.uncertain_dollars + failed.uncertain_dollars,
            error=reply.error or failed.error,
        )

    def _given_up(self, request: Request) -> Reply | None:
        """The reply where a fallback model takes over for the rest of the run, without further attempts."""
        provider = provider_of(request.model)
        if request.model not in self._fallbacks or self._in_vain[provider] < HOPELESS:
            return None
        error = f"{provider} has not answered {HOPELESS} calls in a row"
        return Reply("", request.model, attempts=0, failure="unavailable", error=error)

    async def _call(self, request: Request) -> Reply:
        """Attempts until an answer, a failure that will not pass, or no more money; an answer is kept on disk."""
        provider = provider_of(request.model)
        try:
            async with self._sharing.turn(request) as mark:
                reply = await self._attempts(request, mark)
        except CallFailed as failure:
            return self._unavailable(request, provider, failure)
        if reply.failure != "budget":
            self._in_vain[provider] = 0
            self._outputs.note(request, reply.usage)
            await self._keep(request, reply)
        return reply

    async def _attempts(self, request: Request, mark: bool) -> Reply:
        """Raises CallFailed, with what may have been charged, when no attempt gives an answer."""
        throttle = self._throttle(provider_of(request.model))
        bound = self._prices.bound(request)
        uncertain, number, limited = 0.0, 0, 0
        while True:
            try:
                reply = await self._attempt(request, mark, throttle, bound)
                made = number + limited + (reply.failure != "budget")
                return replace(reply, uncertain_dollars=reply.uncertain_dollars + uncertain, attempts=made)
            except CallFailed as failure:
                uncertain += bound if failure.charged else 0.0
                limited, number = limited + (failure.kind == LIMIT), number + (failure.kind != LIMIT)
                tries = throttle.limits.retries
                if failure.kind not in RETRYABLE or number > tries or limited > LIMIT_PATIENCE * max(1, tries):
                    failure.uncertain, failure.attempts = uncertain, number + limited
                    raise
                await self._wait(throttle, failure, number + limited)

    async def _attempt(self, request: Request, mark: bool, throttle: Throttle, bound: float) -> Reply:
        """One attempt, once the limits and the budget have room for it."""
        expected = likely_tokens(request) + self._outputs.tokens(request)
        async with throttle.admit(expected, self._rank(request)):
            if self._stopped is not None:
                raise self._stopped
            if self.budget is not None and not await self.budget.reserve(bound):
                return Reply("", request.model, failure="budget")
            reply = await self._charged(request, mark, bound)
        throttle.correct(reply.usage.input_tokens + reply.usage.output_tokens - expected)
        return reply

    def _rank(self, request: Request) -> int:
        """The place of a question among all that were asked about: what was begun first is finished first.

        Answers of whole batches are there early then, and the last steps of a run are those of few questions.
        """
        return self._ranks.setdefault((request.db_id, request.question_id), len(self._ranks))

    async def _charged(self, request: Request, mark: bool, bound: float) -> Reply:
        """The attempt, with what it costs or may have cost taken from the budget in place of what was reserved."""
        cost, broken = bound, ""  # of a cancelled one: a courier goes on with it and writes down what comes of it
        try:
            if self._stopped is not None:  # while the call waited for money
                cost, broken = 0.0, ""
                raise self._stopped
            reply = await self._remote.attempt(request, mark)
            cost, broken = 0.0 if reply.cached else reply.dollars + reply.uncertain_dollars, ""
            return reply
        except CallFailed as failure:
            cost, broken = (bound, failure.message) if failure.charged else (0.0, "")
            raise
        finally:
            if broken:
                self._cache.note_broken(request, cost, broken)
            if self.budget is not None:
                self.budget.settle(bound, cost, request.role)

    async def _wait(self, throttle: Throttle, failure: CallFailed, attempt: int) -> None:
        """Before the next attempt. Rate limits and overload concern all calls to a provider, not only this one."""
        asked = failure.retry_after
        if asked is not None and asked > LONGEST_PAUSE:
            failure.kind = "quota"
            raise failure
        seconds = backoff(attempt - 1) if asked is None else asked
        if failure.kind == LIMIT or asked is not None:
            throttle.pause(seconds)
        elif self._stopped is None:
            await asyncio.sleep(seconds)

    def _unavailable(self, request: Request, provider: str, failure: CallFailed) -> Reply:
        """The reply that says so. Raises ModelsStopped where no other call can fare better."""
        limits = self._throttle(provider).limits
        if failure.kind in STOPPING:
            raise self._stop(stop(failure, provider, limits.key_name))
        if failure.kind in RETRYABLE:
            self._in_vain[provider] += 1
        if self._in_vain[provider] >= HOPELESS and request.model not in self._fallbacks:
            said = f"{provider} has not answered {HOPELESS} calls in a row (the last: {failure.message})"
            raise self._stop(ModelsStopped(f"{said}; {NOTHING_LOST}"))
        return Reply(
            "",
            request.model,
            uncertain_dollars=failure.uncertain,
            attempts=failure.attempts,
            failure="unavailable",
            error=failure.message,
        )

    async def _keep(self, request: Request, reply: Reply) -> None:
        """Write an answer to the disk, unless a courier did. When that is full the answer still counts, but no further
        call is made.
        """
        kept = self._cache.has(request.key)
        if not reply.lasting or (kept and reply.attempts == 1):
            return
        try:
            write = self._cache.amend if kept else self._cache.put
            await asyncio.shield(asyncio.wrap_future(write(request, reply)))
        except DiskError as error:
            said = f"answers can no longer be kept in {self._cache.path} ({error}): make room on that disk"
            self._stop(ModelsStopped(f"{said}; {NOTHING_LOST}"))

    def _stop(self, reason: ModelsStopped) -> ModelsStopped:
        """Make no further call; calls that wait for their turn end at once. Gives the first reason that there was."""
        self._stopped = self._stopped or reason
        for throttle in self._throttles.values():
            throttle.open_up()
        return self._stopped

    def _throttle(self, provider: str) -> Throttle:
        if provider not in self._throttles:
            self._throttles[provider] = Throttle(self._limits.get(provider, ProviderLimits(provider)))
        return self._throttles[provider]


def _in_order(
    requests: Sequence[Request], kept: Mapping[str, Reply | None], answers: Mapping[str, Reply]
) -> list[Reply]:
    """One reply per request; of equal ones only the first paid."""
    replies, seen = [], set()
    for request in requests:
        reply = kept[request.key] or answers[request.key]
        replies.append(replace(reply, cached=reply.lasting) if request.key in seen else reply)
        seen.add(request.key)
    return replies


def _is_cancelled(problem: BaseException) -> bool:
    return isinstance(problem, asyncio.CancelledError)
