"""What the scripted provider answers when a test says nothing else, and what a script is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Asked:
    """One call as a script sees it. `sample` counts the answers to equal requests before it."""

    role: str  # as recognised from the system text, '' when it is none of the product's prompts
    prompt: str  # file of the prompt under nl2sql/prompts, '' likewise
    model: str  # as named on the wire, without the provider
    system: str
    user: str  # every user turn, joined
    schema: Mapping[str, Any] | None
    sample: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model says. `logprobs` are the alternatives of the first token, where the request asks for them."""

    text: str
    logprobs: tuple[tuple[str, float], ...] = ()
    thinking: int | None = None  # tokens of thought; None for what the effort asked for gives


Script = Callable[[Asked], "Answer | str"]


def answer_minimally(asked: Asked) -> str:
    """The least JSON that follows the schema, or SQL that runs on any database."""
    if asked.schema is None:
        return "SELECT 1"
    return orjson.dumps(fill_schema(asked.schema)).decode()


def fill_schema(schema: Mapping[str, Any], root: Mapping[str, Any] | None = None, depth: int = 0) -> Any:
    """The smallest value that a JSON schema allows, as far as providers support schemas (no patterns, no formats)."""
    root = schema if root is None else root
    if depth > 20:
        return None
    if "$ref" in schema:
        return fill_schema(_resolve(schema["$ref"], root), root, depth + 1)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    for word in ("anyOf", "oneOf", "allOf"):
        if schema.get(word):
            return fill_schema(schema[word][0], root, depth + 1)
    return _fill_type(schema, root, depth)


def _fill_type(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Any:
    kind = schema.get("type", "object" if "properties" in schema else "null")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        wanted = schema.get("required", list(schema.get("properties", {})))
        return {name: fill_schema(schema["properties"][name], root, depth + 1) for name in wanted}
    if kind == "array":
        return [fill_schema(schema["items"], root, depth + 1)] * schema.get("minItems", 0)
    if kind == "string":
        return "x" * schema.get("minLength", 0)
    return {"integer": schema.get("minimum", 0), "number": schema.get("minimum", 0), "boolean": False}.get(kind)


def _resolve(reference: str, root: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Any = root
    for part in filter(None, reference.removeprefix("#").split("/")):
        found = found[part]
    return found
