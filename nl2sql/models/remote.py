"""API models through litellm: one attempt at one call, and what its outcome means."""

import asyncio
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from nl2sql.errors import UserError
from nl2sql.models.chat import Reply, Request, Usage
from nl2sql.models.connections import Connections
from nl2sql.models.litellm_loading import bare_completion
from nl2sql.models.prices import CHARACTERS_PER_TOKEN, Prices, likely_tokens
from nl2sql.models.rate_limits import ProviderLimits
from nl2sql.models.redaction import redact
from nl2sql.models.refusals import BROKEN, INVALID, KEY, UNREACHED, CallFailed, classify, shorten

BLOCKWISE = ("anthropic", "gemini")  # take a message in parts; servers of OpenAI's protocol often take one text only
NO_KEY = "none"  # for servers without a key: OpenAI's client refuses to send none at all
FINISHES = {"length": "cut", "content_filter": "refused", "refusal": "refused"}
SILENT = "the answer has no content"


@dataclass(frozen=True)
class Remote:
    """Models as litellm names them. Limits say how each provider is reached; a provider without any is still asked.

    `n` of the providers is not used: each sample is a call of its own, so that each can be kept and paid for alone,
    and because Claude has none.
    """

    prices: Prices = field(default_factory=Prices)
    limits: Mapping[str, ProviderLimits] = field(default_factory=dict)
    connections: Connections = field(default_factory=Connections, repr=False)

    async def attempt(self, request: Request, cache_prefix: bool) -> Reply:
        """Make one attempt; `cache_prefix` asks the provider to keep what comes before the task for a few minutes.

        Raises CallFailed.
        """
        limits = self.limits.get(provider_of(request.model), ProviderLimits(provider_of(request.model)))
        complete = bare_completion()  # may import litellm: not on the call's time
        start = time.perf_counter()
        try:
            async with asyncio.timeout(limits.timeout):
                transport = self.connections.arguments(limits)
                answer = await complete(**arguments(request, limits, cache_prefix), **transport)
        except TimeoutError as error:
            raise CallFailed(BROKEN, f"no answer within {limits.timeout:g} s") from error
        except Exception as error:  # noqa: BLE001
            # Raised again, but not from it: a traceback would show what it quotes of the request.
            raise redacted(explain(error), limits.api_key) from None
        return self._reply(request, answer, time.perf_counter() - start, limits.api_key)

    async def close(self) -> None:
        """Close the connections; they belong to the event loop that made the attempts."""
        await self.connections.close()

    def _reply(self, request: Request, answer: Any, seconds: float, key: str) -> Reply:
        usage = read_usage(request, answer)
        choice = answer.choices[0] if answer.choices else None
        text = redact((choice.message.content if choice else None) or "", key)
        refusal = redact(((choice.message.provider_specific_fields or {}).get("refusal") if choice else "") or "", key)
        failure = FINISHES.get(choice.finish_reason or "", "refused" if refusal else "") if choice else ""
        dollars = self.prices.dollars(request.model, usage)
        counted = getattr(answer, "usage", None) and answer.usage.prompt_tokens
        return Reply(
            text=text,
            model=request.model,
            usage=usage,
            dollars=dollars,
            uncertain_dollars=0.0 if counted else max(0.0, self.prices.bound(request) - dollars),
            seconds=seconds,
            failure=failure,
            error=shorten(refusal or text or SILENT) if failure == "refused" or not text else "",
            logprobs=read_logprobs(choice) if request.logprobs and choice else (),
        )


def provider_of(model: str) -> str:
    """The part of a model's name before the slash."""
    return model.partition("/")[0]


def arguments(request: Request, limits: ProviderLimits, cache_prefix: bool) -> dict[str, Any]:
    """What litellm is handed. What the request leaves open is not sent."""
    given: dict[str, Any] = {
        "model": request.model,
        "messages": messages(request, cache_prefix),
        "max_tokens": request.max_tokens,
        "timeout": limits.timeout,
        "max_retries": 0,
        "num_retries": 0,
        "drop_params": False,
        "api_base": limits.api_base or None,
        "api_key": limits.api_key or (None if limits.key_name else NO_KEY),
        "temperature": request.temperature,
        "reasoning_effort": request.effort or None,
        "response_format": _response_format(request.schema),
        "logprobs": True if request.logprobs else None,
        "top_logprobs": request.logprobs or None,
    }
    return {name: value for name, value in given.items() if value is not None}


