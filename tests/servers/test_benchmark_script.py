"""The double of the provider: it finds the question, follows the schema, and disagrees with itself as systems do."""

import json
from pathlib import Path

import pytest

from nl2sql.benchmarks import load_benchmark
from tests.servers.benchmark_script import build
from tests.servers.question_pool import QuestionPool, keywords, literals, mutations, used_columns
from tests.servers.script import Asked

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "datasets" / "demo"
BIRD = ROOT.parent / "shared" / "data" / "bird"
RECORDED = ROOT.parent / "shared" / "data" / "predictions" / "bird_dev.jsonl"


def asked(user, schema=None, role="generate", model="m", system="You write SQL."):
    return Asked(role, f"{role}/direct", model, system, user, schema, 0)


@pytest.fixture(scope="module")
def demo():
    return load_benchmark(str(DEMO))


@pytest.fixture(scope="module")
def script():
    return build(str(DEMO))


def test_every_question_of_the_demo_is_found_in_a_long_prompt(demo):
    pool = QuestionPool(str(DEMO))
    for question in demo.questions:
        known = pool.find(f"{'CREATE TABLE x (y);' * 2000}\n<question>\n{question.question}\n</question>\nThink first.")
        assert known is not None
        assert known.question.question.strip() == question.question.strip()
    assert pool.find("Who are you?") is None


def test_of_two_questions_the_last_counts(demo):
    first, last = demo.questions[3], demo.questions[8]
    known = QuestionPool(str(DEMO)).find(f"Example: {first.question}\n\nNow: {last.question}\n")
    assert known is not None
    assert known.question == last


def test_answers_are_gold_or_mistakes_and_the_same_for_the_same_call(demo, script):
    said = {}
    for question in demo.questions:
        for model in ("a", "b", "c"):
            call = asked(f"<question>\n{question.question}\n</question>", model=model)
            text = script(call)
            assert text == script(call)
            said.setdefault(question.question_id, set()).add(text.split("```sql\n")[1])
    assert sum(len(answers) > 1 for answers in said.values()) > len(said) / 3


def test_mistakes_are_none_of_the_gold(demo):
    pool = mutations(demo.questions[0])
    assert pool[:3] == (demo.questions[0].gold_sql,) * 3
    assert demo.questions[0].gold_sql not in pool[3:]


def test_objects_follow_their_schema(demo, script):
    column = {"type": "object", "properties": {"table": {"type": "string"}, "column": {"type": "string"}}}
    schema = {
        "type": "object",
        "properties": {
            "reasoning": {"type": "string"},
            "columns": {"type": "array", "items": column},
            "keywords": {"type": "array", "items": {"type": "string"}},
            "better": {"type": "string", "enum": ["A", "B"]},
            "sql": {"type": "string"},
        },
    }
    question = demo.questions[7]
    answer = json.loads(script(asked(question.question, schema)))
    assert set(answer) == set(schema["properties"])
    assert {"table": "film", "column": "runtime"} in answer["columns"]
    assert set(answer["keywords"]) <= set(question.question.replace("?", "").split())
    assert answer["better"] in ("A", "B")


def test_words_and_columns_are_taken_from_the_text():
    assert literals('How often did "Ада" and Bo Li meet since 2019-04-01?') == ["Ада", "Bo Li", "2019-04-01"]
    assert keywords("How many otters do we have?") == ["many", "otters", "have"]
    columns = {"t": ("a", "b"), "u": ("a", "c d")}
    assert used_columns('SELECT a, "c d" FROM u', columns) == [("u", "a"), ("u", "c d")]


@pytest.mark.skipif(not RECORDED.exists(), reason=f"{RECORDED} is not there")
def test_recorded_systems_answer_for_bird():
    script = build(str(BIRD), str(RECORDED))
    question = load_benchmark(str(BIRD)).questions[0]
    answers = {script(asked(question.question, model=f"model {n}")) for n in range(20)}
    assert len(answers) > 3
