import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nl2sql.models.chat import Prompt, Request, Turn, Usage
from nl2sql.models.gateway import Gateway
from nl2sql.models.litellm_loading import load_litellm
from nl2sql.models.prices import Price, Prices
from nl2sql.models.rate_limits import ProviderLimits
from nl2sql.models.refusals import BROKEN, INVALID, KEY, LIMIT, QUOTA, SERVER, UNREACHED, CallFailed, ModelsStopped
from nl2sql.models.remote import Remote, messages, sendable
from nl2sql.models.response_cache import ResponseCache
from tests.servers.server_process import run_model_server

ROOT = Path(__file__).parents[3]
OWN, CLAUDE, GEMINI = "openai/own-model", "anthropic/claude-sonnet-5-5", "gemini/gemini-3.8-flash"
MODELS = (OWN, CLAUDE, GEMINI)
HAIKU_4, FLASH_2 = "anthropic/claude-haiku-4-5", "gemini/gemini-2.5-flash-lite"
SCHEMA = {
    "type": "object",
    "properties": {"sql": {"type": "string"}},
    "required": ["sql"],
    "additionalProperties": False,
}
PRICES = Prices({OWN: Price(OWN, 1, 2)})
# The import decides where litellm's price map comes from, as flows/environment.py does for the product.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")


def request(model=GEMINI, **given):
    return Request(**{"model": model, "prompt": Prompt("p", "You write SQL.", "the schema", "the question"), **given})


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with run_model_server(tmp_path_factory.mktemp("server"), bodies=True) as running:
        yield running


def limits(server, **given):
    return {p: ProviderLimits(p, api_base=base, api_key="k", **given) for p, base in server.bases.items()}


def attempt(server, asked, cache_prefix=False, **given):
    remote = Remote(PRICES, limits(server, **given))

    async def run():
        try:
            return await remote.attempt(asked, cache_prefix)
        finally:
            await remote.close()

    return asyncio.run(run())


def body(server):
    """The last body that the server was sent."""
    return json.loads((server.log.parent / "bodies.jsonl").read_text().splitlines()[-1])


def sent(server, asked, cache_prefix=False):
    server.reset()
    attempt(server, asked, cache_prefix)
    found = body(server)
    return found.get("body", found)


# --- what is sent ----------------------------------------------------------------------------------------------------


def test_claude_gets_blocks_a_cache_mark_and_a_schema_of_its_own_kind(server):
    turns = (Turn("assistant", "SELEC 1"), Turn("user", "again"))
    found = sent(server, request(CLAUDE, schema=json.dumps(SCHEMA), effort="high", turns=turns), cache_prefix=True)
    first = found["messages"][0]["content"]
    assert first[0] == {"type": "text", "text": "the schema\n\n", "cache_control": {"type": "ephemeral"}}
    assert first[1] == {"type": "text", "text": "the question"}
    assert [m["role"] for m in found["messages"]] == ["user", "assistant", "user"]
    assert found["system"] == [{"type": "text", "text": "You write SQL."}]
    assert found["output_format"] == {"type": "json_schema", "schema": SCHEMA}
    assert found["output_config"] == {"effort": "high"}
    assert found["max_tokens"] == 4096
    assert not {"temperature", "tools", "n", "top_p", "stream"} & set(found)
    assert "cache_control" not in json.dumps(sent(server, request(CLAUDE)))


def test_gemini_gets_its_schema_and_level_of_thinking(server):
    found = sent(server, request(schema=json.dumps(SCHEMA), effort="low"), cache_prefix=True)
    assert found["contents"][0]["parts"] == [{"text": "the schema\n\n"}, {"text": "the question"}]
    settings = found["generationConfig"]
    assert settings["response_json_schema"] == SCHEMA
    assert settings["thinkingConfig"]["thinkingLevel"] == "low"
    assert settings["temperature"] == 1.0  # litellm's own: the only one that this model takes
    found = sent(server, request(FLASH_2, temperature=0.7, effort="none"))["generationConfig"]
    assert found["temperature"] == 0.7
    assert found["thinkingConfig"]["thinkingBudget"] == 0


