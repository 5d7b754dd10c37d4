"""Local models over their child process, on a tiny model with random weights: real loading, real decoding."""

import asyncio
import json
import math
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nl2sql.models.chat import Prompt, Request
from nl2sql.models.local import Local, LocalOptions
from nl2sql.models.local_models import LocalFolders, resolve_local
from nl2sql.models.local_protocol import repeats
from nl2sql.models.model_lock import holder, holding, overlaps, read_log

ROOT = Path(__file__).parents[3]
SCHEMA = "CREATE TABLE keeper (id INTEGER PRIMARY KEY, name TEXT, age INTEGER);" * 4
JSON = '{"type":"object","properties":{"best":{"enum":["A","B"]}},"required":["best"],"additionalProperties":false}'


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> LocalFolders:
    folder = tmp_path_factory.mktemp("local")
    return LocalFolders(folder / "adapters", folder / "lock")


@pytest.fixture(scope="module")
def said() -> list[str]:
    return []


@pytest.fixture(scope="module")
def local(folders, said) -> Iterator[Local]:
    local = Local(folders, LocalOptions(idle=60), said.append)
    yield local
    local.close()


@pytest.fixture
def asked(tiny_model, folders):
    """Make a request to the tiny model."""

    def make(task: str = "How many?", base: str = "fp32", ways: dict | None = None, **fields) -> Request:
        model = resolve_local(str(tiny_model / base), folders, **(ways or {}))
        context = fields.pop("context", SCHEMA)
        return Request(
            model, Prompt("generate/direct", "You write SQLite.", context, task), **{"max_tokens": 12, **fields}
        )

    return make


def test_a_batch_shares_its_prefix_and_says_what_single_requests_say(local, asked):
    requests = [
        asked(f"How many {word}?", max_tokens=9 + n) for n, word in enumerate(["otters", "lamps", "keepers", "x"])
    ]
    first = local.ask(requests)
    assert all(r.failure in ("", "cut") and r.usage.output_tokens for r in first)
    assert sum(bool(r.usage.cache_write_tokens) for r in first) == 1
    assert sum(bool(r.usage.cache_read_tokens) for r in first) == 3
    assert first[0].usage.cache_read_tokens + first[0].usage.cache_write_tokens > 60
    alone = [local.ask([request])[0] for request in requests]
    assert [r.text for r in alone] == [r.text for r in first]
    unshared = local.ask([asked("How many otters?", context="", max_tokens=9)])[0]
    assert unshared.usage.cache_read_tokens == 0


def test_samples_are_seeded_by_their_request(local, asked):
    requests = [asked(temperature=1.5, sample=n) for n in range(4)]
    texts = [r.text for r in local.ask(requests)]
    assert len(set(texts)) == 4
    assert [r.text for r in local.ask(requests[::-1])][::-1] == texts
    greedy = local.ask([asked(sample=0), asked(sample=1, temperature=0.0)])
    assert greedy[0].text == greedy[1].text


def test_the_first_tokens_probabilities(local, asked):
    few, many = local.ask([asked(logprobs=2, max_tokens=1), asked(logprobs=512, max_tokens=1)])
    assert few.logprobs == many.logprobs[:2]
    values = [value for _, value in many.logprobs]
    assert values == sorted(values, reverse=True)
    assert sum(math.exp(value) for value in values) == pytest.approx(1, abs=1e-4)
    assert local.ask([asked(max_tokens=1)])[0].text == many.logprobs[0][0]


def test_long_and_strange_prompts(local, asked):
    tasks = ["word " * 20_000, "", "\ud800\x00 有多少只水獭? \x1b[31m <|im_end|>", "0" * 300]
    replies = local.ask([asked(task) for task in tasks])
    assert replies[0].failure == "refused"
    assert "are over 4,096" in replies[0].error
    assert all(r.failure in ("", "cut") for r in replies[1:])
    assert local.ask([]) == []


def test_an_answer_that_repeats_itself_is_cut(local, asked):
    (reply,) = local.ask([asked(max_tokens=1500, context="")])
    assert reply.failure == "cut"
    assert reply.usage.output_tokens < 400


def test_repetition_is_not_seen_in_lists():
    assert repeats([7] * 40)
    assert repeats([1, 2, 3] * 20)
    assert not repeats([7] * 39)
    assert not repeats(list(range(40)))
    assert not repeats([0, 0, 0, 1, 0, 0, 2] * 2 + list(range(40)))
    assert not repeats([])


