import json
import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from nl2sql.models.read_answers import LONGEST_SQL, Unreadable, json_schema, read_json, read_sql

SQL = "SELECT a, \"b c\" FROM t WHERE d = 'x;y'"


class Part(BaseModel):
    table: str
    columns: list[str]


class Selected(BaseModel):
    needs: str
    parts: list[Part]


WANTED = Selected(needs="it's", parts=[Part(table="t", columns=["a", "b"])])


@pytest.mark.parametrize(
    "text",
    [
        SQL,
        f"{SQL};",
        f"  {SQL} ;\n\n",
        f"```sql\n{SQL};\n```",
        f"```SQLite\n{SQL}\n```\nThis joins nothing.",
        f"````\n{SQL}\n````",
        f"~~~sql\n{SQL}\n~~~",
        f"```sql\n{SQL}",  # never closed
        f"Sure!\n\n```sql\n{SQL}\n```",
        f"```sql {SQL} ```",
        f"`{SQL}`",
        f"SQL: {SQL}",
        f"The answer is:\n{SQL};\n\nIt selects what you've asked for.",
        f"It's simple.\n**Final SQL:** {SQL};\nThat's it.",
        f"```sql\n-- first the table\n/* then the rest; */\n{SQL} -- done\n```",
        f"```sql\nCREATE TEMP TABLE x AS SELECT 1;\nSELECT 1;\n{SQL};\n```",
        f"```sql\nSELECT draft FROM t\n```\nBetter:\n```sql\n{SQL}\n```",
        f"Final SQL:\n```sql\n{SQL}\n```\nAn alternative:\n```sql\nSELECT other FROM t\n```",
        f"```sql\n{SQL}\n```\nIt gives:\n```\na | b c\n1 | 2\n```",
        f"```sql\n{SQL}\n```\n```json\n" + '{"confidence": 0.9}\n```',
        f"<think>maybe ```sql\nSELECT wrong FROM t\n``` or not</think>\n```sql\n{SQL}\n```",
        f"maybe SELECT wrong FROM t\n</think>\n{SQL}",
        json.dumps({"sql": SQL}),
        json.dumps({"reasoning": "because", "SQL": SQL}),
        "```json\n" + json.dumps({"query": SQL + ";"}) + "\n```",
        json.dumps(SQL),
        f"```sql\n{SQL}\0\n```",
        f"```sql\r\n{SQL}\r\n```",
        f"<sql>{SQL}</sql>",
        f"```sql\n<query>\n{SQL}\n</query>\n```",
        f"答案如下：\n```sql\n{SQL}\n```\n以上。",
        f"with regret I looked twice.\n{SQL}",
    ],
)
def test_the_query_is_found(text):
    assert read_sql(text) == SQL


def test_spellings_that_transports_leave_are_undone_only_where_the_sql_does_not_parse():
    assert read_sql("```sql\nSELECT a\\nFROM t\n```") == "SELECT a\nFROM t"
    assert read_sql("SELECT a FROM t WHERE c = '\\n'") == "SELECT a FROM t WHERE c = '\\n'"


def test_statements_over_several_lines_and_blank_ones_stay_whole():
    sql = "WITH x AS (\n  SELECT a FROM t\n\n)\n\nSELECT a FROM x\nUNION\nSELECT `b c`\nFROM u"
    assert read_sql(sql) == sql
    assert read_sql(f"```sql\n{sql};\n```") == sql
    union = "SELECT a FROM t\nUNION\nSELECT `b c` FROM u"
    assert read_sql(f"I'd say:\n{union}\n\nDone.") == union


def test_broken_sql_is_still_what_the_model_answered():
    assert read_sql("```sql\nSELECT a FROM WHERE\n```") == "SELECT a FROM WHERE"
    assert read_sql("The answer:\nSELECT a FROM t WHERE (b = 1") == "SELECT a FROM t WHERE (b = 1"
    assert read_sql("```sql\nSELECT a FROM t\n```\n```sql\nSELECT a FROM WHERE\n```") == "SELECT a FROM t"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\0",
        "I'm sorry, I can't help with that.",
        "With regret, I cannot take data from this database.",
        "Select the columns that you need, then join them.",
        "```sql\n-- SELECT a FROM t\n```",
        "```sql\n```",
        "```sql\nDROP TABLE t;\n```",
        "DELETE FROM t",
        "<think>SELECT a FROM t",
        "{}",
        '{"sql": null}',
        '{"sql": ["SELECT 1"]}',
        "我不能回答。",
        "\ud800",
    ],
)
def test_no_query_is_unreadable(text):
    with pytest.raises(Unreadable, match="SELECT"):
        read_sql(text)


def test_sql_beyond_all_bounds_is_unreadable():
    with pytest.raises(Unreadable, match="longer"):
        read_sql(f"```sql\nSELECT {'a, ' * LONGEST_SQL}b FROM t\n```")
    nested = f"SELECT {'(' * 5000}1{')' * 5000} FROM t"
    assert read_sql(f"```sql\n{nested}\n```") == nested  # too deep to parse here; SQLite says what it thinks of it


