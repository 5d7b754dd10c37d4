import json
import random
import sqlite3
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nl2sql.online.candidate_weights import estimate_accuracies, weigh_candidates
from nl2sql.online.context import DatabaseContext
from nl2sql.online.select_answers import select_answers
from nl2sql.online.selection_policy import Policy
from nl2sql.rows import Database, Question, Repair
from nl2sql.schema import read_schema


class NoSearch:
    def lookup(self, texts, limit=10):
        return [[] for _ in texts]

    def search(self, texts, limit=10, **_):
        return [[] for _ in texts]


nothing = NoSearch()
CONTEXT = DatabaseContext(
    Database("shop", "", "", 0, "", "", ""),
    read_schema(sqlite3.connect(":memory:"), "shop"),
    (),
    (),
    nothing,
    nothing,
    nothing,
)


def asked(question_id="7"):
    return Question(question_id, "shop", "How many?", "", "", "", "dev")


def gave(generator, digest, outcome="ok", sql="", sample=1, question_id="7"):
    """What one candidate returned; a failure has no digest."""
    sql = sql or f"SELECT '{digest}' AS {generator}"
    ran = outcome in ("ok", "empty", "all_null")
    return Repair(
        question_id=question_id,
        db_id="shop",
        candidate_id=f"{generator}/{sample}",
        generator=generator,
        sql=sql,
        sql_before=sql,
        actions=(),
        outcome=outcome,
        outcome_before=outcome,
        error="" if ran else "no such column: x",
        row_count=int(outcome == "ok"),
        column_count=1,
        seconds=0.0,
        result_digest=digest if ran else "",
        preview=json.dumps({"columns": [], "rows": []}),
    )


def choose(*repairs, **options):
    (selection,) = select_answers([asked()], repairs, CONTEXT, **options)
    return selection


EQUAL = {"accuracies": {}}  # every generator counts the same


def test_one_result_is_answered_with_its_shortest_sql():
    found = choose(gave("a", "x", sql="SELECT   1"), gave("b", "x", sql="SELECT 1"), gave("c", "", "error"))
    assert (found.path, found.sql, found.candidate_id) == ("unanimous", "SELECT 1", "b/1")
    assert found.clusters[0].candidate_ids == ("a/1", "b/1")


def test_failures_never_form_a_cluster():
    failures = [gave(g, "", "error") for g in "bcdefg"]
    found = choose(gave("a", "x"), *failures)
    assert found.candidate_id == "a/1"
    assert len(found.clusters) == 1
    assert found.confidence < 0.3


@pytest.mark.parametrize("blank", ["empty", "all_null"])
def test_blank_results_lose_to_any_other_only_where_they_are_wrong(blank):
    pool = [gave("a", "x"), *(gave(g, "nothing", blank) for g in "bcd")]
    assert choose(*pool, empty_is_wrong=True).candidate_id == "a/1"
    found = choose(*pool, empty_is_wrong=False, **EQUAL)
    assert found.clusters[0].result_digest == "nothing"
    assert choose(*pool[1:], empty_is_wrong=True).clusters[0].result_digest == "nothing"


def test_the_plain_vote_counts_blank_results_too():
    found = choose(gave("a", "x"), gave("b", "nothing", "empty"), gave("c", "nothing", "empty"), empty_is_wrong=True)
    assert found.vote_candidate_id == "b/1"
    assert found.sql != found.vote_sql


def test_a_clear_lead_is_a_vote_and_a_small_one_is_for_the_ranks():
    pool = [gave("a", "x"), gave("b", "x"), gave("c", "y"), gave("d", "y"), gave("e", "x")]
    assert (choose(*pool, **EQUAL).path, choose(*pool, **EQUAL).candidate_id) == ("vote", "a/1")
    found = choose(*pool, margin=0.5, ranks=["d", "a"], **EQUAL)
    assert (found.path, found.clusters[0].result_digest) == ("rank", "y")
    assert found.clusters[0].candidate_ids == ("d/1", "c/1")


def test_an_even_vote_goes_to_the_generator_that_is_right_more_often():
    pool = [gave("weak", "x"), gave("strong", "y")]
    assert choose(*pool, accuracies={"weak": 0.6, "strong": 0.8}).candidate_id == "strong/1"
    # With a wide margin weights no longer decide, the best generator does.
    assert choose(*pool, gave("meek", "x"), accuracies={"strong": 0.8}, margin=1.0).candidate_id == "strong/1"


