import io
import json
import math
from dataclasses import replace

import pytest
from rich.console import Console

from flows.ask_question import Answer
from flows.show_answer import answer_json, cost_of, show_answer
from nl2sql.execution import ExecutionResult
from nl2sql.rows import Candidate, Grounding, Linking, ModelCall, Question, Repair, Selection

CALL = ModelCall(
    number=0,
    key="k",
    role="generate",
    generator="A",
    db_id="zoo",
    question_id="1",
    prompt="generate/reasoning",
    sample=0,
    model_asked="anthropic/claude-sonnet-5-5",
    model="anthropic/claude-sonnet-5-5",
    input_tokens=2_000,
    cache_read_tokens=0,
    cache_write_tokens=0,
    output_tokens=300,
    reasoning_tokens=0,
    dollars=0.004,
    uncertain_dollars=0.0,
    seconds=2.0,
    attempts=1,
    cached=False,
    again=False,
    outcome="ok",
    error="",
)


def answer(*calls: ModelCall) -> Answer:
    sql = "SELECT 1"
    model = "anthropic/claude-sonnet-5-5" if calls else ""
    generator = "A" if calls else "rules"
    return Answer(
        Question("1", "zoo", "One?", "", "", "", ""),
        Grounding("1", "zoo", (), (), "", (), (), ()),
        Linking("1", "zoo", (), 3, ""),
        (Candidate("1", "zoo", f"{generator}/1", generator, model, "s2", "reasoning", 0, sql),),
        (Repair("1", "zoo", f"{generator}/1", generator, sql, sql, (), "ok", "ok", "", 1, 1, 0.0, "d", ""),),
        Selection("1", "zoo", f"{generator}/1", sql, "single", 1.0, (), f"{generator}/1", sql, 0),
        ExecutionResult("ok", "", ("1",), ((1,),), 1, 0.0, "digest"),
        calls,
    )


def shown(given: Answer, explain: bool = False) -> str:
    screen = Console(file=io.StringIO(), width=140, color_system=None)
    show_answer(given, screen, explain)
    return screen.file.getvalue()  # type: ignore[attr-defined]


def test_the_cost_says_what_came_from_the_cache():
    calls = [replace(CALL, key=str(n), cached=n < 3, dollars=0.001) for n in range(12)]
    assert cost_of(answer(*calls)) == "$0.012 in 12 calls (3 from cache, $0.0090 paid now)"
    assert cost_of(answer(CALL)) == "$0.0040 in 1 call"
    assert "cost $0.012 in 12 calls" in shown(answer(*calls))


def test_without_models_there_is_no_word_of_cost():
    text = shown(answer(), explain=True)
    assert "cost" not in text
    assert "model calls" not in text
    assert "keyless rules baseline (no model)" in text
    assert (answer_json(answer())["cost"], answer_json(answer())["calls"]) == (0.0, [])


def test_explain_lists_the_calls():
    broken = replace(
        CALL, key="b", role="fix", outcome="invalid", error="no [bold]JSON[/bold]\x1b[2J", seconds=math.nan
    )
    again = replace(CALL, key="c", role="fix", again=True, cached=True, sample=1)
    text = shown(answer(CALL, broken, again), explain=True)
    assert "model calls: $0.012 in 3 calls (1 from cache, $0.0080 paid now)" in text
    assert "A generate/reasoning" in text
    assert "invalid, no [bold]JSON[/bold]␛[2J" in text
    assert "ok, from cache, asked again" in text
    assert "model anthropic/claude-sonnet-5-5" in text


@pytest.mark.parametrize("odd", [math.nan, math.inf])
def test_json_holds_each_call_whatever_its_figures(odd):
    strange = replace(CALL, seconds=odd, dollars=odd, error="\ud800")
    made = json.loads(json.dumps(answer_json(answer(CALL, strange)), allow_nan=False))
    assert made["label"] == "model anthropic/claude-sonnet-5-5"
    assert made["cost"] == 0.004
    assert [c["dollars"] for c in made["calls"]] == [0.004, 0.0]
    assert made["calls"][0]["output_tokens"] == 300
    json.dumps(made).encode("ascii")
