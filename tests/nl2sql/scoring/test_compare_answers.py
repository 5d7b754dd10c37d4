import pytest

from nl2sql.reporting.comparison_report import comparison_json, conclusion, noise_floor, render_comparison
from nl2sql.rows import Question
from nl2sql.scoring.compare_answers import Scored, compare_answers, resolvable_difference


def scored(key, correct, db_id="shop", difficulty="simple", sql="SELECT 1", gold="SELECT 1", question="How many?"):
    asked = Question(str(key), db_id, question, "", gold, difficulty, "dev")
    return Scored(asked, sql, correct, "" if correct else "values")


def run(verdicts, **options):
    return [scored(i, bool(v), **options) for i, v in enumerate(verdicts)]


def test_a_run_against_itself_differs_by_nothing():
    answers = run([1, 0, 1, 1])
    found = compare_answers(answers, answers)
    overall = found.contrasts[0]
    assert (overall.difference.value, overall.test.p_value, found.flips, found.same_sql) == (0.0, 1.0, (), 4)
    assert "No difference" in conclusion(found)


def test_a_clear_gain_is_unlikely_to_be_chance():
    found = compare_answers(run([0] * 12 + [1] * 20), run([1] * 32))
    overall = found.contrasts[0]
    assert overall.difference.low > 0
    assert (overall.test.only_first, overall.test.only_second) == (0, 12)
    assert overall.test.p_value == pytest.approx(2 / 2**12)
    assert "unlikely to be chance" in conclusion(found)


def test_groups_are_those_of_the_questions():
    first = [scored(1, True, "a", "simple"), scored(2, False, "b", "hard"), scored(3, True, "b", "")]
    second = [scored(1, True, "a", "simple"), scored(2, True, "b", "hard"), scored(3, False, "b", "")]
    groups = {(c.kind, c.name): c for c in compare_answers(first, second).contrasts}
    assert set(groups) == {
        ("all", "all"), ("difficulty", "simple"), ("difficulty", "hard"), ("database", "a"), ("database", "b")
    }  # fmt: skip
    assert groups["difficulty", "hard"].difference.value == 1.0
    assert groups["database", "b"].test.only_first == groups["database", "b"].test.only_second == 1


def test_only_questions_that_are_the_same_are_compared():
    first = [scored(1, True), scored(2, True), scored(3, True), scored(4, True)]
    second = [scored(4, False), scored(2, True, gold="SELECT 2"), scored(3, True, question="Which?"), scored(9, True)]
    found = compare_answers(first, second)
    assert found.contrasts[0].n == 1
    assert [f.question.question_id for f in found.flips] == ["4"]
    assert set(found.left_out) == {"1", "2", "3", "9"}


def test_nothing_in_common_is_refused():
    with pytest.raises(ValueError, match="no question in common"):
        compare_answers(run([1]), run([1], db_id="other"))


def test_more_questions_resolve_smaller_differences():
    few, many = resolvable_difference(100, 0.1), resolvable_difference(1534, 0.1)
    assert 0.02 < many < few < 0.12
    assert resolvable_difference(0, 0.0) == 1.0
    assert 0 < resolvable_difference(50, 0.0) < 1


def test_the_noise_floor_is_about_what_simulation_gives():
    """At the stated difference McNemar's test should reject in about four of five trials."""
    import numpy as np

    from nl2sql.scoring.statistics import mcnemar

    chance, n, flipped = np.random.default_rng(0), 400, 0.15
    gap = resolvable_difference(n, flipped)
    rejected = 0
    for _ in range(300):
        kind = chance.choice(3, size=n, p=[1 - flipped, (flipped + gap) / 2, (flipped - gap) / 2])
        rejected += mcnemar(kind == 2, kind == 1).p_value < 0.05
    assert 0.68 < rejected / 300 < 0.9


def test_json_counts_in_percent_and_points():
    found = compare_answers(run([0, 1, 1, 1]), run([1, 1, 1, 1]))
    told = comparison_json(found, "one", "two")
    assert told["groups"][0]["first"]["value"] == 75.0
    assert told["groups"][0]["difference"]["value"] == 25.0
    assert told["flips"] == [{"question_id": "0", "db_id": "shop", "right": "second", "reason": "values"}]


def test_the_page_is_whole_and_lets_no_text_of_the_runs_out():
    evil = "<script>alert(1)</script>\ud800"
    first, second = [scored(1, False, evil, sql=evil, question=evil)], [scored(1, True, evil, sql="x", question=evil)]
    found = compare_answers(first, second)
    page = render_comparison(found, evil, "two")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "http" not in page.replace("http-equiv", "")
    assert page.encode("utf-8")
    assert noise_floor(found) in page