def test_other_servers_get_plain_texts_and_are_asked_for_logprobs(server):
    found = sent(server, request(OWN, temperature=0.3, logprobs=4, schema=json.dumps(SCHEMA)), cache_prefix=True)
    assert found["messages"][1] == {"role": "user", "content": "the schema\n\nthe question"}
    assert (found["temperature"], found["logprobs"], found["top_logprobs"]) == (0.3, True, 4)
    assert found["response_format"]["json_schema"]["schema"] == SCHEMA
    assert found["model"] == "own-model"
    assert not {"n", "reasoning_effort", "seed"} & set(sent(server, request(OWN)))


@pytest.mark.parametrize("model", [HAIKU_4])
def test_models_with_a_thinking_budget_get_one(server, model):
    assert sent(server, request(model, effort="low"))["thinking"] == {"type": "enabled", "budget_tokens": 1024}


def test_blank_parts_are_left_out():
    said = messages(Request(CLAUDE, Prompt("p", "", " ", "task")), True)
    assert said == [{"role": "user", "content": [{"type": "text", "text": "task"}]}]


@pytest.mark.parametrize("model", MODELS)
def test_odd_texts_can_be_sent(server, model):
    server.reset()
    odd = "汉字 \x00 \ud800 \U0001f600 </schema> " + "x" * 300_000
    reply = attempt(server, Request(model, Prompt("p", odd, odd, odd), max_tokens=9000))
    assert not reply.failure
    assert sendable("a\x00\ud800\U0001f600") == "a\ufffd\ufffd\U0001f600"


