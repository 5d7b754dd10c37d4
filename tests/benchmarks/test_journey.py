"""The page with one question's journey is what the pipeline asks today."""

import re
from dataclasses import replace

import pytest

from benchmarks.journey import COST, PAGE, Exchange, Journey, fenced, render_page, run_journey
from nl2sql.prompts.render import load_prompt
from nl2sql.rows import ModelCall, Selection

CALL = ModelCall(
    number=0,
    key="k",
    role="ground",
    generator="",
    db_id="zoo",
    question_id="1",
    prompt="ground/keywords",
    sample=0,
    model_asked="m",
    model="m",
    input_tokens=1,
    cache_read_tokens=0,
    cache_write_tokens=0,
    output_tokens=1,
    reasoning_tokens=0,
    dollars=0.0,
    uncertain_dollars=0.0,
    seconds=0.0,
    attempts=1,
    cached=False,
    again=False,
    outcome="ok",
    error="",
)
REQUEST = {"prompt": {"task": "the task"}, "turns": [], "schema": "", "effort": ""}


def prompts_of(page: str) -> str:
    """The page without what says nothing of prompts: costs, and the models that a preset has for each role."""
    return re.sub(rf"^{COST}.*$|(?<=`) to [^\s,]+(?=,|$)", "", page, flags=re.MULTILINE)


def journey(*exchanges: Exchange) -> Journey:
    return Journey("Which?", "", exchanges, (), (), Selection("1", "zoo", "", "", "none", 0.0, (), "", "", 0))


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_the_page_says_whose_answers_it_shows(page):
    assert "The answers are not a model's" in page
    assert "loopback" in page


def test_the_system_texts_on_the_page_are_those_of_the_prompts(page):
    names = set(re.findall(r"^### \d+\. `([^`]+)`", page, re.MULTILINE))
    assert {name.partition("/")[0] for name in names} >= {"summarise", "ground", "link", "draft", "generate"}
    for name in names:
        assert load_prompt(name).system.strip() in page, f"{name} has changed: python -m benchmarks.journey"


def test_the_page_is_what_the_pipeline_asks_now(page, tmp_path):
    made = render_page(run_journey(tmp_path))
    assert prompts_of(made) == prompts_of(page), "prompts have changed: python -m benchmarks.journey"


def test_texts_that_calls_share_stand_once():
    first = Exchange(CALL, "the rules", "the schema", REQUEST, "one")
    second = Exchange(replace(CALL, again=True, outcome="refused", error="no"), "the rules", "other", REQUEST, "two")
    made = render_page(journey(first, second))
    assert made.count("the rules") == 1
    assert "System: as in call 1." in made
    assert "asked once more" in made
    assert "refused: no" in made


def test_of_the_calls_for_the_database_one_is_shown():
    shared = [Exchange(replace(CALL, question_id="", role="summarise"), "s", "c", REQUEST, f"a{n}") for n in range(3)]
    made = render_page(journey(*shared))
    assert "a0" in made
    assert "a1" not in made
    assert "One of 3 calls" in made


@pytest.mark.parametrize("text", ["plain", "```sql\nSELECT 1\n```", "`````"])
def test_no_text_ends_its_block(text):
    opening, *inside, closing = fenced(text).split("\n")
    assert closing == opening.removesuffix("text")
    assert closing not in inside
