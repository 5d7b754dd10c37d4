"""What the three wire formats have in common: a call as it was asked, and what a model made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.servers.billing import Tokens

THINKING = {"minimal": 16, "low": 64, "medium": 256, "high": 512, "xhigh": 1024, "max": 2048}  # tokens by effort


class BadRequest(Exception):
    """The provider would refuse this request (400), with its message."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a model."""

    model: str  # as on the wire
    system: str
    user: str
    pieces: tuple[str, ...]  # the prompt, split where a cached prefix may end; the last piece is never cached
    schema: Mapping[str, Any] | None
    as_tool: str  # tool that must carry the JSON, where a schema is sent as one; else ''
    effort: str  # '' when the request does not say
    max_tokens: int
    temperature: float | None
    logprobs: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the model answers. `finish` is stop, length, refusal (by the model) or filtered (by a filter before it)."""

    model: str
    text: str | None
    finish: str
    tokens: Tokens
    logprobs: tuple[tuple[str, float], ...] = ()
    choices: int = 1  # 0 for the envelope without any


def texts(content: Any) -> list[str]:
    """The text pieces of a message, given as a string or as typed blocks."""
    if content is None:
        return []
    if isinstance(content, str):
        return [content]
    return [block["text"] for block in content if isinstance(block, Mapping) and "text" in block]


def check_strict(schema: Any) -> None:
    """Refuse what providers of strict schemas refuse: objects that allow more than they name."""
    if isinstance(schema, Mapping):
        if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
            raise BadRequest("schema: 'additionalProperties' must be false for every object")
        for value in schema.values():
            check_strict(value)
    elif isinstance(schema, Sequence) and not isinstance(schema, str):
        for value in schema:
            check_strict(value)


def check_temperature(facts: Mapping[str, Any], temperature: float | None, thinking: bool = False) -> None:
    """Refuse a temperature where the model takes none but 1."""
    fixed = facts.get("supports_sampling_params") is False or thinking
    if fixed and temperature not in (None, 1):
        raise BadRequest(f"temperature: this model takes no other than 1, not {temperature}")
    if temperature is not None and not 0 <= temperature <= 2:
        raise BadRequest(f"temperature: {temperature} is not between 0 and 2")
