"""Execution accuracy (EX) as BIRD defines it: a prediction is right when its set of rows is the gold's.

Every distinct statement of a database is executed once, however many predictions share it, and judged once against
each gold. docs/scoring.md lists where the default reading differs from BIRD's official evaluator.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import NamedTuple

from nl2sql.benchmarks import Problem
from nl2sql.errors import UserError
from nl2sql.execution import NO_STATEMENT, ExecutionResult, Limits, execute_many
from nl2sql.rows import Database, Question
from nl2sql.scoring.explain_verdict import equal_in_any_column_order, explain_difference, explain_failure
from nl2sql.scoring.predictions import Matching, Prediction, Predictions, match_predictions

# Only time and memory limit a statement here, as in the official evaluator; the rows kept are for the explanations.
SCORING_LIMITS = Limits(seconds=30.0, rows=10**12, bytes=10**12, keep_rows=1000)
# Where the default reading and the official one disagree; docs/scoring.md says why.
DIFFERENCES = {
    "blank": "a prediction without a statement is right officially when the gold returns nothing",
    "shared_clock": "prediction and gold together exceed the time limit, each alone does not",
    "not_utf8": "a result with text that is not UTF-8 is an error officially",
    "column_order": "columns in another order are wrong officially",
    "position": "officially the n-th entry answers the n-th question, whatever its key",
}
UNSTABLE_REASONS = frozenset({"timeout", "too_large", "gold_error"})  # another run may find otherwise
Statement = tuple[str, str]  # digest of the database, SQL
Pair = tuple[str, str, str]  # digest of the database, gold SQL, predicted SQL


@dataclass(frozen=True, slots=True)
class Judgement:
    """What comes of one predicted statement against one gold statement.

    `correct` in the default reading, `official` in the official one; `difference` names the rule by which they differ.
    """

    correct: bool
    official: bool
    reason: str  # of REASONS, '' when correct
    detail: str
    difference: str = ""


MISSING = Judgement(False, False, "missing", "no prediction for this question")


class ScoredPrediction(NamedTuple):  # a tuple for the reason that Prediction is one
    """Whether what a system answers to one question gives the gold result; `sql` is '' where it has no prediction."""

    question_id: str
    db_id: str
    generator: str  # the system
    sql: str
    correct: bool
    reason: str  # of REASONS, '' when correct
    detail: str


@dataclass(frozen=True)
class ModelScore:
    """One system's score. `execution_accuracy` is correct / n, 0 when n is 0."""

    n: int
    correct: int

    @property
    def execution_accuracy(self) -> float:
        """From 0 to 1."""
        return self.correct / self.n if self.n else 0.0


@dataclass(frozen=True)
class Scores:
    """The verdict on each prediction, each system's score, and what was wrong with the file.

    `differences` counts, per rule, the verdicts that the official evaluator gives otherwise; empty in strict parity.
    """

    verdicts: tuple[ScoredPrediction, ...]
    models: Mapping[str, ModelScore]
    problems: tuple[Problem, ...]
    differences: Mapping[str, int]
    executed: int  # distinct statements, golds included


def judge(result: ExecutionResult, gold: ExecutionResult, limits: Limits, any_column_order: bool = False) -> Judgement:
    """Compare two results in both readings; see docs/scoring.md."""
    if not gold.ran:
        return Judgement(False, False, "gold_error", gold.error)
    if not result.ran:
        blank = result.error == NO_STATEMENT and gold.row_count == 0 and gold.is_utf8
        return Judgement(False, blank, *explain_failure(result), "blank" if blank else "")
    same = result.digest == gold.digest
    in_time = result.seconds + gold.seconds <= limits.seconds
    official = same and in_time and result.is_utf8 and gold.is_utf8
    if same:
        difference = "" if official else "not_utf8" if in_time else "shared_clock"
        return Judgement(True, official, "", _repeats(result, gold), difference)
    if any_column_order and result.is_whole and gold.is_whole and equal_in_any_column_order(result.rows, gold.rows):
        return Judgement(True, False, "", "columns in another order", "column_order")
    return Judgement(False, False, *explain_difference(result, gold))


