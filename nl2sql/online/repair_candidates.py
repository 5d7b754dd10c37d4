"""Op 8: execute every candidate read-only and mend what fails where the database's facts, or a model, say how."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from nl2sql.execution import ExecutionResult, Limits, execute_many
from nl2sql.online.context import DatabaseContext
from nl2sql.online.repairs import BLANK_REPAIRS, EMPTY_REPAIRS, ERROR_REPAIRS
from nl2sql.online.repairs.failure import LONGEST, Facts, Failure, MakeRepair, gather_facts, quoted_texts
from nl2sql.online.repairs.statements import bare_words
from nl2sql.previews import render_preview
from nl2sql.rows import Candidate, Grounding, Linking, Question, Repair

Row = TypeVar("Row", Question, Grounding, Linking)
ROUNDS = 4  # of repairs to one statement: a wrong alias, then a wrong column, then a wrong value
WORTH = {"error": 0, "timeout": 0, "too_large": 0, "empty": 1, "all_null": 1, "ok": 2}
HOPELESS = frozenset({"timeout", "too_large"})  # what no change of names and values mends

FIX_ATTEMPTS = 2  # by a model; more rarely help
MODEL_FIX = "model_fix"  # the action that is recorded

Execute = Callable[[Sequence[str]], Sequence[ExecutionResult]]


@dataclass(frozen=True)
class Broken:
    """A question's statement that the repairs left without a usable result, for a model to fix.

    `tried` are the fixes that did not help, with what came of them.
    """

    question: Question
    grounding: Grounding
    linking: Linking
    sql: str
    result: ExecutionResult
    actions: tuple[str, ...]  # that led to this statement
    tried: tuple[tuple[str, ExecutionResult], ...] = ()


# Fixes a batch of statements of one database; '' for one that it does not fix.
FixStatements = Callable[[Sequence[Broken], DatabaseContext], Sequence[str]]


@dataclass(frozen=True)
class Mending:
    """A statement on its way: as it was, as it is now, and the best that was reached, with the repairs that led there.

    `finished` when it returns something or nothing is left to try.
    """

    before: str
    first: ExecutionResult
    current: str
    result: ExecutionResult
    actions: tuple[str, ...]
    best: str
    best_result: ExecutionResult
    best_actions: tuple[str, ...]
    tried: frozenset[str]
    finished: bool


def repair_candidates(
    questions: Sequence[Question],
    groundings: Sequence[Grounding],
    linkings: Sequence[Linking],
    candidates: Sequence[Candidate],
    context: DatabaseContext,
    *,
    limits: Limits | None = None,
    empty_is_wrong: bool = True,
    workers: int | None = None,
    rounds: int = ROUNDS,
    fix: FixStatements | None = None,
    attempts: int = FIX_ATTEMPTS,
) -> list[Repair]:
    """Execute the candidates of one database, repair those that fail, and give one row for each, in their order.

    Equal statements run once, and all repairs of a round run in one batch. Errors are repaired; empty and all-NULL
    results where the database shows a mistake, and with `empty_is_wrong` also by values that are merely close. A
    repair is kept only when the outcome is better than before: error, timeout and too_large < empty and all_null < ok.
    Timeouts, too large results and statements of over 20,000 characters are not repaired.
    With 0 `rounds` nothing is repaired. `limits.keep_rows` bounds the preview. The gold SQL is not looked at.

    What still fails, and with `empty_is_wrong` what is still empty or all NULL, is handed to `fix` up to `attempts`
    times: all in one call, and equal statements of a question once. What it writes is executed and repaired like any
    candidate, and dropped unless the outcome is better (action model_fix). Only for this groundings and linkings are
    read.
    """

    def execute(statements: Sequence[str]) -> Sequence[ExecutionResult]:
        return execute_many([(context.database.path, sql) for sql in statements], limits, workers)

    statements = list(dict.fromkeys(c.sql for c in candidates))
    results = dict(zip(statements, execute(statements), strict=True))
    mended = mend_statements(results, context, execute, empty_is_wrong, rounds)
    by_candidate = {(c.question_id, c.sql): mended[c.sql] for c in candidates}
    if fix is not None:
        known = _by_id(questions), _by_id(groundings), _by_id(linkings)

        def mend(found: Sequence[str]) -> dict[str, Mending]:
            return mend_statements(dict(zip(found, execute(found), strict=True)), context, execute, empty_is_wrong)

        wrong = WORTH["ok"] if empty_is_wrong else WORTH["empty"]
        by_candidate = _fix_broken(by_candidate, wrong, known, context, fix, attempts, mend)
    return [_row(c, by_candidate[c.question_id, c.sql]) for c in candidates]


def _by_id(rows: Iterable[Row]) -> dict[str, Row]:
    return {row.question_id: row for row in rows}


def _fix_broken(
    mended: dict[tuple[str, str], Mending],
    least: int,
    known: tuple[dict[str, Question], dict[str, Grounding], dict[str, Linking]],
    context: DatabaseContext,
    fix: FixStatements,
    attempts: int,
    mend: Callable[[Sequence[str]], dict[str, Mending]],
) -> dict[tuple[str, str], Mending]:
    """The mendings by question and statement, those whose outcome is worth less than `least` fixed where it helps."""
    broken: dict[tuple[str, str], Broken] = {}
    for (question_id, _), m in mended.items():
        if WORTH[m.best_result.outcome] < least and len(m.best) <= LONGEST:
            questions, groundings, linkings = known
            rows = questions[question_id], groundings[question_id], linkings[question_id]
            broken.setdefault((question_id, m.best), Broken(*rows, m.best, m.best_result, m.best_actions))
    fixed = dict(broken)
    written = dict.fromkeys(broken, "")
    for _ in range(attempts):
        todo = {key: fixed[key] for key in written if WORTH[fixed[key].result.outcome] < least}
        written = dict(zip(todo, fix(list(todo.values()), context) if todo else (), strict=True))
        written = {key: sql for key, sql in written.items() if sql.strip() and not _was_tried(todo[key], sql)}
        if not written:
            break
        ran = mend(list(dict.fromkeys(written.values())))
        fixed |= {key: _better(todo[key], sql, ran[sql]) for key, sql in written.items()}
    return {key: _with_fix(m, broken, fixed, key[0]) for key, m in mended.items()}


def _was_tried(broken: Broken, sql: str) -> bool:
    return sql == broken.sql or any(sql == tried for tried, _ in broken.tried)


def _better(broken: Broken, sql: str, fixed: Mending) -> Broken:
    """The statement after an attempt: the fix when its outcome is better, else what it was."""
    tried = (*broken.tried, (sql, fixed.first))
    if WORTH[fixed.best_result.outcome] <= WORTH[broken.result.outcome]:
        return replace(broken, tried=tried)
    actions = (*broken.actions, MODEL_FIX, *fixed.best_actions)
    return replace(broken, sql=fixed.best, result=fixed.best_result, actions=actions, tried=tried)


def _with_fix(
    mending: Mending, broken: Mapping[tuple[str, str], Broken], fixed: Mapping[tuple[str, str], Broken], question: str
) -> Mending:
    key = (question, mending.best)
    if key not in broken or fixed[key].sql == broken[key].sql:
        return mending
    # Statements that were repaired to the same one came there in their own ways.
    actions = mending.best_actions + fixed[key].actions[len(broken[key].actions) :]
    return replace(mending, best=fixed[key].sql, best_result=fixed[key].result, best_actions=actions)


def mend_statements(
    results: Mapping[str, ExecutionResult],
    context: DatabaseContext,
    execute: Execute,
    empty_is_wrong: bool,
    rounds: int = ROUNDS,
) -> dict[str, Mending]:
    """Repair statements, given with their results, in rounds; by the statement as it was."""
    blank_repairs = BLANK_REPAIRS + EMPTY_REPAIRS if empty_is_wrong else BLANK_REPAIRS
    mendings = [_begin(sql, result) for sql, result in results.items()]
    for _ in range(rounds):
        open_ones = [m for m in mendings if not m.finished]
        if not open_ones:
            break
        facts = gather_facts(context, _literals(m.current for m in open_ones))
        proposals = [_propose(m, facts, blank_repairs) for m in open_ones]
        wanted = list(dict.fromkeys(sql for found in proposals for sql in found))
        ran = dict(zip(wanted, execute(wanted), strict=True)) if wanted else {}
        moved = {m.before: _advance(m, found, ran) for m, found in zip(open_ones, proposals, strict=True)}
        mendings = [moved.get(m.before, m) for m in mendings]
    return {m.before: m for m in mendings}


def _begin(sql: str, result: ExecutionResult) -> Mending:
    finished = result.outcome == "ok" or result.outcome in HOPELESS or len(sql) > LONGEST
    return Mending(sql, result, sql, result, (), sql, result, (), frozenset({sql}), finished)


def _literals(statements: Iterable[str]) -> list[str]:
    return [text for sql in statements for text in (*quoted_texts(sql), *bare_words(sql))]


def _propose(mending: Mending, facts: Facts, blank_repairs: Sequence[MakeRepair]) -> dict[str, str]:
    """Statements that the repairs make of the current one, each with the repair's name; first come, first served."""
    failure = Failure(mending.current, mending.result.outcome, mending.result.error, facts)
    repairs = ERROR_REPAIRS if failure.outcome == "error" else blank_repairs
    proposals: dict[str, str] = {}
    for repair in repairs:
        sql = repair(failure)
        if sql and sql not in mending.tried:
            proposals.setdefault(sql, repair.__name__)
    return proposals


