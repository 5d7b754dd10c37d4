import pytest

from nl2sql.errors import UserError
from nl2sql.models.chat import Prompt, Request, Turn, Usage
from nl2sql.models.prices import Price, Prices, likely_tokens, model_facts, most_tokens

SONNET, HAIKU = "anthropic/claude-sonnet-5-5", "anthropic/claude-haiku-5-5"
FLASH, PRO = "gemini/gemini-3.8-flash", "gemini/gemini-3.1-pro-preview"


def request(model=FLASH, context="c" * 4000, task="t" * 400, **given):
    return Request(model, Prompt("generate/direct", "s" * 100, context, task), **given)


def test_cached_parts_have_their_own_prices():
    # 500 fresh at $2, 10,000 read at $0.10, 1,000 written at $2.50, 300 answered at $10, each per million
    usage = Usage(11_500, 10_000, 1_000, 300, 100)
    assert Prices().dollars(SONNET, usage) == pytest.approx(0.001 + 0.001 + 0.0025 + 0.003)
    # 1,000 fresh at $0.75, 9,000 read at $0.075, 50 answered at $3.75
    assert Prices().dollars(FLASH, Usage(10_000, 9_000, 0, 50, 30)) == pytest.approx(0.00075 + 0.000675 + 0.0001875)


def test_long_prompts_cost_more_in_all_their_parts():
    assert Prices().dollars(PRO, Usage(200_000, output_tokens=1000)) == pytest.approx(0.4 + 0.012)
    assert Prices().dollars(PRO, Usage(200_001, output_tokens=1000)) == pytest.approx(0.800004 + 0.018)
    assert Prices().dollars(HAIKU, Usage(150_000, 100_000, 0, 1000)) == pytest.approx(0.025 + 0.005 + 0.0025)


def test_given_prices_go_before_the_map_and_unknown_models_are_errors():
    prices = Prices({"openai/own": Price("openai/own", 0, 0), FLASH: Price(FLASH, 1, 2, cache_read=0.5)})
    assert prices.dollars("openai/own", Usage(10**6, output_tokens=10**6)) == 0
    assert prices.dollars(FLASH, Usage(10**6, 10**6, 0, 10**6)) == pytest.approx(2.5)
    with pytest.raises(UserError, match=r'openai/other.*\[prices."openai/other"\]'):
        prices.dollars("openai/other", Usage(1))


@pytest.mark.parametrize("name", ["claude-sonnet-5-5", "gemini/claude-sonnet-5-5", "openai/gemini-3.8-flash", "", "/"])
def test_a_model_is_only_known_with_its_own_provider(name):
    assert model_facts(SONNET)["litellm_provider"] == "anthropic"
    with pytest.raises(UserError, match="begins with its provider"):
        Prices().rates(name, 0)


@pytest.mark.parametrize("text", ["", "a" * 50_000, "汉字" * 5_000, "\x00\ud800" * 100, '{"a": [1]}' * 500])
@pytest.mark.parametrize("model", [SONNET, HAIKU, FLASH, PRO])
def test_the_bound_is_above_whatever_a_call_can_cost(model, text):
    asked = request(
        model, context=text, turns=(Turn("assistant", text), Turn("user", text)), schema='{"type":"object"}'
    )
    tokens = most_tokens(asked)
    assert tokens >= 3 * len(text.encode("utf-8", "surrogatepass"))
    for usage in (
        Usage(tokens, output_tokens=asked.max_tokens),
        Usage(tokens, 0, tokens, asked.max_tokens, asked.max_tokens),
        Usage(tokens, tokens, 0, asked.max_tokens),
    ):
        assert Prices().dollars(model, usage) <= Prices().bound(asked) + 1e-12
    assert Prices().expected(asked, 100) < Prices().bound(asked)
    assert likely_tokens(asked) < tokens


def test_prefix_caching_pays_from_the_first_follower_on_for_claude():
    # writing costs $0.50 more per million than reading afresh, each read saves $1.90
    assert Prices().saving(SONNET, 10_000, 1) == pytest.approx(10_000 * (1.9e-6 - 0.5e-6))
    assert Prices().saving(SONNET, 10_000, 0) < 0
    assert Prices().saving(FLASH, 10_000, 3) == pytest.approx(3 * 10_000 * 0.675e-6)
