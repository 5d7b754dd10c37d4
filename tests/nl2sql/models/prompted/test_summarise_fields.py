import re

import pytest

from nl2sql.models.chat import Reply
from nl2sql.models.choices import ModelChoice
from nl2sql.models.prompted.summarise_fields import COLUMNS, LONGEST_SHORT, SummaryWriter
from nl2sql.profiling.summarise_fields import SOURCE, summarise_fields

WRITER = ModelChoice("made/writer")


def asked_for(request):
    return re.findall(r"^### (\w+)\.(.+)$", request.prompt.task, re.MULTILINE)


def written(request):
    return {"fields": [{"table": t, "column": c, "short": f"S {c}", "long": f"L {c}"} for t, c in asked_for(request)]}


def summarise(context, session):
    return summarise_fields(context.profiles, rewrite=SummaryWriter(session, WRITER))


def test_all_columns_are_written_by_one_call_a_batch_and_one_ask(harbour, start):
    session = start(written)
    found = summarise(harbour, session)
    assert [(s.table, s.column) for s in found] == [(p.table, p.column) for p in harbour.profiles]
    assert {(s.short, s.long, s.source) for s in found if s.column == "水深"} == {("S 水深", "L 水深", "made/writer")}
    assert session.model.rounds == [3]
    assert session.ledger.complete


def test_a_table_of_2000_columns_is_split_into_small_batches_that_go_out_at_once(wide, start):
    session = start(written)
    assert {s.source for s in summarise(wide, session)} == {"made/writer"}
    assert session.model.rounds == [250]
    assert max(len(asked_for(r)) for r in session.model.asked) <= COLUMNS
    assert max(len(r.prompt.context) for r in session.model.asked) < 50_000


def test_columns_left_out_misnamed_or_blank_keep_the_mechanical_text(harbour, start):
    plain = {(s.table, s.column): s for s in summarise_fields(harbour.profiles)}

    def answer(request):
        fields = written(request)["fields"]
        by_name = {f["column"]: f for f in fields}
        if "ship_name" in by_name:
            by_name["ship_name"]["column"] = "captain"
            by_name["kind"]["short"] = " \n"
            by_name["tonnage"]["column"] = "Tonnage"
            by_name["home"]["table"] = "crew"
            return {"fields": [*fields[:-2], by_name["tonnage"], by_name["home"]]}
        return {"fields": fields}

    found = {(s.table, s.column): s for s in summarise(harbour, start(answer))}
    for column in ("ship_name", "kind", "home"):
        assert found["ship", column] == plain["ship", column]
        assert found["ship", column].source == SOURCE
    assert found["ship", "tonnage"].short == "S tonnage"


@pytest.mark.parametrize(
    "answer",
    ["", "I cannot do that.", '{"fields": []}', '{"fields": [{"table": "x", "column": "y", "short": "", "long": ""}]}'],
)
def test_nothing_readable_leaves_everything_as_it_was_after_one_more_try(harbour, start, answer):
    session = start(lambda _: answer)
    assert summarise(harbour, session) == summarise_fields(harbour.profiles)
    assert session.model.rounds == [3, 3]
    assert {c.outcome for c in session.ledger.calls} == {"invalid"}


def test_what_no_money_was_left_for_makes_the_ledger_incomplete(harbour, start):
    session = start(lambda r: Reply("", r.model, failure="budget"))
    assert summarise(harbour, session) == summarise_fields(harbour.profiles)
    assert not session.ledger.complete
    assert session.model.rounds == [3]


def test_endless_and_hostile_texts_are_cut_and_made_harmless(harbour, start):
    def answer(request):
        fields = written(request)["fields"]
        return {"fields": [{**f, "short": "x\x00\ud800" * 1_000, "long": "two\nlines"} for f in fields]}

    for summary in summarise(harbour, start(answer)):
        assert len(summary.short) <= LONGEST_SHORT
        assert "\x00" not in summary.short
        assert summary.long == "two lines"
        summary.short.encode("utf-8")


def test_no_columns_no_calls(start):
    session = start(written)
    assert summarise_fields([], rewrite=SummaryWriter(session, WRITER)) == []
    assert session.model.asked == []
