"""Spider's levels, on statements whose level its paper or its criteria give."""

import pytest

from nl2sql.hardness import hardness


@pytest.mark.parametrize(
    ("level", "sql"),
    [
        ("easy", "SELECT COUNT(*) FROM singer"),
        ("easy", "SELECT name FROM singer WHERE age > 30"),
        ("medium", "SELECT name, age FROM singer ORDER BY age DESC"),
        ("medium", "SELECT AVG(age), MIN(age) FROM singer WHERE country = 'France'"),
        ("medium", "SELECT T2.name, COUNT(*) FROM a AS T1 JOIN b AS T2 ON T1.i = T2.i GROUP BY T1.i"),
        ("hard", "SELECT name FROM stadium WHERE id NOT IN (SELECT stadium_id FROM concert)"),
        ("hard", "SELECT a FROM t JOIN u ON t.i = u.i WHERE b = 1 ORDER BY c"),
        ("hard", "SELECT name FROM a EXCEPT SELECT name FROM b"),
        (
            "extra",
            "SELECT T1.name FROM a AS T1 JOIN b AS T2 ON T1.i = T2.i GROUP BY T1.i ORDER BY COUNT(*) DESC LIMIT 1",
        ),
        ("extra", "SELECT name FROM a WHERE x = (SELECT MAX(x) FROM a WHERE y = 1 OR z LIKE 'q%') ORDER BY name"),
        ("", "not a statement at all ((("),
        ("", ""),
    ],
)
def test_levels(level, sql):
    assert hardness(sql) == level


def test_what_happens_inside_a_nested_query_does_not_count_for_the_outer_one():
    inner = "SELECT MAX(x) FROM a JOIN b ON a.i = b.i GROUP BY a.j ORDER BY a.k LIMIT 1"
    assert hardness(f"SELECT name FROM a WHERE x = ({inner})") == "hard"
