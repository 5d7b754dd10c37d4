"""What a part is worth, from the verdicts with and without it."""

import pytest

from nl2sql.rows import Verdict
from nl2sql.scoring.compare_variants import compare_variants

IDS = [str(i) for i in range(40)]


def verdicts(right: set[int], system: str = "selected") -> list[Verdict]:
    return [Verdict(key, "d", system, "a/1", "a", "", int(key) in right, "", "") for key in IDS]


def test_a_part_that_helps() -> None:
    whole, without = compare_variants(IDS, {"whole": verdicts(set(range(30))), "- x": verdicts(set(range(20)))})
    assert (whole.worth, whole.test, whole.selected.value) == (None, None, 0.75)
    assert without.worth is not None
    assert without.test is not None
    assert without.worth.value == pytest.approx(0.25)
    assert 0 < without.worth.low < 0.25 < without.worth.high
    assert (without.test.only_first, without.test.only_second) == (10, 0)
    assert without.test.p_value == pytest.approx(2 / 2**10)


def test_a_part_that_harms_has_a_negative_worth() -> None:
    _, without = compare_variants(IDS, {"whole": verdicts({1}), "- x": verdicts({1, 2})})
    assert without.worth is not None
    assert without.worth.value < 0


def test_a_part_without_effect_is_worth_exactly_nothing() -> None:
    _, same = compare_variants(IDS, {"whole": verdicts({1, 2}), "- x": verdicts({1, 2})})
    assert same.worth is not None
    assert same.test is not None
    assert (same.worth.low, same.worth.value, same.worth.high, same.test.p_value) == (0, 0, 0, 1)


def test_questions_that_a_failed_task_left_out_are_wrong() -> None:
    (whole,) = compare_variants(IDS, {"whole": verdicts({1, 2, 3, 39})[:20]})
    assert (whole.n, whole.selected.value) == (40, 3 / 40)


def test_upper_bound_and_vote_are_of_their_own_systems() -> None:
    rows = [*verdicts(set(range(10))), *verdicts(set(range(20)), "candidate"), *verdicts({0}, "vote")]
    rows += verdicts(set(range(40)), "unrepaired")
    (whole,) = compare_variants(IDS, {"whole": rows})
    assert (whole.upper_bound, whole.vote, whole.selected.value) == (0.5, 1 / 40, 0.25)


def test_nothing_to_compare() -> None:
    assert compare_variants([], {"whole": []})[0].upper_bound == 0
    with pytest.raises(ValueError, match="no variant"):
        compare_variants(IDS, {})
