import hashlib
import json
import sqlite3
from collections import defaultdict
from pathlib import Path

import pytest

from nl2sql.contracts import check, to_table
from nl2sql.execution import Limits, execute, execute_many
from nl2sql.indexes.cells import CellIndex, index_cells
from nl2sql.online.context import DatabaseContext
from nl2sql.online.repair_candidates import ROUNDS, WORTH, mend_statements, repair_candidates
from nl2sql.online.repairs import REPAIRS
from nl2sql.profiling.profile_database import profile_database
from nl2sql.rows import Candidate, Database, Question, Repair
from nl2sql.schema import schema_from_profiles

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"

CLUB = """
CREATE TABLE person (person_id TEXT PRIMARY KEY, full_name TEXT, "shoe size" REAL, city TEXT, active TEXT, joined TEXT);
CREATE TABLE team (team_id TEXT PRIMARY KEY, team_name TEXT, town TEXT, lead TEXT REFERENCES person (person_id));
CREATE TABLE visit (visit_id TEXT PRIMARY KEY, visitor TEXT REFERENCES person (person_id),
                    host TEXT REFERENCES team (team_id), day TEXT, cost REAL, "order" INTEGER);
CREATE TABLE bill (bill_id TEXT PRIMARY KEY, for_visit TEXT REFERENCES visit (visit_id), amount REAL, 金額 REAL);
INSERT INTO person VALUES
 ('p1', 'Anna Holm', 38.5, 'Lund', 'true', '2020-01-05 10:00:00'),
 ('p2', 'Bo Ek', 44.0, 'Umeå', 'false', '2021-03-09 11:30:00'),
 ('p3', 'Carla Ohlsson', 40.0, 'Lund', 'true', '2021-07-01 09:00:00');
INSERT INTO team VALUES ('t1', 'Women''s Soccer', 'Malmö', 'p1'), ('t2', 'Chess Department', 'Visby', 'p2');
INSERT INTO visit VALUES ('v1', 'p1', 't2', '2021-03-05', 10.0, 1), ('v2', 'p2', 't1', '2021-11-20', 25.0, 2),
 ('v3', 'p3', 't1', '2022-01-02', 5.0, 3);
INSERT INTO bill VALUES ('b1', 'v1', 100.0, 1.0), ('b2', 'v2', 250.0, 2.0);
"""


@pytest.fixture(scope="module")
def club(tmp_path_factory):
    path = tmp_path_factory.mktemp("club") / "club.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript(CLUB)
    connection.close()
    return context_of(path)


class NoSearch:
    def search(self, texts, limit=10, **_):
        return [[] for _ in texts]


def context_of(path):
    database = Database(path.stem, str(path), "", 0, "", "", "")
    profiles = tuple(profile_database(database))
    cells = CellIndex(index_cells(database, profiles), profiles)
    return DatabaseContext(database, schema_from_profiles(profiles), profiles, (), cells, NoSearch(), NoSearch())


def repair_all(context, statements, **options):
    question = Question("1", context.database.db_id, "?", "", "", "", "dev")
    candidates = [
        Candidate("1", question.db_id, f"g/{i}", "g", "", "full", "", i, sql) for i, sql in enumerate(statements)
    ]
    return repair_candidates([question], [], [], candidates, context, workers=1, **options)


def rows_of(context, sql):
    return list(execute(context.database.path, sql, Limits(keep_rows=None)).rows)


