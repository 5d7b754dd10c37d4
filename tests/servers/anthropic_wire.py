"""Claude's /v1/messages as litellm 1.106 sends and reads it."""

from collections.abc import Mapping
from typing import Any

import orjson

from tests.servers.wire_call import BadRequest, Call, Outcome, check_strict, check_temperature, texts

FINISH = {"stop": "end_turn", "length": "max_tokens", "refusal": "refusal", "filtered": "refusal"}
LEAST_BUDGET = 1024  # tokens of thought


def read_call(body: Mapping[str, Any], model: str, facts: Mapping[str, Any]) -> Call:
    """Understand a request. Raises BadRequest; KeyError or TypeError where a field is missing or of a wrong kind."""
    thinking = body.get("thinking") or {}
    effort = (body.get("output_config") or {}).get("effort", "")
    check_temperature(facts, body.get("temperature"), thinking=thinking.get("type") == "enabled")
    if thinking.get("type") == "enabled":
        effort = _effort_of(thinking["budget_tokens"], body["max_tokens"])
    if thinking.get("type") == "disabled":
        if facts.get("thinking_always_on"):
            raise BadRequest("thinking: this model always thinks")
        effort = "none"
    if body["messages"][-1]["role"] == "assistant" and facts.get("supports_assistant_prefill") is False:
        raise BadRequest("messages: the last one must be the user's, this model takes no prefill")
    schema, tool = _schema(body)
    system = "".join(texts(body.get("system")))
    user = "\n".join(t for m in body["messages"] if m["role"] == "user" for t in texts(m["content"]))
    return Call(
        model=body["model"],
        system=system,
        user=user,
        pieces=_pieces(body),
        schema=schema,
        as_tool=tool,
        effort=effort or ("medium" if facts.get("thinking_always_on") else "none"),
        max_tokens=body["max_tokens"],
        temperature=body.get("temperature"),
        logprobs=0,
    )


def _effort_of(budget: int, max_tokens: int) -> str:
    if not LEAST_BUDGET <= budget < max_tokens:
        raise BadRequest(f"thinking.budget_tokens: {budget} must be at least {LEAST_BUDGET} and below max_tokens")
    return "low" if budget <= 1024 else "medium" if budget <= 2048 else "high"


def _schema(body: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, str]:
    given = body.get("output_format") or (body.get("output_config") or {}).get("format")
    if given:
        check_strict(given["schema"])
        return given["schema"], ""
    forced = (body.get("tool_choice") or {}).get("name")
    tool = next((t for t in body.get("tools") or () if t["name"] == forced), None)
    return (tool["input_schema"], tool["name"]) if tool else (None, "")


def _pieces(body: Mapping[str, Any]) -> tuple[str, ...]:
    """The prompt in pieces that end at the blocks marked for caching, and the rest."""
    pieces, piece = [], ""
    for content in (body.get("system"), *(m["content"] for m in body["messages"])):
        for block in [{"text": content}] if isinstance(content, str) else content or ():
            piece += block.get("text", "")
            if block.get("cache_control"):
                pieces.append(piece)
                piece = ""
    return (*pieces, piece)


def write_answer(call: Call, outcome: Outcome, number: int) -> dict[str, Any]:
    """The body of a 200."""
    tokens = outcome.tokens
    blocks: list[dict[str, Any]] = []
    if outcome.choices and tokens.thought:
        blocks.append({"type": "thinking", "thinking": "Weighing it up.", "signature": f"sig{number:08d}"})
    if outcome.choices and outcome.text is not None:
        blocks.append(_block(call, outcome.text, number))
    return {
        "id": f"msg_{number:016d}",
        "type": "message",
        "role": "assistant",
        "model": outcome.model,
        "content": blocks,
        "stop_reason": "tool_use" if call.as_tool and outcome.finish == "stop" else FINISH[outcome.finish],
        "stop_sequence": None,
        "usage": {
            "input_tokens": tokens.prompt - tokens.read - tokens.written,
            "cache_creation_input_tokens": tokens.written,
            "cache_read_input_tokens": tokens.read,
            "cache_creation": {"ephemeral_5m_input_tokens": tokens.written, "ephemeral_1h_input_tokens": 0},
            "output_tokens": tokens.output,
            "output_tokens_details": {"thinking_tokens": tokens.thought},
            "service_tier": "standard",
        },
    }


def _block(call: Call, text: str, number: int) -> dict[str, Any]:
    if not call.as_tool:
        return {"type": "text", "text": text}
    try:
        given = orjson.loads(text)
    except ValueError:
        given = text  # what a model that ignores its tool leaves in the field
    return {"type": "tool_use", "id": f"toolu_{number:016d}", "name": call.as_tool, "input": given}


def write_error(status: int, kind: str, message: str, number: int) -> dict[str, Any]:
    """The body of an error."""
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": f"req_{number:016d}"}
