"""The errors of the three providers: statuses, bodies and headers as each sends them."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import orjson

from tests.servers import anthropic_wire, gemini_wire, openai_wire
from tests.servers.http_protocol import HttpAnswer

WRITERS = {
    "openai": openai_wire.write_error,
    "anthropic": anthropic_wire.write_error,
    "gemini": gemini_wire.write_error,
}
# kind -> wire -> (status, the provider's word, message)
ERRORS = {
    "bad_request": {
        "openai": (400, "invalid_request_error", "The request is not valid"),
        "anthropic": (400, "invalid_request_error", "The request is not valid"),
        "gemini": (400, "INVALID_ARGUMENT", "The request is not valid"),
    },
    "too_long": {
        "openai": (400, "context_length_exceeded", "This model's maximum context length is 128000 tokens"),
        "anthropic": (400, "invalid_request_error", "prompt is too long: 1200000 tokens > 1000000 maximum"),
        "gemini": (400, "INVALID_ARGUMENT", "The input token count (1200000) exceeds the maximum number of tokens"),
    },
    "bad_key": {
        "openai": (401, "invalid_api_key", "Incorrect API key provided"),
        "anthropic": (401, "authentication_error", "invalid x-api-key"),
        "gemini": (400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
    },
    "forbidden": {
        "openai": (403, "model_not_found", "Project has no access to the model"),
        "anthropic": (403, "permission_error", "Your API key has no permission for this model"),
        "gemini": (403, "PERMISSION_DENIED", "The caller does not have permission"),
    },
    "no_credit": {
        "openai": (429, "insufficient_quota", "You exceeded your current quota, check your plan and billing details"),
        "anthropic": (400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API"),
        "gemini": (429, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted"),
    },
    "payment_required": {
        "openai": (402, "insufficient_quota", "Payment required"),
        "anthropic": (402, "billing_error", "There is a problem with your billing"),
        "gemini": (402, "FAILED_PRECONDITION", "Enable billing on your project"),
    },
    "no_model": {
        "openai": (404, "model_not_found", "The model does not exist"),
        "anthropic": (404, "not_found_error", "model: not found"),
        "gemini": (404, "NOT_FOUND", "The model is not found for API version v1beta"),
    },
    "rate_limit": {
        "openai": (429, "rate_limit_exceeded", "Rate limit reached for requests per minute"),
        "anthropic": (429, "rate_limit_error", "This request would exceed your organization's rate limit"),
        "gemini": (429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."),
    },
    "daily_quota": {
        "openai": (429, "rate_limit_exceeded", "Rate limit reached on requests per day (RPD): Limit 200, Used 200"),
        "anthropic": (429, "rate_limit_error", "This request would exceed your organization's daily limit"),
        "gemini": (429, "RESOURCE_EXHAUSTED", "You exceeded your current quota for requests per day"),
    },
    "server_error": {
        "openai": (500, "server_error", "The server had an error while processing your request"),
        "anthropic": (500, "api_error", "Internal server error"),
        "gemini": (500, "INTERNAL", "An internal error has occurred"),
    },
    "overloaded": {
        "openai": (503, "server_overloaded", "The engine is currently overloaded"),
        "anthropic": (529, "overloaded_error", "Overloaded"),
        "gemini": (503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
    },
}
QUOTA = "type.googleapis.com/google.rpc.QuotaFailure"
RETRY = "type.googleapis.com/google.rpc.RetryInfo"
KEY = "type.googleapis.com/google.rpc.ErrorInfo"


def _details(kind: str, seconds: float) -> list[dict[str, Any]]:
    """What Google adds to its errors, which is how its kinds of 429 and 400 are told apart."""
    if kind == "bad_key":
        return [{"@type": KEY, "reason": "API_KEY_INVALID", "domain": "googleapis.com"}]
    if kind == "daily_quota":
        quota = {"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier", "quotaValue": "250"}
        return [{"@type": QUOTA, "violations": [quota]}, {"@type": RETRY, "retryDelay": "41s"}]
    if kind == "rate_limit" and seconds:
        quota = {"quotaId": "GenerateRequestsPerMinutePerProjectPerModel", "quotaValue": "15"}
        return [{"@type": QUOTA, "violations": [quota]}, {"@type": RETRY, "retryDelay": f"{seconds:g}s"}]
    return []


def refuse(wire: str, kind: str, number: int, seconds: float = 0.0, message: str = "") -> HttpAnswer:
    """An error answer. `seconds` is when to come back; `kind` may end in _seconds or _date for a Retry-After header."""
    base = kind.removesuffix("_seconds").removesuffix("_date")
    status, word, text = ERRORS[base][wire]
    body = WRITERS[wire](status, word, message or text, number)
    details = _details(base, seconds)
    if wire == "gemini" and details:
        body["error"]["details"] = details
    return HttpAnswer(status, orjson.dumps(body), headers=_headers(kind, seconds))


def _headers(kind: str, seconds: float) -> dict[str, str]:
    if kind.endswith("_seconds"):
        return {"retry-after": f"{seconds:g}"}
    if kind.endswith("_date"):
        return {"retry-after": format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)}
    return {}


REFUSALS = (*ERRORS, "rate_limit_seconds", "rate_limit_date", "overloaded_seconds")