# What was written, the repairs that must be recorded, and the rows that must come of it.
CASES = [
    (
        "```sql\nSELECT full_name FROM person WHERE person_id = 'p2';\n```\nThis finds Bo.",
        "take_first_statement",
        ["Bo Ek"],
    ),
    ("Answer: SELECT COUNT(*) FROM person; SELECT 2", "take_first_statement", [3]),
    ("SELECT COUNT(*) FROM person \\end{code} Comment: not sure", "take_first_statement", [3]),
    ("SELECT team_id FROM team WHERE team_name = 'Women's Soccer'", "double_apostrophes", ["t1"]),
    (r"SELECT team_id FROM team WHERE team_name = 'Women\'s Soccer'", "double_apostrophes", ["t1"]),
    ("SELECT person_id FROM person WHERE full_name = 'Bo Ek", "close_quote", ["p2"]),
    ("SELECT shoe size FROM person WHERE person_id = 'p2'", "quote_names", [44.0]),
    ("SELECT order FROM visit WHERE visit_id = 'v2'", "quote_names", [2]),
    ("SELECT person_id FROM person WHERE full_name = Bo Ek AND active = 'false'", "quote_words", ["p2"]),
    ("SELECT DISTINCT city, DISTINCT active FROM person WHERE city = 'Lund'", "drop_repeated_distinct", ["Lund"]),
    (
        "SELECT CONCAT(full_name, ' of ', city) FROM person WHERE person_id = 'p1'",
        "translate_dialect",
        ["Anna Holm of Lund"],
    ),
    ("SELECT visit_id FROM visit WHERE YEAR(day) = 2022", "translate_dialect", ["v3"]),
    ("SELECT visit_id FROM visit WHERE EXTRACT(MONTH FROM day) = 11", "translate_dialect", ["v2"]),
    ("SELECT DIVIDE(COUNT(*), 2) FROM person", "translate_dialect", [1.5]),
    ("SELECT TOP 1 visit_id FROM visit ORDER BY cost DESC", "translate_dialect", ["v2"]),
    ("SELECT visit_id FROM visit WHERE day ILIKE '2022%'", "translate_dialect", ["v3"]),
    ("SELECT LEFT(city, 2) FROM person WHERE person_id = 'p1'", "translate_dialect", ["Lu"]),
    ("SELECT cost::int FROM visit WHERE visit_id = 'v1'", "translate_dialect", [10]),
    ('SELECT person_id FROM person WHERE full_name = "Bo Ek"', "quote_string", ["p2"]),
    ('SELECT CASE WHEN COUNT(*) > 9 THEN "many" ELSE "few" END FROM person', "quote_string", ["few"]),
    ('SELECT person_id FROM person WHERE full_name IN ("Bo Ek", "Nobody")', "quote_string", ["p2"]),
    (
        "SELECT T1.team_name FROM person AS T1 JOIN team AS T2 ON T1.person_id = T2.lead WHERE T1.city = 'Lund'",
        "qualify_with_owner",
        ["Women's Soccer"],
    ),
    ("SELECT person.city FROM person AS p WHERE p.person_id = 'p2'", "qualify_with_owner", ["Umeå"]),
    (
        "SELECT city FROM person AS a JOIN person AS b ON a.person_id = b.person_id WHERE a.person_id = 'p2'",
        "qualify_ambiguous",
        ["Umeå"],
    ),
    ("SELECT COUNT(person_id) FROM visit", "use_referencing_column", [3]),
    ("SELECT COUNT(*) FROM persons", "use_close_table", [3]),
    ("SELECT MAX(money.amount) FROM money", "use_close_table", [250.0]),
    ("SELECT fullname FROM person WHERE person_id = 'p2'", "use_close_column", ["Bo Ek"]),
    ("SELECT 金額s FROM bill WHERE bill_id = 'b2'", "use_close_column", [2.0]),
    ("SELECT full_name FROM visit WHERE visit_id = 'v2'", "join_owner", ["Bo Ek"]),
    ("SELECT bill.team_name FROM bill WHERE bill_id = 'b2'", "join_owner", ["Women's Soccer"]),
    ("SELECT visit_id FROM visit WHERE day = 2021-03-05", "quote_dates", ["v1"]),
    ("SELECT visit_id FROM visit WHERE day = '2021-3-5'", "pad_date", ["v1"]),
    ("SELECT visit_id FROM visit WHERE STRFTIME('%m', day) = 3", "quote_date_part", ["v1"]),
    ("SELECT visit_id FROM visit WHERE SUBSTR(day, 1, 4) IN (2022)", "quote_date_part", ["v3"]),
    ("SELECT person_id FROM person WHERE active = 'No'", "use_boolean_value", ["p2"]),
    ("SELECT person_id FROM person WHERE active = 0", "use_boolean_value", ["p2"]),
    ("SELECT person_id FROM person WHERE full_name = 'BO EK'", "respell_value", ["p2"]),
    ("SELECT person_id FROM person WHERE joined = '2021-03-09'", "match_whole_day", ["p2"]),
    ("SELECT person_id FROM person WHERE full_name = 'Umeå'", "move_to_sibling", ["p2"]),
    ("SELECT visit_id FROM visit WHERE visitor = 'Bo Ek'", "look_up_key", ["v2"]),
    (
        "SELECT full_name FROM person JOIN team ON person_id = team_id WHERE team_name = 'Chess Department'",
        "join_on_keys",
        ["Bo Ek"],
    ),
    (
        "SELECT p.full_name FROM person p JOIN bill b ON p.person_id = b.bill_id WHERE b.amount > 200",
        "join_through",
        ["Bo Ek"],
    ),
    ("SELECT person_id FROM person WHERE full_name = 'Carla Olsson'", "use_close_value", ["p3"]),
    ("SELECT team_id FROM team WHERE team_name = 'Chess'", "use_containing_value", ["t2"]),
]


