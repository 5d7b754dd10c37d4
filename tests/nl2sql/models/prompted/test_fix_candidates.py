import pytest

from nl2sql.models.budget import LEVELS
from nl2sql.models.chat import Reply
from nl2sql.models.choices import ModelChoice
from nl2sql.models.prompted.fix_candidates import Fixer
from nl2sql.online.repair_candidates import repair_candidates
from nl2sql.rows import Candidate

FIXER = ModelChoice("made/fixer")
GOOD = "SELECT ship_name FROM ship"
BROKEN = "SELECT captain_of_the_ship FROM ship WHERE zzz = 1"
EMPTY = "SELECT ship_name FROM ship WHERE tonnage > 99999"


class Level:
    """A budget that allows one level."""

    def __init__(self, name):
        self.level = next(x for x in LEVELS if x.name == name)

    def level_of(self, question_id):
        return self.level


def repair(asked, context, statements, session, **options):
    """Repair the statements, (question place, sql)."""
    candidates = [
        Candidate(asked[q].question.question_id, "harbour", f"A/{i}", "A", "", "full", "", i, sql)
        for i, (q, sql) in enumerate(statements)
    ]
    rows = [a.question for a in asked], [a.grounding for a in asked], [a.linking for a in asked]
    return repair_candidates(*rows, candidates, context, fix=Fixer(session, FIXER), workers=1, **options)


@pytest.fixture
def asked(harbour, ask, know):
    return know([ask("Which ships?"), ask("哪些船？", question_id="r")], harbour)


def fenced(sql):
    return f"The name was wrong.\n```sql\n{sql}\n```"


def test_what_the_repairs_leave_failing_is_fixed_in_one_call_and_equal_statements_once(harbour, asked, start):
    session = start(lambda _: fenced(GOOD))
    statements = [(0, BROKEN), (0, BROKEN), (0, GOOD), (1, BROKEN), (0, EMPTY)]
    found = repair(asked, harbour, statements, session)
    assert session.model.rounds == [3]
    assert [r.sql for r in found] == [GOOD] * 5
    assert [r.actions for r in found] == [("model_fix",), ("model_fix",), (), ("model_fix",), ("model_fix",)]
    assert [r.outcome_before for r in found] == ["error", "error", "ok", "error", "empty"]
    assert found[0].sql_before == BROKEN


def test_the_second_attempt_hears_what_came_of_the_first(harbour, asked, start):
    session = start(lambda r: fenced(GOOD if r.turns else EMPTY.replace("ship_name", "no_such_name_at_all")))
    (found,) = repair(asked, harbour, [(0, BROKEN)], session)
    assert (found.outcome, found.actions) == ("ok", ("model_fix",))
    first, second = session.model.asked
    assert "captain_of_the_ship" in first.prompt.task
    assert "no such column" in first.prompt.task
    assert "no_such_name_at_all" in second.turns[0].text
    assert "no such column" in second.turns[1].text


def test_a_fix_that_is_no_better_is_dropped(harbour, asked, start):
    session = start(lambda _: fenced("SELECT kind FROM ship WHERE tonnage < 0"))
    (found,) = repair(asked, harbour, [(0, EMPTY)], session)
    assert (found.sql, found.actions, found.outcome) == (EMPTY, (), "empty")
    assert session.model.rounds == [1, 1]


def test_a_fix_that_helps_a_little_is_kept_and_gone_on_from(harbour, asked, start):
    session = start(lambda _: fenced(EMPTY))
    (found,) = repair(asked, harbour, [(0, BROKEN)], session)
    assert (found.sql, found.actions) == (EMPTY, ("model_fix",))
    assert EMPTY in session.model.asked[1].prompt.task


def test_a_fix_is_repaired_like_any_candidate(harbour, asked, start):
    session = start(lambda _: fenced("SELECT ship_nmae FROM ship"))
    (found,) = repair(asked, harbour, [(0, BROKEN)], session)
    assert (found.sql, found.outcome) == ("SELECT ship.ship_name FROM ship", "ok")
    assert found.actions == ("model_fix", "use_close_column")


def test_empty_results_are_left_alone_where_they_may_be_right(harbour, asked, start):
    session = start(lambda _: fenced(GOOD))
    found = repair(asked, harbour, [(0, EMPTY), (0, BROKEN)], session, empty_is_wrong=False)
    assert [r.sql for r in found] == [EMPTY, GOOD]
    assert session.model.rounds == [1]


@pytest.mark.parametrize(
    "reply",
    ["", "Sorry.", fenced(BROKEN), fenced("DROP TABLE ship"), fenced("ATTACH 'x' AS y"), Reply("", "m", failure="cut")],
)
def test_without_a_usable_fix_everything_is_as_without_a_model(harbour, asked, start, reply):
    statements = [(0, BROKEN), (0, EMPTY), (0, GOOD)]
    session = start(lambda _: reply)
    plain = repair(asked, harbour, statements, session, attempts=0)
    assert session.model.asked == []
    found = repair(asked, harbour, statements, session)
    assert [(r.sql, r.actions, r.outcome) for r in found] == [(r.sql, r.actions, r.outcome) for r in plain]


def test_nothing_is_written_whatever_the_model_says(harbour, asked, start):
    session = start(lambda _: fenced("WITH x AS (SELECT 1) DELETE FROM ship"))
    repair(asked, harbour, [(0, BROKEN)], session)
    (after,) = repair(asked, harbour, [(0, "SELECT COUNT(*) FROM ship")], session)
    assert '"rows": [[3]]' in after.preview


@pytest.mark.parametrize(("level", "calls"), [("full", [1, 1]), ("one fix", [1]), ("no fixes", [])])
def test_the_budget_says_how_often(harbour, asked, start, level, calls):
    session = start(lambda _: fenced(EMPTY), Level(level))
    repair(asked, harbour, [(0, BROKEN)], session)
    assert [n for n in session.model.rounds if n] == calls
    assert session.ledger.complete == (level == "full")


def test_statements_of_many_characters_are_left_alone(harbour, asked, start):
    session = start(lambda _: fenced(GOOD))
    long = "SELECT nothing_at_all -- " + "x" * 30_000
    (found,) = repair(asked, harbour, [(0, long)], session)
    assert (found.sql, session.model.asked) == (long, [])
