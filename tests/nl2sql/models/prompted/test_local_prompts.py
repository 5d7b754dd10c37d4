"""Local fixers and selectors are asked with what they are trained on, and a tiebreaker where they are unsure."""

import math

import pytest

from nl2sql.execution import execute
from nl2sql.models.budget import LEVELS
from nl2sql.models.chat import Reply
from nl2sql.models.choices import ModelChoice
from nl2sql.models.prompted.compare_answers import PairJudge, certainties
from nl2sql.models.prompted.fix_candidates import Fixer
from nl2sql.models.prompted.local_prompts import LEAST_TOKENS, fitted_prompt, in_one_style
from nl2sql.online.repair_candidates import Broken, repair_candidates
from nl2sql.online.select_answers import Pair
from nl2sql.prompts.fences import fence
from nl2sql.prompts.render import render
from nl2sql.prompts.schema_text import count_tokens, schema_text
from nl2sql.rows import Candidate
from nl2sql.training.training_prompts import Asking, compare_prompt, correction_prompt, executed

LOCAL = ModelChoice("local:selector@abc", context_tokens=1_024, max_tokens=512)
API = ModelChoice("made/judge")
NAMES = "select s.ship_name as n from Ship s where s.kind='T'"
STYLED = "SELECT ship_name FROM ship WHERE kind = 'T'"
HOMES = "SELECT home FROM ship"
BROKEN = "SELECT captain FROM ship"


class Nothing:
    """A budget that allows nothing any more."""

    def level_of(self, question_id):
        return LEVELS[-1]


def repairs_of(question, context, *statements):
    candidates = [
        Candidate(question.question_id, "harbour", f"G/{i}", "G", "", "full", "", 1, sql)
        for i, sql in enumerate(statements)
    ]
    return repair_candidates([question], [], [], candidates, context, workers=1, rounds=0)


def both_orders(question, context, *statements):
    first, second = repairs_of(question, context, *statements)
    return [Pair(question, first, second), Pair(question, second, first)]


def letters(a, b):
    """Log-probabilities of A and B as the first token, and an answer that says something else."""
    return lambda r: Reply("?", r.model, logprobs=(("A", math.log(a)), ("B", math.log(b))), failure="cut")


def context_of(harbour, columns, tokens=16_000):
    return schema_text(harbour, columns, "markdown", tokens)


def test_a_local_judge_sees_what_selectors_are_trained_on(harbour, ask, know, start):
    (known,) = know([ask("Which tankers are there?")], harbour)
    session = start(letters(0.75, 0.25))
    judge = PairJudge(session, LOCAL, groundings={"q": known.grounding})
    points = judge.compare(both_orders(known.question, harbour, NAMES, HOMES)[:1], harbour)
    assert points == [pytest.approx(0.75)]
    (request,) = session.model.asked
    shown = [executed(known.question, sql, execute(harbour.database.path, sql)) for sql in (STYLED, HOMES)]
    used = [c for c in harbour.schema.column_names if c.table == "ship" and c.column in ("ship_name", "kind", "home")]
    trained = compare_prompt(Asking(known.question, known.grounding), context_of(harbour, used), *shown)
    assert request.prompt == trained
    assert (request.schema, request.max_tokens) == ("", 8)
    assert request.logprobs >= 2
    assert [c.outcome for c in session.ledger.calls] == ["ok"]


def test_a_local_fixer_sees_what_correctors_are_trained_on(harbour, ask, know, start):
    (known,) = know([ask("Which ships?")], harbour)
    result = execute(harbour.database.path, BROKEN)
    tried = execute(harbour.database.path, "SELECT 1 FROM ships")
    broken = Broken(*vars(known).values(), BROKEN, result, ())
    again = Broken(*vars(known).values(), BROKEN, result, (), tried=(("SELECT 1 FROM ships", tried),))
    session = start(lambda r: "SELECT ship_name FROM ship", budget=Nothing())
    fixes = Fixer(session, LOCAL)([broken, again], harbour)
    assert fixes == ["SELECT ship_name FROM ship"] * 2
    first, second = session.model.asked
    assert first.turns == second.turns == ()
    schema = first.prompt.context.partition("<schema>\n")[2].partition("\n</schema>")[0]
    assert first.prompt == correction_prompt(Asking(known.question, known.grounding), schema, BROKEN, result)
    assert "SELECT 1 FROM ships" in second.prompt.task
    assert BROKEN not in second.prompt.task
    assert session.ledger.complete


def test_an_unreadable_local_answer_is_asked_again_for_a_letter(harbour, ask, start):
    session = start(lambda r: "B." if r.turns else "Both are fine.")
    points = PairJudge(session, LOCAL).compare(both_orders(ask("?"), harbour, NAMES, HOMES)[:1], harbour)
    assert points == [0.0]
    assert "Answer with one letter, A or B." in session.model.asked[1].turns[1].text