@pytest.mark.parametrize(
    "text",
    [
        WANTED.model_dump_json(),
        f"```json\n{WANTED.model_dump_json(indent=2)}\n```",
        f"Here's {{the}} object: {WANTED.model_dump_json()} - and that's it {{}}.",
        "{needs: 'it\\'s', 'parts': [{'table': 't', 'columns': ['a', 'b',],},],}",
        '{"needs": "it\'s", // why\n "parts": [{"table": "t", "columns": ["a", "b"]}] /* all */}',
        json.dumps(WANTED.model_dump_json()),
        '{\\n  \\"needs\\": \\"it\'s\\", \\"parts\\": [{\\"table\\": \\"t\\", \\"columns\\": [\\"a\\", \\"b\\"]}]}',
        f"<think>{{}}</think>{WANTED.model_dump_json()}",
        '{"needs": "first", "parts": []}\nOr rather: ' + WANTED.model_dump_json(),
        '{"needs": "it\'s", "needs": "it\'s", "extra": 1, "parts": [{"table": "t", "columns": ["a", "b"]}]}',
    ],
)
def test_objects_are_found_and_mended(text):
    assert read_json(text, Selected) == WANTED


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no JSON object"),
        ("I can't.", "no JSON object"),
        ("[1, 2]", "no JSON object"),
        (WANTED.model_dump_json()[:-1], "cannot be read"),
        (WANTED.model_dump_json()[:40], "cannot be read"),
        ('{"need": "x", "parts": []}', "needs: Field required"),
        ('{"needs": "x", "parts": "t.a"}', "parts: Input should be a valid list"),
        ('{"needs": "x", "parts": [], "needs": "y"}', "'needs' stands twice"),
        ('{"needs": NaN, "parts": []}', "NaN"),
        ("{'needs': NaN, 'parts': []}", "NaN"),
        ('{"needs": null, "parts": []}', "needs: Input should be a valid string"),
    ],
)
def test_what_cannot_be_read_in_one_way_is_unreadable(text, said):
    with pytest.raises(Unreadable, match=said):
        read_json(text, Selected)


HOSTILE = [
    "x" * 10_000_000,
    "{" * 10_000_000,
    '{"a":' * 2_000_000,
    "`" * 10_000_000,
    "``` " * 2_500_000,
    "~~~ " * 2_500_000,
    "```\n" * 2_500_000,
    "'" * 10_000_001,
    '\\"' * 5_000_000,
    "/*" * 5_000_000,
    "<think>" * 1_000_000,
    "SELECT\n" * 1_500_000,
    "SELECT a FROM t\n\n" * 500_000,
    "{'a' 'b'" * 1_000_000,
    "," * 10_000_000,
    ("," + " " * 300) * 30_000,
    "{" + " \\n" * 3_000_000,
    "sql: " * 2_000_000,
    "9" * 10_000_000,
    '{"a": ' + "9" * 10_000 + "}",
]


def read_if_possible(read, text):
    with suppress(Unreadable):
        return read(text)
    return None


@pytest.mark.parametrize("text", HOSTILE, ids=lambda t: repr(t[:8]))
def test_hostile_answers_take_little_time(text):
    start = time.monotonic()
    read_if_possible(read_sql, text)
    with pytest.raises(Unreadable) as caught:
        read_json(text, Selected)
    assert time.monotonic() - start < 10
    assert len(str(caught.value)) < 600


# Texts that look like what models answer, in any order.
FRAGMENTS = st.sampled_from(
    ["``` ", "```sql\n", "\n```", "SELECT ", "a FROM t", "WITH x AS (", "<think>", "</think>", "final"]
)
MARKS = st.sampled_from([*";{}\"':,()[]\ud800\0数", "\n\n", "\\n", "--", "/*", "needs", "it's"])


@settings(max_examples=300, deadline=None)
@given(st.lists(FRAGMENTS | MARKS | st.text(max_size=5), max_size=40).map("".join))
def test_any_text_is_either_read_or_unreadable(text):
    sql = read_if_possible(read_sql, text)
    assert sql is None or sql.strip()
    assert isinstance(read_if_possible(lambda t: read_json(t, Selected), text), Selected | None)


OBJECTS = st.builds(
    Selected,
    needs=st.text(max_size=20),
    parts=st.lists(
        st.builds(Part, table=st.text(max_size=9), columns=st.lists(st.text(max_size=9), max_size=3)), max_size=3
    ),
)


@settings(max_examples=200, deadline=None)
@given(OBJECTS, st.sampled_from(["{}", "```json\n{}\n```", "Here it is:\n{}\nThat's all."]))
def test_objects_come_back_as_they_were_whatever_their_texts(wanted, around):
    text = json.dumps(wanted.model_dump())  # escapes keep controls and surrogates apart from the transport
    if any(mark in text for mark in ("think>", "thought>", "thinking>", "```", "~~~")):
        return
    assert read_json(around.replace("{}", text), Selected) == wanted


@settings(max_examples=200, deadline=None)
@given(
    st.text(
        st.characters(exclude_categories=["Cc", "Cs", "Cf", "Zl", "Zp", "Cn"], exclude_characters="`~<&\\"), max_size=30
    )
)
def test_literals_come_back_as_they_were(value):
    sql = "SELECT a FROM t WHERE b = '" + value.replace("'", "''") + "'"
    for text in (sql, f"{sql};", f"```sql\n{sql}\n```", f"Here's it:\n```sql\n{sql}\n```\nDone."):
        assert read_sql(text) == sql


def test_schemas_are_closed_and_stand_alone():
    schema = json.loads(json_schema(Selected))
    assert "$" not in json_schema(Selected)
    assert schema["required"] == ["needs", "parts"]
    assert schema["additionalProperties"] is False
    part = schema["properties"]["parts"]["items"]
    assert part["additionalProperties"] is False
    assert part["properties"]["columns"] == {"type": "array", "items": {"type": "string"}}
