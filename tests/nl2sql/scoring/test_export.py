"""Files for the leaderboards, and what the validator says of files that are not fit for them."""

import json

import pytest

from nl2sql.rows import Question
from nl2sql.scoring.export import NO_ANSWER, export_predictions
from nl2sql.scoring.predictions import SEPARATOR
from nl2sql.scoring.validate_submission import FAULTS, validate_submission

QUESTIONS = tuple(Question(str(i), db, "?", "", "SELECT 1", "", "dev") for i, db in ((5, "a"), (7, "a"), (9, "b")))
GOOD = {"5": "SELECT 1", "7": "SELECT\n2 -- two\n;", "9": "SELECT 'a\tb'"}


def bird(**changed: object) -> dict[str, object]:
    entries: dict[str, object] = {q.question_id: f"SELECT {q.question_id}{SEPARATOR}{q.db_id}" for q in QUESTIONS}
    return {**entries, **{key.removeprefix("q"): value for key, value in changed.items()}}


def faults_of(content: object) -> list[tuple[str, str]]:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    _, faults = validate_submission(data, QUESTIONS)
    assert {f.kind for f in faults} <= FAULTS.keys()
    return [(f.where, f.kind) for f in faults]


@pytest.mark.parametrize("file_format", ["bird", "spider"])
def test_what_is_exported_is_valid(file_format: str) -> None:
    export = export_predictions(QUESTIONS, GOOD, file_format)
    assert (export.n, export.unanswered) == (3, ())
    assert validate_submission(export.text.encode(), QUESTIONS) == (file_format, [])


def test_the_formats_as_they_are_written() -> None:
    answers = {"7": "SELECT 2;", "5": "SELECT\n1", "9": "SELECT 'ß'", "8": "of another benchmark"}
    assert export_predictions(QUESTIONS, answers, "spider").text == "SELECT 1\nSELECT 2\nSELECT 'ß'\n"
    entries = json.loads(export_predictions(QUESTIONS, answers, "bird").text)
    assert list(entries) == ["5", "7", "9"]
    assert entries["9"] == "SELECT 'ß'\t----- bird -----\tb"


@pytest.mark.parametrize("file_format", ["bird", "spider"])
def test_questions_without_an_answer_keep_their_place(file_format: str) -> None:
    export = export_predictions(QUESTIONS, {"5": " -- nothing", "9": "SELECT 9"}, file_format)
    assert export.unanswered == ("5", "7")
    assert export.text.count(NO_ANSWER) == 2
    assert validate_submission(export.text.encode(), QUESTIONS)[1] == []


def test_an_unknown_format_is_an_error() -> None:
    with pytest.raises(ValueError, match="bird, spider"):
        export_predictions(QUESTIONS, GOOD, "csv")


def test_positions_are_keys_too() -> None:
    entries = {str(i): f"SELECT 1{SEPARATOR}{q.db_id}" for i, q in enumerate(QUESTIONS)}
    assert faults_of(entries) == []


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"q7": None}, "not_string"),
        ({"q7": ["SELECT 1"]}, "not_string"),
        ({"q7": "SELECT 1"}, "separator"),
        ({"q7": f"SELECT 1{SEPARATOR}a{SEPARATOR}a"}, "separator"),
        ({"q7": f"SELECT 1{SEPARATOR}b"}, "wrong_database"),
        ({"q7": f"SELECT 1{SEPARATOR}a "}, "wrong_database"),
        ({"q7": f"{SEPARATOR}a"}, "blank"),
        ({"q7": f"-- sorry{SEPARATOR}a"}, "blank"),
        ({"q7": f"SELECT\t1{SEPARATOR}a"}, "line_break"),
        ({"q7": f"SELECT\n1{SEPARATOR}a"}, "line_break"),
        ({"q7": f"SELECT '\0'{SEPARATOR}a"}, "line_break"),
        ({"q7": f"SELECT 1; SELECT 2{SEPARATOR}a"}, "several_statements"),
        ({"q7": f"```sql SELECT 1```{SEPARATOR}a"}, "no_query"),
        ({"q7": f"DROP TABLE t{SEPARATOR}a"}, "no_query"),
    ],
)
def test_a_fault_in_one_entry(changed: dict[str, object], kind: str) -> None:
    assert faults_of(bird(**changed)) == [("key '7'", kind)]


def test_missing_and_unknown_ids() -> None:
    entries = bird(q11=f"SELECT 1{SEPARATOR}a")
    del entries["7"]
    assert faults_of(entries) == [("key '7'", "missing"), ("key '11'", "unknown")]


def test_wrong_order() -> None:
    entries = bird()
    assert faults_of({key: entries[key] for key in ("7", "5", "9")}) == [("key '7'", "order"), ("key '5'", "order")]


def test_one_moved_entry_does_not_drown_the_rest() -> None:
    questions = [Question(str(i), "a", "?", "", "", "", "dev") for i in range(100)]
    keys = [*map(str, range(1, 100)), "0"]
    content = json.dumps(dict.fromkeys(keys, f"SELECT 1{SEPARATOR}a")).encode()
    _, faults = validate_submission(content, questions)
    assert [f.kind for f in faults] == ["order"] * 4
    assert "97 more" in faults[-1].what


def test_a_repeated_key() -> None:
    text = json.dumps(bird())
    assert faults_of((text[:-1] + f', "5": {json.dumps(bird()["5"])}}}').encode()) == [("key '5'", "duplicate_key")]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"{", "not_json"),
        (b"[1]", "not_json"),
        (b"[" * 100_000, "not_json"),
        (b"{\xff}", "encoding"),
        (b"\xef\xbb\xbf" + json.dumps(bird()).encode(), "encoding"),
    ],
)
def test_a_broken_file_is_one_fault(content: bytes, kind: str) -> None:
    assert faults_of(content) == [("file", kind)]


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("SELECT 1\nSELECT 2\nSELECT 3", []),
        ("SELECT 1\r\nSELECT 2\r\nSELECT 3\r\n", []),
        ("SELECT 1\ta\nSELECT 2\ta\nSELECT 3\tb\n", []),
        ("SELECT 1\ta\nSELECT 2\tb\nSELECT 3\tb\n", [("line 2", "wrong_database")]),
        ("SELECT 1\n\nSELECT 3\n", [("line 2", "blank")]),
        ("SELECT 1\nSELECT 2\n", [("line 3", "missing")]),
        ("SELECT 1\nSELECT\n2\nSELECT 3\n", [("line 4", "unknown")]),
        ("SELECT 1\nSELECT\t2 FROM t\nSELECT 3\n", [("line 2", "line_break")]),
        ("SELECT 1\nSELECT 1; SELECT 2\nSELECT 3\n", [("line 2", "several_statements")]),
    ],
)
def test_faults_of_spider_files(text: str, faults: list[tuple[str, str]]) -> None:
    found = faults_of(text.encode())
    assert [f for f in found if f[1] != "no_query"] == faults


def test_an_empty_file_misses_everything() -> None:
    assert {kind for _, kind in faults_of(b"")} == {"missing"}
