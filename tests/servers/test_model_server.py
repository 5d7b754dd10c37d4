"""The scripted provider itself: that it speaks as the real ones do, bills what litellm bills, and forgets no call."""

import http.client
import json
import math
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.servers.misbehaviour import KINDS, OUTCOMES, TEXTS, TRANSFERS, UNBILLED
from tests.servers.provider_errors import ERRORS

SCHEMA = {
    "type": "object",
    "properties": {
        "columns": {"type": "array", "items": {"$ref": "#/$defs/Column"}, "minItems": 1},
        "sure": {"enum": ["no", "yes"]},
    },
    "required": ["columns", "sure"],
    "additionalProperties": False,
    "$defs": {
        "Column": {
            "type": "object",
            "properties": {"table": {"type": "string"}, "column": {"type": "string"}},
            "required": ["table", "column"],
            "additionalProperties": False,
        }
    },
}
PATHS = {
    "openai": "/v1/chat/completions",
    "anthropic": "/v1/messages",
    "gemini": "/v1beta/models/gemini-3.8-flash:generateContent",
}
STATUSES = {  # that are not 200 and not an error of the provider's own
    "bad_gateway": 502,
}
UNREADABLE = ("truncated_json", "empty_body", "not_utf8", "html", "bad_gateway")


def body_of(wire, text="How many?", **more):
    """A minimal request of a wire format."""
    said = [{"role": "user", "content": text}]
    return {
        "openai": {"model": "gpt-4o-mini", "messages": said, **more},
        "anthropic": {"model": "claude-haiku-5-5", "max_tokens": 500, "messages": said, **more},
        "gemini": {"contents": [{"role": "user", "parts": [{"text": text}]}], **more},
    }[wire]


def post(server, path, body, headers=None):
    """Status, headers and body of an answer, read to its announced end."""
    connection = http.client.HTTPConnection(urlsplit(server.address).netloc, timeout=20)
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection.request("POST", path, payload, {"x-api-key": "key", **(headers or {})})
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read()


