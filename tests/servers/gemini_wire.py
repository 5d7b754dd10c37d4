"""Gemini's /v1beta/models/NAME:generateContent as litellm 1.106 sends and reads it."""

from collections.abc import Mapping
from typing import Any

from tests.servers.wire_call import BadRequest, Call, Outcome, check_temperature

FINISH = {"stop": "STOP", "length": "MAX_TOKENS", "refusal": "SAFETY", "filtered": "SAFETY"}
FIELDS = {"contents", "system_instruction", "generationConfig", "safetySettings", "tools", "toolConfig", "labels"}
RATINGS = [{"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "NEGLIGIBLE"}]


def read_call(body: Mapping[str, Any], model: str, facts: Mapping[str, Any]) -> Call:
    """Understand a request. Raises BadRequest; KeyError or TypeError where a field is missing or of a wrong kind."""
    unknown = sorted(set(body) - FIELDS)
    if unknown:
        raise BadRequest(f'Invalid JSON payload received. Unknown name "{unknown[0]}": cannot find field.')
    settings = body.get("generationConfig") or {}
    check_temperature(facts, settings.get("temperature"))
    system = [p.get("text", "") for p in (body.get("system_instruction") or {}).get("parts", ())]
    said = [(c.get("role", "user"), p.get("text", "")) for c in body["contents"] for p in c["parts"]]
    return Call(
        model=model,
        system="".join(system),
        user="\n".join(text for role, text in said if role == "user"),
        pieces=(*system, *(text for _, text in said)),
        schema=settings.get("response_json_schema") or settings.get("response_schema"),
        as_tool="",
        effort=_effort(settings.get("thinkingConfig") or {}, model),
        max_tokens=settings.get("max_output_tokens") or 65_536,
        temperature=settings.get("temperature"),
        logprobs=(settings.get("logprobs") or 1) if settings.get("responseLogprobs") else 0,
    )


def _effort(thinking: Mapping[str, Any], model: str) -> str:
    if "thinkingLevel" in thinking:
        return thinking["thinkingLevel"].lower()
    budget = thinking.get("thinkingBudget")
    if budget is None:
        return "high" if model.startswith("gemini-3") else "none"
    return "none" if budget == 0 else "low" if budget <= 1024 else "medium" if budget <= 2048 else "high"


def write_answer(call: Call, outcome: Outcome, number: int) -> dict[str, Any]:
    """The body of a 200. A filter that acts before the model leaves no candidate but a reason."""
    tokens = outcome.tokens
    usage: dict[str, Any] = {
        "promptTokenCount": tokens.prompt,
        "candidatesTokenCount": tokens.output - tokens.thought,
        "totalTokenCount": tokens.prompt + tokens.output,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": tokens.prompt}],
    }
    if tokens.thought:
        usage["thoughtsTokenCount"] = tokens.thought
    if tokens.read:
        usage["cachedContentTokenCount"] = tokens.read
        usage["cacheTokensDetails"] = [{"modality": "TEXT", "tokenCount": tokens.read}]
    answer = {"usageMetadata": usage, "modelVersion": outcome.model, "responseId": f"resp{number:012d}"}
    if outcome.finish == "filtered":
        return {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, **answer}
    return {"candidates": [_candidate(outcome)] * outcome.choices, **answer}


def _candidate(outcome: Outcome) -> dict[str, Any]:
    parts: list[dict[str, Any]] = []
    if outcome.tokens.thought:
        parts.append({"text": "Weighing it up.", "thought": True})
    if outcome.text is not None:
        parts.append({"text": outcome.text})
    candidate: dict[str, Any] = {
        "content": {"parts": parts, "role": "model"} if parts else {"role": "model"},
        "finishReason": FINISH[outcome.finish],
        "index": 0,
        "safetyRatings": RATINGS,
    }
    if outcome.finish == "refusal":
        del candidate["content"]
    if outcome.logprobs:
        top = [{"token": t, "logProbability": p} for t, p in outcome.logprobs]
        candidate["logprobsResult"] = {"topCandidates": [{"candidates": top}], "chosenCandidates": top[:1]}
    return candidate


def write_error(status: int, kind: str, message: str, number: int) -> dict[str, Any]:
    """The body of an error; `kind` is Google's status word."""
    return {"error": {"code": status, "message": message, "status": kind}}
