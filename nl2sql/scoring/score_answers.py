"""Score what a run wrote: each candidate before and after repair, the selected answer and the plain vote's."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace

from nl2sql.execution import ExecutionResult, Limits, open_read_only
from nl2sql.rows import Question, Repair, Selection, Verdict
from nl2sql.schema import Schema, read_schema
from nl2sql.scoring.compare_sql import compare_sql
from nl2sql.scoring.execution_accuracy import SCORING_LIMITS, Judgement, judge_pairs

NO_ANSWER = Judgement(False, False, "no_sql", "no candidate ran")


def score_answers(
    questions: Sequence[Question],
    repairs: Sequence[Repair],
    selections: Sequence[Selection],
    database_path: str,
    limits: Limits = SCORING_LIMITS,
) -> list[Verdict]:
    """Verdicts of system 'candidate' (one per repair), 'unrepaired' (one per repair that changed its statement, on
    the statement before), 'selected' and 'vote' (one each per selection).

    All rows are of one database. A repaired statement whose result is known to be the gold's is not executed again;
    each other one is, once, in child processes, whatever the earlier steps found. The detail of a wrong selected
    answer also says how its SQL differs from the gold's. Questions
    without gold SQL, and rows of questions that are not given, have no verdict.
    """
    golds = {q.question_id: q.gold_sql for q in questions if q.gold_sql.strip()}
    answers = [a for a in _answers(repairs, selections) if a.question_id in golds]
    pairs = [(database_path, golds[a.question_id], a.sql) for a in answers if a.sql]
    known = {(database_path, r.sql): _result(r) for r in repairs if r.result_digest}
    judged, _ = judge_pairs(pairs, {database_path: database_path}, limits, known=known)
    verdicts = [_judged(a, judged.get((database_path, golds[a.question_id], a.sql), NO_ANSWER)) for a in answers]
    return _compared(verdicts, golds, database_path)


def _result(repair: Repair) -> ExecutionResult:
    """Without rows, which only the explanation of a difference asks for."""
    r = repair
    return ExecutionResult(r.outcome, r.error, (), (), r.row_count, r.seconds, r.result_digest)


def _compared(verdicts: Sequence[Verdict], golds: Mapping[str, str], database_path: str) -> list[Verdict]:
    """The same, but the details of wrong selected answers also compare the statements.

    Not those of all candidates: parsing them costs more than scoring them.
    """
    wrong = [v for v in verdicts if v.system == "selected" and not v.correct and v.sql and v.reason != "gold_error"]
    schema = _schema(database_path, wrong[0].db_id) if wrong else None
    if schema is None:
        return list(verdicts)
    said = {v.question_id: compare_sql(v.sql, golds[v.question_id], schema) for v in wrong}
    added = {v.question_id: "; ".join(filter(None, (v.detail, said[v.question_id]))) for v in wrong}
    return [
        replace(v, detail=added[v.question_id]) if v.system == "selected" and v.question_id in added else v
        for v in verdicts
    ]


def _schema(database_path: str, db_id: str) -> Schema | None:
    try:
        with closing(open_read_only(database_path)) as connection:
            return read_schema(connection, db_id)
    except sqlite3.Error:
        return None


def _answers(repairs: Sequence[Repair], selections: Sequence[Selection]) -> Iterator[Verdict]:
    generators = {(r.question_id, r.candidate_id): r.generator for r in repairs}
    for r in repairs:
        yield _unjudged(r.question_id, r.db_id, "candidate", r.candidate_id, r.sql, generators)
        if r.sql_before not in ("", r.sql):
            yield _unjudged(r.question_id, r.db_id, "unrepaired", r.candidate_id, r.sql_before, generators)
    for s in selections:
        yield _unjudged(s.question_id, s.db_id, "selected", s.candidate_id, s.sql, generators)
        yield _unjudged(s.question_id, s.db_id, "vote", s.vote_candidate_id, s.vote_sql, generators)


def _unjudged(
    question_id: str,
    db_id: str,
    system: str,
    candidate_id: str,
    sql: str,
    generators: Mapping[tuple[str, str], str],
) -> Verdict:
    generator = generators.get((question_id, candidate_id), "")
    return Verdict(question_id, db_id, system, candidate_id, generator, sql, False, "", "")


def _judged(verdict: Verdict, judgement: Judgement) -> Verdict:
    return replace(verdict, correct=judgement.correct, reason=judgement.reason, detail=judgement.detail)