def ask(server, model, system="Be brief.", context="", task="How many?", **more) -> Any:
    """One call by litellm, with the prompt's prefix marked where the provider wants marks."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    import litellm

    mark = {"cache_control": {"type": "ephemeral"}} if model.startswith("anthropic/") else {}
    messages = [
        {"role": "system", "content": [{"type": "text", "text": system, **mark}]},
        {"role": "user", "content": [{"type": "text", "text": context or ".", **mark}, {"type": "text", "text": task}]},
    ]
    base = server.bases[model.partition("/")[0]]
    return litellm.completion(model=model, messages=messages, api_base=base, api_key="key", max_retries=0, **more)


MODELS = ("openai/gpt-5-mini", "anthropic/claude-sonnet-5-5", "anthropic/claude-haiku-5-5", "gemini/gemini-3.8-flash")


@pytest.mark.parametrize("model", MODELS)
def test_bills_what_litellm_bills_cold_and_cached(model_server, model):
    import litellm

    context, costs = "CREATE TABLE t (a INT);\n" * 2000, []
    for _ in range(2):
        reply = ask(model_server, model, context=context, max_tokens=800, reasoning_effort="low")
        costs.append(litellm.completion_cost(reply, model=model))
        assert reply.choices[0].finish_reason == "stop"
        assert reply.choices[0].message.content == "SELECT 1"
        assert reply.usage.completion_tokens_details.reasoning_tokens == 64
    stats = model_server.stats()
    assert math.isclose(sum(costs), stats["dollars"], rel_tol=1e-9)
    assert costs[1] < costs[0] / 3  # the second reads its prefix from the cache
    assert stats["tokens"]["read"] >= len(context) // 4
    assert stats["repeated"] == 1


@pytest.mark.parametrize("model", ["anthropic/claude-haiku-5-5", "gemini/gemini-3.1-pro-preview"])
def test_a_long_prompt_reaches_the_dearer_tier_as_in_litellm(model_server, model):
    import litellm

    reply = ask(model_server, model, context="x" * 900_000, max_tokens=3000)
    assert math.isclose(litellm.completion_cost(reply, model=model), model_server.stats()["dollars"], rel_tol=1e-9)


@pytest.mark.parametrize("model", MODELS)
def test_answers_a_schema_that_litellm_sends_in_the_provider_s_way(model_server, model):
    form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True}}
    reply = ask(model_server, model, max_tokens=2000, response_format=form)
    answer = json.loads(reply.choices[0].message.content)
    assert set(answer) == {"columns", "sure"}
    assert answer["sure"] == "no"
    assert all(set(column) == {"table", "column"} for column in answer["columns"])


def test_fixed_answers_and_first_token_alternatives(model_server):
    answers = [{"contains": "Which", "text": "B", "logprobs": [["B", -0.1], ["A", -2.4]]}, {"text": "else"}]
    model_server.control(answers=answers)
    reply = ask(model_server, "openai/some-model", task="Which one?", logprobs=True, top_logprobs=5)
    first = reply.choices[0].logprobs.content[0]
    assert [(a.token, a.logprob) for a in first.top_logprobs] == [("B", -0.1), ("A", -2.4)]
    assert ask(model_server, "openai/some-model").choices[0].message.content == "else"


def test_requests_under_way_together_share_no_prefix(model_server):
    model_server.control(latency=0.3)
    body = body_of("anthropic", system=[{"type": "text", "text": "x" * 8000, "cache_control": {"type": "ephemeral"}}])
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: post(model_server, PATHS["anthropic"], {**body, "metadata": {"n": n}}), range(8)))
    assert model_server.stats()["tokens"]["read"] == 0
    post(model_server, PATHS["anthropic"], body)
    stats = model_server.stats()
    assert stats["tokens"]["read"] == 2000
    assert stats["most_under_way"] == 8


def test_an_answer_longer_than_allowed_is_cut_and_says_so(model_server):
    model_server.control(answers=[{"text": "x" * 4000}])
    status, _, body = post(model_server, PATHS["anthropic"], body_of("anthropic", max_tokens=100))
    answer = json.loads(body)
    assert (status, answer["stop_reason"], answer["usage"]["output_tokens"]) == (200, "max_tokens", 100)
    assert len(answer["content"][0]["text"]) == 400


@pytest.mark.parametrize("wire", PATHS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_misbehaviour_is_what_it_says(model_server, wire, kind):
    model_server.control(misbehaviours=[{"kind": kind, "seconds": 0.05}], answers=[{"text": '{"a": 1, "b": [2]}'}])
    if kind in ("cut", "cut_before_body", "cut_before_head"):
        with pytest.raises((http.client.IncompleteRead, http.client.RemoteDisconnected)):
            post(model_server, PATHS[wire], body_of(wire))
        assert model_server.idle()
        assert model_server.stats()["undelivered_dollars"] > 0  # the provider had the work
        return
    status, headers, body = post(model_server, PATHS[wire], body_of(wire))
    base = kind.removesuffix("_seconds").removesuffix("_date")
    expected = ERRORS[base][wire][0] if base in ERRORS else STATUSES.get(kind, 200)
    assert status == expected
    assert ("retry-after" in headers) == kind.endswith(("_seconds", "_date"))
    if kind in UNREADABLE:
        with pytest.raises(ValueError):  # noqa: PT011  either not UTF-8 or not JSON
            json.loads(body.decode())
    else:
        assert isinstance(json.loads(body), dict)
    assert model_server.stats()["kinds"] == {kind: 1}
    assert (model_server.stats()["dollars"] > 0) == (
        kind in {**TEXTS, **OUTCOMES, **TRANSFERS} and kind not in UNBILLED
    )


def test_rules_hold_by_attempt_number_and_text_as_often_as_told(model_server):
    rules = [
        {"kind": "server_error", "attempts": [1], "contains": "first"},
        {"kind": "overloaded", "times": 2, "wire": "anthropic"},
        {"kind": "rate_limit", "numbers": [7]},
    ]
    model_server.control(misbehaviours=rules)

    def statuses(wire, text, count):
        return [post(model_server, PATHS[wire], body_of(wire, text))[0] for _ in range(count)]

    assert statuses("gemini", "first", 3) == [500, 200, 200]
    assert statuses("anthropic", "second", 3) == [529, 529, 200]
    assert statuses("gemini", "third", 2) == [429, 200]


def test_chances_depend_on_the_call_not_on_the_order(model_server):
    def refused(texts):
        model_server.reset(misbehaviours=[{"kind": "server_error", "probability": 0.3, "seed": 7}])
        return {t for t in texts if post(model_server, PATHS["gemini"], body_of("gemini", t))[0] == 500}

    texts = [f"question {n}" for n in range(60)]
    first = refused(texts)
    assert first == refused(texts[::-1])
    assert 8 <= len(first) <= 30


def test_limits_of_the_provider(model_server):
    model_server.control(requests_per_minute=2)
    answers = [post(model_server, PATHS["gemini"], body_of("gemini", str(n))) for n in range(3)]
    assert [status for status, _, _ in answers] == [200, 200, 429]
    assert 50 < float(answers[2][1]["retry-after"]) <= 60
    model_server.reset(concurrency=2, latency=0.3)
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda n: post(model_server, PATHS["gemini"], body_of("gemini", str(n)))[0], range(4)))
    assert sorted(statuses) == [200, 200, 429, 429]


@pytest.mark.parametrize(
    ("wire", "change"),
    [
        ("anthropic", {"model": "claude-sonnet-5-5", "temperature": 0.3}),
        ("anthropic", {"model": "claude-sonnet-5-5", "thinking": {"type": "disabled"}}),
        ("anthropic", {"thinking": {"type": "enabled", "budget_tokens": 600}}),
        ("anthropic", {"messages": []}),
        ("gemini", {"generationConfig": {"temperature": 0.3}}),
        ("gemini", {"generation_config": {}}),
        ("gemini", {"contents": None}),
        ("openai", {"model": "gpt-5-mini", "max_tokens": 100}),
        ("openai", {"messages": [{"role": "user"}]}),
        ("openai", {"n": 3}),
    ],
)
def test_refuses_what_the_providers_refuse(model_server, wire, change):
    status, _, body = post(model_server, PATHS[wire], {**body_of(wire), **change})
    assert status == 400
    assert json.loads(body)["error"]["message"]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\x00", b"[]", b"null", b'{"model": 5}', b"[" * 100_000])
def test_nonsense_is_refused_and_the_server_lives_on(model_server, body):
    for path in PATHS.values():
        assert post(model_server, path, body)[0] == 400
    assert post(model_server, "/v1/elsewhere", body)[0] == 404
    assert post(model_server, PATHS["openai"], body_of("openai"))[0] == 200


@pytest.mark.parametrize("text", ["多少只动物？", "a\x00b", "\ud800", "", "x" * 3_000_000])
def test_any_text_is_taken_and_counted(model_server, text):
    assert post(model_server, PATHS["anthropic"], body_of("anthropic", text))[0] == 200
    assert model_server.stats()["tokens"]["prompt"] == -(-len(text) // 4)


def test_keys_are_asked_for(model_server):
    for key in ("", "bad-key"):
        assert post(model_server, PATHS["anthropic"], body_of("anthropic"), {"x-api-key": key})[0] == 401


def test_control_refuses_what_there_is_not(model_server):
    with pytest.raises(ValueError, match="none of"):
        model_server.control(misbehaviours=["explode"])
    with pytest.raises(ValueError, match="latency_seconds"):
        model_server.control(latency_seconds=3)


def test_the_log_outlives_a_killed_client_and_counts_its_unread_answer(model_server):
    model_server.control(latency=0.6)
    code = (
        "import sys, urllib.request as r\nr.urlopen(r.Request(sys.argv[1], sys.argv[2].encode(), {'x-api-key': 'key'}))"
    )
    arguments = [f"{model_server.address}{PATHS['anthropic']}", json.dumps(body_of("anthropic"))]
    client = subprocess.Popen([sys.executable, "-c", code, *arguments])
    while not model_server.stats()["under_way"].get("anthropic"):
        time.sleep(0.02)
    os.kill(client.pid, signal.SIGKILL)
    client.wait()
    assert model_server.idle()
    (call,) = model_server.calls()
    assert not call["delivered"]
    assert call["status"] == 200
    assert 0 < call["dollars"] == model_server.stats()["undelivered_dollars"]
    assert call["ended"] - call["started"] < 0.6
    assert model_server.stats()["gone"] == 1


def test_the_log_tells_calls_apart_and_how_many_were_under_way(model_server):
    model_server.control(latency=0.2)
    texts = ["one", "two", "one", "three"]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda text: post(model_server, PATHS["gemini"], body_of("gemini", text)), texts))
    calls = model_server.calls()
    assert len(calls) == 4
    assert len({call["digest"] for call in calls}) == 3
    assert max(call["under_way"] for call in calls) == 4
    assert all(0.2 <= call["ended"] - call["started"] < 2 for call in calls)