def _advance(mending: Mending, proposals: Mapping[str, str], ran: Mapping[str, ExecutionResult]) -> Mending:
    """Move on to the best proposal; to the first that fails in another way when none is better yet."""
    worth = WORTH[mending.result.outcome]
    better = [s for s in proposals if WORTH[ran[s].outcome] > worth]
    other = [s for s in proposals if WORTH[ran[s].outcome] == worth and ran[s].outcome not in HOPELESS]
    moving = [s for s in other if ran[s].error != mending.result.error] or other
    if not better and not moving:
        return replace(mending, finished=True)
    sql = max(better, key=lambda s: WORTH[ran[s].outcome]) if better else moving[0]
    now = replace(
        mending,
        current=sql,
        result=ran[sql],
        actions=(*mending.actions, proposals[sql]),
        tried=mending.tried | set(proposals),
    )
    if WORTH[now.result.outcome] > WORTH[now.best_result.outcome]:
        now = replace(now, best=now.current, best_result=now.result, best_actions=now.actions)
    return replace(now, finished=now.result.outcome == "ok")


def _row(candidate: Candidate, mending: Mending) -> Repair:
    result = mending.best_result
    return Repair(
        question_id=candidate.question_id,
        db_id=candidate.db_id,
        candidate_id=candidate.candidate_id,
        generator=candidate.generator,
        sql=mending.best,
        sql_before=candidate.sql,
        actions=mending.best_actions,
        outcome=result.outcome,
        outcome_before=mending.first.outcome,
        error=result.error,
        row_count=result.row_count,
        column_count=len(result.columns),
        seconds=result.seconds,
        result_digest=result.digest,
        preview=render_preview(result),
    )
