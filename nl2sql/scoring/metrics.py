"""Soft-F1 and R-VES by the rules of BIRD's evaluation scripts, and scores by group of questions."""

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, pstdev
from time import monotonic, perf_counter
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from nl2sql.execution import open_read_only
from nl2sql.rows import Verdict

Row = tuple[Any, ...]
REWARDS = ((2.0, 1.25), (1.0, 1.0), (0.5, 0.75), (0.25, 0.5))  # from that ratio on; below them 0.25
LOWEST_REWARD = 0.25
FEATURES: dict[str, tuple[type[exp.Expr], ...]] = {
    "join": (exp.Join,),
    "nesting": (exp.Subquery, exp.CTE, exp.Exists),
    "aggregation": (exp.AggFunc, exp.Group),
    "window": (exp.Window,),
    "set operation": (exp.SetOperation,),
    "order": (exp.Order,),
    "condition": (exp.Case, exp.If),
}


def soft_f1(rows: Iterable[Row], gold: Iterable[Row]) -> float:
    """The Soft-F1 of a result against the gold result, 0 to 1; a result that failed is no rows.

    As BIRD's evaluation_f1.py: repeated rows count once, the n-th row is compared with the n-th, cells by membership
    in the other row. Row order matters, column order does not. Two empty results score 1.
    """
    mine, wanted = list(dict.fromkeys(rows)), list(dict.fromkeys(gold))
    if not mine and not wanted:
        return 1.0
    shares = [_row_shares(a, b) for a, b in zip(mine, wanted, strict=False)]
    matched = sum(share[0] for share in shares)
    only_mine = sum(share[1] for share in shares) + max(0, len(mine) - len(wanted))
    only_wanted = sum(share[2] for share in shares) + max(0, len(wanted) - len(mine))
    # 2PR / (P + R) with P = tp / (tp + fp) and R = tp / (tp + fn)
    return 2 * matched / (2 * matched + only_mine + only_wanted) if matched else 0.0


def _row_shares(mine: Row, wanted: Row) -> tuple[float, float, float]:
    found = sum(value in wanted for value in mine)
    lacking = sum(value not in mine for value in wanted)
    return found / len(wanted), (len(mine) - found) / len(wanted), lacking / len(wanted)


def reward(ratio: float) -> float:
    """R-VES's reward for a ratio of gold time to predicted time; 0 for 0, which stands for a wrong answer."""
    if ratio <= 0:
        return 0.0
    return next((value for start, value in REWARDS if ratio >= start), LOWEST_REWARD)


def time_ratio(ratios: Sequence[float]) -> float:
    """The mean of the ratios of repeated runs that lie within three standard deviations; 0 when there are none.

    Where the runs do not vary all of them count. (The official filter then keeps none and scores 0.)
    """
    if not ratios:
        return 0.0
    mean, spread = fmean(ratios), pstdev(ratios)
    kept = [r for r in ratios if abs(r - mean) < 3 * spread] or list(ratios)
    return fmean(kept)


def r_ves(ratios: Iterable[float]) -> float:
    """R-VES over questions: 100 times the mean of the square roots of the rewards, at most 111.8.

    One time ratio per question, 0 where the answer is wrong. 0 for no questions.
    """
    roots = [sqrt(reward(ratio)) for ratio in ratios]
    return 100 * fmean(roots) if roots else 0.0


def measure_time_ratio(path: str, sql: str, gold_sql: str, rounds: int = 100, seconds: float = 30.0) -> float:
    """Time a right answer against its gold in turn and give the time ratio, 0 when either fails or is out of time.

    `seconds` is for each execution. Runs in this process and one connection: keep the machine quiet, and give it only
    statements that are known to run.
    """
    connection = open_read_only(path, double_quoted_strings=True)
    try:
        ratios = []
        for _ in range(rounds):
            predicted = _seconds(connection, sql, seconds)
            ratios.append(_seconds(connection, gold_sql, seconds) / predicted)
        return time_ratio(ratios)
    except sqlite3.Error:
        return 0.0
    finally:
        connection.close()


def _seconds(connection: sqlite3.Connection, sql: str, limit: float) -> float:
    deadline = monotonic() + limit
    connection.set_progress_handler(lambda: monotonic() > deadline, 1000)
    started = perf_counter()
    connection.execute(sql).fetchall()
    return max(perf_counter() - started, 1e-9)


@dataclass(frozen=True)
class GroupScore:
    """How many of a group's verdicts are right."""

    n: int
    correct: int

    @property
    def share(self) -> float:
        """From 0 to 1, 0 for an empty group."""
        return self.correct / self.n if self.n else 0.0


def score_by(verdicts: Iterable[Verdict], groups: Callable[[Verdict], Iterable[str]]) -> dict[str, GroupScore]:
    """Scores by group, in order of first appearance; a verdict counts in each group that it is said to be in."""
    tallies: dict[str, list[bool]] = defaultdict(list)
    for verdict in verdicts:
        for group in groups(verdict):
            tallies[group].append(verdict.correct)
    return {group: GroupScore(len(tally), sum(tally)) for group, tally in tallies.items()}


def sql_features(sql: str) -> tuple[str, ...]:
    """What a statement uses of FEATURES; ('none',) when it uses none and ('unparsed',) when
    it is no query that can be parsed."""
    try:
        tree = sqlglot.parse_one(sql, dialect="sqlite")
    except (SqlglotError, RecursionError):
        return ("unparsed",)
    if not isinstance(tree, exp.Query):
        return ("unparsed",)
    found = tuple(name for name, kinds in FEATURES.items() if tree.find(*kinds))
    return found or ("none",)
