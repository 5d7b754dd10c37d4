"""Corrected gold SQL in the shapes in which it is published, and files that are none."""

import json
from pathlib import Path

import pytest

from nl2sql.errors import UserError
from nl2sql.rows import Question
from nl2sql.scoring.corrected_gold import Corrections, correct_golds, load_corrections

QUESTIONS = [Question(str(i), "shop", "?", "", f"SELECT {i}", "simple", "dev") for i in range(4)]


@pytest.fixture
def read(tmp_path):
    def load(content: object, lines: bool = False) -> Corrections:
        path = tmp_path / "gold.json"
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text("\n".join(map(json.dumps, content)) if lines else json.dumps(content))  # type: ignore[call-overload]
        return load_corrections(path)

    return load


def golds(corrections: Corrections) -> list[str]:
    return [q.gold_sql for q in correct_golds(corrections, QUESTIONS)[0]]


@pytest.mark.parametrize(
    "content",
    [
        [{"question_id": 1, "SQL": "SELECT 9"}],
        [{"question_id": "1", "gold": "SELECT 9", "db_id": "shop", "evidence": "猫"}],
        {"1": "SELECT 9"},
        {"1": "SELECT 9\t----- bird -----\tshop"},
        {"1": {"sql": "SELECT 9"}},
        {"anything": {"question_id": 1, "query": "SELECT 9"}},
        {"question_id": 1, "gold_sql": "SELECT 9"},
    ],
    ids=str,
)
def test_every_shape_is_read(read, content):
    assert golds(read(content)) == ["SELECT 0", "SELECT 9", "SELECT 2", "SELECT 3"]


def test_json_lines_are_read_with_crlf_and_a_byte_order_mark(read):
    content = b'\xef\xbb\xbf{"question_id": 1, "SQL": "SELECT 9"}\r\n\r\n{"question_id": "3", "SQL": "SELECT\\n8"}\r\n'
    assert golds(read(content)) == ["SELECT 0", "SELECT 9", "SELECT 2", "SELECT\n8"]


def test_what_cannot_be_used_is_left_out_and_said(read):
    content = [
        {"question_id": 0, "SQL": "SELECT 7"},
        {"question_id": 0, "SQL": "SELECT 8"},
        {"question_id": 1, "SQL": "SELECT 9", "db_id": "zoo"},
        {"question_id": 99, "SQL": "SELECT 9"},
        {"question_id": True, "SQL": "SELECT 9"},
        {"question_id": 2, "SQL": " "},
        {"question_id": 3, "SQL": None},
        {"question_id": 2, "SQL": "SELECT 2"},
        "SELECT 1",
        7,
    ]
    found = read(content)
    assert [p.where.rpartition(" ")[2] for p in found.problems] == ["4", "5", "6", "8", "9"]
    corrected, changed, problems = correct_golds(found, QUESTIONS)
    assert [q.gold_sql for q in corrected] == ["SELECT 7", "SELECT 1", "SELECT 2", "SELECT 3"]
    assert changed == {"0"}
    assert [p.what.partition(":")[0] for p in problems] == [
        "1 corrections of questions that are not in the benchmark",
        "1 corrections for another database than the question's",
        "1 corrections that stand more than once",
    ]


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"nonsense", b"\xff\xfe", b"[" * 100_000, b'{"1": ""}', b'"SELECT 1"', b"NaN"]
)
def test_files_without_a_correction_are_refused(read, content):
    with pytest.raises(UserError, match=r"gold\.json"):
        read(content)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        load_corrections(Path(tmp_path / "absent"))