def _repeats(result: ExecutionResult, gold: ExecutionResult) -> str:
    if result.row_count == gold.row_count:
        return ""
    return f"{result.row_count} rows where the gold has {gold.row_count}: repeated rows do not count"


def official_reading(judgement: Judgement) -> Judgement:
    """The judgement as the official evaluator gives it."""
    if not judgement.difference:
        return judgement
    reason = "" if judgement.official else {"shared_clock": "timeout", "not_utf8": "error"}.get(judgement.difference)
    return Judgement(judgement.official, judgement.official, reason or "", DIFFERENCES[judgement.difference])


def judge_pairs(
    pairs: Iterable[Pair],
    paths: Mapping[str, str],
    limits: Limits = SCORING_LIMITS,
    workers: int | None = None,
    any_column_order: bool = False,
    known: Mapping[Statement, ExecutionResult] | None = None,
) -> tuple[dict[Pair, Judgement], int]:
    """Judge each distinct pair and say how many statements were executed. `paths` maps a database's digest to its file.

    Both sides keep SQLite's habit of reading an unknown "name" as a string: published golds and predictions rely on it.
    Predictions with a `known` result that equals their gold's are not executed once more; without such results golds
    are not waited for.
    """
    distinct = dict.fromkeys(pairs)
    asking = _asking(distinct)
    results: dict[Statement, ExecutionResult] = {}
    judged: dict[Pair, Judgement] = {}

    def settle(statement: Statement, result: ExecutionResult) -> None:
        results[statement] = result
        for pair in asking.get(statement, ()):
            gold, predicted = results.get(pair[:2]), results.get((pair[0], pair[2]))
            if gold and predicted:
                judged[pair] = judge(predicted, gold, limits, any_column_order)

    def execute(statements: Sequence[Statement]) -> int:
        def finished(place: int, result: ExecutionResult) -> None:  # while the children execute the next statements
            settle(statements[place], result)

        jobs = [(paths[database], sql) for database, sql in statements]
        execute_many(jobs, limits, workers, double_quoted_strings=True, finished=finished)
        return len(jobs)

    executed = execute(list(dict.fromkeys(pair[:2] for pair in distinct))) if known else 0
    for statement, result in (known or {}).items():
        if statement not in results and all(results[p[:2]].digest == result.digest for p in asking.get(statement, ())):
            settle(statement, result)
    executed += execute([statement for statement in asking if statement not in results])
    return {pair: judged[pair] for pair in distinct}, executed


def _asking(pairs: Iterable[Pair]) -> dict[Statement, list[Pair]]:
    """The statements of each database in the order of the pairs, golds first, with the pairs that they are part of."""
    asking: dict[Statement, list[Pair]] = defaultdict(list)
    for pair in pairs:
        database, gold, predicted = pair
        asking[database, gold].append(pair)
        if predicted != gold:
            asking[database, predicted].append(pair)
    return asking


def score_predictions(
    predictions: Predictions,
    questions: Sequence[Question],
    databases: Sequence[Database],
    limits: Limits = SCORING_LIMITS,
    *,
    strict_parity: bool = False,
    any_column_order: bool = False,
    workers: int | None = None,
    judged: MutableMapping[Pair, Judgement] | None = None,
) -> Scores:
    """Score every system of a predictions file on the questions.

    `strict_parity` gives the official evaluator's verdicts. `any_column_order` allows columns in another order, as
    Spider does; results of more than `limits.keep_rows` rows are compared in order all the same. `judged` holds
    judgements of earlier runs and takes the new ones, apart from those that depend on time or memory; it must only
    be used with the same options.

    Raises UserError when a question's database is not among `databases`.
    """
    matchings, problems = match_predictions(predictions, questions, strict_parity)
    databases_of = _databases_of(questions, databases)
    official = _official_order(predictions, questions) if not strict_parity else {}
    judged = {} if judged is None else judged
    golds = {q.question_id: (databases_of[q.db_id].sha256, q.gold_sql) for q in questions}
    pairs = [_pairs(matching, golds) for matching in matchings]
    positions = [(*golds[key], p.sql) for key, p in official.items()]
    wanted = dict.fromkeys(pair for pair in chain(*pairs, positions) if pair is not None)
    paths = {database.sha256: database.path for database in databases_of.values()}
    missing = sorted(pair for pair in wanted if pair not in judged)
    fresh, executed = judge_pairs(missing, paths, limits, workers, any_column_order)
    judged.update((pair, judgement) for pair, judgement in fresh.items() if _is_lasting(judgement))
    read = official_reading if strict_parity else _default_reading
    table = _Table({pair: read(fresh.get(pair) or judged[pair]) for pair in wanted}, golds, official)
    found = [table.judgements(*each) for each in zip(matchings, pairs, strict=True)]
    return _scores(matchings, found, problems, executed)


