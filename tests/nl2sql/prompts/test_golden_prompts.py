"""Every prompt as it goes out for a question of the demo: read tests/golden/prompts to see what models are told."""

import json
from pathlib import Path

import pytest

from nl2sql.prompts.render import prompt_names, render
from nl2sql.prompts.schema_text import schema_values
from nl2sql.prompts.task_text import (
    asked_values,
    columns_text,
    examples_text,
    fields_text,
    hits_text,
    outcome_text,
    query_text,
    result_text,
    table_text,
)

GOLDEN = Path(__file__).parents[2] / "golden" / "prompts"
SQL = (
    "SELECT T3.name FROM film AS T1 INNER JOIN credit AS T2 ON T1.film_id = T2.film_id"
    " INNER JOIN person AS T3 ON T2.person_id = T3.person_id WHERE T1.title = 'The Lamplighter'"
)
DIRECTOR = f"{SQL} AND T2.role = 'DIR'"
FIX, COMPARE, GENERATE = prompt_names("fix"), prompt_names("compare"), prompt_names("generate")
FORMATS = {"generate/complex": "markdown", "generate/chain_of_thought": "m_schema", "generate/local": "markdown"}


@pytest.fixture(scope="session")
def rendered(archive, question, grounding, linked, make_repair):
    """Prompt name -> Prompt."""
    asked, whole = asked_values(question, grounding), schema_values(archive, None, "m_schema", short=True)
    some = schema_values(archive, linked, "ddl")
    film = [p for p in archive.profiles if p.table == "film"]
    fields = [s for s in archive.summaries if s.table == "film"][:6]
    failed = make_repair(SQL.replace("T3.name", "T3.full_name"), "error", error="no such column: T3.full_name")
    fixed = {"query": query_text(failed.sql), "outcome": outcome_text(failed)}
    prompts = [
        render("summarise/fields", table=table_text(film), fields=fields_text(fields), count=len(fields)),
        render("ground/keywords", question=asked["question"], evidence=asked["evidence"]),
        render("link/first", hits=hits_text(grounding.columns), **asked, **whole),
        render("link/second", chosen=columns_text(linked), **asked, **whole),
        render("draft/sql", **asked, **whole),
        *(render(name, **fixed, **asked, **some) for name in FIX),
        *(render(name, **sides(make_repair), **asked, **some) for name in COMPARE),
    ]
    for name in GENERATE:
        schema = schema_values(archive, linked, FORMATS.get(name, "ddl"))
        prompts.append(render(name, examples=examples_text(grounding.examples, 2), **asked, **schema))
    return {p.name: p for p in prompts}


def sides(make_repair):
    """Two queries with their results."""
    both = json.dumps({"columns": ["name"], "rows": [["A. Novak"], ["B. Ito"]]})
    one = json.dumps({"columns": ["name"], "rows": [["A. Novak"]]})
    first, second = make_repair(SQL, row_count=2, preview=both), make_repair(DIRECTOR, row_count=1, preview=one)
    queries = {"query_a": query_text(first.sql), "query_b": query_text(second.sql)}
    return queries | {"result_a": result_text(first), "result_b": result_text(second)}


NAMES = ["summarise/fields", "ground/keywords", "link/first", "link/second", "draft/sql", *FIX, *COMPARE, *GENERATE]


@pytest.mark.parametrize("name", NAMES)
def test_prompts_are_as_in_the_golden_files(rendered, name):
    """A golden file that is not there is written, to be read before it is committed."""
    prompt = rendered[name]
    text = f"# system\n\n{prompt.system}\n\n# context\n\n{prompt.context}\n\n# task\n\n{prompt.task}\n"
    golden = GOLDEN / f"{name}.md"
    if not golden.exists():
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(text, encoding="utf-8")
        pytest.fail(f"{golden} was not there: it has been written now, read it")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_the_question_stands_before_the_task(rendered, name, question):
    prompt = rendered[name]
    said = prompt.system + prompt.context
    assert question.question not in said
    assert question.evidence not in said
    assert "The Lamplighter" not in said


def test_each_system_text_begins_with_a_sentence_of_its_own(rendered):
    openings = {p.system.split("\n")[0] for p in rendered.values()}
    assert len(openings) == len(rendered)
    assert all(o.endswith(".") and len(o) > 30 for o in openings)