@pytest.fixture(scope="module")
def repaired(club):
    return repair_all(club, [sql for sql, _, _ in CASES])


@pytest.mark.parametrize("place", range(len(CASES)), ids=[f"{a}-{i}" for i, (_, a, _) in enumerate(CASES)])
def test_each_repair_mends_what_it_is_for(club, repaired, place):
    sql, action, values = CASES[place]
    repair = repaired[place]
    assert repair.sql_before == sql
    assert action in repair.actions
    assert repair.outcome == "ok"
    assert WORTH[repair.outcome_before] < WORTH[repair.outcome]
    assert [row[0] for row in rows_of(club, repair.sql)] == values


def test_every_repair_has_a_case():
    assert {action for _, action, _ in CASES} == {repair.__name__ for repair in REPAIRS}
    assert len({repair.__name__ for repair in REPAIRS}) == len(REPAIRS)


@pytest.mark.parametrize(
    ("sql", "actions", "values"),
    [
        (
            "SELECT a.team_name FROM person a JOIN team b ON a.person_id = b.lead WHERE a.fullname = 'anna holm'",
            {"use_close_column", "respell_value"},
            ["Women's Soccer"],
        ),
        (
            'SELECT p.full_name FROM visit v WHERE v.hosts = "t1" AND v.cost > 20',
            {"join_owner", "use_close_column", "quote_string"},
            ["Bo Ek"],
        ),
    ],
)
def test_repairs_follow_one_another(club, sql, actions, values):
    (repair,) = repair_all(club, [sql])
    assert [row[0] for row in rows_of(club, repair.sql)] == values
    assert set(repair.actions) == actions


# Statements that no fact of the database speaks against, or that it does not show how to mend.
LEFT_ALONE = [
    "SELECT full_name FROM person",  # runs
    "SELECT full_name FROM person WHERE city = 'Lund' AND active = 'false'",  # values exist, nobody has both
    "SELECT nonsense FROM person",
    "SELECT i FROM person",  # too short a name to be close to one column alone
    "SELECT team_id FROM team WHERE team_name = 'Xylophone'",
    "SELECT * FROM nowhere_at_all",
    "",
    "   ",
    "-- only a comment",
    "no SQL at all",
    "DROP TABLE person",
    "INSERT INTO person VALUES ('p9', '', 0, '', '', '')",
    "ATTACH DATABASE 'other.sqlite' AS other",
    "PRAGMA writable_schema = 1",
    "SELECT '\x00",
    "SELECT " + "(" * 3000 + "1" + ")" * 3000,
    "SELECT [ " * 11_000,
    "SELECT full_name FROM person WHERE " + " OR ".join("nope = 'x'" for _ in range(3000)),
]


def test_what_cannot_be_mended_stays_as_it_was(club):
    for sql, repair in zip(LEFT_ALONE, repair_all(club, LEFT_ALONE), strict=True):
        assert (repair.sql, repair.actions) == (sql, ()), sql[:60]
        assert repair.outcome == repair.outcome_before
        assert bool(repair.error) == (repair.outcome in ("error", "timeout"))


def test_the_database_file_is_not_touched(club):
    before = hashlib.sha256(Path(club.database.path).read_bytes()).hexdigest()
    hostile = ["SELECT 1; DROP TABLE person", "```sql\nDELETE FROM person\n```", "SELECT * FROM persons; VACUUM"]
    first, deletion, last = repair_all(club, hostile)
    assert first.sql == "SELECT 1"
    assert deletion.outcome == "error"
    assert last.row_count == 3
    assert hashlib.sha256(Path(club.database.path).read_bytes()).hexdigest() == before


def test_a_value_that_its_column_holds_is_never_replaced(club):
    (repair,) = repair_all(club, ["SELECT full_name FROM person WHERE city = 'Lund' AND full_name = 'Bo Ekk'"])
    assert "'Lund'" in repair.sql


def test_close_values_are_guesses_where_an_empty_result_may_be_right(club):
    statements = [
        "SELECT person_id FROM person WHERE full_name = 'Carla Olsson'",
        "SELECT person_id FROM person WHERE full_name = 'carla ohlsson'",
    ]
    guess, spelling = repair_all(club, statements, empty_is_wrong=False)
    assert (guess.outcome, guess.actions) == ("empty", ())
    assert (spelling.outcome, spelling.actions) == ("ok", ("respell_value",))


