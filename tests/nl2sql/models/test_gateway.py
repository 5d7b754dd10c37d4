import asyncio
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from nl2sql.errors import UserError
from nl2sql.models.budget import Budget
from nl2sql.models.chat import Prompt, Reply, Request, Usage
from nl2sql.models.gateway import HOPELESS, Gateway
from nl2sql.models.prices import Price, Prices
from nl2sql.models.rate_limits import ProviderLimits
from nl2sql.models.refusals import BROKEN, INVALID, KEY, LIMIT, QUOTA, SERVER, CallFailed, ModelsStopped
from nl2sql.models.response_cache import ResponseCache
from nl2sql.models.scripted import Scripted

ROOT = Path(__file__).parents[3]
MODEL, OTHER = "one/model", "two/model"
PRICES = Prices({m: Price(m, 1, 10) for m in (MODEL, OTHER, "gemini/m")})


def request(number=0, **given):
    return Request(**{"model": MODEL, "prompt": Prompt("p", "system", "context", f"question {number}"), **given})


@contextmanager
def gateway(folder, answer, seconds=0.0, **given):
    """A gateway before a scripted model, with few retries and no delays of seconds."""
    scripted = answer if isinstance(answer, Scripted) else Scripted(answer, seconds)
    limits = {p: ProviderLimits(p, 64, retries=2, key_name=f"{p.upper()}_KEY") for p in ("one", "two")}
    found = Gateway(scripted, ResponseCache(folder), **{"limits": limits, "prices": PRICES, **given})
    try:
        yield found, scripted
    finally:
        found.close()


def failing(kind, times=10**9, message="trouble", retry_after=0.0):
    """Fails so often, for each request, before it answers."""
    seen = Counter()

    def answer(asked):
        seen[asked.key] += 1
        if seen[asked.key] <= times:
            raise CallFailed(kind, message, retry_after)
        return f"answer to {asked.prompt.task}"

    return answer


def test_replies_come_in_the_order_of_the_requests_and_equal_ones_are_one_call(tmp_path):
    with gateway(tmp_path, lambda r: r.prompt.task.upper(), 0.02) as (models, scripted):
        replies = models.ask([request(n % 5, role=str(n)) for n in range(20)])
    assert [r.text for r in replies] == [f"QUESTION {n % 5}" for n in range(20)]
    assert [r.cached for r in replies] == [False] * 5 + [True] * 15
    assert len(scripted.asked) == 5


def test_a_later_run_pays_nothing_and_samples_stay_apart(tmp_path):
    asked = [request(0, sample=n, temperature=0.7) for n in range(4)]
    with gateway(tmp_path, lambda r: f"sample {r.sample}") as (models, _):
        first = models.ask(asked)
    with gateway(tmp_path, lambda r: "something else") as (models, scripted):
        second = models.ask(asked)
    assert [r.text for r in second] == ["sample 0", "sample 1", "sample 2", "sample 3"]
    assert second == [replace(r, cached=True) for r in first]
    assert not scripted.asked


