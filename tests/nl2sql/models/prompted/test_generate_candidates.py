import time
from dataclasses import replace
from threading import Event

import pytest

from nl2sql.models.budget import LEVELS
from nl2sql.models.chat import Reply
from nl2sql.models.choices import LineupEntry, ModelChoice
from nl2sql.models.prompted.generate_candidates import Prompted, columns_of, generate_together
from nl2sql.models.recorded import record
from nl2sql.models.rules import Rules
from nl2sql.online.generate_candidates import generate_candidates

MODEL = ModelChoice("made/model")
ENTRY = LineupEntry("A", choice=MODEL, prompts=("direct", "reasoning"), views=("s1", "s2"), samples=2, examples=2)
SQL = "```sql\nSELECT ship_name FROM ship\n```"


class Fixed:
    """A budget that allows one level, and keeps what it was asked."""

    def __init__(self, level):
        self.level, self.planned = next(x for x in LEVELS if x.name == level), []

    def plan(self, question_ids, costs):
        self.planned.append((list(question_ids), list(costs)))
        return self.level

    def level_of(self, question_id):
        return self.level


def lineup(session, *entries):
    return [Prompted(e, session) for e in entries]


def generate(generators, asked, context, **options):
    rows = [a.question for a in asked], [a.grounding for a in asked], [a.linking for a in asked]
    return generate_candidates(*rows, context, generators, **options)


@pytest.fixture
def asked(harbour, ask, know):
    return know([ask("Which ships are from Lübeck?"), ask("哪些船去大连？", question_id="r")], harbour)


def test_an_entry_asks_for_the_product_of_its_lists_and_all_go_out_at_once(harbour, asked, start):
    session = start(lambda _: SQL)
    other = replace(ENTRY, name="B", prompts=("direct",), views=("full",), samples=1, schema_format="m_schema")
    found = generate(lineup(session, ENTRY, other), asked, harbour)
    assert session.model.rounds == [18]
    assert [c.candidate_id for c in found[:9]] == [f"A/{i}" for i in range(1, 9)] + ["B/1"]
    assert {(c.view, c.prompt) for c in found[:4]} == {(v, p) for v in ENTRY.views for p in ENTRY.prompts}
    assert {c.model for c in found} == {"made/model"}
    assert {c.sql for c in found} == {"SELECT ship_name FROM ship"}
    assert len({r.key for r in session.model.asked}) == 18
    assert {(c.role, c.generator) for c in session.ledger.calls} == {("generate", "A"), ("generate", "B")}


def test_samples_of_a_model_without_temperature_are_told_the_same_in_another_order(harbour, asked, start):
    session = start(lambda _: SQL)
    entry = LineupEntry("A", choice=MODEL, samples=4)
    generate(lineup(session, entry, replace(entry, name="B", examples=3)), asked[:1], harbour)
    tables = {r.prompt.context for r in session.model.asked if r.generator == "A"}
    examples = {r.prompt.task for r in session.model.asked if r.generator == "B"}
    assert len(tables) > 1
    assert len({"".join(sorted(t)) for t in tables}) == 1
    assert len(examples) > 1
    assert len({r.prompt.context for r in session.model.asked if r.generator == "B"}) == 1


def test_samples_at_a_temperature_share_their_prompt(harbour, asked, start):
    session = start(lambda _: SQL)
    entry = LineupEntry("A", choice=MODEL, samples=3, temperatures=(0.7,), examples=3)
    found = generate(lineup(session, entry), asked[:1], harbour)
    assert len({r.prompt for r in session.model.asked}) == 1
    assert [c.sample for c in found] == [0, 1, 2]


def test_views_that_show_the_same_columns_are_asked_as_two_samples(harbour, asked, start):
    session = start(lambda _: SQL)
    links = tuple(replace(k, view=1) for k in asked[0].linking.links)
    same = [replace(asked[0], linking=replace(asked[0].linking, links=links))]
    generate(lineup(session, LineupEntry("A", choice=MODEL, views=("s1", "s2"))), same, harbour)
    assert len({r.key for r in session.model.asked}) == 2


def test_the_same_questions_are_asked_in_the_same_words(harbour, asked, start):
    first, second = start(lambda _: SQL), start(lambda _: SQL)
    generate(lineup(first, ENTRY), asked, harbour)
    generate(lineup(second, ENTRY), asked, harbour)
    assert [r.key for r in first.model.asked] == [r.key for r in second.model.asked]


def test_a_prompt_shows_the_view_and_its_matched_values_only(harbour, asked, start):
    session = start(lambda _: SQL)
    generate(lineup(session, LineupEntry("A", choice=MODEL, views=("s1", "full"))), asked[:1], harbour)
    precise, full = (r.prompt for r in session.model.asked)
    assert "'Lübeck'" in precise.task
    assert "cargo type" not in precise.context
    assert "cargo type" in full.context


def test_answers_without_a_query_give_no_candidate_and_the_others_keep_their_numbers(harbour, asked, start):
    def answer(request):
        if request.question_id == "r":
            return "I cannot."
        return "DROP TABLE ship" if request.prompt.name.endswith("direct") else SQL

    found = generate(lineup(start(answer), ENTRY), asked, harbour)
    assert [c.candidate_id for c in found] == ["A/3", "A/4", "A/7", "A/8"]
    assert {c.question_id for c in found} == {"q"}


