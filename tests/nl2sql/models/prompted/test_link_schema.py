import json
from dataclasses import replace

import pytest

from nl2sql.models.chat import Reply
from nl2sql.models.choices import ModelChoice
from nl2sql.models.prompted.link_schema import SchemaLinker
from nl2sql.models.rules import Rules
from nl2sql.online.ground_questions import ground_questions
from nl2sql.online.link_schema import link_schema

LINKER, DRAFTER = ModelChoice("made/linker"), ModelChoice("made/drafter")


def picked(*names):
    return json.dumps(
        {"needs": "", "columns": [dict(zip(("table", "column"), n.split("."), strict=True)) for n in names]}
    )


def by_role(first, second="", draft=""):
    """Answers by prompt; each is a text or a function of the request."""
    answers = {"link/first": first, "link/second": second, "draft/sql": draft}

    def answer(request):
        said = answers[request.prompt.name]
        return said(request) if callable(said) else said

    return answer


def link(questions, context, session, **options):
    groundings = ground_questions(questions, context)
    chooser = SchemaLinker(session, LINKER, DRAFTER)
    return link_schema(questions, groundings, context, chooser=chooser, **options)


def plain(questions, context, **options):
    return link_schema(questions, ground_questions(questions, context), context, **options)


def columns(linking, view=2):
    return {f"{x.table}.{x.column}" for x in linking.links if x.view <= view}


def test_rounds_and_draft_make_the_views_with_one_ask_a_level(harbour, ask, start):
    answer = by_role(
        picked("ship.ship_name", "port.country"),
        picked("voyage.profit"),
        "```sql\nSELECT tonnage FROM ship\n```",
    )
    session = start(answer)
    questions = [ask("Which ships are from DE?", question_id=str(i)) for i in range(3)]
    found = link(questions, harbour, session)
    assert session.model.rounds == [6, 3]
    for linking in found:
        assert columns(linking, 1) == {"ship.ship_name", "port.country", "ship.home", "port.port_id"}
        assert columns(linking) >= columns(linking, 1) | {
            "voyage.profit",
            "ship.tonnage",
            "voyage.ship",
            "ship.ship_id",
        }
        assert "voyage.sailed" not in columns(linking)
        assert linking.draft_sql == "SELECT tonnage FROM ship"
        reasons = {x.column: x.reasons for x in linking.links}
        assert "model" in reasons["profit"]
        assert "draft" in reasons["tonnage"]


def test_columns_of_sure_cells_join_whatever_the_model_says(harbour, ask, start):
    session = start(by_role(picked("ship.tonnage"), picked()))
    (found,) = link([ask("How heavy is the Aurora?")], harbour, session)
    assert "ship.ship_name" in columns(found) - columns(found, 1)


def test_the_second_round_is_told_what_is_kept_and_the_whole_schema_stays_the_same(harbour, ask, start):
    session = start(by_role(picked("ship.tonnage"), picked()))
    link([ask("How heavy?"), ask("How deep?", question_id="r")], harbour, session)
    second = [r for r in session.model.asked if r.prompt.name == "link/second"]
    assert all("ship.tonnage" in r.prompt.task for r in second)
    assert len({r.prompt.context for r in session.model.asked if r.role == "link"}) == 1


def test_unknown_names_are_dropped_and_slips_mended(harbour, ask, start):
    session = start(by_role(picked("SHIPS.Ship_Nam", "crew.captain", "port.水深"), picked("ship.ghost")))
    (found,) = link([ask("Anything?")], harbour, session)
    assert columns(found, 1) >= {"ship.ship_name", "port.水深"}
    assert all(harbour.schema.column(x.table, x.column) for x in found.links)


@pytest.mark.parametrize(
    "first",
    ["", "Sorry.", picked("crew.captain"), picked(), Reply("", "m", failure="budget"), Reply("{", "m", failure="cut")],
)
def test_without_a_first_round_the_scores_link_and_the_rules_draft(harbour, ask, start, first):
    questions = [ask("Which ships are from Lübeck?")]
    session = start(by_role(first, picked("voyage.profit"), "no SQL here"))
    assert link(questions, harbour, session, draft=Rules().draft) == plain(questions, harbour, draft=Rules().draft)
    assert "link/second" not in {r.prompt.name for r in session.model.asked}


def test_without_a_second_round_the_scores_go_on(harbour, ask, start):
    session = start(by_role(picked("voyage.profit"), "nothing"))
    (found,) = link([ask("Which ships are from Lübeck?")], harbour, session)
    assert columns(found, 1) >= {"voyage.profit"}
    assert {"ship.ship_name", "port.port_name"} <= columns(found)


def test_a_failed_question_leaves_the_others_of_its_batch_alone(harbour, ask, start):
    def first(request):
        return picked("voyage.profit") if "What profit" in request.prompt.task else "?"

    questions = [ask("What profit?", question_id="1"), ask("Which ships are from DE?", question_id="2")]
    session = start(by_role(first, picked()))
    found = link(questions, harbour, session)
    assert columns(found[0], 1) == {"voyage.profit"}
    assert found[1] == plain(questions, harbour)[1]
    assert session.model.rounds[0] == 4
    assert session.model.rounds[-1] == 1


@pytest.mark.parametrize("draft", ["DROP TABLE ship", "SELECT ghost FROM ship", "SELECT * FROM sqlite_master"])
def test_a_draft_that_is_no_query_of_this_database_adds_nothing(harbour, ask, start, draft):
    questions = [ask("Anything?")]
    drafted = link(questions, harbour, start(by_role(picked("ship.kind"), picked(), draft)))
    assert columns(drafted[0]) == columns(link(questions, harbour, start(by_role(picked("ship.kind"), picked())))[0])


def test_a_model_that_chooses_everything_is_held_to_a_number(wide, ask, start):
    everything = picked(*(f"wide.metric_{i}" for i in range(1999)))
    (found,) = link(
        [ask("What is the highest blood pressure?", db_id="wide")], wide, start(by_role(everything, everything))
    )
    assert len(found.links) <= 100


def test_a_wide_schema_is_shown_within_its_limit_and_with_the_likeliest_columns(wide, ask, start):
    session = start(by_role(picked("wide.blood pressure"), picked()))
    groundings = ground_questions([ask("What is the highest blood pressure?")], wide)
    chooser = SchemaLinker(session, replace(LINKER, context_tokens=2_000))
    (found,) = link_schema([ask("What is the highest blood pressure?")], groundings, wide, chooser=chooser)
    assert columns(found, 1) == {"wide.blood pressure"}
    for request in session.model.asked:
        assert "blood pressure" in request.prompt.context
        assert len(request.prompt.context) < 8_000


def test_an_empty_database_asks_nothing(build_context, ask, start):
    session = start(by_role(picked()))
    (found,) = link([ask("Anything?")], build_context("", "nothing"), session)
    assert found.links == ()
    assert session.model.asked == []
