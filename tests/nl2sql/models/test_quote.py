"""Sums of a quote, by hand."""

import pytest

from nl2sql.errors import UserError
from nl2sql.models.chat import Prompt, Request
from nl2sql.models.expected_outputs import ExpectedOutputs
from nl2sql.models.prices import Price, Prices, likely_tokens
from nl2sql.models.quote import price_requests

MODEL = "openai/mine"
PRICES = Prices({MODEL: Price(MODEL, input=10.0, output=100.0)})


def request(role: str, text: str = "how many?", model: str = MODEL) -> Request:
    return Request(model, Prompt("generate/direct", "system", "schema", text), role=role)


def expected(r: Request) -> float:
    return (likely_tokens(r) * 10 + ExpectedOutputs().tokens(r) * 100) / 1_000_000


def test_questions_and_what_is_done_once_are_kept_apart():
    asked = [request("summarise"), request("generate"), request("generate", "more words")]
    quote = price_requests(asked, sampled=2, questions=100, prices=PRICES, times={})
    per_question = (expected(asked[1]) + expected(asked[2])) / 2
    assert quote.once == pytest.approx(expected(asked[0]))
    assert quote.per_question == pytest.approx(per_question)
    assert quote.total == pytest.approx(quote.once + 100 * per_question)
    (line,) = (line for line in quote.lines if line.role == "generate")
    assert line.calls == 1.0
    assert line.most > line.dollars


def test_a_role_counts_as_often_as_it_is_expected():
    one = price_requests([request("compare")], 1, 10, PRICES, {})
    three = price_requests([request("compare")], 1, 10, PRICES, {"compare": 3.0})
    assert three.per_question == pytest.approx(3 * one.per_question)
    assert three.lines[0].calls == 3.0


def test_local_models_are_free_and_unknown_ones_an_error():
    assert price_requests([request("generate", model="local:b@1")], 1, 1, PRICES, {}).total == 0.0
    with pytest.raises(UserError, match="openai/other"):
        price_requests([request("generate", model="openai/other")], 1, 1, PRICES, {})


def test_nothing_asked_costs_nothing():
    assert price_requests([], 0, 0, PRICES, {}).total == 0.0
