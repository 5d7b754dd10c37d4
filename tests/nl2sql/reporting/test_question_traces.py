import json
import re
from dataclasses import replace

import pytest

from nl2sql.reporting.question_outcomes import question_outcomes
from nl2sql.reporting.question_traces import CAPS, group_rows, pack_traces, preview_of, script_json, shortened


def pack(run, budget=10**9, gold_previews=None):
    tables = replace(run.tables, gold_previews=gold_previews or {})
    return pack_traces(tables.questions, question_outcomes(tables), group_rows(tables), budget)


@pytest.mark.parametrize("text", ["</script>", "<!--<script>", "\u2028", "a\ud800b", "\x00\x1b", "&amp;", "]]>"])
def test_json_of_any_text_is_safe_inside_a_script_element(text):
    made = script_json({"x": text, text: 1})
    assert not re.search("[<>&\u2028\u2029]", made)
    made.encode("utf-8")
    assert json.loads(made)["x"] == text.replace("\ud800", "?")


def test_a_trace_holds_what_happened(run):
    traces = pack(run)
    index, heaviest = json.loads(traces.index), json.loads(traces.questions[1])
    assert len(traces.questions) == len(index["questions"]) == len(run.questions)
    outcomes = {entry[0]: entry[3] for entry in index["questions"]}
    assert (outcomes["1"], outcomes["2"], outcomes["6"], outcomes["lost"]) == (
        "right",
        "missed",
        "unanswered",
        "unanswered",
    )
    assert [c[0] for c in heaviest["candidates"]] == ["rules/1", "recorded:A/1", "recorded:B/1"]
    assert [c[13] for c in heaviest["candidates"]] == [0, 1, 0]
    assert heaviest["clusters"][1] == [1.0, [["name"], [["Dauntless"]], 1]]


def test_equal_statements_and_equal_results_stand_once(run):
    brigs = json.loads(pack(run).questions[0])
    assert len(brigs["candidates"]) == 3
    assert len(brigs["statements"]) == 2
    assert len(brigs["clusters"]) == 1


def test_a_result_that_the_selection_left_out_is_still_shown(run):
    first = run.selections[1]
    selections = [replace(s, clusters=s.clusters[:1]) if s is first else s for s in run.selections]
    tables = replace(run.tables, selections=selections)
    heaviest = json.loads(pack_traces(run.questions, question_outcomes(tables), group_rows(tables), 10**9).questions[1])
    assert [c[0] for c in heaviest["clusters"]] == [1.0, -1.0, -1.0]
    assert all(c[1] for c in heaviest["clusters"])


def test_traces_are_cut_harder_until_they_fit(run):
    generous = pack(run)
    assert generous.caps == CAPS[0]
    tight = pack(run, budget=generous.size - 1)
    assert tight.caps != CAPS[0]
    assert tight.size < generous.size


def test_a_question_of_a_hundred_thousand_characters_is_cut(make_run, case):
    long = make_run([case("why " * 25_000, "SELECT 1", [("rules", "SELECT 1")])])
    assert pack(long).size < 10_000


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"rows": []}'])
def test_what_is_no_preview_is_none(text):
    assert preview_of(text, CAPS[0]) is None


def test_previews_are_cut_in_rows_columns_and_characters():
    wide = json.dumps({"columns": [f"c{n}" for n in range(40)], "rows": [["x" * 500] * 40] * 30})
    columns, rows, total = preview_of(wide, CAPS[0]) or [[], [], 0]
    assert (len(columns), len(rows), total) == (12, 10, 40)
    assert rows[0][0] == "x" * 80 + "… (500 characters)"
    values = json.dumps({"columns": ["a"], "rows": [[float("inf")], [None], [1.5], [["nested"]]]})
    assert (preview_of(values, CAPS[0]) or [])[1] == [["inf"], [None], [1.5], ['["nested"]']]


def test_shortened_says_how_much_there_is():
    assert shortened("abc", 3) == "abc"
    assert shortened("abcdef", 3) == "abc… (6 characters)"
