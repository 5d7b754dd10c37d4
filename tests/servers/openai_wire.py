"""OpenAI's /v1/chat/completions, as OpenAI and the servers that are compatible with it speak it."""

from collections.abc import Mapping
from typing import Any

from tests.servers.wire_call import BadRequest, Call, Outcome, check_strict, check_temperature, texts

FINISH = {"stop": "stop", "length": "length", "refusal": "stop", "filtered": "content_filter"}
REASONING = ("gpt-5", "o1", "o3", "o4")  # starts of the names of models that think


def read_call(body: Mapping[str, Any], model: str, facts: Mapping[str, Any]) -> Call:
    """Understand a request. Raises BadRequest; KeyError or TypeError where a field is missing or of a wrong kind."""
    thinks = body["model"].startswith(REASONING)
    check_temperature(facts, body.get("temperature"), thinking=thinks)
    if thinks and "max_tokens" in body:
        raise BadRequest("max_tokens is not taken by this model: use max_completion_tokens")
    if body.get("n", 1) != 1 or body.get("stream"):
        raise BadRequest("this server gives one choice, and all of it at once")
    given = body.get("response_format") or {}
    schema = given["json_schema"]["schema"] if given.get("type") == "json_schema" else None
    if schema is not None and given["json_schema"].get("strict"):
        check_strict(schema)
    return Call(
        model=body["model"],
        system="".join(
            t for m in body["messages"] if m["role"] in ("system", "developer") for t in texts(m["content"])
        ),
        user="\n".join(t for m in body["messages"] if m["role"] == "user" for t in texts(m["content"])),
        pieces=tuple(t for m in body["messages"] for t in texts(m["content"])),
        schema=schema,
        as_tool="",
        effort=body.get("reasoning_effort") or ("medium" if thinks else "none"),
        max_tokens=body.get("max_completion_tokens") or body.get("max_tokens") or 4096,
        temperature=body.get("temperature"),
        logprobs=(body.get("top_logprobs") or 0) if body.get("logprobs") else 0,
    )


def write_answer(call: Call, outcome: Outcome, number: int) -> dict[str, Any]:
    """The body of a 200."""
    tokens = outcome.tokens
    refused = outcome.finish == "refusal"
    message = {
        "role": "assistant",
        "content": None if refused else outcome.text,
        "refusal": outcome.text if refused else None,
        "annotations": [],
    }
    choice = {"index": 0, "message": message, "logprobs": _logprobs(outcome), "finish_reason": FINISH[outcome.finish]}
    return {
        "id": f"chatcmpl-{number:016d}",
        "object": "chat.completion",
        "created": 1_780_000_000 + number,
        "model": outcome.model,
        "choices": [choice] * outcome.choices,
        "usage": {
            "prompt_tokens": tokens.prompt,
            "completion_tokens": tokens.output,
            "total_tokens": tokens.prompt + tokens.output,
            "prompt_tokens_details": {"cached_tokens": tokens.read, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": tokens.thought, "audio_tokens": 0},
        },
        "service_tier": "default",
        "system_fingerprint": None,
    }


def _logprobs(outcome: Outcome) -> dict[str, Any] | None:
    if not outcome.logprobs:
        return None
    top = [{"token": t, "logprob": p, "bytes": list(t.encode())} for t, p in outcome.logprobs]
    return {"content": [{**top[0], "top_logprobs": top}], "refusal": None}


def write_error(status: int, kind: str, message: str, number: int) -> dict[str, Any]:
    """The body of an error."""
    return {"error": {"message": message, "type": kind, "param": None, "code": kind}}
