"""The gateway by the provider's books: killed and resumed, and held to a cap with calls that break off."""

import subprocess
import sys

import pytest

from nl2sql.models.budget import Budget
from tests.servers.gateway_client import ask_all, make_requests
from tests.servers.kill_and_resume import choose_moments, kept_answers, kill_and_resume
from tests.servers.server_process import ROOT

CALLS, CONCURRENCY, KILLS = 240, 16, 3


def test_kills_lose_no_answer_and_repeat_no_call(model_server, tmp_path):
    model_server.control(latency=0.1)

    def start():
        command = [sys.executable, "-m", "tests.servers.gateway_client", tmp_path, model_server.address]
        words = [*map(str, command), str(CALLS), str(CONCURRENCY)]
        return subprocess.Popen(words, cwd=ROOT, start_new_session=True, text=True)

    account = kill_and_resume(start, tmp_path, model_server, choose_moments(CALLS, KILLS, seed=5))
    assert len(kept_answers(tmp_path)) == account.kept == CALLS
    assert len(account.segments) == KILLS + 1
    assert sum(segment.delivered > 0 for segment in account.segments) >= 2
    assert {segment.lost for segment in account.segments} == {0}
    assert account.again == 0


@pytest.mark.parametrize("share", [0.2, 0.6])
def test_the_provider_never_bills_more_than_the_cap(model_server, tmp_path, share):
    requests = make_requests(200)
    free = ask_all(tmp_path / "free", model_server.address, requests, 64)
    whole = model_server.stats()["dollars"]
    assert sum(r.dollars for r in free) == pytest.approx(whole)

    broken = [{"kind": "cut", "probability": 0.1}, {"kind": "server_error", "probability": 0.1, "seed": 1}]
    model_server.reset(latency=0.05, misbehaviours=broken)
    budget = Budget(whole * share, questions=1)
    replies = ask_all(tmp_path / "capped", model_server.address, requests, 64, budget)
    bill = model_server.stats()
    assert 0 < bill["dollars"] <= budget.spent + 1e-12
    assert budget.spent <= budget.cap
    assert sum(r.dollars for r in replies) == pytest.approx(bill["dollars"] - bill["undelivered_dollars"])
    assert {r.failure for r in replies} <= {"", "budget", "unavailable"}
    assert any(r.failure == "budget" for r in replies)
