"""What every model is asked and what it answers, whoever runs it: an API, a local process, a script in a test."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


@dataclass(frozen=True)
class Prompt:
    """A rendered prompt, from what many calls share to what only this one says, so that providers can cache its start.

    `name` is its file under nl2sql/prompts, e.g. 'generate/reasoning'.
    """

    name: str
    system: str  # the same for all calls with this prompt
    context: str  # the schema: the same for several calls on one database
    task: str  # the question and what belongs to it


@dataclass(frozen=True)
class Turn:
    """A turn of the conversation after the prompt: the model's answer, or what it was told of it."""

    role: str  # assistant or user
    text: str


@dataclass(frozen=True)
class Request:
    """One call. The fields from `role` on say what it is for; they do not change the answer and are not in its key."""

    model: str  # as litellm names it, 'gemini/gemini-3.8-flash', or 'local:NAME'
    prompt: Prompt
    turns: tuple[Turn, ...] = ()
    schema: str = ""  # JSON schema that the answer must follow, '' for free text
    temperature: float | None = None  # None: what the provider takes by default
    effort: str = ""  # of thinking, one of EFFORTS; '' for the provider's default
    max_tokens: int = 4096  # of the answer, thinking included
    logprobs: int = 0  # alternatives of the first token to report
    sample: int = 0  # number of the answer among those to an equal request: each is asked for and kept on its own
    role: str = field(default="", compare=False)  # operation: summarise, ground, link, draft, generate, fix, compare
    generator: str = field(default="", compare=False)  # lineup entry that asks, '' for other roles
    db_id: str = field(default="", compare=False)
    question_id: str = field(default="", compare=False)

    @cached_property
    def key(self) -> str:
        """Digest of what decides the answer: equal keys, one call."""
        said = [self.prompt.system, self.prompt.context, self.prompt.task, *([t.role, t.text] for t in self.turns)]
        asked = [self.model, self.schema, self.temperature, self.effort, self.max_tokens, self.logprobs, self.sample]
        return hashlib.sha256(json.dumps([said, asked]).encode()).hexdigest()


@dataclass(frozen=True)
class Usage:
    """Tokens of one call, as the provider counted them."""

    input_tokens: int = 0  # of the whole prompt, read from a cache or not
    cache_read_tokens: int = 0  # of these, those that the provider had cached
    cache_write_tokens: int = 0  # of these, those that it cached now
    output_tokens: int = 0  # thinking included
    reasoning_tokens: int = 0  # of these, thinking


@dataclass(frozen=True)
class Reply:
    """What came back. `failure` is '' for an answer, which may still be blank, cut off or nonsense.

    Failures: refused (by a filter or the model's policy), cut (at max_tokens, with the text so far), unavailable (an
    error, after all retries and the fallback model), budget (not asked: it could have gone over the cap).
    """

    text: str
    model: str  # that answered: the fallback model when the one asked did not
    usage: Usage = Usage()
    dollars: float = 0.0  # what it cost whoever paid for it
    uncertain_dollars: float = 0.0  # at most so much more, for attempts that broke off and may have been charged
    seconds: float = 0.0
    attempts: int = 1
    cached: bool = False  # an answer that this or another run paid for earlier
    failure: str = ""
    error: str = ""  # what the provider said
    logprobs: tuple[tuple[str, float], ...] = ()  # the first token's alternatives, likeliest first
    stand_in: bool = False  # from the fallback model: a later run asks the first one again

    @property
    def lasting(self) -> bool:
        """Whether asking again would give the same: what was made of other replies must not be kept for good."""
        return not self.stand_in and self.failure not in ("unavailable", "budget")


class Model(Protocol):
    """Answers requests; everything that can make text fulfils it (Gateway, Local, Scripted)."""

    def ask(self, requests: Sequence[Request]) -> list[Reply]:
        """Give one reply per request, in their order; all of them run at once, as far as the limits allow.

        Failures of single requests are in their replies. Raises ModelsStopped when going on is pointless for all: a
        refused key, an exhausted quota, a full disk.
        """
        ...

    async def ask_one(self, request: Request) -> Reply:
        """The same for one request, for callers with an event loop of their own."""
        ...
