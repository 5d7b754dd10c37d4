"""The scripted provider: understands a request, lets the script answer, counts, bills, misbehaves, keeps a log."""

import asyncio
import json
import os
import random
import re
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from tests.servers import anthropic_wire, gemini_wire, openai_wire
from tests.servers.billing import LEAST_PREFIX, PrefixCache, Prices, Tokens, count_tokens
from tests.servers.conduct import Conduct, read_conduct
from tests.servers.http_protocol import Connection, HttpAnswer, HttpRequest
from tests.servers.misbehaviour import OUTCOMES, TEXTS, TRANSFERS, UNBILLED, Circumstances, Misbehaviour, applies
from tests.servers.provider_errors import REFUSALS, refuse
from tests.servers.recognise_prompts import PromptTable
from tests.servers.script import Answer, Asked, Script, answer_minimally
from tests.servers.wire_call import THINKING, BadRequest, Call, Outcome

WIRES = {"openai": openai_wire, "anthropic": anthropic_wire, "gemini": gemini_wire}
NOTHING = Tokens(0, 0)
# Whether a start is marked depends on the calls beside it: a call that is made again may be marked another time.
CACHE_MARK = re.compile(rb',\s*"cache_control":\s*\{"type":\s*"ephemeral"\}')
BAD_KEY = "bad-key"  # refused by every provider


@dataclass
class Tally:
    """What has been asked and answered since the start or the last reset."""

    requests: int = 0
    answered: int = 0  # handed whole to the socket, with status 200
    gone: int = 0  # the client left before it had the answer
    kinds: Counter[str] = field(default_factory=Counter)  # of misbehaviour
    roles: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    bodies: Counter[str] = field(default_factory=Counter)  # answered ones, by digest
    attempts: Counter[str] = field(default_factory=Counter)  # all, by digest
    generated: Counter[str] = field(default_factory=Counter)  # those for which the model spoke, by digest
    used: Counter[int] = field(default_factory=Counter)  # rules, by place
    under_way: Counter[str] = field(default_factory=Counter)  # by wire
    most_under_way: int = 0
    dollars: float = 0.0  # the bill: everything that was generated
    undelivered_dollars: float = 0.0  # of these, for answers that did not reach the client whole
    tokens: Counter[str] = field(default_factory=Counter)
    busy_seconds: float = 0.0  # of waiting and answering, summed over answered calls

    def report(self) -> dict[str, Any]:
        """The tally as JSON."""
        hidden = ("bodies", "attempts", "generated", "used")
        shown = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in hidden}
        repeated = sum(count - 1 for count in self.bodies.values())
        return {**shown, "distinct": len(self.bodies), "repeated": repeated, "cpu_seconds": time.process_time()}


@dataclass(slots=True)
class Exchange:
    """One call on its way through the server."""

    number: int
    wire: str
    model: str
    digest: str
    started: float
    under_way: int
    role: str = ""
    prompt: str = ""
    kind: str = ""  # of misbehaviour
    delay: float = 0.0  # seconds from its arrival to its answer
    status: int = 0
    delivered: bool = False
    tokens: Tokens = NOTHING
    dollars: float = 0.0

    def line(self) -> bytes:
        ended = time.time()
        fields = {k: getattr(self, k) for k in self.__slots__ if k != "tokens"}
        return orjson.dumps({**fields, "ended": ended, "tokens": asdict(self.tokens)}) + b"\n"


