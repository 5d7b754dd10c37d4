from collections import Counter
from dataclasses import replace

import pytest

from nl2sql.execution import execute
from nl2sql.training.augment_schema import Described
from nl2sql.training.build_chats import DATABASE, NONE, REBUILT, ChatOptions, Material, build_chats
from nl2sql.training.rebuild_schema import rebuild_schema
from nl2sql.training.rows import Solution


def solution(question_id, sql):
    return Solution(question_id, "zoo", "simple", "s1", sql, "rules", "", "rules/1", 1, 1, 1)


def chats_of(zoo, questions=None, options=None, refused=None, **material):
    questions = zoo.questions if questions is None else questions
    made = Material(zoo.described, zoo.path, **material)
    return build_chats(
        questions, made, {q.question_id: "train" for q in questions}, refused or {}, options or ChatOptions()
    )


def test_four_tasks_and_two_variants_each_with_its_source(zoo):
    chats = chats_of(zoo)
    kinds = Counter((c.variant, c.task) for c in chats)
    assert kinds["a", "sql"] == kinds["a", "question"] == 6
    assert kinds["a", "evidence"] == 2  # of the two questions that have any
    assert kinds["a", "correction"] == 12
    assert kinds["b", "sql"] >= 4
    assert all(c.assistant and c.verified and not c.dropped for c in chats)
    assert {c.source.partition(":")[0] for c in chats} == {"gold", "rewrite", "mutation"}
    assert {c.schema_source for c in chats if c.task in ("sql", "correction")} == {DATABASE}
    assert {c.schema_source for c in chats if c.task in ("question", "evidence")} == {NONE}


def test_equal_inputs_give_equal_chats_and_another_seed_others(zoo):
    assert chats_of(zoo) == chats_of(zoo)
    assert [c.user for c in chats_of(zoo)] != [c.user for c in chats_of(zoo, options=ChatOptions(seed=1))]


def test_every_answer_in_sql_gives_the_gold_result(zoo):
    golds = {q.question_id: execute(zoo.path, q.gold_sql).digest for q in zoo.questions}
    answers = [c for c in chats_of(zoo) if c.task in ("sql", "correction")]
    assert all(execute(zoo.path, c.assistant).digest == golds[c.question_id] for c in answers)


def test_corrections_show_what_really_happened_those_of_generators_first(zoo):
    failed = {"0": [("rules/1", "SELECT COUNT(*) FROM animal WHERE kind = 'otter'"), ("rules/2", "SELECT 1")]}
    mine = [c for c in chats_of(zoo, failed=failed) if c.task == "correction" and c.question_id == "0"]
    assert mine[0].source == "candidate:rules/1"
    assert "no such column: kind" in mine[0].user
    assert mine[1].source.startswith("mutation:")  # the other candidate runs: it is no failure
    for chat in mine:
        query = chat.user.partition("<query>\n")[2].partition("\n</query>")[0]
        assert execute(zoo.path, query).error in chat.user


def test_an_empty_result_is_a_failure_only_where_the_gold_returns_something(zoo, ask):
    failed = {"0": [("rules/1", "SELECT name FROM animal WHERE species = 'Otter'")]}
    empty = ask(0, "Any bears?", "SELECT name FROM animal WHERE species = 'bear'")
    told = [c for c in chats_of(zoo, failed=failed) if c.source == "candidate:rules/1"]
    assert "returned no rows" in told[0].user
    made = Material(zoo.described, zoo.path, failed=failed)
    fine = build_chats([empty], made, {"0": "train"}, {}, empty_is_wrong=False)
    assert not [c for c in fine if c.source == "candidate:rules/1"]


def test_golds_that_fail_leave_one_row_that_says_why(zoo, ask):
    (chat,) = chats_of(zoo, [ask(0, "?", "SELECT nme FROM keeper")])
    assert (chat.dropped, chat.assistant, chat.user) == ("gold: error: no such column: nme", "", "")


def test_refused_questions_leave_one_row_that_says_why(zoo):
    chats = chats_of(zoo, refused={"0": "leak: paraphrase: 12"})
    assert [c.dropped for c in chats if c.question_id == "0"] == ["leak: paraphrase: 12"]


@pytest.mark.parametrize("limit", [150, 400, 700])
def test_nothing_at_or_over_the_limit_is_kept(zoo, limit):
    chats = chats_of(zoo, options=ChatOptions(limit=limit))
    kept, dropped = [c for c in chats if not c.dropped], [c for c in chats if c.dropped]
    assert all(c.prompt_tokens < c.tokens < limit for c in kept)
    assert all(c.tokens >= limit and not c.assistant and str(limit) in c.dropped for c in dropped)
    assert (len(dropped) > 0) == (limit < 700)


def test_longer_limits_show_more_of_the_schema(zoo):
    shown = [
        sum(len(c.user) for c in chats_of(zoo, options=ChatOptions(limit=n)) if c.task == "sql") for n in (300, 900)
    ]
    assert shown[0] < shown[1]


def test_solutions_are_a_variant_of_their_own(zoo):
    sql = "SELECT SUM(species = 'otter') FROM animal"
    (chat,) = [c for c in chats_of(zoo, solutions=[solution("0", sql)]) if c.variant == "r"]
    assert (chat.task, chat.assistant, chat.source) == ("sql", sql, "solution:rules/1")


def test_without_a_database_the_schema_is_rebuilt_and_nothing_is_executed(zoo):
    rebuilt = rebuild_schema("zoo", [q.gold_sql for q in zoo.questions])
    questions = [*zoo.questions, replace(zoo.questions[0], question_id="x", gold_sql="SELECT a.b FROM nowhere AS c")]
    parts = {q.question_id: "train" for q in questions}
    chats = build_chats(questions, Material(Described(rebuilt), schema_source=REBUILT), parts, {})
    kinds = Counter((c.variant, c.task, c.dropped.partition(":")[0]) for c in chats)
    assert kinds["a", "sql", ""] == 6
    assert kinds["a", "sql", "schema"] == 1  # it names what no other query has shown
    assert {task for _, task, _ in kinds} == {"sql", "question", "evidence"}
    assert not any(c.verified for c in chats)
    bare = build_chats(questions, Material(Described(rebuilt), schema_source=NONE), parts, {})
    assert {c.task for c in bare} == {"question", "evidence"}


def test_nul_and_chinese_come_through(zoo, ask):
    questions = [
        zoo.questions[2],
        ask(9, "Which one is a\0b?", "SELECT id FROM animal WHERE id = 6", "\ud800 is nothing"),
    ]
    chats = chats_of(zoo, questions)
    assert any("北京" in c.assistant for c in chats if c.task == "sql")
    assert not any("\0" in c.user + c.system or "\ud800" in c.user for c in chats)


def test_no_questions_no_chats(zoo):
    assert chats_of(zoo, []) == []