def test_a_rank_given_to_recorded_holds_for_every_recorded_system():
    pool = [gave("rules", "x"), gave("recorded:A", "y")]
    assert choose(*pool, ranks=["recorded", "rules"], margin=1.0).clusters[0].result_digest == "y"
    assert choose(*pool, ranks=["rules", "recorded"], margin=1.0).clusters[0].result_digest == "x"
    assert choose(*pool, ranks=["rules"], margin=1.0).clusters[0].result_digest == "x"


def test_stages_of_one_system_share_a_voice():
    stages = [gave(f"recorded:RSL/{i}", "x") for i in range(20)]
    found = choose(*stages, gave("recorded:A", "y"), gave("recorded:B", "y"), **EQUAL)
    assert found.clusters[0].result_digest == "y"
    assert found.clusters[0].weight == pytest.approx(2 / 3)
    assert found.vote_candidate_id == "recorded:RSL/0/1"


def test_of_ranked_readings_the_first_counts_more_than_all_that_follow():
    readings = [gave("rules", "x", sample=1), *(gave("rules", "y", sample=i) for i in range(2, 30))]
    assert choose(*readings).clusters[0].result_digest == "x"
    empty_first = [gave("rules", "none", "empty"), *(gave("rules", "y", sample=i) for i in range(2, 5))]
    assert choose(*empty_first).clusters[0].result_digest == "y"


def test_samples_of_one_generator_are_votes():
    samples = [gave("model", "x", sample=1), *(gave("model", "y", sample=i) for i in range(2, 5))]
    assert choose(*samples).clusters[0].result_digest == "y"


def test_one_candidate_is_single_and_none_is_none():
    assert choose(gave("a", "x")).path == "single"
    found = choose()
    assert (found.path, found.sql, found.candidate_id, found.confidence) == ("none", "", "", 0.0)


def test_when_nothing_ran_the_best_effort_is_shown():
    found = choose(gave("a", "", "error", sql="SELECT a"), gave("b", "", "timeout", sql="SELECT b"))
    assert (found.path, found.candidate_id, found.sql) == ("none", "", "SELECT b")
    assert (found.confidence, found.vote_candidate_id, found.vote_sql) == (0.0, "", "SELECT b")
    assert choose(gave("a", "", "error", sql="SELECT a"), gave("b", "", "error")).sql == "SELECT a"


class Prefers:
    """A judge that always prefers one result, and counts the calls."""

    def __init__(self, digest):
        self.digest = digest
        self.calls = []

    def compare(self, pairs, context):
        self.calls.append(len(pairs))
        return [1.0 if p.first.result_digest == self.digest else 0.0 for p in pairs]


def test_a_judge_decides_what_is_close_and_hears_all_questions_in_one_call():
    judge = Prefers("y")
    close = [gave("a", "x"), gave("b", "y"), gave("c", "z")]
    clear = [gave(g, "x", question_id="8") for g in "abc"]
    close_too = [gave("a", "x", question_id="9"), gave("b", "y", question_id="9")]
    questions = [asked("7"), asked("8"), asked("9")]
    found = select_answers(questions, [*close, *clear, *close_too], CONTEXT, judge=judge, **EQUAL)
    assert [s.path for s in found] == ["tournament", "unanimous", "tournament"]
    assert [s.candidate_id for s in found] == ["b/1", "a/1", "b/1"]
    assert [s.comparisons for s in found] == [6, 0, 2]
    assert judge.calls == [8]


def test_an_undecided_judge_leaves_the_choice_to_the_weight():
    class Undecided:
        def compare(self, pairs, context):
            return [0.5 for _ in pairs]

    pool = [gave("a", "x"), gave("b", "y"), gave("c", "y")]
    found = choose(*pool, judge=Undecided(), margin=1.0, **EQUAL)
    assert (found.path, found.clusters[0].result_digest) == ("tournament", "y")


