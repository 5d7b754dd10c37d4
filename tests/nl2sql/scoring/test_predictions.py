"""Predictions files as systems really write them: two formats and everything that goes wrong in them."""

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nl2sql.errors import UserError
from nl2sql.rows import Question
from nl2sql.scoring.predictions import NOT_TEXT, Predictions, load_predictions, match_predictions

QUESTION = Question("10", "shop", "How many?", "", "SELECT 1", "simple", "dev")
QUESTIONS = [QUESTION, replace(QUESTION, question_id="11"), replace(QUESTION, question_id="12")]


def load(tmp_path: Path, content: str | bytes) -> Predictions:
    path = tmp_path / "system.json"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return load_predictions(path)


def answers(loaded: Predictions, strict_parity: bool = False) -> list[str | None]:
    matchings, _ = match_predictions(loaded, QUESTIONS, strict_parity)
    return [p and p.sql for p in matchings[0].predictions]


def bird(**entries: object) -> str:
    return json.dumps({k.removeprefix("q"): v for k, v in entries.items()})


def test_json_lines(tmp_path: Path) -> None:
    lines = [
        {"question_id": 11, "sql": "SELECT 2", "model": "b"},
        {"question_id": "10", "sql": "SELECT 1", "db_id": "shop"},
    ]
    loaded = load(tmp_path, "\ufeff" + "\r\n\r\n".join(map(json.dumps, lines)) + "\r\n")
    assert loaded.models == ("b", "system")
    assert [(p.question_id, p.sql, p.db_id, p.place) for p in loaded.items] == [
        ("11", "SELECT 2", "", 1),
        ("10", "SELECT 1", "shop", 3),
    ]
    assert not loaded.problems


def test_a_single_line_is_json_lines(tmp_path: Path) -> None:
    assert load(tmp_path, '{"question_id": 10, "sql": "SELECT 1"}').by_position is False


def test_broken_lines_are_reported_with_their_number(tmp_path: Path) -> None:
    good = b'{"question_id": 10, "sql": "SELECT 1"}'
    bad = [
        b"{broken",
        b"[1]",
        b'{"sql": "x"}',
        b'{"question_id": null, "sql": "x"}',
        b'{"question_id": 1, "sql": "\xff"}',
    ]
    loaded = load(tmp_path, b"\n".join([good, *bad, b"[" * 100_000]))
    assert [p.sql for p in loaded.items] == ["SELECT 1"]
    assert [p.where.rsplit(":", 1)[1] for p in loaded.problems] == ["2", "3", "4", "5", "6", "7"]


@pytest.mark.parametrize(
    ("line", "key", "sql"),
    [
        (b'{"question_id": 18446744073709551616, "sql": "a"}', "18446744073709551616", "a"),
        (b'{"question_id": -9223372036854775809, "sql": "a"}', "-9223372036854775809", "a"),
        (b'{"question_id": 1, "sql": "\\ud800"}', "1", "\ud800"),
        (b'{"question_id": 1, "sql": "a", "time": NaN, "most": Infinity}', "1", "a"),
        (b'{"question_id": 1, "sql": "a", "time": 1e999}', "1", "a"),
        (b'{"question_id": 1, "sql": "a", "sql": "b"}', "1", "b"),
        (b' {"question_id": -0, "sql": "\\u0000"} \r', "0", "\0"),
        (b'{"question_id": 1, "SQL": "a"}', "1", "a"),
        (b'{"question_id": 1, "SQL": "a", "sql": "b"}', "1", "b"),
    ],
)
@pytest.mark.parametrize("other", [b'{"question_id": 5, "sql": "x"}', b"\xff"], ids=["utf-8", "not utf-8"])
def test_lines_that_one_parser_takes_and_another_does_not(
    tmp_path: Path, line: bytes, key: str, sql: str, other: bytes
) -> None:
    loaded = load(tmp_path, other + b"\n" + line)
    assert [(p.question_id, p.sql, p.place) for p in loaded.items[-1:]] == [(key, sql, 2)]
    assert len(loaded.problems) == (other == b"\xff")


def test_numbers_in_the_place_of_text_are_called_what_they_are(tmp_path: Path) -> None:
    huge = 10**30
    lines = [{"question_id": 1, "sql": huge}, {"question_id": 1.0, "sql": "a"}, {"question_id": True, "sql": "a"}]
    problems = load(tmp_path, "\n".join(map(json.dumps, lines))).problems
    assert [p.what.split(":")[0] for p in problems] == [
        "sql is not a string but int",
        "question_id 1.0 is neither a number nor text",
        "question_id True is neither a number nor text",
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=3,
)
LINES = st.fixed_dictionaries({}, optional=dict.fromkeys(("question_id", "sql", "SQL", "model", "db_id", "x"), JSON))


@settings(max_examples=300, deadline=None)
@given(item=LINES, plain=st.booleans(), cut=st.integers(0, 400), put=st.binary(max_size=2), taken=st.integers(0, 3))
def test_every_line_is_read_as_the_standard_parser_reads_it(
    item: dict[str, object], plain: bool, cut: int, put: bytes, taken: int
) -> None:
    whole = json.dumps(item, ensure_ascii=plain).encode("utf-8", "surrogatepass").replace(b"\n", b" ")
    line = (whole[:cut] + put + whole[cut + taken :]).replace(b"\n", b" ")
    with TemporaryDirectory() as folder:
        loaded = load(Path(folder), b'{"question_id": 1, "sql": "x"}\n' + line)
    assert [(p.question_id, p.sql, p.db_id, p.model) for p in loaded.items[1:]] == as_the_standard_parser_reads(line)


