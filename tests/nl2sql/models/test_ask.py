import pytest

from nl2sql.models.ask import ask_models
from nl2sql.models.chat import Prompt, Reply, Request, Turn
from nl2sql.models.read_answers import Unreadable, read_sql
from nl2sql.models.scripted import Scripted
from nl2sql.models.session import Session


def request(number=0, **given):
    prompt = Prompt("generate/direct", "You write SQL.", "schema", f"question {number}")
    return Request("gemini/some-model", prompt, question_id=f"q{number}", role="generate", **given)


def reader(request, text):
    return read_sql(text)


def outcomes(session):
    return [c.outcome for c in session.ledger.calls]


def test_each_answer_is_read_and_recorded_in_the_order_of_the_requests():
    session = Session(Scripted(lambda r: f"```sql\nSELECT '{r.prompt.task}' FROM t\n```"))
    found = ask_models(session, [request(i) for i in range(3)], reader)
    assert found == [f"SELECT 'question {i}' FROM t" for i in range(3)]
    assert outcomes(session) == ["ok"] * 3
    assert [c.question_id for c in session.ledger.calls] == ["q0", "q1", "q2"]
    assert ask_models(session, [], reader) == []


def test_only_unreadable_answers_are_asked_again_once_with_the_answer_and_the_error():
    def answer(asked):
        return "SELECT 1" if asked.turns or asked.question_id == "q1" else "I would join the tables."

    model = Scripted(answer)
    session = Session(model)
    assert ask_models(session, [request(0), request(1), request(2)], reader) == ["SELECT 1"] * 3
    assert outcomes(session) == ["invalid", "ok", "invalid", "ok", "ok"]
    assert [c.again for c in session.ledger.calls] == [False, False, False, True, True]
    assert "no SQL query" in session.ledger.calls[0].error
    again = [r for r in model.asked if r.turns]
    assert [r.question_id for r in again] == ["q0", "q2"]
    said, told = again[0].turns
    assert (said.role, said.text) == ("assistant", "I would join the tables.")
    assert told.role == "user"
    assert "no SQL query" in told.text
    assert "```sql" in told.text
    assert again[0].key != request(0).key


def test_a_request_that_comes_with_turns_is_not_asked_again_by_that():
    session = Session(Scripted(lambda r: "SELECT 1"))
    ask_models(session, [request(turns=(Turn("assistant", "SELECT"), Turn("user", "it fails")))], reader)
    assert [c.again for c in session.ledger.calls] == [False]


def test_a_second_unreadable_answer_gives_none_and_no_third_call():
    model = Scripted(lambda r: "no")
    session = Session(model)
    assert ask_models(session, [request()], reader) == [None]
    assert outcomes(session) == ["invalid", "invalid"]
    assert len(model.asked) == 2
    assert session.ledger.complete


@pytest.mark.parametrize("failure", ["refused", "unavailable", "budget"])
def test_refusals_and_failures_are_not_asked_again(failure):
    model = Scripted(lambda r: Reply("", r.model, failure=failure, error="as the provider said"))
    session = Session(model)
    assert ask_models(session, [request()], reader) == [None]
    assert len(model.asked) == 1
    assert outcomes(session) == [failure]
    assert session.ledger.calls[0].error == "as the provider said"
    assert session.ledger.complete == (failure == "refused")


def test_what_was_cut_off_is_not_read_and_is_asked_for_again_more_briefly():
    def answer(asked):
        cut = Reply("```sql\nSELECT a FROM t WHERE", asked.model, failure="cut")
        return "SELECT a FROM t WHERE b" if asked.turns else cut

    model = Scripted(answer)
    session = Session(model)
    assert ask_models(session, [request()], reader) == ["SELECT a FROM t WHERE b"]
    assert outcomes(session) == ["cut", "ok"]
    assert "shorter" in model.asked[1].turns[1].text


@pytest.mark.parametrize("blank", ["", " \n", "\ud800\0" * 3, "x" * 10_000_000])
def test_turns_are_never_blank_and_never_long_and_can_be_sent(blank):
    model = Scripted(lambda r: blank)
    assert ask_models(Session(model), [request()], reader) == [None]
    for turn in model.asked[1].turns:
        assert turn.text.strip()
        assert len(turn.text) < 6_000
        turn.text.encode("utf-8")


def test_a_wanted_schema_is_repeated():
    def read(request, text):
        raise Unreadable("columns: Field required")

    model = Scripted(lambda r: "{}")
    ask_models(Session(model), [request(schema='{"type": "object"}')], read)
    assert '{"type": "object"}' in model.asked[1].turns[1].text
    assert "columns: Field required" in model.asked[1].turns[1].text
