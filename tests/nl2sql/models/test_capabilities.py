import pytest

from nl2sql.errors import UserError
from nl2sql.models.capabilities import check_request_fits, fit
from nl2sql.models.chat import Prompt, Request
from nl2sql.models.prices import Price, Prices

SONNET, HAIKU_4 = "anthropic/claude-sonnet-5-5", "anthropic/claude-haiku-4-5"
FLASH, FLASH_2 = "gemini/gemini-3.8-flash", "gemini/gemini-2.5-flash-lite"


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"model": SONNET, "temperature": 0.2}, "no other than 1"),
        ({"model": FLASH, "temperature": 0}, "no other than 1"),
        ({"model": FLASH, "effort": "minimal"}, "minimal"),
        ({"model": FLASH, "effort": "none"}, "always thinks"),
        ({"model": SONNET, "effort": "none"}, "always thinks"),
        ({"model": FLASH, "effort": "xhigh"}, "xhigh"),
        ({"model": HAIKU_4, "effort": "max"}, "max"),
        ({"model": HAIKU_4, "effort": "high", "max_tokens": 4096}, "max_tokens above"),
        ({"model": HAIKU_4, "effort": "low", "temperature": 0.5}, "while it thinks"),
        ({"model": FLASH, "effort": "hard"}, "none of"),
        ({"model": "openai/gpt-4o", "effort": "low"}, "cannot"),
        ({"model": SONNET, "logprobs": 2}, "log-probabilities"),
        ({"model": FLASH, "logprobs": 2}, "log-probabilities"),
        ({"model": FLASH, "max_tokens": 100_000}, "65536"),
        ({"model": "gemini/gemini-9-flash"}, "price"),
        ({"model": "claude-sonnet-5-5-typo"}, "price"),
        ({"model": ""}, "price"),
    ],
)
def test_what_a_model_does_not_take_is_an_error_that_names_it(given, rule):
    with pytest.raises(UserError, match=rule) as caught:
        check_request_fits(**given)
    assert given["model"] in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        {"model": SONNET, "effort": "xhigh", "schema": True},
        {"model": SONNET, "temperature": 1},
        {"model": FLASH, "effort": "low", "schema": True},
        {"model": FLASH_2, "effort": "none", "temperature": 0.7},
        {"model": HAIKU_4, "effort": "high", "max_tokens": 8000},
        {"model": HAIKU_4, "temperature": 0.3},
        {"model": "local:generator", "temperature": 0.3, "logprobs": 5},
        {
            "model": "openai/own",
            "temperature": 0.3,
            "logprobs": 5,
            "prices": Prices({"openai/own": Price("openai/own", 0, 0)}),
        },
    ],
)
def test_what_a_model_takes_passes(given):
    check_request_fits(**given)


def test_a_fallback_model_is_asked_without_what_it_does_not_take():
    prompt = Prompt("p", "s", "c", "t")
    warm = Request(FLASH_2, prompt, temperature=0.7, effort="none")
    assert fit(warm, SONNET, Prices()) == Request(SONNET, prompt)
    assert fit(Request(FLASH, prompt, effort="low"), SONNET, Prices()).effort == "low"
    assert fit(Request(FLASH_2, prompt, temperature=0.7), HAIKU_4, Prices()).temperature == 0.7
