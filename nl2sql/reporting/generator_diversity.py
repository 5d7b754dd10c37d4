"""How differently the generators of a lineup answer, and which of them would be missed."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nl2sql.reporting.generator_figures import GeneratorFigures
from nl2sql.reporting.shares import money, percent, wilson_interval
from nl2sql.rows import Candidate, Repair, Verdict

NOTHING, FAILED = -1, 0  # in place of a result: no candidate, and one that gave none
VAGUE = 5.0  # points: an interval that reaches further decides nothing
SHOWN_NAMES = 6

Matrix = tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True)
class Cover:
    """A generator of the fewest that are needed, and the upper bound of it and those before it."""

    name: str
    upper_bound: float


@dataclass(frozen=True)
class Diversity:
    """Generators compared in pairs by their first candidates, over the questions for which both wrote one.

    Both matrices are symmetric, in percent of those questions, None on the diagonal and where they share none. Two
    candidates without a result count as equal. Neighbours in `names` answer alike.
    """

    names: tuple[str, ...]
    n: int  # questions of the run
    differ: Matrix  # their results differ
    one_right: Matrix  # exactly one of them is right
    cover: tuple[Cover, ...]  # found greedily, most useful first: together they reach the whole upper bound
    advice: tuple[str, ...]  # sentences


def generator_diversity(
    generators: Sequence[GeneratorFigures],
    candidates: Sequence[Candidate],
    repairs: Sequence[Repair],
    verdicts: Mapping[tuple[str, str], Verdict],
    n: int,
) -> Diversity | None:
    """Compare the generators of a run over its `n` questions; None where there are not two."""
    if len(generators) < 2:
        return None
    names = [g.name for g in generators]
    results, right = first_results(names, candidates, repairs, verdicts)
    differ, one_right = _shares(results, right)
    order = similar_together(np.where(np.isnan(differ), 100.0, differ))
    cover = fewest_needed(generators, _solved(candidates, verdicts), n)
    return Diversity(
        tuple(names[i] for i in order),
        n,
        _matrix(differ, order),
        _matrix(one_right, order),
        cover,
        (drop_advice(generators, n), *_cover_advice(cover, len(names))),
    )


def first_results(
    names: Sequence[str],
    candidates: Sequence[Candidate],
    repairs: Sequence[Repair],
    verdicts: Mapping[tuple[str, str], Verdict],
) -> tuple[np.ndarray, np.ndarray]:
    """Results (numbers per question, NOTHING or FAILED) and verdicts of first candidates: generators by questions."""
    digests = {(r.question_id, r.candidate_id): r.result_digest for r in repairs}
    questions = {key: place for place, key in enumerate(dict.fromkeys(c.question_id for c in candidates))}
    rows = {name: place for place, name in enumerate(names)}
    results = np.full((len(names), len(questions)), NOTHING, dtype=np.int32)
    right = np.zeros(results.shape, dtype=bool)
    numbers: dict[str, dict[str, int]] = defaultdict(lambda: {"": FAILED})
    for c in candidates:
        at, key = (rows[c.generator], questions[c.question_id]), (c.question_id, c.candidate_id)
        if results[at] == NOTHING and key in digests:
            known = numbers[c.question_id]
            results[at] = known.setdefault(digests[key], len(known))
            right[at] = key in verdicts and verdicts[key].correct
    return results, right


def _shares(results: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    size = len(results)
    differ, one_right = np.full((size, size), np.nan), np.full((size, size), np.nan)
    for i in range(size):
        both = (results[i] != NOTHING) & (results != NOTHING)
        shared = both.sum(axis=1)
        found = shared > 0
        differ[i, found] = 100 * ((results != results[i]) & both).sum(axis=1)[found] / shared[found]
        one_right[i, found] = 100 * ((right != right[i]) & both).sum(axis=1)[found] / shared[found]
    return differ, one_right


def _matrix(values: np.ndarray, order: Sequence[int]) -> Matrix:
    cells = [[None if i == j or np.isnan(values[i, j]) else float(values[i, j]) for j in order] for i in order]
    return tuple(map(tuple, cells))


def similar_together(distances: np.ndarray) -> list[int]:
    """Order things so that similar ones are neighbours: average linkage, each merge turned so that near ends meet."""
    between = distances.astype(float).copy()
    np.fill_diagonal(between, np.inf)
    groups = [[i] for i in range(len(distances))]
    while len(groups) > 1:
        i, j = sorted(np.unravel_index(int(between.argmin()), between.shape))
        a, b = len(groups[i]), len(groups[j])
        merged = (a * between[i] + b * between[j]) / (a + b)
        groups[i] = _joined(groups[i], groups.pop(j), distances)
        between[i], between[:, i], between[i, i] = merged, merged, np.inf
        between = np.delete(np.delete(between, j, axis=0), j, axis=1)
    return groups[0] if groups else []


def _joined(left: list[int], right: list[int], distances: np.ndarray) -> list[int]:
    ways = [(a, b) for a in (left, left[::-1]) for b in (right, right[::-1])]
    a, b = min(ways, key=lambda way: distances[way[0][-1], way[1][0]])
    return a + b


def _solved(candidates: Sequence[Candidate], verdicts: Mapping[tuple[str, str], Verdict]) -> Mapping[str, set[str]]:
    solved: dict[str, set[str]] = defaultdict(set)
    for c in candidates:
        verdict = verdicts.get((c.question_id, c.candidate_id))
        if verdict is not None and verdict.correct:
            solved[c.generator].add(c.question_id)
    return solved


def fewest_needed(generators: Sequence[GeneratorFigures], solved: Mapping[str, set[str]], n: int) -> tuple[Cover, ...]:
    """Add, as long as it helps, the generator with most questions that none before it gets right; then the cheapest."""
    left = {g.name: g for g in generators}
    covered: set[str] = set()
    found: list[Cover] = []
    while left:
        gains = {name: len(solved.get(name, set()) - covered) for name in left}
        best = min(left.values(), key=lambda g: (-gains[g.name], g.cost))
        if not gains[best.name]:
            break
        covered |= solved[left.pop(best.name).name]
        found.append(Cover(best.name, percent(len(covered), n)))
    return tuple(found)


def drop_advice(generators: Sequence[GeneratorFigures], n: int) -> str:
    """Which generator would be missed least, what that costs in upper bound, how sure that is and what it saves."""
    g = min(generators, key=lambda g: (g.unique, -g.cost, g.correct, g.name))
    low, high = wilson_interval(g.unique, n)
    spent = sum(other.cost for other in generators)
    saved = f"; it saves {money(g.cost)}, {percent(g.cost, spent):.0f} % of what the candidates cost" if g.cost else ""
    vague = f". {n:,} questions are too few to decide it" if high - percent(g.unique, n) > VAGUE else ""
    return (
        f"Least missed: {plain_name(g.name)}. Without it the upper bound falls by {percent(g.unique, n):.1f} points,"
        f" {g.unique:,} of {n:,} questions (95 % interval {low:.1f} to {high:.1f}){saved}{vague}."
    )


def _cover_advice(cover: Sequence[Cover], total: int) -> list[str]:
    if not cover or len(cover) == total:
        return []
    names = [plain_name(c.name) for c in cover]
    rest = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    have = "has" if len(names) == 1 else "together have"
    return [f"{len(names)} of {total} {have} the whole upper bound: {', '.join(names[:SHOWN_NAMES])}{rest}."]


def plain_name(generator: str) -> str:
    """A generator's name without the word that tells recorded ones apart."""
    return generator.removeprefix("recorded:")


def diversity_json(diversity: Diversity | None) -> dict[str, Any] | None:
    """The comparison as plain data, shares in percent; null without one."""
    if diversity is None:
        return None
    return {
        "generators": list(diversity.names),
        "differ": _rounded(diversity.differ),
        "one_right": _rounded(diversity.one_right),
        "cover": [{"generator": c.name, "upper_bound": round(c.upper_bound, 2)} for c in diversity.cover],
        "advice": list(diversity.advice),
    }


def _rounded(matrix: Matrix) -> list[list[float | None]]:
    return [[None if value is None else round(value, 2) for value in row] for row in matrix]
