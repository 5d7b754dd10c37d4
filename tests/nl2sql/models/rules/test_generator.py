import json
import sqlite3
import time
from pathlib import Path

import pytest
import sqlglot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nl2sql.benchmarks import load_benchmark
from nl2sql.models.generator import Asked
from nl2sql.models.rules import Rules, draft
from nl2sql.online.context import DatabaseContext
from nl2sql.rows import CellMatch, Database, Grounding, Link, Linking, Question
from nl2sql.schema import Schema

SPIDER = Path(__file__).parents[5] / "shared" / "data" / "spider"
ODD = '''
CREATE TABLE "my table" ("the ""name""" TEXT, "select" INTEGER, "order by" TEXT, "😀 mood" TEXT, "a b c" REAL);
CREATE TABLE "from" (id INTEGER PRIMARY KEY, "group" TEXT, t INTEGER REFERENCES "my table"("select"));
CREATE VIEW glance AS SELECT "select", "a b c" FROM "my table";
INSERT INTO "my table" VALUES ('x"y', 1, 'q', 'happy', 2.5), (NULL, NULL, '', 'sad', -1);
INSERT INTO "from" VALUES (1, 'its', 1);
'''
BAD_EVIDENCE = [
    "DIVIDE(" * 500,
    "x refers to " * 300,
    "a = " * 1000,
    "'''''''",
    'select = 1; group = "x" and select > 5 or < 7',
    "MAX(MAX(MAX(select)))",
    "COUNT(select) > 5",
    "select between 1 and",
    "; ; ; refers to ;",
    "percentage = DIVIDE(SUM(select), )",
    "the answer is in the group refers to group IN ('a', ",
]
BAD_QUESTIONS = [
    "",
    "   ",
    "?",
    "¿Cuántos cantantes hay?",
    "歌手は何人いますか",
    "a" * 100_000,
    "list " * 20_000,
    "'" * 5_000,
    '"' * 3_001,
    "How many and " * 3_000,
    "average of of of",
    "\x00\x01\ud800",
    "name " * 300,
    "each per not without between and 1 2 3 more than at least 5 5 " * 20,
]


def runs(context: DatabaseContext, sql: str) -> set[tuple]:
    with sqlite3.connect(f"file:{context.database.path}?mode=ro", uri=True) as connection:
        return set(connection.execute(sql).fetchall())


def test_golden_pairs(harbour, ask_rules, golden_pairs):
    rules = Rules()
    wrong = []
    for question, evidence, expected in golden_pairs:
        found = ask_rules(harbour, question, evidence, rules)
        if not found or found[0].sql != expected:
            wrong.append((question, expected, found[0].sql if found else ""))
    assert not wrong
    assert len(golden_pairs) >= 40


def test_candidates_are_labelled_and_different(harbour, ask_rules):
    found = ask_rules(harbour, "Which ship has the highest tonnage?")
    assert [c.candidate_id for c in found] == [f"rules/{i + 1}" for i in range(len(found))]
    assert {(c.generator, c.model, c.view) for c in found} == {("rules", "", "full")}
    assert [c.prompt for c in found][:2] == ["direct", "extreme_value"]
    assert len({c.sql for c in found}) == len(found) > 1


def test_limit_bounds_the_candidates(harbour, ask_rules):
    question = "How many ships does each port have?"
    assert len(ask_rules(harbour, question)) > 1
    assert len(ask_rules(harbour, question, "", Rules(limit=1))) == 1


@pytest.mark.parametrize("question", BAD_QUESTIONS, ids=range(len(BAD_QUESTIONS)))
def test_odd_questions_are_harmless_and_quick(make_odd, question):
    row = Question("q", "odd", question, "", "", "", "dev")
    begin = time.perf_counter()
    nothing = Grounding("q", "odd", (), (), "", (), (), ()), Linking("q", "odd", (), 0, "")
    found = Rules().generate([Asked(row, *nothing)], make_odd)[0]
    assert time.perf_counter() - begin < 5
    for candidate in found:
        runs(make_odd, candidate.sql)


@pytest.mark.parametrize("evidence", BAD_EVIDENCE, ids=range(len(BAD_EVIDENCE)))
def test_odd_evidence_is_harmless_and_quick(make_odd, ask_rules, evidence):
    begin = time.perf_counter()
    found = ask_rules(make_odd, "How many my tables have the select 1?", evidence)
    assert time.perf_counter() - begin < 5
    for candidate in found:
        runs(make_odd, candidate.sql)


@pytest.fixture(scope="module")
def make_odd(make_context):
    return make_context(ODD)


def test_names_with_quotes_keywords_and_emoji_are_quoted(make_odd, ask_rules):
    assert ask_rules(make_odd, "List the name of my table")[0].sql == 'SELECT "the ""name""" FROM "my table"'
    assert ask_rules(make_odd, "Show the 😀 mood")[0].sql == 'SELECT "😀 mood" FROM "my table"'
    assert runs(make_odd, ask_rules(make_odd, "What is the highest a b c of all my tables?")[0].sql) == {(2.5,)}


