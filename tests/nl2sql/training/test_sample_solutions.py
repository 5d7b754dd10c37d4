from dataclasses import replace

from nl2sql.rows import Candidate
from nl2sql.training.sample_solutions import sample_solutions, sampling_yield


def candidate(question_id, number, sql, generator="model"):
    return Candidate(question_id, "zoo", f"{generator}/{number}", generator, "m", "s1", "p", number, sql)


RIGHT = "SELECT COUNT(*) FROM animal WHERE species = 'otter'"
POOL = [
    candidate("0", 1, f"{RIGHT} AND id > 0"),
    candidate("0", 2, RIGHT),
    candidate("0", 3, "select count( * ) from Animal as a where a.species='otter'"),  # the same in another style
    candidate("0", 4, "SELECT COUNT(*) FROM animal"),
    candidate("0", 5, "SELECT 3"),  # right by chance: it reads no table
    candidate("0", 6, "SELECT COUNT(* FROM animal"),
    candidate("0", 7, "SELECT SUM(species = 'otter') FROM animal"),
    candidate("1", 1, "SELECT name FROM animal"),
    candidate("9", 1, RIGHT),  # of no question
]


def test_the_shortest_distinct_right_ones_are_kept(zoo):
    found = sample_solutions(zoo.questions, POOL, zoo.schema, zoo.path, kept=2)
    assert [(s.solution_id, s.sql) for s in found] == [
        ("s1", "SELECT SUM(species = 'otter') FROM animal"),
        ("s2", RIGHT),
    ]
    assert {(s.samples, s.right, s.round) for s in found} == {(7, 4, 1)}


def test_later_rounds_compete_with_earlier_ones(zoo):
    first = sample_solutions(zoo.questions, POOL[:1], zoo.schema, zoo.path)
    second = sample_solutions(zoo.questions, POOL[1:3], zoo.schema, zoo.path, round_number=2, earlier=first)
    assert [(s.round, s.sql) for s in second] == [(2, RIGHT), (1, POOL[0].sql)]
    assert [s.solution_id for s in second] == ["s1", "s2"]


def test_a_gold_that_returns_nothing_or_fails_shows_nothing(zoo, ask):
    empty = ask(0, "Any bears?", "SELECT name FROM animal WHERE species = 'bear'")
    broken = replace(empty, gold_sql="SELECT nme FROM animal")
    pool = [candidate("0", 1, "SELECT name FROM keeper WHERE 0"), candidate("0", 2, empty.gold_sql)]
    assert sample_solutions([empty], pool, zoo.schema, zoo.path) == []
    assert sample_solutions([broken], pool, zoo.schema, zoo.path) == []


def test_yield_by_difficulty(zoo):
    questions = [replace(q, difficulty="hard" if q.question_id == "1" else "simple") for q in zoo.questions]
    found = sample_solutions(questions, POOL, zoo.schema, zoo.path, kept=1)
    simple, hard = sampling_yield(questions, POOL[:-1], found)
    assert (simple.difficulty, simple.questions, simple.samples, simple.right, simple.solved, simple.kept) == (
        "simple",
        5,
        7,
        4,
        1,
        1,
    )
    assert (hard.difficulty, hard.samples, hard.right, hard.kept) == ("hard", 1, 0, 0)