def test_two_equally_close_columns_are_no_fact(tmp_path):
    path = tmp_path / "twins.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript("CREATE TABLE t (price_a REAL, price_b REAL); INSERT INTO t VALUES (1, 2)")
    connection.close()
    (repair,) = repair_all(context_of(path), ["SELECT price FROM t"])
    assert (repair.outcome, repair.actions) == ("error", ())
    assert "price" in repair.error


def test_odd_names_are_repaired_too(tmp_path):
    path = tmp_path / "odd.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript(
            'CREATE TABLE "my table 😀" ("a ""quoted"" name" TEXT, "order" INTEGER, "Preis in €" REAL);'
            """INSERT INTO "my table 😀" VALUES ('x', 1, 2.5)"""
        )
    connection.close()
    context = context_of(path)
    repairs = repair_all(context, ["SELECT order FROM my table 😀", 'SELECT Preis in € FROM "my table 😀"'])
    assert [json.loads(r.preview)["rows"] for r in repairs] == [[[1]], [[2.5]]]


def test_equal_statements_run_once_and_repairs_run_in_batches(club):
    statements = [sql for sql, _, _ in CASES]
    first = execute_many([(club.database.path, sql) for sql in statements], workers=1)
    calls = []

    def counted(batch):
        calls.append(list(batch))
        return execute_many([(club.database.path, sql) for sql in batch], workers=1)

    mended = mend_statements(dict(zip(statements, first, strict=True)), club, counted, True)
    assert len(mended) == len(set(statements))
    assert len(calls) <= ROUNDS
    ran = [sql for batch in calls for sql in batch]
    assert all(len(batch) == len(set(batch)) for batch in calls)
    assert not set(ran) & set(statements)


def test_every_candidate_has_a_row_in_its_order_that_keeps_the_contract(club):
    statements = ["SELECT 1", "SELECT nope", "SELECT 1", "SELECT full_name FROM person WHERE 0"]
    repairs = repair_all(club, statements)
    assert [r.candidate_id for r in repairs] == ["g/0", "g/1", "g/2", "g/3"]
    assert repairs[0].result_digest == repairs[2].result_digest != ""
    assert [r.outcome for r in repairs] == ["ok", "error", "ok", "empty"]
    check(to_table(repairs, Repair), "repairs")


def test_a_slow_statement_is_a_timeout_and_is_left_alone(club):
    endless = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT MAX(n) FROM r"
    (repair,) = repair_all(club, [endless], limits=Limits(seconds=0.3))
    assert (repair.outcome, repair.actions, repair.result_digest) == ("timeout", (), "")


def test_previews_are_short_json_whatever_the_result_holds(club):
    odd = "SELECT x'00ff' AS b, 9e999 AS i, REPLACE(HEX(ZEROBLOB(4000)), '0', 'é') AS long, NULL AS n, 1 AS n"
    many = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r LIMIT 500) SELECT n FROM r"
    first, second = repair_all(club, [odd, many])
    preview = json.loads(first.preview)
    assert preview["columns"] == ["b", "i", "long", "n", "n"]
    assert preview["rows"][0][:2] == ["x'00ff'", "inf"]
    assert len(first.preview) < 1000
    assert len(json.loads(second.preview)["rows"]) == 10
    assert (second.row_count, second.column_count) == (500, 1)


@pytest.mark.skipif(not (DATA / "predictions" / "bird_dev.jsonl").exists(), reason="BIRD predictions are not there")
def test_on_a_real_pool_repairs_fix_much_and_break_nothing():
    database = DATA / "bird" / "dev_databases" / "student_club" / "student_club.sqlite"
    gold = {str(q["question_id"]): q["SQL"] for q in json.loads((DATA / "bird" / "dev.json").read_text("utf-8"))}
    predictions = defaultdict(dict)
    for line in (DATA / "predictions" / "bird_dev.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        if row["db_id"] == "student_club":
            predictions[row["model"]][str(row["question_id"])] = row["sql"]
    wanted = dict(list(predictions["ChatGPT-turbo-nokg"].items())[:80])
    repairs = repair_all(context_of(database), list(wanted.values()))
    golds = execute_many([(database, gold[i]) for i in wanted], double_quoted_strings=True)
    befores = execute_many([(database, sql) for sql in wanted.values()])
    results = list(zip(repairs, befores, golds, strict=True))
    fixed = sum(r.result_digest == g.digest != b.digest for r, b, g in results)
    broken = sum(b.digest == g.digest != r.result_digest for r, b, g in results)
    assert broken == 0
    assert fixed >= 5
