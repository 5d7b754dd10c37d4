"""Tokens, prefix caching and prices as a provider would count them: an account that owes nothing to the product's own.

Tokens are characters over four. Prefixes are remembered from the moment their first answer is sent, so that requests
under way together do not profit from each other, as in reality; for five minutes, like Claude's default.
"""

import hashlib
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

PREFIX_SECONDS = 300.0
LEAST_PREFIX = {"anthropic": 1024, "gemini": 2048, "openai": 1024}  # tokens, where the price map does not say
PROVIDERS = ("{}", "gemini/{}", "anthropic/{}", "openai/{}")


def count_tokens(text: str) -> int:
    """Characters over four, rounded up."""
    return -(-len(text) // 4)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What one call used. `read` and `written` are parts of `prompt`, `thought` is a part of `output`."""

    prompt: int
    output: int
    read: int = 0
    written: int = 0
    thought: int = 0


def load_prices() -> dict[str, dict[str, Any]]:
    """The price map that litellm ships, read as a file: importing the package would take seconds."""
    spec = importlib.util.find_spec("litellm")
    if spec is None or spec.origin is None:
        return {}
    return orjson.loads((Path(spec.origin).parent / "model_prices_and_context_window_backup.json").read_bytes())


@dataclass(frozen=True)
class Prices:
    """Dollars per token by model. `given` (model -> field -> dollars per token) goes before the price map."""

    known: Mapping[str, Mapping[str, Any]] = field(default_factory=load_prices)
    given: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def facts(self, model: str) -> Mapping[str, Any]:
        """What is known of a model by its name on the wire; nothing for an unknown one, which then costs nothing."""
        if model in self.given:
            return self.given[model]
        return next((self.known[n] for n in (p.format(model) for p in PROVIDERS) if n in self.known), {})

    def dollars(self, model: str, tokens: Tokens) -> float:
        """What a call costs, at the dearest tier that its prompt reaches."""
        facts = self.facts(model)
        fresh = tokens.prompt - tokens.read - tokens.written
        entry = _price(facts, "input_cost_per_token", tokens.prompt, 0.0)
        exit_ = _price(facts, "output_cost_per_token", tokens.prompt, 0.0)
        read = _price(facts, "cache_read_input_token_cost", tokens.prompt, entry)
        written = _price(facts, "cache_creation_input_token_cost", tokens.prompt, entry)
        thought = facts.get("output_cost_per_reasoning_token") or exit_
        answered = (tokens.output - tokens.thought) * exit_ + tokens.thought * thought
        return fresh * entry + tokens.read * read + tokens.written * written + answered


def _price(facts: Mapping[str, Any], name: str, prompt: int, default: float) -> float:
    price, reached = facts.get(name) or default, 0
    for key, value in facts.items():
        bound = key.removeprefix(f"{name}_above_").removesuffix("k_tokens")
        if key.startswith(f"{name}_above_") and bound.isdigit() and reached < int(bound) * 1000 < prompt:
            price, reached = value, int(bound) * 1000
    return price


@dataclass
class PrefixCache:
    """Which starts of prompts a provider has seen lately."""

    _seen: dict[bytes, float] = field(default_factory=dict)

    def look_up(self, model: str, marks: Sequence[str], least: int, now: float) -> tuple[int, int]:
        """Tokens (of the longest known prefix, of the longest prefix that may be kept).

        `marks` are the pieces of the prompt, each ending where a prefix may end; prefixes under `least` tokens do not
        count.
        """
        known = longest = 0
        for key, tokens in _prefixes(model, marks):
            if tokens >= least:
                longest = tokens
                if self._seen.get(key, 0.0) > now:
                    known = tokens
        return known, longest

    def remember(self, model: str, marks: Sequence[str], now: float) -> None:
        """Keep the prefixes of a prompt that was answered."""
        for key, _ in _prefixes(model, marks):
            self._seen[key] = now + PREFIX_SECONDS


def _prefixes(model: str, marks: Sequence[str]) -> list[tuple[bytes, int]]:
    digest, length, found = hashlib.sha256(model.encode()), 0, []
    for mark in marks:
        digest.update(mark.encode("utf-8", "surrogatepass"))
        length += len(mark)
        found.append((digest.copy().digest(), length // 4))
    return found