def test_an_empty_schema_gives_nothing():
    empty = DatabaseContext(Database("e", "", "", 0, "", "", ""), Schema("e", (), ()), (), (), None, None, None)  # type: ignore[arg-type]
    row = Question("q", "e", "How many singers are there?", "singers refers to x = 1", "", "", "dev")
    grounding, linking = Grounding("q", "e", (), (), "", (), (), ()), Linking("q", "e", (), 0, "")
    assert Rules().generate([Asked(row, grounding, linking)], empty) == [[]]
    assert draft(row, grounding, linking, empty) == ""


def test_tables_that_nothing_joins_give_no_cross_product(make_context, ask_rules):
    context = make_context("CREATE TABLE apple (colour TEXT); CREATE TABLE quartz (hardness REAL);")
    for candidate in ask_rules(context, "Show the colour of each apple and the hardness of each quartz"):
        assert len(list(sqlglot.parse_one(candidate.sql, dialect="sqlite").find_all(sqlglot.exp.Table))) == 1


def test_many_columns_stay_quick(make_context, ask_rules):
    columns = ", ".join(f'"col_{i} value {i % 7}" INTEGER' for i in range(1500))
    context = make_context(f"CREATE TABLE wide ({columns})")
    rules = Rules()
    ask_rules(context, "What is the col 7 of wide?", "", rules)
    begin = time.perf_counter()
    assert ask_rules(context, "What is the value of the wide with the highest col 9?", "", rules)
    assert time.perf_counter() - begin < 5


def test_linking_decides_between_columns_of_the_same_name(make_context):
    context = make_context(
        "CREATE TABLE head (id INTEGER PRIMARY KEY, label TEXT); CREATE TABLE tail (id INTEGER PRIMARY KEY, label TEXT,"
        " head_id INTEGER REFERENCES head(id));"
    )
    row = Question("q", "made", "What are the labels?", "", "", "", "dev")
    grounding = Grounding("q", "made", (), (), "", (), (), ())

    def first(table: str) -> str:
        links = (Link(table, "label", 1, 1.0, ("name",)),)
        return Rules().generate([Asked(row, grounding, Linking("q", "made", links, 5, ""))], context)[0][0].sql

    assert (first("head"), first("tail")) == ("SELECT label FROM head", "SELECT label FROM tail")


def test_a_cell_of_a_hostile_spelling_stays_a_literal(harbour, ask_rules):
    value = "'; DROP TABLE ship; --"
    row = Question("q", "harbour", f'Show the ships named "{value}"', "", "", "", "dev")
    cell = CellMatch(value, "ship", "ship_name", value, 1.0, "exact")
    grounding = Grounding("q", "harbour", (), (), "", (cell,), (), ())
    found = Rules().generate([Asked(row, grounding, Linking("q", "harbour", (), 0, ""))], harbour)[0]
    assert found[0].sql == "SELECT ship_name FROM ship WHERE ship_name = '''; DROP TABLE ship; --'"
    assert runs(harbour, found[0].sql) == set()


def test_the_draft_is_the_first_candidate_without_links(harbour, ask_rules):
    row = Question("q", "harbour", "How many ships are there?", "", "", "", "dev")
    grounding, linking = Grounding("q", "harbour", (), (), "", (), (), ()), Linking("q", "harbour", (), 0, "")
    assert draft(row, grounding, linking, harbour) == "SELECT COUNT(*) FROM ship"


CUES = """how many what which list the of for each and or not with most highest average more than 5 2014 between ship
ships port name tonnage cost cargo captain first last sailor age oldest without both by sorted descending 'oil' Aurora ?
percentage different at least , who have that is in 2020 number total"""


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(CUES.split()), max_size=22))
def test_any_mixture_of_cues_gives_sql_that_runs(harbour, words):
    row = Question("q", "harbour", " ".join(words), "", "", "", "dev")
    cells = (
        CellMatch("Aurora", "ship", "ship_name", "Aurora", 1.0, "exact"),
        CellMatch("oil", "voyage", "cargo", "oil", 1.0, "exact"),
    )
    grounding = Grounding("q", "harbour", (), (), "", cells, (), ())
    found = Rules().generate([Asked(row, grounding, Linking("q", "harbour", (), 0, ""))], harbour)[0]
    for candidate in found:
        runs(harbour, candidate.sql)


@pytest.mark.skipif(not SPIDER.is_dir(), reason=f"no Spider data in {SPIDER}")
@pytest.mark.parametrize(("db_id", "least"), [("course_teach", 0.8), ("concert_singer", 0.7), ("pets_1", 0.8)])
def test_execution_accuracy_on_development_databases(open_database, ask_rules, db_id, least):
    context = open_database(SPIDER / "database" / db_id / f"{db_id}.sqlite")
    rules, right = Rules(), 0
    asked = load_benchmark(SPIDER, databases=[db_id]).questions
    for question in asked:
        found = ask_rules(context, question.question, question.evidence, rules)
        right += bool(found) and runs(context, found[0].sql) == runs(context, question.gold_sql)
    assert right / len(asked) >= least, json.dumps({"right": right, "asked": len(asked)})
