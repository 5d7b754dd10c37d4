import json
import math

import pytest

from nl2sql.reporting.model_costs import cost_notes, costs_json, count_calls, model_costs


def test_without_models_there_is_nothing_to_say():
    assert model_costs(["1"], (), (), {"full": 3}) is None
    assert cost_notes(None, 3) == []
    assert costs_json(None) is None


def test_dollars_are_told_apart_by_who_paid(call):
    made = [call(dollars=0.10), call(dollars=0.02, cached=True), call(dollars=0.03, uncertain_dollars=0.005)]
    costs = model_costs([], made, [call(dollars=0.40)])
    assert costs is not None
    assert costs.dollars == pytest.approx(0.55)
    assert costs.paid == pytest.approx(0.13)
    assert costs.uncertain == pytest.approx(0.005)
    assert (costs.calls, costs.earlier) == (4, 2)


def test_an_answer_that_several_calls_got_counts_once(call):
    bought, again, third = (call(key="k", dollars=0.1, cached=c) for c in (False, True, True))
    for order in ([bought, again, third], [again, third, bought]):
        costs = model_costs([], order)
        assert costs is not None
        assert (costs.dollars, costs.paid, costs.calls) == (pytest.approx(0.1), pytest.approx(0.1), 3)
        assert costs.uses[0].input_tokens == 2_000
    later = model_costs([], [again, third])
    assert later is not None
    assert (later.dollars, later.paid) == (pytest.approx(0.1), 0)


def test_a_call_that_never_came_back_stands_for_no_answer(call):
    broken = call(key="k", outcome="unavailable", uncertain_dollars=0.01)
    costs = model_costs([], [broken, call(key="k", dollars=0.1, cached=True)])
    assert costs is not None
    assert (costs.dollars, costs.paid, costs.uncertain) == (pytest.approx(0.1), 0, pytest.approx(0.01))


def test_dollars_per_question_are_over_all_questions(call):
    calls = [call(question_id="1", dollars=d) for d in (0.01, 0.02)] + [call(question_id="2", dollars=0.05)]
    calls += [call(dollars=0.30), call(question_id="of another run", dollars=0.60)]
    costs = model_costs(["1", "2", "3", "4"], calls)
    assert costs is not None
    assert costs.by_question == pytest.approx((0.03, 0.05, 0.0, 0.0))
    each = costs.per_question
    assert (each.mean, each.median, each.p95, each.most) == pytest.approx((0.02, 0.015, 0.05, 0.05))
    assert costs.shared == pytest.approx(0.90)
    assert sum(costs.by_question) + costs.shared == pytest.approx(costs.dollars)


def test_a_question_that_stands_twice_costs_once(call):
    costs = model_costs(["1", "1", "2"], [call(question_id="1", dollars=0.1)])
    assert costs is not None
    assert costs.by_question == (0.1, 0.0)


def test_uses_are_by_operation_and_model(call):
    calls = [
        call(role="generate", model_asked="big", dollars=0.2, seconds=2, generator="A"),
        call(role="generate", model_asked="big", dollars=0.1, seconds=4, generator="B"),
        call(role="generate", model_asked="big", seconds=math.nan, cached=True),
        call(role="generate", model_asked="small", dollars=0.5, seconds=math.inf),
        call(role="link", model_asked="small", seconds=9, input_tokens=0, cache_read_tokens=0),
        call(role="taste", model_asked="small"),
    ]
    costs = model_costs(["1", "2"], calls)
    assert costs is not None
    found = [(u.role, u.model, u.calls, u.earlier) for u in costs.uses]
    expected = [
        ("link", "small", 1, 0),
        ("generate", "small", 1, 0),
        ("generate", "big", 3, 1),
        ("taste", "small", 1, 0),
    ]
    assert found == expected
    link, small, big, _ = costs.uses
    assert (big.dollars, big.per_question) == pytest.approx((0.3, 0.15))
    assert (big.input_tokens, big.cached_share, big.output_tokens, big.reasoning_tokens) == (6_000, 25, 900, 600)
    assert (big.median_seconds, big.p95_seconds) == (3, 4)
    assert (small.median_seconds, link.cached_share) == (None, 0)
    assert costs.generators == pytest.approx({"A": 0.2, "B": 0.1, "": 0.5})


def test_outcomes_tell_who_went_without_a_model(call):
    calls = [
        call(role="link", question_id="1", outcome="invalid"),
        call(role="link", question_id="1", again=True),
        call(role="link", question_id="2", outcome="cut"),
        call(role="link", question_id="2", outcome="invalid", again=True),
        call(role="link", question_id="3", outcome="refused"),
        call(role="link", question_id="3", outcome="unavailable"),
        call(role="link", question_id="4", model_asked="a", model="b"),
        call(role="fix", question_id="5", outcome="budget", model_asked="a", model=""),
    ]
    costs = model_costs(["1", "2", "3", "4", "5"], calls)
    assert costs is not None
    link, fix = costs.outcomes
    assert link.outcomes == {"ok": 2, "invalid": 2, "cut": 1, "refused": 1, "unavailable": 1}
    assert (link.again, link.given_up, link.without, link.other_model) == (2, 3, 2, 1)
    assert (fix.given_up, fix.without, fix.other_model) == (1, 1, 0)
    assert cost_notes(costs, 5) == [
        "questions for which a step went without its model, by operation: link 2, fix 1",
        "answers by a fallback model: 1",
    ]


def test_what_the_budget_took_away_is_said_even_without_a_call():
    costs = model_costs(["1", "2"], (), (), {"full": 1, "six candidates": 0, "no model": 1})
    assert costs is not None
    assert cost_notes(costs, 2) == ["the budget took something away from 1 of 2 questions: no model 1"]


def test_a_price_that_is_no_number_is_noted_and_counts_nothing(call):
    costs = model_costs(["1"], [call(question_id="1", dollars=math.nan), call(question_id="1", dollars=0.1)])
    assert costs is not None
    assert costs.dollars == pytest.approx(0.1)
    assert cost_notes(costs, 1) == ["calls whose price is no number, counted as $0: 1"]


def test_json_is_json(call):
    calls = [call(dollars=0.1 + 0.2, seconds=math.nan, model_asked="\x00<b>"), call(outcome="refused")]
    for ids in ([], ["1"]):
        made = json.loads(json.dumps(costs_json(model_costs(ids, calls)), allow_nan=False))
        assert made["dollars"] == 0.3
        assert made["per_question"]["most"] == 0
        assert {u["model"] for u in made["uses"]} == {"\x00<b>", "gemini/gemini-3.8-flash"}
        assert made["outcomes"]["generate"]["outcomes"] == {"ok": 1, "refused": 1}


def test_ten_thousand_calls_are_counted_in_order(call):
    calls = [call(key=str(n % 5_000), cached=n >= 5_000) for n in range(10_000)]
    counted = count_calls(calls)
    assert [c.call for c in counted] == calls
    assert sum(c.repeated for c in counted) == 5_000
