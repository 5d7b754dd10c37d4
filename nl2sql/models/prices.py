"""What calls cost: prices from litellm's price map as it lies in the package, or as a preset gives them."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from nl2sql.errors import UserError
from nl2sql.models.chat import Request, Usage

MAP_FILE = "model_prices_and_context_window_backup.json"
TIER = re.compile(r"input_cost_per_token_above_(\d+)k_tokens")
MILLION = 1_000_000
CHARACTERS_PER_TOKEN = 3.6  # of schemas, SQL and English: an estimate, which the provider's own count replaces
# Tokens beyond the texts: the frame of each message, and what a provider adds to explain a schema or thinking.
PER_MESSAGE, PER_REQUEST = 16, 1_000


@dataclass(frozen=True)
class Price:
    """Dollars per million tokens of a model that the price map lacks or has wrong. None: as for input."""

    model: str
    input: float
    output: float
    cache_read: float | None = None
    cache_write: float | None = None


@dataclass(frozen=True)
class Rates:
    """Dollars per token of one model, for prompts above so many tokens."""

    above: int
    input: float
    output: float
    cache_read: float
    cache_write: float
    reasoning: float


@dataclass(frozen=True)
class Prices:
    """The price map, and before it what was given."""

    given: Mapping[str, Price] = field(default_factory=dict)

    def rates(self, model: str, input_tokens: int) -> Rates:
        """The rates that hold for a prompt of this length. Raises UserError for a model without a known price."""
        return [tier for tier in self._tiers(model) if input_tokens > tier.above or not tier.above][-1]

    def dollars(self, model: str, usage: Usage) -> float:
        """What a call cost. Prompts longer than a provider's threshold cost more in all their parts."""
        rates = self.rates(model, usage.input_tokens)
        fresh = max(0, usage.input_tokens - usage.cache_read_tokens - usage.cache_write_tokens)
        answer = max(0, usage.output_tokens - usage.reasoning_tokens)
        return (
            fresh * rates.input
            + usage.cache_read_tokens * rates.cache_read
            + usage.cache_write_tokens * rates.cache_write
            + answer * rates.output
            + usage.reasoning_tokens * rates.reasoning
        )

    def bound(self, request: Request) -> float:
        """The most that a call can cost: a token is at least a byte, and the answer is as long as it may be."""
        tokens = most_tokens(request)
        tiers = [t for t in self._tiers(request.model) if tokens > t.above or not t.above]
        dearest = max(max(t.input, t.cache_write, t.cache_read) for t in tiers)
        return tokens * dearest + request.max_tokens * max(max(t.output, t.reasoning) for t in tiers)

    def expected(self, request: Request, output_tokens: float) -> float:
        """What a call is likely to cost that finds nothing of its prompt in a provider's cache."""
        tokens = likely_tokens(request)
        rates = self.rates(request.model, tokens)
        return tokens * rates.input + min(output_tokens, request.max_tokens) * rates.output

    def saving(self, model: str, prefix_tokens: int, followers: int) -> float:
        """Dollars that a cached start saves when one call writes it and so many others read it."""
        rates = self.rates(model, prefix_tokens)
        return prefix_tokens * (followers * (rates.input - rates.cache_read) - (rates.cache_write - rates.input))

    def _tiers(self, model: str) -> tuple[Rates, ...]:
        if price := self.given.get(model):
            return (_given_rates(price),)
        return _map_tiers(model)


def likely_tokens(request: Request) -> int:
    """Tokens of a prompt, from its length: each model counts in its own way, which is not published."""
    return round(sum(map(len, _texts(request))) / CHARACTERS_PER_TOKEN) + PER_MESSAGE * (2 + len(request.turns))


def most_tokens(request: Request) -> int:
    """Upper bound of a prompt's tokens: bytes of UTF-8, and an allowance for what is put around the texts."""
    said = sum(len(text.encode("utf-8", "surrogatepass")) for text in _texts(request))
    return said + PER_MESSAGE * (2 + len(request.turns)) + PER_REQUEST


def model_facts(model: str) -> Mapping[str, Any]:
    """What the price map says of a model, {} when it does not know it."""
    provider, _, name = model.partition("/")
    if name and (found := price_map().get(model)):
        return found
    bare = price_map().get(name, {})
    return bare if bare.get("litellm_provider") == provider else {}


@cache
def price_map() -> Mapping[str, Mapping[str, Any]]:
    """The price map of the installed litellm, read from its file: importing litellm takes seconds.

    Raises UserError when litellm is not installed.
    """
    found = find_spec("litellm")
    if found is None or found.origin is None:
        raise UserError("API models need litellm, which is not installed: run make setup")
    return json.loads((Path(found.origin).parent / MAP_FILE).read_bytes())


@cache
def _map_tiers(model: str) -> tuple[Rates, ...]:
    facts = model_facts(model)
    if "input_cost_per_token" not in facts or "output_cost_per_token" not in facts:
        raise UserError(_unpriced(model))
    thresholds = sorted(int(m[1]) for key in facts if (m := TIER.fullmatch(key)))
    return (_map_rates(facts, 0), *(_map_rates(facts, t) for t in thresholds))


def _map_rates(facts: Mapping[str, Any], thousands: int) -> Rates:
    suffix = f"_above_{thousands}k_tokens" if thousands else ""

    def rate(name: str, otherwise: float) -> float:
        return float(facts.get(name + suffix) or otherwise)

    fresh = rate("input_cost_per_token", facts["input_cost_per_token"])
    answer = rate("output_cost_per_token", facts["output_cost_per_token"])
    return Rates(
        above=thousands * 1000,
        input=fresh,
        output=answer,
        cache_read=rate("cache_read_input_token_cost", facts.get("cache_read_input_token_cost") or fresh),
        cache_write=rate("cache_creation_input_token_cost", facts.get("cache_creation_input_token_cost") or fresh),
        reasoning=rate("output_cost_per_reasoning_token", answer),
    )


def _given_rates(price: Price) -> Rates:
    read = price.input if price.cache_read is None else price.cache_read
    write = price.input if price.cache_write is None else price.cache_write
    dollars = [p / MILLION for p in (price.input, price.output, read, write, price.output)]
    return Rates(0, *dollars)


def _unpriced(model: str) -> str:
    return (
        f"the price of {model!r} is not known: litellm's price map does not list it. Check the name, which begins "
        f'with its provider as in gemini/gemini-3.8-flash, or give a price in the preset: [prices."{model}"] with '
        "input = DOLLARS and output = DOLLARS per million tokens, 0 for a server of your own"
    )


def _texts(request: Request) -> list[str]:
    prompt = request.prompt
    return [prompt.system, prompt.context, prompt.task, request.schema, *(turn.text for turn in request.turns)]
