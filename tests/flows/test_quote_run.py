"""Prices before a run: from real prompts, without a key and without a call."""

import json

import pytest

from flows.quote_run import spread
from nl2sql.rows import Question

pytestmark = pytest.mark.usefixtures("server")


def question(number: int) -> Question:
    return Question(str(number), "zoo", "?", "", "", "", "dev")


def test_a_quote_names_every_operation_of_the_preset(nl2sql, tiny, monkeypatch):
    for name in ("ANTHROPIC_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    result = nl2sql("quote", tiny, "--preset", "economy", "--sample", 3, "--max-cost", "0.001", "--json")
    assert result.exit_code == 0, result.output
    quote = json.loads(result.stdout.splitlines()[-1])
    calls = {line["role"]: line["calls"] for line in quote["lines"]}
    assert calls == {
        "summarise": 3.0,  # one for each table
        "ground": 1.0,
        "link": 2.0,
        "draft": 1.0,
        "generate": 8.0,
        "fix": 1.0,
        "compare": 3.0,
    }
    assert (quote["questions"], quote["sampled"]) == (5, 3)
    assert quote["total"] == pytest.approx(quote["once"] + 5 * quote["per_question"])
    assert 0 < quote["per_question"] < 0.03
    assert "above the cap" in result.stdout


def test_offline_costs_nothing(nl2sql, tiny):
    result = nl2sql("quote", tiny, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout.splitlines()[-1])["total"] == 0


def test_the_sample_is_spread_over_all_questions():
    chosen = [int(q.question_id) for q in spread([question(i) for i in range(100)], 4)]
    assert chosen == [0, 25, 50, 75]
    assert len(spread([question(1)], 12)) == 1