@pytest.mark.parametrize("digest", ["x", "y"])
def test_a_judge_that_could_read_nothing_leaves_the_choice_to_the_policy(digest):
    class Silent:
        def compare(self, pairs, context):
            return [None for _ in pairs]

    policy = Policy((), (("a", float(digest == "x")), ("b", float(digest == "y"))), (), False)
    found = choose(gave("a", "x"), gave("b", "y"), judge=Silent(), policy=policy, margin=1.0)
    assert (found.path, found.comparisons, found.clusters[0].result_digest) == ("policy", 0, digest)


def test_questions_keep_their_order_and_candidates_do_not_mix():
    repairs = [gave("a", "x", question_id="9"), gave("a", "y", question_id="8")]
    found = select_answers([asked("8"), asked("9"), asked("10")], repairs, CONTEXT)
    assert [(s.question_id, s.path) for s in found] == [("8", "single"), ("9", "single"), ("10", "none")]
    assert found[0].clusters[0].result_digest == "y"


def pool_of_known_quality(questions, seed=0):
    """Five systems that are right on 9, 8, 4, 4 and 4 of ten questions and err each in its own way."""
    chance = random.Random(seed)
    quality = {"a": 0.9, "b": 0.8, "c": 0.4, "d": 0.4, "e": 0.4}
    repairs = []
    for i in range(questions):
        common_error = f"wrong {i}"
        for name, right in quality.items():
            weak_error = common_error if name in "cde" else f"{name} wrong {i}"
            repairs.append(gave(name, f"right {i}" if chance.random() < right else weak_error, question_id=str(i)))
    return repairs


def test_accuracy_is_learned_from_agreement_alone():
    repairs = pool_of_known_quality(200)
    estimated = estimate_accuracies(repairs, True)
    assert min(estimated["a"], estimated["b"]) > max(estimated["c"], estimated["d"], estimated["e"])
    questions = [asked(str(i)) for i in range(200)]

    def right(**options):
        chosen = select_answers(questions, repairs, CONTEXT, **options)
        return sum(s.clusters[0].result_digest == f"right {s.question_id}" for s in chosen)

    assert right() > right(**EQUAL)


def test_a_system_that_agrees_only_with_itself_is_not_believed():
    repairs = [gave("rules", "x", sample=s, question_id=str(q)) for q in range(50) for s in range(1, 4)]
    found = select_answers([asked(str(q)) for q in range(50)], repairs, CONTEXT)
    assert all(s.confidence <= 0.5 for s in found)


def test_confidence_grows_with_agreement():
    def sure(agreeing):
        pool = [gave(f"g{i}", "x" if i < agreeing else f"other {i}") for i in range(10)]
        return choose(*pool, **EQUAL).confidence

    found = [sure(n) for n in range(2, 11)]
    assert found == sorted(found)
    assert found[-1] > 0.99
    assert found[0] < 0.3


OUTCOMES = st.sampled_from(["ok", "empty", "all_null", "error", "timeout", "too_large"])
POOLS = st.lists(st.tuples(st.sampled_from(["a", "b", "c/1", "c/2", "rules"]), st.sampled_from("xyz"), OUTCOMES))


@settings(max_examples=200, deadline=None)
@given(POOLS, st.booleans(), st.floats(0, 1))
def test_any_pool_gives_a_sound_selection(pool, empty_is_wrong, margin):
    counts = Counter()
    repairs = []
    for generator, digest, outcome in pool:
        counts[generator] += 1
        result = digest if outcome == "ok" else outcome  # a result has one outcome
        repairs.append(gave(generator, result, outcome, sample=counts[generator]))
    found = choose(*repairs, empty_is_wrong=empty_is_wrong, margin=margin)
    ran = {r.candidate_id: r for r in repairs if r.result_digest}
    assert bool(found.candidate_id) == bool(ran)
    assert 0 <= found.confidence <= 1
    assert sorted(i for c in found.clusters for i in c.candidate_ids) == sorted(ran)
    if ran:
        assert found.candidate_id in found.clusters[0].candidate_ids
        assert found.sql == ran[found.candidate_id].sql
        assert ran[found.vote_candidate_id].sql == found.vote_sql
        if empty_is_wrong and any(r.outcome == "ok" for r in ran.values()):
            assert ran[found.candidate_id].outcome == "ok"
    weights = weigh_candidates(repairs, {})
    assert sum(weights.values()) == pytest.approx(1.0 if repairs else 0.0)