def test_many_threads_and_loops_may_ask_at_once(tmp_path):
    def ask(number):
        if number % 2:
            return asyncio.run(models.ask_one(request(number // 4))).text
        return models.ask([request(number // 4)])[0].text

    with gateway(tmp_path, lambda r: r.prompt.task, 0.05) as (models, scripted), ThreadPoolExecutor(16) as pool:
        assert list(pool.map(ask, range(64))) == [f"question {n // 4}" for n in range(64)]
    assert len(scripted.asked) == 16


@pytest.mark.parametrize("failure", ["refused", "cut", ""])
def test_refusals_cut_and_blank_answers_are_paid_for_and_so_are_kept(tmp_path, failure):
    with gateway(tmp_path, lambda r: Reply("", r.model, failure=failure)) as (models, scripted):
        assert [models.ask([request()])[0].failure for _ in range(2)] == [failure] * 2
    assert len(scripted.asked) == 1


@pytest.mark.parametrize("kind", [LIMIT, SERVER, BROKEN])
def test_failures_that_pass_are_retried_and_counted(tmp_path, kind):
    with gateway(tmp_path, failing(kind, 2), budget=Budget(10, 1)) as (models, scripted):
        reply = models.ask([request()])[0]
        assert (reply.text, reply.attempts, reply.failure) == ("answer to question 0", 3, "")
        bound = PRICES.bound(request())
        assert reply.uncertain_dollars == pytest.approx(2 * bound if kind == BROKEN else 0)
        assert models.budget.spent == pytest.approx(reply.uncertain_dollars + reply.dollars)
        assert models.budget.reserved == pytest.approx(0)
    assert len(scripted.asked) == 3


def test_a_request_that_is_refused_for_good_is_asked_once_and_again_by_the_next_run(tmp_path):
    with gateway(tmp_path, failing(INVALID, message="prompt is too long")) as (models, scripted):
        reply = models.ask([request()])[0]
    assert (reply.failure, reply.error, reply.lasting, len(scripted.asked)) == (
        "unavailable",
        "prompt is too long",
        False,
        1,
    )
    with gateway(tmp_path, lambda r: "back") as (models, _):
        assert models.ask([request()])[0].text == "back"


def test_retries_end(tmp_path):
    with gateway(tmp_path, failing(SERVER)) as (models, scripted):
        assert models.ask([request()])[0].failure == "unavailable"
    assert len(scripted.asked) == 3


def test_a_fallback_model_stands_in_until_the_first_is_back(tmp_path):
    def answer(asked):
        if asked.model == MODEL:
            raise CallFailed(INVALID, "no such model")
        return "from the other"

    with gateway(tmp_path, answer, fallbacks={MODEL: OTHER}) as (models, scripted):
        reply = models.ask([request()])[0]
        assert (reply.text, reply.model, reply.lasting) == ("from the other", OTHER, False)
        assert models.ask([request()])[0].cached
        assert [r.model for r in scripted.asked] == [MODEL, OTHER, MODEL]  # the other's answer is paid for
    with gateway(tmp_path, lambda r: r.model, fallbacks={MODEL: OTHER}) as (models, _):
        assert models.ask([request()])[0] == Reply(MODEL, MODEL, Usage(7, output_tokens=3))


def test_a_provider_that_stays_away_is_no_longer_asked_where_another_model_stands_in(tmp_path):
    def answer(asked):
        if asked.model == MODEL:
            raise CallFailed(SERVER, "down", 0.0)
        return "from the other"

    with gateway(tmp_path, answer, fallbacks={MODEL: OTHER}) as (models, scripted):
        for number in range(HOPELESS + 10):
            assert models.ask([request(number)])[0].text == "from the other"
    assert Counter(r.model for r in scripted.asked) == {MODEL: 3 * HOPELESS, OTHER: HOPELESS + 10}


def test_a_stop_does_not_wait_for_those_who_wait(tmp_path):
    def answer(asked):
        if asked.model == MODEL:
            raise CallFailed(LIMIT, "slow down", 300.0)
        raise CallFailed(KEY, "who are you", 0.0)

    start = time.monotonic()
    with gateway(tmp_path, answer) as (models, _), pytest.raises(ModelsStopped, match="who are you"):
        models.ask([request(0), request(1), request(2, model=OTHER)])
    assert time.monotonic() - start < 30


@pytest.mark.parametrize("kind", [KEY, QUOTA])
def test_a_refused_key_or_an_empty_quota_stops_all_and_keeps_what_was_answered(tmp_path, kind):
    def answer(asked):
        if asked.prompt.task == "question 7":
            raise CallFailed(kind, "go away")
        return "fine"

    limits = {"one": ProviderLimits("one", 1, key_name="ONE_KEY")}
    with gateway(tmp_path, answer, 0.01, limits=limits) as (models, scripted):
        with pytest.raises(ModelsStopped, match=r"ONE_KEY.*go away.*same command"):
            models.ask([request(n) for n in range(20)])
        assert len(scripted.asked) == 8
        assert [r.text for r in models.ask([request(n) for n in range(7)])] == ["fine"] * 7
        with pytest.raises(ModelsStopped):
            models.ask([request(100)])
    assert len(scripted.asked) == 8


def test_a_provider_that_never_answers_stops_the_run(tmp_path):
    with gateway(tmp_path, failing(SERVER)) as (models, scripted), pytest.raises(ModelsStopped, match="in a row"):
        models.ask([request(n) for n in range(100)])
    assert len(scripted.asked) <= 3 * 100
    limits = {"one": ProviderLimits("one", 2, retries=0)}
    with gateway(tmp_path, failing(SERVER), limits=limits) as (models, scripted), pytest.raises(ModelsStopped):
        models.ask([request(n) for n in range(100)])
    assert len(scripted.asked) <= HOPELESS + 2


def test_asking_for_more_patience_than_anyone_has_is_a_spent_quota(tmp_path):
    with (
        gateway(tmp_path, failing(LIMIT, retry_after=7200.0)) as (models, _),
        pytest.raises(ModelsStopped, match="quota"),
    ):
        models.ask([request()])


def test_a_rate_limit_silences_the_whole_provider_and_no_other(tmp_path):
    times = {}

    def answer(asked):
        first = asked.prompt.task not in times
        times.setdefault(asked.prompt.task, []).append(time.monotonic())
        if asked.prompt.task == "question 0" and first:
            raise CallFailed(LIMIT, "slow down", 0.5)
        return "fine"

    limits = {"one": ProviderLimits("one", 1)}
    with gateway(tmp_path, answer, limits=limits) as (models, _):
        start = time.monotonic()
        models.ask([request(0), request(1), request(2, model=OTHER)])
    assert times["question 1"][0] - start >= 0.5
    assert times["question 0"][1] - start >= 0.5
    assert times["question 2"][0] - start < 0.4


@pytest.mark.parametrize("cap", [0.0, 0.05, 0.3])
def test_spend_never_goes_over_the_cap_with_64_calls_at_a_time(tmp_path, cap):
    budget = Budget(cap, 1)
    seen = []

    def answer(asked):
        seen.append(budget.spent + budget.reserved)
        number = int(asked.prompt.task.split()[1])
        if number % 5 == 4:
            raise CallFailed(BROKEN, "cut off", 0.0)
        return Reply("x", asked.model, Usage(50, output_tokens=500), dollars=PRICES.bound(asked) * (number % 3) / 3)

    requests = [request(n, max_tokens=500) for n in range(200)]
    with gateway(tmp_path, answer, 0.005, budget=budget) as (models, scripted):
        replies = models.ask(requests)
    assert budget.spent <= cap
    assert max(seen, default=0) <= cap
    assert budget.reserved == pytest.approx(0, abs=1e-9)
    paid = sum(r.dollars + r.uncertain_dollars for r in replies)
    assert paid == pytest.approx(budget.spent)
    assert {r.failure for r in replies} <= {"", "budget", "unavailable"}
    assert [r for r in replies if r.failure == "budget"]
    assert bool(scripted.asked) == (cap > 0)


def test_what_is_in_the_cache_costs_nothing_of_the_budget(tmp_path):
    paid = lambda r: Reply("x", r.model, Usage(5), dollars=0.5)  # noqa: E731
    with gateway(tmp_path, paid, budget=Budget(100, 1)) as (models, _):
        models.ask([request(n) for n in range(3)])
        assert models.budget.spent == 1.5
    with gateway(tmp_path, paid, budget=Budget(0, 1)) as (models, _):
        replies = models.ask([request(n) for n in range(4)])
        assert [r.failure for r in replies] == ["", "", "", "budget"]
        assert models.budget.spent == 0


def test_local_models_are_asked_in_one_batch_and_only_once(tmp_path):
    batches = []

    class Local(Scripted):
        def ask(self, requests):
            batches.append(len(requests))
            return super().ask(requests)

    requests = [request(n, model="local:b" if n % 2 else MODEL) for n in range(10)]
    with gateway(tmp_path, lambda r: "far", local=Local(lambda r: "near"), budget=Budget(10, 1)) as (models, _):
        assert [r.text for r in models.ask(requests)] == ["far", "near"] * 5
        assert all(r.cached for r in models.ask(requests))
    assert batches == [5]
    with gateway(tmp_path / "x", lambda r: "") as (models, _), pytest.raises(ModelsStopped, match="no local models"):
        models.ask(requests)


def test_a_model_without_a_price_is_an_error(tmp_path):
    with gateway(tmp_path, lambda r: "") as (models, scripted), pytest.raises(UserError, match="price"):
        models.ask([request(model="one/unknown")])
    assert not scripted.asked


def test_the_first_of_calls_that_begin_alike_goes_alone_where_that_pays(tmp_path):
    long = Prompt("p", "s", "c" * 40_000, "")
    moments = []

    class Provider(Scripted):
        async def attempt(self, request, cache_prefix):
            moments.append(("asked", request.model, cache_prefix))
            reply = await super().attempt(request, cache_prefix)
            moments.append(("answered", request.model, cache_prefix))
            return reply

    def calls(model, count, **given):
        return [Request(model, replace(long, task=str(n)), **given) for n in range(count)]

    claude, own = "anthropic/claude-sonnet-5-5", MODEL
    with gateway(tmp_path, Provider(lambda r: "x", 0.05)) as (models, _):
        models.ask(calls(claude, 4))
        assert moments[:2] == [("asked", claude, True), ("answered", claude, True)]
        assert moments[2:5] == [("asked", claude, True)] * 3  # the rest together
        moments.clear()
        models.ask([Request(claude, replace(long, task="later"))])
        assert moments[0] == ("asked", claude, True)  # still in the provider's cache
        moments.clear()
        models.ask([Request(claude, replace(long, context="d" * 40_000))])
        assert moments[0] == ("asked", claude, False)  # alone: writing the cache would cost more
        moments.clear()
        models.ask(calls(own, 4))
        assert [m[0] for m in moments[:4]] == ["asked"] * 4  # no discount, no wait
        moments.clear()
        models.ask([Request(claude, Prompt("p", "s", "short", str(n))) for n in range(4)])
        assert [m[0] for m in moments[:4]] == ["asked"] * 4


def test_followers_go_on_when_the_leading_call_fails(tmp_path):
    long = Prompt("p", "s", "c" * 40_000, "")
    asked = [Request("anthropic/claude-sonnet-5-5", replace(long, task=str(n))) for n in range(5)]
    with gateway(tmp_path, lambda r: failing(INVALID)(r) if r.prompt.task == "0" else "fine") as (models, _):
        assert [r.text for r in models.ask(asked)] == ["", "fine", "fine", "fine", "fine"]


def test_estimates_follow_what_was_seen(tmp_path):
    with gateway(tmp_path, lambda r: Reply("x", r.model, Usage(50, output_tokens=40))) as (models, _):
        before = models.estimate(request(role="generate"))
        models.ask([request(n, role="generate") for n in range(100)])
        assert models.estimate(request(role="generate")) < before / 5
        assert models.estimate(request(model="local:b")) == 0


SLOW = """
import sys
from pathlib import Path
from tests.nl2sql.models.test_gateway import gateway, request
with gateway(Path(sys.argv[1]), lambda r: print("asked", r.prompt.task, flush=True) or "fine", 0.3) as (models, _):
    print(sorted(r.text for r in models.ask([request(n) for n in range(20)])) == ["fine"] * 20, flush=True)
"""


def test_two_processes_share_their_calls_and_one_that_is_killed_gives_its_own_back(tmp_path):
    def start():
        return subprocess.Popen([sys.executable, "-c", SLOW, tmp_path], cwd=ROOT, stdout=subprocess.PIPE, text=True)

    first = start()
    assert first.stdout.readline().startswith("asked")
    second, third = start(), start()
    time.sleep(0.1)
    first.kill()
    said = [p.communicate(timeout=60)[0].splitlines() for p in (second, third)]
    first.wait()
    assert [lines[-1] for lines in said] == ["True", "True"]
    asked = Counter(line for lines in said for line in lines if line.startswith("asked"))
    assert max(asked.values()) == 1


def ask_in_vain(models):
    with pytest.raises(CancelledError):
        models.ask([request()])


def test_closing_ends_what_is_under_way_and_notes_that_it_may_have_been_charged(tmp_path):
    budget = Budget(10, 1)
    with gateway(tmp_path, lambda r: "late", 30, budget=budget) as (models, scripted):
        thread = Thread(target=ask_in_vain, args=(models,), daemon=True)
        thread.start()
        while not scripted.asked:
            time.sleep(0.01)
    thread.join(5)
    assert not thread.is_alive()
    assert budget.spent == pytest.approx(PRICES.bound(request()))


def test_calls_about_the_question_that_was_begun_first_come_first(tmp_path):
    def about(question_id, number):
        return request(number, db_id="zoo", question_id=question_id)

    limits = {"one": ProviderLimits("one", 1, retries=0)}
    with gateway(tmp_path, lambda r: "said", 0.3, limits=limits) as (models, scripted), ThreadPoolExecutor(3) as pool:
        models.ask([about("early", 0), about("late", 1)])
        late = pool.submit(models.ask, [about("late", n) for n in range(10, 16)])
        while len(scripted.asked) < 3:
            time.sleep(0.001)
        early = pool.submit(models.ask, [about("early", n) for n in range(20, 23)])
        assert {r.text for future in (late, early) for r in future.result(30)} == {"said"}
    order = [r.question_id for r in scripted.asked[2:]]
    assert order[-4:] == ["late"] * 4
