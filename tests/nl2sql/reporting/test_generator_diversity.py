import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from nl2sql.reporting.generator_diversity import drop_advice, fewest_needed, similar_together
from nl2sql.reporting.generator_figures import GeneratorFigures
from nl2sql.reporting.summarise_run import summarise_run, to_json


def figures(name: str, unique: int = 0, cost: float = 0.0, correct: int = 0) -> GeneratorFigures:
    return GeneratorFigures(name, 1, 1, correct, 1, unique, 0, 0.0, 0.0, 0.0, cost)


@pytest.fixture(scope="module")
def pool(make_run, case):
    """A and B agree twice of three times; C fails, answers alone, and has nothing to say."""
    return make_run(
        [
            case("1", "SELECT 1", [("A", "SELECT 1"), ("B", "SELECT 1"), ("C", "SELEC")]),
            case("2", "SELECT 2", [("A", "SELECT 3"), ("B", "SELECT 2"), ("C", "SELECT 2")]),
            case("3", "SELECT 3", [("A", "SELECT 4"), ("B", "SELECT 4")]),
            case("4", "SELECT 4", [("C", "SELECT 4")]),
        ]
    )


def test_pairs_are_compared_where_both_wrote_something(pool):
    found = summarise_run(pool.tables).diversity
    assert found is not None
    place = {name.removeprefix("recorded:"): n for n, name in enumerate(found.names)}
    a, b, c = (place[name] for name in "ABC")
    assert found.differ[a][b] == found.differ[b][a] == pytest.approx(100 / 3)
    assert found.differ[a][c] == 100
    assert found.differ[b][c] == 50
    assert found.one_right[a][b] == pytest.approx(100 / 3)
    assert found.one_right[a][c] == 100
    assert all(found.differ[n][n] is None for n in range(3))
    assert abs(a - b) == 1  # the most alike are neighbours


def test_two_failures_are_no_difference(make_run, case):
    run = make_run([case("1", "SELECT 1", [("A", "SELEC 1"), ("B", "SELEC 2")])])
    found = summarise_run(run.tables).diversity
    assert found is not None
    assert found.differ == ((None, 0.0), (0.0, None))
    assert found.cover == ()


def test_generators_without_a_question_in_common(make_run, case):
    run = make_run([case("1", "SELECT 1", [("A", "SELECT 1")]), case("2", "SELECT 1", [("B", "SELECT 1")])])
    found = summarise_run(run.tables).diversity
    assert found is not None
    assert found.differ == ((None, None), (None, None))
    json.dumps(to_json(summarise_run(run.tables)), allow_nan=False)


def test_the_first_candidate_is_what_is_compared(make_run, case):
    run = make_run([case("1", "SELECT 1", [("A", "SELECT 2"), ("B", "SELECT 1"), ("X", "SELECT 1")])])
    as_second = [replace(c, generator="recorded:A") if c.generator == "recorded:X" else c for c in run.candidates]
    run.candidates[:] = as_second
    found = summarise_run(run.tables).diversity
    assert found is not None
    assert found.one_right[0][1] == 100


def test_a_single_generator_has_nobody_to_differ_from(make_run, case):
    run = make_run([case("1", "SELECT 1", [("rules", "SELECT 1")])])
    assert summarise_run(run.tables).diversity is None
    assert to_json(summarise_run(run.tables))["diversity"] is None


def test_the_upper_bound_without_a_generator(pool):
    by_name = {g.name: g for g in summarise_run(pool.tables).generators}
    assert by_name["recorded:C"].bound_without == 50  # questions 1 and 2 of 4; the fourth is right by C alone
    assert by_name["recorded:A"].bound_without == 75
    assert by_name["recorded:A"].cost_per_unique is None


def test_costs_are_shared_among_right_answers(pool, call):
    calls = [call(generator="recorded:C", dollars=0.06), call(generator="recorded:C", role="fix", dollars=9)]
    by_name = {g.name: g for g in summarise_run(replace(pool.tables, model_calls=calls)).generators}
    c = by_name["recorded:C"]
    assert (c.cost, c.cost_per_right, c.cost_per_unique) == pytest.approx((0.06, 0.03, 0.06))
    assert by_name["recorded:B"].cost_per_right == 0


def test_the_fewest_that_reach_the_upper_bound(pool):
    found = summarise_run(pool.tables).diversity
    assert found is not None
    assert [(c.name, c.upper_bound) for c in found.cover] == [("recorded:B", 50.0), ("recorded:C", 75.0)]
    assert found.advice[1] == "2 of 3 together have the whole upper bound: B, C."


def test_of_equally_useful_ones_the_cheaper_is_needed():
    solved = {"dear": {"1", "2"}, "cheap": {"1", "2"}}
    assert [c.name for c in fewest_needed([figures("dear", cost=2), figures("cheap", cost=1)], solved, 4)] == ["cheap"]


def test_advice_says_what_is_lost_what_is_saved_and_how_sure_that_is():
    lineup = [figures("A", 9, 3.0), figures("B", 2, 1.0)]
    assert drop_advice(lineup, 287) == (
        "Least missed: B. Without it the upper bound falls by 0.7 points, 2 of 287 questions"
        " (95 % interval 0.2 to 2.5); it saves $1.00, 25 % of what the candidates cost."
    )
    few = drop_advice([figures("A", 3), figures("recorded:B", 0)], 12)
    assert few.startswith("Least missed: B. Without it the upper bound falls by 0.0 points, 0 of 12 questions")
    assert few.endswith("(95 % interval 0.0 to 24.2). 12 questions are too few to decide it.")


def test_of_equally_useless_ones_the_dearest_goes():
    assert "missed: B." in drop_advice([figures("A", 0, 1.0), figures("B", 0, 2.0), figures("C", 1, 9.0)], 100)


def test_blocks_of_similar_ones_stand_together():
    block = [0, 1, 0, 1, 0, 1, 1, 0]
    distances = np.array([[0.0 if a == b else 80.0 for b in block] for a in block]) + np.eye(8)
    order = similar_together(distances)
    assert sorted(order) == list(range(8))
    kinds = [block[i] for i in order]
    assert sum(a != b for a, b in pairwise(kinds)) == 1
    assert similar_together(np.zeros((1, 1))) == [0]
