import json

import numpy as np
import pytest

from nl2sql.rows import Question, Repair
from nl2sql.scoring.fit_policy import (
    Judged,
    calibrate,
    fit_policy,
    leave_one_database_out,
    measure_cases,
    measure_gain,
    measured_accuracies,
)


def repair(key, db_id, generator, digest, outcome="ok"):
    return Repair(
        key, db_id, f"{generator}/1", generator, f"SELECT '{digest}'", f"SELECT '{digest}'", (), outcome, outcome, "",
        int(outcome == "ok"), 1, 0.0, digest, json.dumps({"rows": [[digest]] if outcome == "ok" else []}),
    )  # fmt: skip


def judged(key, db_id, given, right, outcomes=None):
    """given: generator -> result; right: the right result."""
    outcomes = outcomes or {}
    candidates = tuple(repair(key, db_id, g, d, outcomes.get(d, "ok")) for g, d in given.items())
    ids = frozenset(c.candidate_id for c in candidates if c.result_digest == right)
    return Judged(Question(key, db_id, "What?", "", "SELECT 1", "", "dev"), candidates, ids)


def one_expert(databases=("a", "b"), each=30, seed=0):
    """Three generators that err together, and one that is nearly always right: the vote loses."""
    chance = np.random.default_rng(seed)
    questions = []
    for db_id in databases:
        for i in range(each):
            wrong = chance.random() < 0.6
            given = {**dict.fromkeys(("x", "y", "z"), "wrong" if wrong else "right"), "expert": "right"}
            questions.append(judged(f"{db_id}{i}", db_id, given, "right"))
    return measure_cases(questions)


def test_accuracies_are_drawn_towards_the_prior():
    found = measured_accuracies(one_expert(each=100))
    assert found["expert"] == pytest.approx((200 + 5 * 0.6) / 205)
    assert found["x"] < 0.5


def test_an_expert_against_a_wrong_majority_is_found_on_unseen_databases():
    choices, policies = leave_one_database_out(one_expert())
    gain = measure_gain(choices)
    assert gain.difference.low > 0.3
    assert gain.test.only_first == 0
    assert set(policies) == {"a", "b"}
    assert dict(policies["a"].voices)["expert"] > dict(policies["a"].voices)["x"]


def test_a_database_is_never_judged_by_what_it_taught():
    # The generator that is right in one database is wrong in the other: what is learned elsewhere must fail here.
    questions = [judged(f"a{i}", "a", {"g": "right", "h": "wrong"}, "right") for i in range(20)]
    questions += [judged(f"b{i}", "b", {"g": "wrong", "h": "right"}, "right") for i in range(20)]
    choices, _ = leave_one_database_out(measure_cases(questions))
    assert not any(c.policy for c in choices)


def test_a_policy_without_a_sure_gain_is_not_used():
    questions = [
        judged(f"{d}{i}", d, {"g": "right", "h": "right", "k": "wrong"}, "right") for d in "ab" for i in range(20)
    ]
    policies, choices, gain = calibrate(measure_cases(questions))
    assert all(c.policy and c.vote for c in choices)
    assert gain.difference.low == gain.difference.high == 0
    assert not policies.gains
    assert policies.for_database("elsewhere") is None


def test_one_database_cannot_be_judged():
    with pytest.raises(ValueError, match="two databases"):
        calibrate(one_expert(databases=("a",)))


def test_blank_results_lose_unless_one_was_right():
    given, empty = {"g": "blank", "h": "blank", "k": "full"}, {"blank": "empty"}
    never = [judged(str(i), "a", given, "full", empty) for i in range(5)]
    assert fit_policy(measure_cases(never)).blank_loses
    assert not fit_policy(measure_cases([*never, judged("9", "a", given, "blank", empty)])).blank_loses


@pytest.mark.parametrize("given", [{}, {"g": "right"}])
def test_questions_that_teach_nothing_leave_the_policy_flat(given):
    policy = fit_policy(measure_cases([judged("1", "a", given, "right")]))
    assert not any(value for _, value in (*policy.features, *policy.voices))


def test_fitting_is_reproducible_and_does_not_depend_on_the_order():
    cases = one_expert()
    first, second = dict(fit_policy(cases).features), dict(fit_policy(cases[::-1]).features)
    assert fit_policy(cases) == fit_policy(cases)
    assert all(first[n] == pytest.approx(second[n], abs=1e-6) for n in first)