def _scores(
    matchings: Sequence[Matching], found: Sequence[list[Judgement]], problems: Sequence[Problem], executed: int
) -> Scores:
    verdicts = chain.from_iterable(map(_verdicts, matchings, found))
    models = {m.model: ModelScore(len(js), sum(j.correct for j in js)) for m, js in zip(matchings, found, strict=True)}
    differences = Counter(j.difference for j in chain(*found) if j.difference)
    return Scores(tuple(verdicts), models, tuple(problems), differences, executed)


def _databases_of(questions: Sequence[Question], databases: Sequence[Database]) -> dict[str, Database]:
    by_id = {database.db_id: database for database in databases}
    lacking = sorted({q.db_id for q in questions} - by_id.keys())
    if lacking:
        raise UserError(f"database {lacking[0]!r} of the questions is not there; score the questions of those that are")
    return {q.db_id: by_id[q.db_id] for q in questions}


def _official_order(predictions: Predictions, questions: Sequence[Question]) -> dict[str, Prediction]:
    if not predictions.by_position:
        return {}
    return {q.question_id: p for q, p in zip(questions, predictions.items, strict=False)}


def _pairs(matching: Matching, golds: Mapping[str, tuple[str, str]]) -> list[Pair | None]:
    """What is compared for each question, None where it has no prediction."""
    asked = [golds[q.question_id] for q in matching.questions]
    return [None if p is None else (d, gold, p.sql) for (d, gold), p in zip(asked, matching.predictions, strict=True)]


def _default_reading(judgement: Judgement) -> Judgement:
    return judgement


def _is_lasting(judgement: Judgement) -> bool:
    return judgement.reason not in UNSTABLE_REASONS and judgement.difference != "shared_clock"


@dataclass(frozen=True)
class _Table:
    """All judgements of one call, as they are read."""

    judged: Mapping[Pair, Judgement]
    golds: Mapping[str, tuple[str, str]]  # by question: digest of its database, gold SQL
    official: Mapping[str, Prediction]  # what the official evaluator takes for the answer of each question

    def judgements(self, matching: Matching, pairs: Sequence[Pair | None]) -> list[Judgement]:
        found = [MISSING if pair is None else self.judged[pair] for pair in pairs]
        if not self.official:
            return found
        places = zip(matching.questions, matching.predictions, found, strict=True)
        return [self._beside_official(q.question_id, p, judgement) for q, p, judgement in places]

    def _beside_official(self, question_id: str, prediction: Prediction | None, judgement: Judgement) -> Judgement:
        other = self.official.get(question_id, prediction)
        if other is None or other is prediction:
            return judgement
        official = self.judged[*self.golds[question_id], other.sql].official
        return replace(judgement, difference="position" if official != judgement.correct else "")


def _verdicts(matching: Matching, judgements: Sequence[Judgement]) -> list[ScoredPrediction]:
    places = zip(matching.questions, matching.predictions, judgements, strict=True)
    return [
        ScoredPrediction(q.question_id, q.db_id, matching.model, p.sql if p else "", j.correct, j.reason, j.detail)
        for q, p, j in places
    ]
