"""A whole run with API models against the scripted provider, killed and resumed."""

from pathlib import Path

import pytest

from tests.servers.kill_and_resume import choose_moments, kept_answers, kill_and_resume, predictions, results
from tests.servers.pipeline_process import prepare_pipeline
from tests.servers.server_process import run_model_server

SCRIPT = "tests.servers.benchmark_script:build"
CONCURRENCY = 8  # at each of two providers
KILLS = 3


@pytest.fixture
def provider(tiny, tmp_path):
    with run_model_server(tmp_path, SCRIPT, {"dataset": str(tiny)}, latency=0.1) as running:
        yield running


def test_killed_runs_lose_no_answer_repeat_no_call_and_end_alike(tiny, tmp_path: Path, provider, server):
    alone, killed = (
        prepare_pipeline(tmp_path / name, provider, prefect=server, concurrency=CONCURRENCY)
        for name in ("alone", "killed")
    )
    alone.run("evaluate", tiny)
    calls = provider.stats()
    assert calls["answered"] == len(kept_answers(alone.answers))  # samples may have equal bodies

    provider.reset(latency=0.1)
    moments = choose_moments(calls["answered"] // 2, KILLS, seed=3)  # far from the end, which comes on between looks
    account = kill_and_resume(lambda: killed.start("evaluate", tiny), killed.answers, provider, moments)
    assert account.segments[-1].delivered  # the kills left something to do
    assert {segment.lost for segment in account.segments} == {0}
    assert account.again == calls["repeated"]
    assert kept_answers(killed.answers) == kept_answers(alone.answers)
    assert predictions(killed) == predictions(alone)
    assert results(killed) == results(alone)


def test_a_capped_run_is_billed_no_more_and_says_what_it_did_without(tiny, tmp_path: Path, provider, server):
    cap = 0.04
    capped = prepare_pipeline(tmp_path / "capped", provider, prefect=server, concurrency=32)
    capped.run("evaluate", tiny, "--max-cost", cap)
    assert 0 < provider.stats()["dollars"] <= cap
    assert "the budget took something away" in " ".join(capped.output().split())
    assert all(sql.strip() for sql in predictions(capped).values())  # rules stand in