def test_an_unreadable_local_fix_is_asked_again_for_a_bare_query(harbour, ask, know, start):
    (known,) = know([ask("Which ships?")], harbour)
    broken = Broken(*vars(known).values(), BROKEN, execute(harbour.database.path, BROKEN), ())
    session = start(lambda r: "SELECT 1" if r.turns else "No idea.")
    assert Fixer(session, LOCAL)([broken], harbour) == ["SELECT 1"]
    assert "no other text" in session.model.asked[1].turns[1].text


def test_the_tiebreaker_hears_only_of_what_the_judge_is_unsure_of(harbour, ask, start):
    sure, unsure = ask("Sure?", question_id="s"), ask("谁?", question_id="u")
    pairs = [*both_orders(sure, harbour, NAMES, HOMES), *both_orders(unsure, harbour, NAMES, HOMES)]

    def answer(request):
        if request.model == API.model:
            return {"difference": "", "better": "A" if "ship_name" in request.prompt.task.split("Query B")[0] else "B"}
        first = "ship_name" in request.prompt.task.split("Query B")[0]
        likely = 0.95 if request.question_id == "s" else 0.55
        return letters(*((likely, 1 - likely) if first else (1 - likely, likely)))(request)

    session = start(answer)
    points = PairJudge(session, LOCAL, API).compare(pairs, harbour)
    assert points == pytest.approx([0.95, 0.05, 1.0, 0.0])
    assert [(r.role, r.question_id) for r in session.model.asked[4:]] == [("tiebreak", "u")] * 2
    assert {r.prompt.name for r in session.model.asked[4:]} == {"compare/pair"}
    lenient = PairJudge(start(answer), LOCAL, API, sure=0.5)
    assert lenient.compare(pairs, harbour) == pytest.approx([0.95, 0.05, 0.55, 0.45])


def test_a_judge_that_always_prefers_the_first_is_not_sure(harbour, ask):
    pairs = both_orders(ask("?"), harbour, NAMES, HOMES)
    assert certainties(pairs, [0.99, 0.99]) == pytest.approx([0.5, 0.5])
    assert certainties(pairs, [0.9, 0.2]) == pytest.approx([0.85, 0.85])
    assert certainties(pairs, [1.0, None]) == [0.0, 0.0]
    assert certainties(pairs[:1], [0.3]) == pytest.approx([0.7])


@pytest.mark.parametrize("fallen", ["unavailable", "budget"])
def test_what_the_tiebreaker_does_not_say_leaves_the_judges_word(harbour, ask, start, fallen):
    def answer(request):
        return Reply("", "m", failure=fallen) if request.model == API.model else letters(0.6, 0.4)(request)

    points = PairJudge(start(answer), LOCAL, API).compare(both_orders(ask("?"), harbour, NAMES, HOMES), harbour)
    assert points == pytest.approx([0.6, 0.6])


def test_no_money_stops_the_tiebreaker_and_not_the_local_judge(harbour, ask, start):
    session = start(letters(0.6, 0.4), budget=Nothing())
    points = PairJudge(session, LOCAL, API).compare(both_orders(ask("?"), harbour, NAMES, HOMES), harbour)
    assert points == pytest.approx([0.6, 0.6])
    assert {r.model for r in session.model.asked} == {LOCAL.model}
    assert not session.ledger.complete


def test_prompts_fit_their_limit_as_far_as_the_schema_can_be_cut(wide):
    def fill(text):
        def filled(schema):
            return render("compare/letter", **schema, **dict.fromkeys(("question", "query_a", "query_b"), text), **rest)

        return filled

    rest = dict.fromkeys(("evidence", "cells", "result_a", "result_b"), fence("", "result"))
    whole = fitted_prompt(wide, None, 1_024, fill(fence("谁？", "question")))
    assert 700 < sum(map(count_tokens, (whole.system, whole.context, whole.task))) <= 1_030
    full = fitted_prompt(wide, None, 1_024, fill(fence("x" * 9_000, "question")))
    assert 0 < count_tokens(full.context) <= LEAST_TOKENS + 120


def test_a_statement_without_a_style_is_shown_as_it_is(harbour, ask):
    found = in_one_style(repairs_of(ask("?"), harbour, NAMES, "PRAGMA user_version", "SELECT 1 WHERE 0"), harbour)
    assert found[NAMES].sql == STYLED
    assert '"ship_name"' in found[NAMES].preview
    assert found["PRAGMA user_version"].sql == "PRAGMA user_version"