def as_the_standard_parser_reads(line: bytes) -> list[tuple[str, str, str, str]]:
    try:
        item = json.loads(line)
    except ValueError:
        return []
    sql = item.get("sql", item.get("SQL", ...)) if isinstance(item, dict) else ...
    if sql is ... or type(item.get("question_id")) not in (int, str):
        return []
    named = {name: item.get(name) if isinstance(item.get(name), str) else "" for name in ("db_id", "model")}
    written = sql if isinstance(sql, str) else NOT_TEXT
    return [(str(item["question_id"]), written, named["db_id"], named["model"] or "system")]


def test_sql_with_a_line_separator_or_nul_is_one_line(tmp_path: Path) -> None:
    loaded = load(tmp_path, json.dumps({"question_id": 10, "sql": "SELECT '\u2028\0'"}, ensure_ascii=False))
    assert loaded.items[0].sql == "SELECT '\u2028\0'"


@pytest.mark.parametrize("sql", [None, 7, ["SELECT 1"], {}])
def test_sql_that_is_no_text_counts_as_none(tmp_path: Path, sql: object) -> None:
    for content in (json.dumps({"question_id": 10, "sql": sql}), bird(q10=sql)):
        loaded = load(tmp_path, content)
        assert (loaded.items[0].sql, loaded.items[0].is_text) == (NOT_TEXT, False)
        assert "not a string" in loaded.problems[0].what


@pytest.mark.parametrize("content", ["", "\n\n", "[]", "nonsense", '{"question_id": 1}', b"\xff\xfe", "{}", "null"])
def test_a_file_without_predictions_is_the_users_mistake(tmp_path: Path, content: str | bytes) -> None:
    with pytest.raises(UserError, match=r"system\.json"):
        load(tmp_path, content)


def test_a_missing_file_is_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        load_predictions(tmp_path / "none.json")
    with pytest.raises(UserError, match="cannot be read"):
        load_predictions(tmp_path)


def test_bird_keys_are_ids_when_all_are_and_positions_otherwise(tmp_path: Path) -> None:
    entry = "\t----- bird -----\tshop"
    by_id = load(tmp_path, bird(q12="SELECT 3" + entry, q10="SELECT 1" + entry))
    assert answers(by_id) == ["SELECT 1", None, "SELECT 3"]
    by_position = load(tmp_path, bird(q2="SELECT 3" + entry, q0="SELECT 1" + entry))
    assert answers(by_position) == ["SELECT 1", None, "SELECT 3"]


def test_strict_parity_takes_entries_in_file_order_and_cuts_at_the_shorter(tmp_path: Path) -> None:
    entry = "\t----- bird -----\tshop"
    loaded = load(tmp_path, bird(q12="SELECT 3" + entry, qx="SELECT 1" + entry))
    assert answers(loaded, strict_parity=True) == ["SELECT 3", "SELECT 1"]


def test_a_bird_entry_without_separator_is_all_sql(tmp_path: Path) -> None:
    twice = "SELECT 1\t----- bird -----\ta\t----- bird -----\tb"
    loaded = load(tmp_path, bird(q10=" SELECT 1 ", q11=twice, q12="SELECT 1\r\n\t----- bird -----\tshop"))
    assert [p.sql for p in loaded.items] == ["SELECT 1", twice, "SELECT 1\r\n"]
    assert len(loaded.problems) == 2


def test_a_repeated_bird_key_is_reported(tmp_path: Path) -> None:
    loaded = load(tmp_path, '{"10": "SELECT 1\\t----- bird -----\\ta", "10": "SELECT 2\\t----- bird -----\\ta"}')
    assert [p.sql for p in loaded.items] == ["SELECT 2"]
    assert "more than once" in loaded.problems[0].what


def test_missing_repeated_and_unknown_ids_and_wrong_databases_are_reported(tmp_path: Path) -> None:
    lines = [(10, "a", "shop"), (10, "b", "shop"), (99, "c", "shop"), (11, "d", "other")]
    text = "\n".join(json.dumps({"question_id": i, "sql": sql, "db_id": db}) for i, sql, db in lines)
    matchings, problems = match_predictions(load(tmp_path, text), QUESTIONS)
    assert [p and p.sql for p in matchings[0].predictions] == ["a", "d", None]
    assert [p.what for p in problems] == [
        "1 questions without a prediction: wrong (12)",
        "1 questions not in the benchmark: left out (99)",
        "1 questions predicted more than once: the first counts (10)",
        "1 questions predicted for another database: scored on the question's own (11)",
    ]


def test_each_model_is_matched_on_its_own(tmp_path: Path) -> None:
    text = "\n".join(json.dumps({"question_id": 10, "sql": m, "model": m}) for m in ("a", "b"))
    matchings, _ = match_predictions(load(tmp_path, text), QUESTIONS)
    assert [(m.model, m.predictions[0] and m.predictions[0].sql) for m in matchings] == [("a", "a"), ("b", "b")]