class Provider:
    """Answers calls of the three wires. Not safe under threads: one event loop."""

    def __init__(
        self,
        script: Script = answer_minimally,
        conduct: Conduct | None = None,
        log: Path | None = None,
        bodies: Path | None = None,
    ) -> None:
        self.script = script
        self.conduct = conduct or Conduct()
        self.tally = Tally()
        self._log = None if log is None else os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._bodies = None if bodies is None else os.open(bodies, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._prompts = PromptTable()
        self._prices = Prices(given=self.conduct.prices)
        self._prefixes = PrefixCache()
        self._recent: dict[str, deque[float]] = {}

    def change(self, given: Mapping[str, Any]) -> None:
        """Take new conduct; `reset` starts from the default one with an empty tally and cold prefix caches."""
        given = dict(given)
        if given.pop("reset", False):
            self.conduct, self.tally, self._prefixes, self._recent = Conduct(), Tally(), PrefixCache(), {}
        self.conduct = read_conduct(given, self.conduct)
        self._prices = replace(self._prices, given=self.conduct.prices)

    def report(self) -> dict[str, Any]:
        """The tally and the latency in force."""
        return {**self.tally.report(), "latency": self.conduct.latency}

    async def answer(self, request: HttpRequest, wire: str, model: str, connection: Connection) -> None:
        """Serve one call; whatever becomes of it is in the tally and, as one line, in the log."""
        exchange = self._begin(request, wire, model)
        try:
            reply = self._react(request, exchange)
            exchange.status = reply.status
            await asyncio.sleep(max(0.0, exchange.started + exchange.delay - time.time()))
            exchange.delivered = await connection.send(reply)
        finally:
            self._end(exchange)

    def _begin(self, request: HttpRequest, wire: str, model: str) -> Exchange:
        tally, digest = self.tally, sha256(request.path.encode() + CACHE_MARK.sub(b"", request.body)).hexdigest()
        tally.requests += 1
        tally.attempts[digest] += 1
        tally.under_way[wire] += 1
        tally.most_under_way = max(tally.most_under_way, sum(tally.under_way.values()))
        return Exchange(tally.requests, wire, model, digest, time.time(), sum(tally.under_way.values()))

    def _end(self, exchange: Exchange) -> None:
        tally = self.tally
        tally.under_way[exchange.wire] -= 1
        tally.statuses[exchange.status] += 1
        tally.kinds.update([exchange.kind] if exchange.kind else ())
        tally.dollars += exchange.dollars
        if not exchange.delivered:
            tally.undelivered_dollars += exchange.dollars
            tally.gone += not exchange.kind
        elif exchange.status == 200:
            tally.answered += 1
            tally.busy_seconds += time.time() - exchange.started
            tally.bodies[exchange.digest] += 1
        if self._log is not None:
            os.write(self._log, exchange.line())

    def _delay(self, exchange: Exchange, rule: Misbehaviour | None) -> float:
        conduct = self.conduct
        luck = random.Random(f"{exchange.digest} {self.tally.attempts[exchange.digest]}") if conduct.spread else None
        factor = luck.lognormvariate(0, conduct.spread) if luck else 1.0
        return conduct.latency * factor + (rule.seconds if rule and rule.kind == "slow" else 0.0)

    def _react(self, request: HttpRequest, exchange: Exchange) -> HttpAnswer:
        """Everything up to the answer's bytes, in the order in which a provider checks."""
        refusal = self._gate(request, exchange)
        if refusal is not None:
            return refusal
        try:
            call = self._read(request, exchange)
        except BadRequest as error:
            return self._refuse(exchange, "bad_request", message=str(error))
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError) as error:
            return self._refuse(exchange, "bad_request", message=f"malformed request: {error!r}")
        exchange.prompt = self._prompts.name_of(call.system)
        exchange.role = exchange.prompt.partition("/")[0]
        self.tally.roles[exchange.role or "unknown"] += 1
        self.tally.models[call.model] += 1
        rule = self._choose(request, exchange, call)
        if rule is not None:
            exchange.kind = rule.kind
            if rule.kind in REFUSALS:
                return refuse(exchange.wire, rule.kind, exchange.number, rule.seconds)
        exchange.delay = self._delay(exchange, rule)
        return self._generate(call, exchange, rule)

    def _gate(self, request: HttpRequest, exchange: Exchange) -> HttpAnswer | None:
        conduct, headers = self.conduct, request.headers
        key = headers.get("x-api-key") or headers.get("x-goog-api-key") or headers.get("authorization", "")
        if key.removeprefix("Bearer ") in ("", BAD_KEY):
            return self._refuse(exchange, "bad_key")
        if conduct.concurrency and self.tally.under_way[exchange.wire] > conduct.concurrency:
            return self._refuse(exchange, "rate_limit")
        recent = self._recent.setdefault(exchange.wire, deque())
        while recent and recent[0] <= exchange.started - 60:
            recent.popleft()
        if conduct.requests_per_minute and len(recent) >= conduct.requests_per_minute:
            return self._refuse(exchange, "rate_limit_seconds", recent[0] + 60 - exchange.started)
        recent.append(exchange.started)
        return None

    def _refuse(self, exchange: Exchange, kind: str, seconds: float = 0.0, message: str = "") -> HttpAnswer:
        exchange.kind = kind
        return refuse(exchange.wire, kind, exchange.number, seconds, message)

    def _read(self, request: HttpRequest, exchange: Exchange) -> Call:
        try:
            body = orjson.loads(request.body)
        except orjson.JSONDecodeError:
            body = json.loads(request.body)  # takes lone surrogates
        exchange.model = str(exchange.model or body["model"])
        known = self.conduct.models
        if known and exchange.model not in known:
            raise BadRequest(f"model {exchange.model!r} does not exist")
        call = WIRES[exchange.wire].read_call(body, exchange.model, self._prices.facts(exchange.model))
        if self._bodies is not None:
            os.write(self._bodies, orjson.dumps({"digest": exchange.digest, "body": body}) + b"\n")
        return call

    def _choose(self, request: HttpRequest, exchange: Exchange, call: Call) -> Misbehaviour | None:
        named = request.headers.get("x-misbehave", "")
        if named:
            return Misbehaviour(named)
        circumstances = Circumstances(
            exchange.number,
            self.tally.attempts[exchange.digest],
            exchange.digest,
            exchange.wire,
            call.model,
            exchange.role,
            call.system + "\n" + call.user,
        )
        for place, rule in enumerate(self.conduct.misbehaviours):
            if applies(rule, circumstances, self.tally.used[place]):
                self.tally.used[place] += 1
                return rule
        return None

    def _generate(self, call: Call, exchange: Exchange, rule: Misbehaviour | None) -> HttpAnswer:
        kind, seconds = (rule.kind, rule.seconds) if rule else ("", 0.0)
        answer = self._say(call, exchange)
        text = TEXTS[kind](answer.text) if kind in TEXTS else answer.text
        outcome = self._count(call, exchange, text, answer)
        outcome = OUTCOMES[kind](outcome) if kind in OUTCOMES else outcome
        exchange.tokens = outcome.tokens
        exchange.dollars = 0.0 if kind in UNBILLED else self._prices.dollars(call.model, outcome.tokens)
        self.tally.tokens.update(asdict(outcome.tokens))
        body = _dump(WIRES[exchange.wire].write_answer(call, outcome, exchange.number))
        reply = HttpAnswer(200, body, headers={"x-request-id": f"req_{exchange.number}"})
        return TRANSFERS[kind](reply, seconds) if kind in TRANSFERS else reply

    def _say(self, call: Call, exchange: Exchange) -> Answer:
        sample = self.tally.generated[exchange.digest]
        self.tally.generated[exchange.digest] += 1
        asked = Asked(exchange.role, exchange.prompt, call.model, call.system, call.user, call.schema, sample)
        fixed = next((a for a in self.conduct.answers if a.fits(asked)), None)
        said = Answer(fixed.text, fixed.logprobs) if fixed else self.script(asked)
        return Answer(said) if isinstance(said, str) else said

    def _count(self, call: Call, exchange: Exchange, text: str, answer: Answer) -> Outcome:
        """Tokens as the provider counts them, and the text cut at the limit, thinking included."""
        thought = THINKING.get(call.effort, 0) if answer.thinking is None else answer.thinking
        thought = min(thought, call.max_tokens)
        room = call.max_tokens - thought
        finish = "stop" if count_tokens(text) <= room else "length"
        kept = text if finish == "stop" else text[: 4 * room]
        read, written = self._cached(call, exchange)
        tokens = Tokens(count_tokens("".join(call.pieces)), thought + count_tokens(kept), read, written, thought)
        logprobs = answer.logprobs[: call.logprobs] if call.logprobs else ()
        return Outcome(call.model, kept, finish, tokens, logprobs)

    def _cached(self, call: Call, exchange: Exchange) -> tuple[int, int]:
        least = self._prices.facts(call.model).get("prompt_cache_min_tokens", LEAST_PREFIX[exchange.wire])
        marks, now = call.pieces[:-1], exchange.started
        known, longest = self._prefixes.look_up(call.model, marks, least, now)
        loop = asyncio.get_running_loop()
        loop.call_later(self.conduct.latency, self._prefixes.remember, call.model, marks, time.time())
        return known, longest - known if exchange.wire == "anthropic" else 0


def _dump(body: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(body)
    except TypeError:  # lone surrogates, which JSON can escape but UTF-8 cannot hold
        return json.dumps(body).encode()
