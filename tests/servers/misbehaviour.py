"""What goes wrong on purpose, and when: errors, broken transfers, broken envelopes and useless answers."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import orjson

from tests.servers.http_protocol import HttpAnswer
from tests.servers.provider_errors import REFUSALS
from tests.servers.wire_call import Outcome

HUGE = 10 * 1024 * 1024  # characters


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """A rule: what happens to the calls that fulfil all of its conditions; the first rule that applies holds.

    The chance of `probability` depends on the call's digest and attempt, not on the order in which calls arrive, so
    that a run can be repeated.
    """

    kind: str  # one of KINDS
    numbers: tuple[int, ...] = ()  # of calls to the server, from 1
    every: int = 0  # each n-th call
    attempts: tuple[int, ...] = ()  # of equal bodies, from 1
    probability: float = 1.0
    seed: int = 0
    contains: str = ""  # text in the prompt
    model: str = ""  # part of the model's name
    wire: str = ""
    role: str = ""
    times: int = 0  # at most so often; 0 for any number
    seconds: float = 0.0  # of waiting, where the kind has any; of Retry-After

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"misbehaviour {self.kind!r} is none of {', '.join(KINDS)}")


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What rules look at."""

    number: int
    attempt: int
    digest: str
    wire: str
    model: str
    role: str
    prompt: str


def applies(rule: Misbehaviour, call: Circumstances, used: int) -> bool:
    """Whether a rule that was used so often holds for a call."""
    return (
        not (rule.times and used >= rule.times)
        and not (rule.numbers and call.number not in rule.numbers)
        and not (rule.every and call.number % rule.every)
        and not (rule.attempts and call.attempt not in rule.attempts)
        and rule.contains in call.prompt
        and rule.model in call.model
        and rule.wire in ("", call.wire)
        and rule.role in ("", call.role)
        and (rule.probability >= 1 or _chance(rule, call) < rule.probability)
    )


def _chance(rule: Misbehaviour, call: Circumstances) -> float:
    said = f"{rule.seed} {rule.kind} {call.digest} {call.attempt}".encode()
    return int.from_bytes(hashlib.sha256(said).digest()[:6], "big") / 2**48


# --- what the model says ---------------------------------------------------------------------------------------------


def _doubled(text: str) -> str:
    """Every key of a JSON object twice, first with a wrong value."""
    try:
        given = json.loads(text)
    except ValueError:
        return text
    if not isinstance(given, dict):
        return text
    pairs = [f"{json.dumps(k)}: {json.dumps(v)}" for k, value in given.items() for v in (None, value)]
    return "{" + ", ".join(pairs) + "}"


def _wrong_keys(text: str) -> str:
    try:
        given = json.loads(text)
    except ValueError:
        return text
    return json.dumps({f"{key}_": value for key, value in given.items()} if isinstance(given, dict) else {"x": given})


TEXTS: dict[str, Callable[[str], str]] = {
    "fenced": lambda text: f"```{'json' if text[:1] in '{[' else 'sql'}\n{text}\n```",
    "prose": lambda text: f"Sure! Here is what you asked for:\n\n{text}\n\nLet me know if {{anything}} is unclear.",
    "half_json": lambda text: text[: max(1, len(text) // 2)],
    "wrong_keys": _wrong_keys,
    "duplicate_keys": _doubled,
    "comment": lambda text: "-- The question cannot be answered from this schema",
    "empty_content": lambda text: "",
    "blank_content": lambda text: " \n\t",
    "nul": lambda text: text + "\x00",
    "surrogate": lambda text: text + "\ud800",
    "chinese": lambda text: f"好的，答案如下：\n{text}\n希望有所帮助。",
    "deep_json": lambda text: "[" * 100_000,
}
OUTCOMES: dict[str, Callable[[Outcome], Outcome]] = {
    "huge": lambda o: replace(o, text=(o.text or "") + " " + "x" * HUGE),
    "wrong_model": lambda o: replace(o, model="some-other-model-0613"),
    "empty_choices": lambda o: replace(o, choices=0),
    "null_content": lambda o: replace(o, text=None),
    "refusal": lambda o: replace(o, text="I can't help with that.", finish="refusal"),
    "filtered": lambda o: replace(o, text=None, finish="filtered"),
    "length": lambda o: replace(o, text=(o.text or "")[: len(o.text or "") // 2], finish="length"),
}


# --- what reaches the client -----------------------------------------------------------------------------------------


def _repeated_fields(body: bytes) -> bytes:
    """The envelope with its last field before itself, empty."""
    name = list(orjson.loads(body))[-1]
    return b'{"%s":null,' % name.encode() + body[1:]


def _missing_usage(body: bytes) -> bytes:
    given: dict[str, Any] = orjson.loads(body)
    return orjson.dumps({k: v for k, v in given.items() if k not in ("usage", "usageMetadata")})


Transfer = Callable[[HttpAnswer, float], HttpAnswer]
TRANSFERS: dict[str, Transfer] = {
    "cut": lambda a, s: replace(a, cut_after=len(a.body) // 2),
    "cut_before_body": lambda a, s: replace(a, cut_after=0),
    "cut_before_head": lambda a, s: replace(a, cut_after=-1),
    "stall": lambda a, s: replace(a, stall_after=len(a.body) // 2, stall_seconds=s),
    "truncated_json": lambda a, s: replace(a, body=a.body[: len(a.body) // 2]),
    "empty_body": lambda a, s: replace(a, body=b""),
    "not_utf8": lambda a, s: replace(a, body=b"\xff\xfe" + a.body),
    "html": lambda a, s: replace(a, body=b"<html><body>It works</body></html>", content_type="text/html"),
    "bad_gateway": lambda a, s: replace(a, status=502, body=b"<html>502 Bad Gateway</html>", content_type="text/html"),
    "duplicate_fields": lambda a, s: replace(a, body=_repeated_fields(a.body)),
    "missing_usage": lambda a, s: replace(a, body=_missing_usage(a.body)),
    "slow": lambda a, s: a,  # the server waits `seconds` more before the first byte
}
UNBILLED = ("html", "bad_gateway")  # nothing was generated
KINDS = (*REFUSALS, *TEXTS, *OUTCOMES, *TRANSFERS)
