"""What a process and the child with its local model say to each other, as plain data."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from nl2sql.models.chat import Reply, Request, Usage
from nl2sql.models.chat_messages import chat_messages

SQL_ROLES = ("draft", "generate", "fix")


@dataclass(frozen=True)
class Ask:
    """A request as the child sees it."""

    number: int
    messages: tuple[dict[str, str], ...]
    shared: str  # what calls on one database share: equal texts, one computed prefix
    schema: str
    sql: bool  # the answer is to be a statement
    temperature: float
    max_tokens: int
    logprobs: int
    seed: int
    thinking: bool


@dataclass(frozen=True)
class Answer:
    """What came of it. `failure` as in a Reply."""

    number: int
    text: str = ""
    failure: str = ""
    error: str = ""
    input_tokens: int = 0
    read_tokens: int = 0  # of these, computed before for an earlier request
    written_tokens: int = 0  # of these, kept now for later ones
    output_tokens: int = 0
    seconds: float = 0.0
    logprobs: tuple[tuple[str, float], ...] = ()


def ask_of(number: int, request: Request) -> Ask:
    """A request for the child. Without a temperature it takes the likeliest token each time."""
    prompt = request.prompt
    return Ask(
        number=number,
        messages=tuple(chat_messages(request)),
        shared=f"{prompt.system}\x00{prompt.context}" if prompt.context.strip() else "",
        schema=request.schema,
        sql=request.role in SQL_ROLES,
        temperature=request.temperature or 0.0,
        max_tokens=request.max_tokens,
        logprobs=request.logprobs,
        seed=int(hashlib.sha256(request.key.encode()).hexdigest()[:15], 16),
        thinking=request.effort not in ("", "none"),
    )


def reply_of(answer: Answer, model: str, attempts: int) -> Reply:
    """A reply for whoever asked."""
    usage = Usage(answer.input_tokens, answer.read_tokens, answer.written_tokens, answer.output_tokens)
    return Reply(
        text=answer.text,
        model=model,
        usage=usage,
        seconds=answer.seconds,
        attempts=attempts,
        failure=answer.failure,
        error=answer.error,
        logprobs=tuple((text, value) for text, value in answer.logprobs),
    )


def repeats(tokens: Sequence[int], longest: int = 24, times: int = 5) -> bool:
    """Whether a text ends in the same few tokens over and over: a small model that does so does not stop by itself.

    Of at most `longest` tokens, `times` times and over at least 40 tokens in all, so that no list of zeros counts.
    """
    for period in range(1, longest + 1):
        span = max(period * times, 40)
        tail = tokens[-span:]
        if len(tail) == span and all(a == b for a, b in zip(tail, tail[period:], strict=False)):
            return True
    return False
