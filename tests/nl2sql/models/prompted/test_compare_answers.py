import json
import math

import pytest

from nl2sql.models.budget import LEVELS
from nl2sql.models.chat import Reply
from nl2sql.models.choices import ModelChoice
from nl2sql.models.prompted.compare_answers import PairJudge
from nl2sql.online.repair_candidates import repair_candidates
from nl2sql.online.select_answers import TOURNAMENT, Pair, select_answers
from nl2sql.rows import Candidate

JUDGE = ModelChoice("made/judge")
STATEMENTS = [f"SELECT {c} FROM ship" for c in ("ship_name", "kind", "tonnage", "home", "ship_id, kind", "home, kind")]


class Level:
    """A budget that allows one level."""

    def __init__(self, name):
        self.level = next(x for x in LEVELS if x.name == name)

    def level_of(self, question_id):
        return self.level


def repairs_of(question, context, statements):
    candidates = [
        Candidate(question.question_id, "harbour", f"G{i}/1", f"G{i}", "", "full", "", 1, sql)
        for i, sql in enumerate(statements)
    ]
    return repair_candidates([question], [], [], candidates, context, workers=1)


def better(which):
    return {"difference": "", "better": which}


def prefers(word):
    """Answers with the query that holds a word."""

    def answer(request):
        task = request.prompt.task
        return better("A" if word in task.split("Query B")[0] else "B")

    return answer


def choose(questions, context, statements, session, **options):
    repairs = [r for q in questions for r in repairs_of(q, context, statements)]
    judge = PairJudge(session, JUDGE)
    return select_answers(questions, repairs, context, margin=1.0, accuracies={}, judge=judge, **options)


def test_the_judge_decides_and_hears_both_orders_of_all_questions_in_one_call(harbour, ask, start):
    session = start(prefers("tonnage"))
    questions = [ask("How heavy?"), ask("多重？", question_id="r")]
    found = choose(questions, harbour, STATEMENTS[:3], session)
    assert session.model.rounds == [12]
    assert {(s.sql, s.path, s.comparisons) for s in found} == {("SELECT tonnage FROM ship", "tournament", 6)}


def test_a_judge_that_always_says_a_decides_nothing(harbour, ask, start):
    found = choose([ask("?")], harbour, STATEMENTS[:3], start(lambda _: better("A")))
    assert (
        found[0].clusters[0] == choose([ask("?")], harbour, STATEMENTS[:3], start(lambda _: better("B")))[0].clusters[0]
    )


def test_a_prompt_shows_both_results_and_only_the_columns_of_the_two(harbour, ask, start):
    session = start(lambda _: better("A"))
    choose([ask("How heavy?")], harbour, STATEMENTS[:2], session)
    prompt = session.model.asked[0].prompt
    assert "Aurora" in prompt.task
    assert "kind" in prompt.context
    assert "tonnage" not in prompt.context
    assert "port" not in prompt.context


def test_no_more_than_a_few_results_are_compared(harbour, ask, start):
    session = start(lambda _: better("A"))
    choose([ask("?")], harbour, STATEMENTS, session)
    assert session.model.rounds == [TOURNAMENT * (TOURNAMENT - 1)]


@pytest.mark.parametrize("reply", ["", "A", '{"better": "C"}', Reply("", "m", failure="unavailable")])
def test_without_a_verdict_the_generators_ranks_decide(harbour, ask, start, reply):
    session = start(lambda _: reply)
    (found,) = choose([ask("?")], harbour, STATEMENTS[:3], session, ranks=("G2", "G1", "G0"))
    assert (found.path, found.comparisons, found.sql) == ("rank", 0, STATEMENTS[2])


def test_a_pair_counts_only_where_both_of_its_orders_were_read(harbour, ask, start):
    def answer(request):
        first = request.prompt.task.split("Query B")[0]
        return "?" if "tonnage" in first else prefers("kind")(request)

    (found,) = choose([ask("?")], harbour, STATEMENTS[:3], start(answer))
    assert (found.path, found.comparisons, found.sql) == ("tournament", 2, STATEMENTS[1])


def test_without_money_for_judging_the_vote_stands(harbour, ask, start):
    session = start(prefers("tonnage"), Level("vote only"))
    (found,) = choose([ask("?")], harbour, STATEMENTS[:3], session, ranks=("G1",))
    assert (found.path, found.sql) == ("rank", STATEMENTS[1])
    assert session.model.asked == []
    assert not session.ledger.complete


def test_probabilities_of_the_first_token_say_how_sure(harbour, ask, start):
    sure = (("A", math.log(0.6)), (" B", math.log(0.3)), ("C", math.log(0.1)))
    session = start(lambda r: Reply(json.dumps(better("A")), r.model, logprobs=sure))
    question = ask("?")
    first, second = repairs_of(question, harbour, STATEMENTS[:2])
    (points,) = PairJudge(session, JUDGE).compare([Pair(question, first, second)], harbour)
    assert points == pytest.approx(2 / 3)


def test_probabilities_of_another_token_say_nothing(harbour, ask, start):
    session = start(lambda r: Reply(json.dumps(better("B")), r.model, logprobs=(("{", -0.1), ("A", -3.0))))
    question = ask("?")
    first, second = repairs_of(question, harbour, STATEMENTS[:2])
    assert PairJudge(session, JUDGE).compare([Pair(question, first, second)], harbour) == [0.0]