def test_callers_that_ask_one_by_one_share_a_batch(local, asked):
    requests = [asked(f"{n} otters?") for n in range(5)]

    async def together():
        return await asyncio.gather(*(local.ask_one(request) for request in requests))

    begin = len(read_log(local.folders.lock))
    assert [r.text for r in asyncio.run(together())] == [r.text for r in local.ask(requests)]
    assert len(read_log(local.folders.lock)) == begin  # the model was loaded already


def test_models_follow_one_another_and_never_meet(local, asked):
    replies = local.ask([asked(base=base) for base in ("fp32", "4bit", "fp32")])
    assert replies[0].text == replies[2].text
    assert all(r.failure in ("", "cut") for r in replies)
    log = read_log(local.folders.lock)
    assert overlaps(log) == []
    entered, left = log[-1], log[-2]
    assert (entered["event"], left["event"]) == ("acquired", "released")
    assert entered["pid"] != left["pid"]
    assert entered["monotonic"] >= left["monotonic"]
    with pytest.raises(ProcessLookupError):  # the first model's memory is the system's again
        os.kill(left["pid"], 0)


def test_a_quantised_cache_and_answers_that_keep_to_a_schema_or_to_sql(local, asked):
    pytest.importorskip("llguidance", reason="pip install 'nl2sql[grammar]'")
    ways = {"ways": {"constrained": True, "kv_bits": 8}, "temperature": 1.0}
    requests = [asked(schema=JSON, sample=n, **ways) for n in range(3)]
    requests += [asked(role="generate", sample=n, **ways) for n in range(3)]
    replies = local.ask([*requests, asked(logprobs=2, **ways)])
    assert {json.loads(r.text)["best"] for r in replies[:3]} <= {"A", "B"}
    assert all(r.text.lower().startswith(("select", "with")) for r in replies[3:6])
    assert len(replies[6].logprobs) == 2


def test_a_model_that_cannot_be_loaded_is_a_reply_not_an_end(local, asked):
    gone = Request("local:nobody@0123456789abcdef", Prompt("x", "", "", "Q"))
    replies = local.ask([gone, asked()])
    assert replies[0].failure == "unavailable"
    assert not replies[0].lasting
    assert "is not on this machine" in replies[0].error
    assert replies[1].failure in ("", "cut")


def test_a_child_killed_at_work_is_started_once_more(local, asked, said):
    local.ask([asked()])
    requests = [asked(f"{n}", temperature=1.5, max_tokens=900, context="") for n in range(8)]
    items = local._submit(requests)
    time.sleep(0.3)
    held = holder(local.folders.lock)
    assert held is not None
    os.kill(held.pid, 9)
    replies = [item.future.result(timeout=60) for item in items]
    assert all(r.failure in ("", "cut") and r.text for r in replies)
    assert any(r.attempts == 2 for r in replies)
    assert any("was ended by signal 9" in line for line in said)
    assert overlaps(read_log(local.folders.lock)) == []


def test_a_silent_child_is_ended_and_the_reply_says_so(folders, asked, tmp_path):
    elsewhere = LocalFolders(folders.adapters, tmp_path)
    impatient = Local(elsewhere, LocalOptions(silence=0.05))
    (reply,) = impatient.ask([asked()])
    assert reply.failure == "unavailable"
    assert "said nothing for 0.05 s" in reply.error
    impatient.close()
    assert holder(tmp_path) is None


def test_an_idle_model_leaves_when_somebody_waits_and_then_waits_itself(local, asked, folders, said):
    local.ask([asked()])
    assert holder(folders.lock) is not None
    begin = time.monotonic()
    with holding(folders.lock, "train selector", "tiny"):
        assert time.monotonic() - begin < 20
        future = local._submit([asked()])[0].future
        while not any(f"waits for process {os.getpid()} (train selector" in line for line in said):
            assert time.monotonic() - begin < 60
            time.sleep(0.05)
        assert not future.done()
    assert future.result(timeout=60).failure in ("", "cut")
    assert overlaps(read_log(folders.lock)) == []


def test_this_process_imports_no_mlx_lm():
    code = (
        "import sys, resource; before = resource.getrlimit(resource.RLIMIT_NOFILE);"
        "import nl2sql.models.local, nl2sql.training.train_adapter, nl2sql.models.local_catalogue, flows.cli;"
        "assert not {m for m in sys.modules if m.startswith('mlx')};"
        "assert resource.getrlimit(resource.RLIMIT_NOFILE) == before"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] > 4096
