"""Soft-F1 and R-VES at the values where their rules bite."""

import sqlite3
from dataclasses import replace
from math import sqrt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nl2sql.rows import Verdict
from nl2sql.scoring.metrics import (
    GroupScore,
    measure_time_ratio,
    r_ves,
    reward,
    score_by,
    soft_f1,
    sql_features,
    time_ratio,
)

ROWS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=5)


@pytest.mark.parametrize(
    ("rows", "gold", "expected"),
    [
        ([], [], 1.0),
        ([], [(1,)], 0.0),
        ([(1,)], [], 0.0),
        ([(1, 2)], [(2, 1)], 1.0),
        ([(1,), (1,), (2,)], [(1,), (2,)], 1.0),
        ([(2,), (1,)], [(1,), (2,)], 0.0),
        ([(1,)], [(1,), (2,)], 2 / 3),
        ([(1, 9)], [(1, 2)], 0.5),
        ([(1,)], [(1, 2)], 2 / 3),
        ([(1, 2, 3)], [(1,)], 0.5),
        ([(1.0,)], [(1,)], 1.0),
        ([("1",)], [(1,)], 0.0),
    ],
)
def test_soft_f1(rows: list[tuple[object, ...]], gold: list[tuple[object, ...]], expected: float) -> None:
    assert soft_f1(rows, gold) == pytest.approx(expected)


@given(ROWS, ROWS)
def test_soft_f1_is_a_share_and_perfect_against_itself(
    rows: list[tuple[int, int]], gold: list[tuple[int, int]]
) -> None:
    assert 0 <= soft_f1(rows, gold) <= 1
    assert soft_f1(rows, rows) == 1


def test_reward_at_its_cuts() -> None:
    ratios = [0, 0.01, 0.249, 0.25, 0.49, 0.5, 0.99, 1, 1.99, 2, 100]
    assert [reward(r) for r in ratios] == [0, 0.25, 0.25, 0.5, 0.5, 0.75, 0.75, 1, 1, 1.25, 1.25]


def test_r_ves() -> None:
    assert r_ves([]) == 0
    assert r_ves([1.0, 0.0]) == 50
    assert r_ves([3.0]) == pytest.approx(100 * sqrt(1.25))


def test_time_ratio_drops_outliers_and_survives_zero_spread() -> None:
    assert time_ratio([]) == 0
    assert time_ratio([2.0]) == 2
    assert time_ratio([1.5] * 10) == 1.5
    assert time_ratio([1.0] * 99 + [1000.0]) == 1


def test_measured_time_ratio(tmp_path: Path) -> None:
    path = str(tmp_path / "empty.sqlite")
    sqlite3.connect(path).close()
    Path(path).touch()
    slow = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 20000) SELECT count(x) FROM c"
    assert measure_time_ratio(path, "SELECT 1", slow, rounds=5) > 2
    assert measure_time_ratio(path, slow, "SELECT 1", rounds=5) < 0.5
    assert measure_time_ratio(path, "SELECT nobody", "SELECT 1", rounds=5) == 0
    assert measure_time_ratio(path, slow.replace("LIMIT 20000", ""), "SELECT 1", rounds=2, seconds=0.1) == 0


def test_score_by() -> None:
    verdict = Verdict("1", "shop", "selected", "a", "g", "SELECT 1", True, "", "")
    verdicts = [verdict, replace(verdict, correct=False), replace(verdict, db_id="zoo")]
    assert score_by(verdicts, lambda v: [v.db_id]) == {"shop": GroupScore(2, 1), "zoo": GroupScore(1, 1)}
    assert score_by([], lambda v: [v.db_id]) == {}


@pytest.mark.parametrize(
    ("sql", "features"),
    [
        ("SELECT a FROM t", ("none",)),
        ("SELECT a FROM t JOIN u USING (x)", ("join",)),
        ("SELECT a FROM t, u", ("join",)),
        ("SELECT count(*) FROM t GROUP BY a ORDER BY 1", ("aggregation", "order")),
        ("SELECT a FROM t WHERE a IN (SELECT b FROM u)", ("nesting",)),
        ("SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u)", ("nesting",)),
        ("WITH c AS (SELECT 1) SELECT * FROM c", ("nesting",)),
        ("SELECT a FROM t UNION SELECT b FROM u", ("set operation",)),
        ("SELECT rank() OVER (ORDER BY a) FROM t", ("window",)),
        ("SELECT CASE WHEN a THEN 1 END FROM t", ("condition",)),
        ("SELECT FROM WHERE (", ("unparsed",)),
        ("DROP TABLE t", ("unparsed",)),
    ],
)
def test_sql_features(sql: str, features: tuple[str, ...]) -> None:
    assert set(features) <= set(sql_features(sql))
