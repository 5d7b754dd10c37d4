"""Rejection sampling (op 2): of what generators wrote for training questions, keep what gives the gold result."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from nl2sql.execution import ExecutionResult, Limits, execute_many
from nl2sql.normalise_style import normalise_style
from nl2sql.rows import Candidate, Question
from nl2sql.schema import Schema
from nl2sql.sql_edits import parse_query
from nl2sql.training.check_golds import CheckedGold, check_golds, clean_sql
from nl2sql.training.rows import Solution

KEPT = 3  # solutions of one question


@dataclass(frozen=True)
class Yield:
    """What sampling gave for the questions of one difficulty."""

    difficulty: str
    questions: int
    samples: int
    right: int  # samples that give the gold result
    solved: int  # questions with at least one of these
    kept: int  # distinct ones that were kept


def sample_solutions(
    questions: Sequence[Question],
    candidates: Sequence[Candidate],
    schema: Schema,
    database_path: str,
    *,
    limits: Limits | None = None,
    kept: int = KEPT,
    round_number: int = 1,
    earlier: Sequence[Solution] = (),
) -> list[Solution]:
    """The shortest few distinct candidates of each question of one database that give the gold result.

    `candidates` come from any generator, k a question. Those of a constant, which read no table, and questions whose
    gold fails or returns nothing are left out: nothing is shown by them. Two statements that differ in style alone are
    one. `earlier` holds the solutions of earlier rounds: they compete with the new ones, so that each round's adapter
    can be trained from the base again on all that was found so far.
    """
    limits = limits or Limits()
    golds = {g.question.question_id: g for g in check_golds(questions, schema, database_path, limits, True)}
    sound = [c for c in candidates if c.question_id in golds and not golds[c.question_id].fault]
    results = execute_many([(database_path, c.sql) for c in sound], limits)
    right: dict[str, list[Candidate]] = defaultdict(list)
    for candidate, result in zip(sound, results, strict=True):
        if _solves(candidate, result, golds[candidate.question_id]):
            right[candidate.question_id].append(candidate)
    counts = _counts(sound)
    found: list[Solution] = []
    for question in questions:
        key = question.question_id
        counted = (round_number, counts[key], len(right[key]))
        new = [_solution(question, c, clean_sql(c.sql, schema), *counted) for c in right[key]]
        found += _shortest([*(s for s in earlier if s.question_id == key), *new], schema, kept)
    return found


def sampling_yield(
    questions: Iterable[Question], candidates: Iterable[Candidate], solutions: Iterable[Solution]
) -> list[Yield]:
    """What sampling gave by difficulty, in the order in which the difficulties first occur."""
    asked, solved = list(questions), list(solutions)
    counts = _counts(candidates)
    return [
        _yield_of(level, [q for q in asked if q.difficulty == level], counts, solved)
        for level in dict.fromkeys(q.difficulty for q in asked)
    ]


def _yield_of(level: str, asked: Sequence[Question], counts: dict[str, int], solutions: Sequence[Solution]) -> Yield:
    ids = {q.question_id for q in asked}
    mine = [s for s in solutions if s.question_id in ids]
    right = {(s.question_id, s.round): s.right for s in mine}
    samples = sum(counts[i] for i in ids)
    return Yield(level, len(asked), samples, sum(right.values()), len({s.question_id for s in mine}), len(mine))


def _counts(candidates: Iterable[Candidate]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for candidate in candidates:
        counts[candidate.question_id] += 1
    return counts


def _solves(candidate: Candidate, result: ExecutionResult, gold: CheckedGold) -> bool:
    same = gold.result is not None and result.outcome == "ok" and result.digest == gold.result.digest
    tree = parse_query(candidate.sql) if same else None
    return tree is not None and tree.find(exp.Table) is not None


def _solution(
    question: Question, candidate: Candidate, sql: str, round_number: int, samples: int, right: int
) -> Solution:
    return Solution(
        question_id=question.question_id,
        db_id=question.db_id,
        difficulty=question.difficulty,
        solution_id="",
        sql=sql,
        generator=candidate.generator,
        model=candidate.model,
        candidate_id=candidate.candidate_id,
        round=round_number,
        samples=samples,
        right=right,
    )


def _shortest(solutions: Iterable[Solution], schema: Schema, kept: int) -> list[Solution]:
    """Each in one of its styles, the shortest first, numbered."""
    distinct: dict[str, Solution] = {}
    for solution in sorted(solutions, key=lambda s: (len(s.sql), s.round, s.candidate_id)):
        distinct.setdefault(normalise_style(solution.sql, schema) or solution.sql, solution)
    return [replace(s, solution_id=f"s{i}") for i, s in enumerate(list(distinct.values())[:kept], 1)]
