from collections.abc import Sequence

import pytest

from nl2sql.models.rules.evidence import Hint, read_evidence
from nl2sql.models.rules.joins import JoinGraph
from nl2sql.models.rules.lexicon import build_lexicon
from nl2sql.models.rules.resolution import column_resolver
from nl2sql.models.rules.values import Values
from nl2sql.rows import ColumnName


@pytest.fixture(scope="module")
def read(harbour):
    lexicon = build_lexicon(harbour.schema, harbour.profiles)
    resolve = column_resolver(lexicon, (), {}, JoinGraph(harbour.schema), ())

    def read_text(evidence: str) -> Sequence[Hint]:
        return read_evidence(evidence, resolve, Values(lexicon))

    return read_text


@pytest.mark.parametrize(
    ("evidence", "sql"),
    [
        ("ferries refers to ship_type = 'ferry'", "ship.ship_type = 'ferry'"),
        ("big means tonnage > 9000", "ship.tonnage > 9000"),
        ("big refers to tonnage > = 9,000", "ship.tonnage >= 9000"),
        ("not oil refers to cargo ! = 'oil'", "voyage.cargo <> 'oil'"),
        ("in 2020 refers to YEAR(departure_date) = 2020", "SUBSTR(voyage.departure_date, 1, 4) = '2020'"),
        ("in May refers to MONTH(departure_date) = 5", "SUBSTR(voyage.departure_date, 6, 2) = '05'"),
        ("on 3/4/2019 refers to departure_date = '3/4/2019'", "voyage.departure_date = '2019-03-04'"),
        ("no captain refers to captain_id is null", "IS NULL"),
        ("tonnage between 5 and 7", "ship.tonnage BETWEEN 5 AND 7"),
        ("named so refers to ship_name LIKE 'A%'", "ship.ship_name LIKE 'A%'"),
        ("named so refers to ship_name which contains 'or'", "ship.ship_name LIKE '%or%'"),
        ("the O'Neill refers to last_name = 'O'Neill'", "captain.last_name = 'O''Neill'"),
        ("tonnage < 100 means that the ship is small", "ship.tonnage < 100"),
        ("ships' ids refer to ship_id; big refers to tonnage > 5", "ship.tonnage > 5"),
        ("the O'Neill refers to last_name = 'O''Neill'", "captain.last_name = 'O''Neill'"),
        ("heavy refers to tonnage value > 5", "ship.tonnage > 5"),
        ("A is a good mark in which ship_type = 'A' for the ship", "ship.ship_type = 'A'"),
        ("If cargo is NULL, it means that the voyage was empty", "voyage.cargo IS NULL"),
        ("old refers to built_year < 1990 and ships refers to ship.ship_id", "ship.built_year < 1990"),
        ("cargo = 'oil' or 'grain'", "voyage.cargo = 'oil' OR voyage.cargo = 'grain'"),
    ],
)
def test_conditions(read, evidence, sql):
    found = [c.sql(dialect="sqlite") for h in read(evidence) for c in h.conditions]
    assert len(found) == 1
    assert sql in found[0].replace('"', "")


@pytest.mark.parametrize(
    ("evidence", "sql"),
    [
        (
            "percentage = DIVIDE(SUM(cargo = 'oil'), COUNT(voyage_id)) * 100",
            "CAST(SUM(CASE WHEN voyage.cargo = 'oil' THEN 1 ELSE 0 END) AS REAL) * 100 / COUNT(voyage.voyage_id)",
        ),
        (
            "percentage = MULTIPLY(DIVIDE(COUNT(cargo = 'oil'), COUNT(voyage_id)), 100)",
            "CAST(SUM(CASE WHEN voyage.cargo = 'oil' THEN 1 ELSE 0 END) AS REAL) * 100 / COUNT(voyage.voyage_id)",
        ),
        ("mean = AVG(tonnage)", "AVG(ship.tonnage)"),
        ("the heaviest refers to MAX(tonnage)", "MAX(ship.tonnage)"),
        ("the most refers to MAX(COUNT(voyage_id))", "MAX(COUNT(voyage.voyage_id))"),
        (
            "difference = SUBTRACT(SUM(cost where cargo = 'oil')), SUM(cost where cargo = 'cars')",
            "SUM(CASE WHEN voyage.cargo = 'oil' THEN voyage.cost ELSE 0 END)"
            " - SUM(CASE WHEN voyage.cargo = 'cars' THEN voyage.cost ELSE 0 END)",
        ),
        ("SUM(voyage_id where cost > 5)", "SUM(CASE WHEN voyage.cost > 5 THEN 1 ELSE 0 END)"),
    ],
)
def test_formulas(read, evidence, sql):
    (hint,) = read(evidence)
    assert hint.formula is not None
    assert hint.formula.sql(dialect="sqlite") == sql


def test_a_chain_of_meanings_ends_in_columns(read):
    hints = read("name of captains means the full name; full name refers to first_name, last_name")
    assert [h.columns for h in hints] == [(ColumnName("captain", "first_name"), ColumnName("captain", "last_name"))] * 2
    assert hints[0].phrase == ("name", "of", "captain")


def test_a_condition_after_a_formula_filters(read):
    (hint,) = read("DIVIDE(SUM(cost), COUNT(voyage_id)) where cargo = 'oil'")
    assert hint.formula is not None
    assert [c.sql() for c in hint.conditions] == ["voyage.cargo = 'oil'"]


def test_a_described_value_keeps_its_description(read):
    (hint,) = read("'Bergen' is a port name")
    assert (hint.value, hint.meaning) == ("Bergen", ("port", "name"))


@pytest.mark.parametrize("prose", ["", "No hint.", "ships are vessels that float on water", "= = =", "x refers to"])
def test_prose_gives_no_conditions(read, prose):
    assert [h for h in read(prose) if h.conditions or h.formula is not None] == []
