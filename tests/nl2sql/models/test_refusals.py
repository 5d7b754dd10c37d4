from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from nl2sql.models.refusals import INVALID, KEY, LIMIT, QUOTA, SERVER, classify, retry_after, stop


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (429, "Rate limit reached for requests per minute", LIMIT),
        (429, '{"error": {"code": "insufficient_quota"}}', QUOTA),
        (429, '{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}', QUOTA),
        (429, "Resource has been exhausted (e.g. check quota).", LIMIT),
        (400, "Your credit balance is too low to access the Anthropic API", QUOTA),
        (400, "API key not valid. Please pass a valid API key.", KEY),
        (400, "prompt is too long", INVALID),
        (401, "", KEY),
        (402, "", QUOTA),
        (403, "no permission for this model", KEY),
        (404, "model not found", INVALID),
        (422, "", INVALID),
        (500, "billing service crashed per day", SERVER),
        (529, "Overloaded", SERVER),
    ],
)
def test_what_an_error_means(status, body, kind):
    assert classify(status, body, {}).kind == kind


def test_when_to_come_back():
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert retry_after({"retry-after": "7.5"}) == 7.5
    assert retry_after({"retry-after": later}) == pytest.approx(30, abs=2)
    assert retry_after({"retry-after": "-3"}) == 0
    assert retry_after({"retry-after": "soon"}) is None
    assert retry_after({}, '{"@type": "RetryInfo", "retryDelay": "41s"}') == 41
    assert retry_after({}) is None


def test_a_stop_is_one_line_that_names_the_variable_and_says_that_nothing_is_lost():
    failure = classify(401, "line one\nline two " + "x" * 10_000, {})
    said = str(stop(failure, "gemini", "GEMINI_API_KEY"))
    assert "\n" not in said
    assert len(said) < 800
    assert "GEMINI_API_KEY" in said
    assert "nothing paid for is lost" in said