# --- what comes back -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
def test_tokens_and_dollars_are_those_that_the_provider_bills(server, model):
    server.reset(prices={"own-model": {"input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6}})
    prompt = Prompt("p", "system", "words of a schema " * 4000, "question")
    replies = [attempt(server, Request(model, prompt, sample=n), cache_prefix=True) for n in range(3)]
    assert sum(r.dollars for r in replies) == pytest.approx(server.stats()["dollars"])
    assert all(r.dollars <= PRICES.bound(Request(model, prompt)) for r in replies)
    if model == CLAUDE:
        assert replies[0].usage.cache_write_tokens > 10_000
        assert replies[2].usage.cache_read_tokens > 10_000


def test_the_first_token_s_alternatives_come_likeliest_first(server):
    server.reset(answers=[{"text": "B", "logprobs": [["A", -2.0], ["B", -0.2]]}])
    assert attempt(server, request(OWN, logprobs=2)).logprobs == (("B", -0.2), ("A", -2.0))


@pytest.mark.parametrize(
    ("kind", "failure"), [("length", "cut"), ("filtered", "refused"), ("refusal", "refused"), ("blank_content", "")]
)
@pytest.mark.parametrize("model", MODELS)
def test_finishes_mean_the_same_whoever_says_them(server, model, kind, failure):
    server.reset(misbehaviours=[kind])
    assert attempt(server, request(model)).failure == failure


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("kind", "means"),
    [
        ("bad_key", KEY),
        ("forbidden", KEY),
        ("no_credit", QUOTA),
        ("payment_required", QUOTA),
        ("daily_quota", QUOTA),
        ("rate_limit", LIMIT),
        ("rate_limit_seconds", LIMIT),
        ("rate_limit_date", LIMIT),
        ("overloaded_seconds", SERVER),
        ("server_error", SERVER),
        ("bad_gateway", SERVER),
        ("bad_request", INVALID),
        ("too_long", INVALID),
        ("no_model", INVALID),
        ("cut", BROKEN),
        ("cut_before_body", BROKEN),
        ("cut_before_head", BROKEN),
        ("truncated_json", BROKEN),
        ("empty_body", BROKEN),
        ("not_utf8", BROKEN),
        ("html", BROKEN),
    ],
)
def test_what_goes_wrong_means_the_same_whoever_does_it(server, model, kind, means):
    if kind == "daily_quota" and model == CLAUDE:
        pytest.skip("Claude's limits are by the minute: its words for a daily one are not known")
    server.reset(misbehaviours=[{"kind": kind, "seconds": 7}])
    with pytest.raises(CallFailed) as caught:
        attempt(server, request(model))
    assert caught.value.kind == means
    if kind.endswith(("_seconds", "_date")):
        assert caught.value.retry_after == pytest.approx(7, abs=1.5)
    assert "Traceback" not in caught.value.message


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("kind", ["slow", "stall"])
def test_an_attempt_ends_at_its_timeout(server, model, kind):
    server.reset(misbehaviours=[{"kind": kind, "seconds": 5}])
    with pytest.raises(CallFailed, match="no answer within") as caught:
        attempt(server, request(model), timeout=0.3)
    assert caught.value.charged


@pytest.mark.parametrize("model", MODELS)
def test_a_server_that_is_not_there_was_not_asked(server, model):
    remote = Remote(PRICES, {p: ProviderLimits(p, api_base="http://127.0.0.1:9", api_key="k") for p in server.bases})
    with pytest.raises(CallFailed) as caught:
        asyncio.run(remote.attempt(request(model), False))
    assert caught.value.kind == UNREACHED
    assert not caught.value.charged


def test_a_server_that_does_not_count_tokens_is_believed_and_its_price_bounded(server):
    server.reset(misbehaviours=["missing_usage"])
    reply = attempt(server, request(OWN))
    assert reply.text
    assert reply.usage.input_tokens > 0
    assert reply.dollars + reply.uncertain_dollars == pytest.approx(PRICES.bound(request(OWN)))


@pytest.mark.parametrize("model", [CLAUDE, "anthropic/claude-haiku-5-5", GEMINI, "gemini/gemini-3.1-pro-preview"])
@pytest.mark.parametrize("tokens", [1_000, 120_000, 300_000])
def test_dollars_agree_with_litellm_s_own(model, tokens):
    write = tokens // 10 if model.startswith("anthropic") else 0
    usage = Usage(tokens, tokens // 2, write, 700, 300)
    parts = load_litellm().cost_per_token(
        model=model,
        prompt_tokens=tokens,
        completion_tokens=700,
        cache_read_input_tokens=tokens // 2,
        cache_creation_input_tokens=write,
    )
    assert PRICES.dollars(model, usage) == pytest.approx(sum(parts))


# --- through the gateway ---------------------------------------------------------------------------------------------


@pytest.fixture
def gateway(server, tmp_path):
    found = Gateway(Remote(PRICES, limits(server)), ResponseCache(tmp_path), limits(server), PRICES)
    yield found
    found.close()


def test_calls_go_on_after_trouble_of_every_kind(server, gateway):
    kinds = ["server_error", "cut", "truncated_json", "overloaded_seconds", "rate_limit_seconds"]
    server.reset(
        misbehaviours=[{"kind": k, "attempts": [1], "probability": 0.3, "seed": n} for n, k in enumerate(kinds)]
    )
    asked = [request(model, prompt=Prompt("p", "s", "c", str(n))) for model in MODELS for n in range(20)]
    replies = gateway.ask(asked)
    assert {r.failure for r in replies} == {""}
    assert any(r.attempts > 1 for r in replies)
    assert sum(r.dollars for r in replies) <= server.stats()["dollars"] + 1e-9  # broken attempts are billed, too
    assert gateway.ask(asked) == [r.__class__(**{**r.__dict__, "cached": True}) for r in replies]


@pytest.mark.parametrize("model", MODELS)
def test_no_more_calls_are_at_a_provider_at_once_than_allowed(server, tmp_path, model):
    server.reset(latency=0.05, concurrency=8)  # a ninth call is refused
    few = limits(server, concurrency=8, retries=0)
    found = Gateway(Remote(PRICES, few), ResponseCache(tmp_path), few, PRICES)
    replies = found.ask([request(model, prompt=Prompt("p", "s", "c", str(n))) for n in range(64)])
    found.close()
    assert {(r.failure, r.attempts) for r in replies if r.failure != "cut"} == {("", 1)}


def test_a_refused_key_stops_the_run_with_one_line(server, gateway):
    server.reset(misbehaviours=["bad_key"])
    with pytest.raises(ModelsStopped, match="gemini refuses the key"):
        gateway.ask([request()])


UNSAFE = """
from nl2sql.models.litellm_loading import load_litellm
from nl2sql.errors import UserError
try:
    load_litellm()
except UserError as error:
    print(error)
"""


def test_a_price_map_from_the_network_is_an_error():
    # Nothing is fetched here either: the address is this machine's.
    variables = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "", "LITELLM_MODEL_COST_MAP_URL": "http://127.0.0.1:9/"}
    ran = subprocess.run([sys.executable, "-c", UNSAFE], cwd=ROOT, env=variables, capture_output=True, text=True)
    assert "LITELLM_LOCAL_MODEL_COST_MAP=True" in ran.stdout
