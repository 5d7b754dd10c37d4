"""What a model takes: requests that it would refuse, or that litellm would quietly change, are errors beforehand."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nl2sql.errors import UserError
from nl2sql.models.chat import EFFORTS, Request
from nl2sql.models.prices import Prices, model_facts

# Tokens of thinking that litellm asks for where a model takes a budget instead of an effort.
BUDGETS = {"minimal": 1024, "low": 1024, "medium": 2048, "high": 4096, "xhigh": 8192, "max": 16384}
# Providers whose servers report log-probabilities through litellm; Claude has none, Gemini refuses alternatives.
WITH_LOGPROBS = ("openai", "hosted_vllm", "lm_studio", "openrouter", "together_ai", "fireworks_ai", "local")


def check_request_fits(
    model: str,
    temperature: float | None = None,
    effort: str = "",
    logprobs: int = 0,
    schema: bool = False,
    max_tokens: int = 4096,
    prices: Prices | None = None,
) -> None:
    """Raise UserError, with the model, the rule and what to write instead, for what a model does not take.

    A model with a price of the preset's that the price map does not know may be asked for anything: nothing is known.
    """
    if model.startswith("local:"):
        return
    (prices or Prices()).rates(model, 0)
    facts = model_facts(model)
    for complaint in (
        _effort(facts, effort),
        _temperature(facts, temperature, effort, max_tokens) if facts else "",
        _logprobs(model, logprobs),
        _length(facts, max_tokens),
        "it follows no JSON schema" if schema and facts and not facts.get("supports_response_schema") else "",
    ):
        if complaint:
            raise UserError(f"{model}: {complaint}")


def fit(request: Request, model: str, prices: Prices) -> Request:
    """The request for another model, without the temperature and the effort where that one does not take them."""
    for kept in (
        replace(request, model=model),
        replace(request, model=model, temperature=None),
        replace(request, model=model, effort=""),
    ):
        try:
            check_request_fits(model, kept.temperature, kept.effort, kept.logprobs, bool(kept.schema), prices=prices)
        except UserError:
            continue
        return kept
    return replace(request, model=model, temperature=None, effort="", logprobs=0)


def _effort(facts: Mapping[str, Any], effort: str) -> str:
    if effort and effort not in EFFORTS:
        return f"effort {effort!r} is none of {', '.join(EFFORTS)}"
    if not effort or not facts:
        return ""
    if not facts.get("supports_reasoning"):
        return f"effort {effort!r} needs a model that can think, and this one cannot: leave effort out"
    if effort == "none" and (facts.get("thinking_always_on") or _thinks_always(facts)):
        return "effort 'none' is refused, for it always thinks: use low"
    if effort == "minimal" and facts.get("supports_minimal_reasoning_effort") is False:
        return "effort 'minimal' is refused: use low"
    if effort in ("xhigh", "max") and not facts.get(f"supports_{effort}_reasoning_effort"):
        return f"effort {effort!r} is refused: use high"
    return ""


def _thinks_always(facts: Mapping[str, Any]) -> bool:
    """Gemini 3 takes no smaller level than low where it refuses minimal; litellm would send low for none."""
    return facts.get("litellm_provider") == "gemini" and facts.get("supports_minimal_reasoning_effort") is False


def _temperature(facts: Mapping[str, Any], temperature: float | None, effort: str, max_tokens: int) -> str:
    if temperature not in (None, 1) and facts.get("supports_sampling_params") is False:
        return (
            f"temperature {temperature} is refused, for it takes no other than 1: leave temperature out, and vary "
            "prompts, views, schema formats, examples or efforts instead"
        )
    budgeted = facts.get("litellm_provider") == "anthropic" and not facts.get("supports_adaptive_thinking")
    if not budgeted or effort in ("", "none"):
        return ""
    if temperature not in (None, 1):
        return f"temperature {temperature} is refused while it thinks: leave temperature or effort out"
    if max_tokens <= BUDGETS[effort]:
        return f"effort {effort!r} thinks for up to {BUDGETS[effort]} tokens: set max_tokens above that"
    return ""


def _logprobs(model: str, logprobs: int) -> str:
    provider = model.partition("/")[0]
    return "" if not logprobs or provider in WITH_LOGPROBS else "it reports no log-probabilities: ask without them"


def _length(facts: Mapping[str, Any], max_tokens: int) -> str:
    most = facts.get("max_output_tokens") or max_tokens
    return f"max_tokens {max_tokens} is more than it writes: use {most} or less" if max_tokens > most else ""