@pytest.mark.parametrize("reply", ["", "no", Reply("", "m", failure="refused"), Reply("SELECT", "m", failure="cut")])
def test_the_best_of_the_rules_stands_in_where_no_model_answered(harbour, asked, start, reply):
    session = start(lambda r: SQL if r.question_id == "q" else reply)
    found = generate(lineup(session, ENTRY), asked, harbour, stand_in=Rules())
    assert {c.generator for c in found if c.question_id == "q"} == {"A"}
    last = [c for c in found if c.question_id == "r"]
    assert [c.candidate_id for c in last] == [c.candidate_id for c in Rules().generate(asked[1:], harbour)[0][:1]]


def test_rules_of_the_lineup_itself_do_not_stand_in_twice(harbour, asked, start):
    session = start(lambda _: "")
    found = generate([*lineup(session, ENTRY), Rules()], asked, harbour, stand_in=Rules())
    assert len({(c.question_id, c.candidate_id) for c in found}) == len(found)


def test_without_prompted_generators_nothing_stands_in(harbour, asked):
    assert generate([record(())], asked, harbour, stand_in=Rules()) == []


def test_the_lineup_keeps_its_order_whoever_is_done_first(harbour, asked, start):
    session = start(lambda _: SQL)
    entry = LineupEntry("A", choice=MODEL)
    found = generate(
        [*lineup(session, entry), Rules(limit=1), *lineup(session, replace(entry, name="B"))], asked, harbour
    )
    assert [c.generator for c in found if c.question_id == "q"] == ["A", "rules", "B"]
    assert session.model.rounds == [4]


def test_rules_work_while_the_models_are_waited_for(harbour, asked, start):
    done = Event()

    class Slow(Rules):
        def generate(self, asked, context):
            done.set()
            return super().generate(asked, context)

    session = start(lambda _: SQL if done.wait(10) else "too late")
    begin = time.perf_counter()
    assert {c.generator for c in generate([*lineup(session, ENTRY), Slow()], asked, harbour)} >= {"A"}
    assert time.perf_counter() - begin < 10


@pytest.mark.parametrize(("level", "kept"), [("six candidates", 6), ("three candidates", 3), ("one candidate", 1)])
def test_under_a_budget_every_generator_keeps_its_first_before_any_gets_a_second(harbour, asked, start, level, kept):
    budget = Fixed(level)
    session = start(lambda _: SQL, budget, estimate=lambda r: {"A": 0.5, "B": 0.25, "C": 0.125}[r.generator])
    entries = [replace(ENTRY, name=name, samples=1) for name in "ABC"]
    found = generate(lineup(session, *entries), asked, harbour)
    mine = [c.candidate_id for c in found if c.question_id == "q"]
    order = ["A/1", "B/1", "C/1", "A/2", "B/2", "C/2"]
    assert sorted(mine) == sorted(order[:kept])
    assert budget.planned == [(["q", "r"], [0.5, 0.25, 0.125] * 4)]
    assert not session.ledger.complete


def test_a_budget_that_stretches_leaves_the_ledger_complete(harbour, asked, start):
    session = start(lambda _: SQL, Fixed("six candidates"))
    assert len(generate(lineup(session, replace(ENTRY, prompts=("direct",))), asked, harbour)) == 8
    assert session.ledger.complete


def test_no_money_at_all_asks_nothing_and_the_rules_stand_in(harbour, asked, start):
    session = start(lambda _: SQL, Fixed("no model"))
    found = generate(lineup(session, ENTRY), asked, harbour, stand_in=Rules())
    assert session.model.asked == []
    assert {c.generator for c in found} == {"rules"}
    assert not session.ledger.complete


def test_a_budget_that_runs_out_in_mid_batch_loses_only_the_later_answers(harbour, asked, start):
    spent = []

    def answer(request):
        spent.append(request)
        return SQL if len(spent) <= 10 else Reply("", request.model, failure="budget")

    session = start(answer)
    found = generate(lineup(session, ENTRY), asked, harbour)
    assert len(found) == 10
    assert session.model.rounds == [16]
    assert not session.ledger.complete


def test_what_stops_the_models_stops_the_step(harbour, asked, start):
    class Stopped(Exception):
        pass

    def answer(request):
        raise Stopped("the key was refused")

    with pytest.raises(Stopped, match="refused"):
        generate([*lineup(start(answer), ENTRY), Rules()], asked, harbour, stand_in=Rules())


def test_a_wide_schema_stays_within_its_limit(wide, ask, know, start):
    session = start(lambda _: SQL)
    entry = LineupEntry("A", choice=MODEL, views=("full", "s2"), context_tokens=3_000)
    generate(lineup(session, entry), know([ask("highest blood pressure?", db_id="wide")], wide), wide)
    assert max(len(r.prompt.context) for r in session.model.asked) < 12_000
    assert all("blood pressure" in r.prompt.context for r in session.model.asked)


def test_no_questions_ask_nothing(harbour, start):
    session = start(lambda _: SQL)
    assert generate_together(lineup(session, ENTRY), [], harbour) == [[]]
    assert session.model.rounds == []


def test_an_empty_view_shows_everything(harbour, asked):
    assert columns_of(replace(asked[0].linking, links=()), "s1") is None
    assert columns_of(asked[0].linking, "full") is None