def messages(request: Request, cache_prefix: bool) -> list[dict[str, Any]]:
    """System text; context and task as parts of one message, the first marked for caching where asked; the turns."""
    prompt, provider = request.prompt, provider_of(request.model)
    said = [sendable(text) for text in (prompt.context, prompt.task) if text.strip()]
    content: Any = "\n\n".join(said)
    if provider in BLOCKWISE:
        content = [{"type": "text", "text": text} for text in said]
        if len(said) > 1:
            content[0]["text"] += "\n\n"
            if cache_prefix and provider == "anthropic":
                content[0]["cache_control"] = {"type": "ephemeral"}
    system = [{"role": "system", "content": sendable(prompt.system)}] if prompt.system.strip() else []
    turns = [{"role": turn.role, "content": sendable(turn.text)} for turn in request.turns]
    return [*system, {"role": "user", "content": content}, *turns]


def sendable(text: str) -> str:
    """The text without what no server takes: lone surrogates and NUL become the replacement character."""
    return text.replace("\x00", "\ufffd").encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _response_format(schema: str) -> dict[str, Any] | None:
    if not schema:
        return None
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": json.loads(schema), "strict": True}}


def read_usage(request: Request, answer: Any) -> Usage:
    """Tokens as litellm makes them alike: the whole prompt, cached parts included; thinking within the answer.

    Some local servers do not count; then the lengths of the texts stand for them.
    """
    usage = getattr(answer, "usage", None)
    if usage is None or not usage.prompt_tokens:
        said = answer.choices[0].message.content if answer.choices else ""
        return Usage(likely_tokens(request), output_tokens=round(len(said or "") / CHARACTERS_PER_TOKEN))
    prompt, completion = usage.prompt_tokens_details, usage.completion_tokens_details
    answered = usage.completion_tokens or 0
    return Usage(
        input_tokens=usage.prompt_tokens,
        cache_read_tokens=getattr(prompt, "cached_tokens", None) or 0,
        cache_write_tokens=getattr(prompt, "cache_creation_tokens", None) or 0,
        output_tokens=answered,
        reasoning_tokens=min(getattr(completion, "reasoning_tokens", None) or 0, answered),
    )


def read_logprobs(choice: Any) -> tuple[tuple[str, float], ...]:
    """The alternatives of the first token, likeliest first; () where the server reports none."""
    content = getattr(getattr(choice, "logprobs", None), "content", None)
    found = [(option.token, float(option.logprob)) for option in content[0].top_logprobs] if content else []
    return tuple(sorted(found, key=lambda option: -option[1]))


def explain(error: BaseException) -> CallFailed:
    """What an exception of litellm's means for the call, by what lies at its bottom: litellm's own classes mislead.

    It calls an unreadable answer a bad request or a lost connection, and an overloaded server an internal error.
    """
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, httpx.HTTPStatusError):
            return classify(cause.response.status_code, _body(cause, error), cause.response.headers)
    names = {type(cause).__name__ for cause in causes}
    if names & {"ConnectError", "ConnectTimeout", "ClientConnectorError"}:
        return CallFailed(UNREACHED, str(causes[-1]))
    if "AuthenticationError" in names or "api_key" in str(error):
        return CallFailed(KEY, str(error).split("\n")[0])
    if "UnsupportedParamsError" in names or isinstance(error, UserError):
        return CallFailed(INVALID, str(error))
    return CallFailed(BROKEN, f"no answer that can be read: {str(causes[-1]).partition('Traceback')[0]}")


def redacted(failure: CallFailed, key: str) -> CallFailed:
    """The same failure without the key in its words."""
    return CallFailed(failure.kind, redact(str(failure), key), failure.retry_after)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen and not isinstance(error, StopIteration):
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _body(cause: httpx.HTTPStatusError, error: BaseException) -> str:
    try:
        return cause.response.text or str(error)
    except httpx.ResponseNotRead:
        return str(error)
