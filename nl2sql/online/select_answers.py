"""Op 9: choose one answer per question from what its candidates return."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Protocol

from nl2sql.online.candidate_weights import (
    BLANK,
    RAN,
    accuracy_of,
    confidence,
    estimate_accuracies,
    system_of,
    weigh_candidates,
)
from nl2sql.online.context import DatabaseContext
from nl2sql.online.selection_features import gather_pool
from nl2sql.online.selection_policy import Policy
from nl2sql.rows import Cluster, Grounding, Linking, Question, Repair, Selection

MARGIN = 0.05
TOURNAMENT = 4  # results that a judge compares, those with the most weight: 6 pairs in both orders
# Of candidates without a result, one that was too slow or too large is likelier right than one that fails.
BEST_EFFORT = ("too_large", "timeout", "error")


@dataclass(frozen=True)
class Pair:
    """Two candidates with different results, for a judge."""

    question: Question
    first: Repair
    second: Repair


class Judge(Protocol):
    """Compares candidates two at a time; all pairs of a batch of questions come in one call."""

    def compare(self, pairs: Sequence[Pair], context: DatabaseContext) -> Sequence[float | None]:
        """Give for each pair the points of the first: 1 it is better, 0 the second is, 0.5 undecided, None unread."""
        ...


@dataclass(frozen=True)
class Group:
    """Candidates with the same result, best generator rank first, then in their order."""

    digest: str
    members: tuple[Repair, ...]
    weight: float
    rank: int
    blank: bool

    @property
    def representative(self) -> Repair:
        """The member with the shortest SQL: they all give the same result, and it is the easiest to read."""
        return min(self.members, key=lambda r: len(r.sql))


@dataclass(frozen=True)
class Ballot:
    """One question's candidates, grouped by result, and how the answer is to be found. Weights sum to 1."""

    question: Question
    candidates: tuple[Repair, ...]
    groups: tuple[Group, ...]  # best first
    contested: tuple[Group, ...]  # those too close to call, () when the vote is clear
    path: str


def select_answers(
    questions: Sequence[Question],
    repairs: Sequence[Repair],
    context: DatabaseContext,
    *,
    ranks: Sequence[str] = (),
    margin: float = MARGIN,
    empty_is_wrong: bool = True,
    accuracies: Mapping[str, float] | None = None,
    judge: Judge | None = None,
    policy: Policy | None = None,
    groundings: Sequence[Grounding] = (),
    linkings: Sequence[Linking] = (),
) -> list[Selection]:
    """Select one answer per question, in the order of the questions.

    Candidates with equal results form a cluster; those that did not run form none; with `empty_is_wrong` empty and
    all-NULL results lose to any other. One cluster: its shortest SQL (path unanimous, or single for one candidate).
    Otherwise clusters are ordered by weight. When the lead over the next is more than `margin` (0..1, of the
    question's whole weight) the first wins (vote). Else the clusters within the margin are compared: by the judge,
    pairwise in both orders, ties to the weight (tournament), or without one, or when it judged no pair of them in both
    orders, by their best generator (rank). Of more than TOURNAMENT results only those with the most weight are
    compared. When no candidate ran: path none, confidence 0, and the first candidate's SQL as the best effort.

    `accuracies` say how often each generator is right (0..1, by generator or system, e.g. measured on scored runs);
    None estimates them from how these candidates agree. `ranks` are generators, best first; the accuracies order those
    that are not in it, which come last.

    A `policy` takes the place of the weights: the likeliest result by it wins (path policy); with a judge those within
    the margin are compared all the same. `groundings` and `linkings` are what its features read of the questions.
    """
    by_question: dict[str, list[Repair]] = defaultdict(list)
    for repair in repairs:
        by_question[repair.question_id].append(repair)
    known = estimate_accuracies(repairs, empty_is_wrong) if accuracies is None else accuracies
    known = {**known, **dict(policy.accuracies)} if policy else known
    places = _places({r.generator for r in repairs}, ranks, known)
    ballots = [
        count_votes(q, by_question.get(q.question_id, ()), places, margin, empty_is_wrong, known) for q in questions
    ]
    if policy:
        found = {g.question_id: g for g in groundings}, {k.question_id: k for k in linkings}
        ballots = [_by_policy(b, policy, known, *found, margin if judge else None) for b in ballots]
    points, comparisons = _judge_contested(ballots, context, judge)
    return [_select(b, points, comparisons[b.question.question_id], known) for b in ballots]


def _places(generators: Iterable[str], ranks: Sequence[str], accuracies: Mapping[str, float]) -> dict[str, int]:
    """Place generators by rank, then by accuracy. The rank of 'recorded' holds for every 'recorded:NAME'."""
    given = {name: place for place, name in enumerate(ranks)}

    def order(generator: str) -> tuple[int, float, str]:
        maker = generator.partition(":")[0]
        return given.get(generator, given.get(maker, len(given))), -accuracy_of(generator, accuracies), generator

    return {generator: place for place, generator in enumerate(sorted(generators, key=order))}


def count_votes(
    question: Question,
    candidates: Sequence[Repair],
    places: Mapping[str, int],
    margin: float,
    empty_is_wrong: bool,
    accuracies: Mapping[str, float],
) -> Ballot:
    """Group one question's candidates by result and see whether the lead is clear."""
    groups = _group(candidates, places, weigh_candidates(candidates, accuracies))
    groups.sort(key=lambda g: (g.blank and empty_is_wrong, -round(g.weight, 9), g.rank))
    rivals = [g for g in groups if g.blank == groups[0].blank] if empty_is_wrong else groups
    contested = tuple(g for g in rivals if rivals[0].weight - g.weight <= margin + 1e-9)
    return Ballot(
        question,
        tuple(candidates),
        tuple(groups),
        contested if len(contested) > 1 else (),
        _path(candidates, groups, contested),
    )


def _by_policy(
    ballot: Ballot,
    policy: Policy,
    accuracies: Mapping[str, float],
    groundings: Mapping[str, Grounding],
    linkings: Mapping[str, Linking],
    margin: float | None,
) -> Ballot:
    """The ballot with the policy's probabilities for weights; contested within `margin`, never for None."""
    if len(ballot.groups) < 2:
        return ballot
    key = ballot.question.question_id
    pool = gather_pool(ballot.question, ballot.candidates, accuracies, groundings.get(key), linkings.get(key))
    likely = dict(zip(pool.digests, policy.probabilities(pool).tolist(), strict=True))
    groups = sorted((replace(g, weight=likely[g.digest]) for g in ballot.groups), key=lambda g: -g.weight)
    close = [g for g in groups if margin is not None and groups[0].weight - g.weight <= margin]
    return replace(ballot, groups=tuple(groups), contested=tuple(close) if len(close) > 1 else (), path="policy")


def _group(candidates: Sequence[Repair], places: Mapping[str, int], weights: Mapping[str, float]) -> list[Group]:
    members: dict[str, list[Repair]] = defaultdict(list)
    for candidate in candidates:
        if candidate.outcome in RAN:
            members[candidate.result_digest].append(candidate)
    groups = []
    for digest, found in members.items():
        found.sort(key=lambda r: places[r.generator])
        rank = places[found[0].generator]
        weight = sum(weights[r.candidate_id] for r in found)
        groups.append(Group(digest, tuple(found), weight, rank, found[0].outcome in BLANK))
    return groups


def _path(candidates: Sequence[Repair], groups: Sequence[Group], contested: Sequence[Group]) -> str:
    if not groups:
        return "none"
    if len(candidates) == 1:
        return "single"
    if len(groups) == 1:
        return "unanimous"
    return "rank" if len(contested) > 1 else "vote"


def _judge_contested(
    ballots: Sequence[Ballot], context: DatabaseContext, judge: Judge | None
) -> tuple[dict[str, float], Counter[str]]:
    """Points by candidate and comparisons by question; a pair counts when both of its orders were judged."""
    points: dict[str, float] = defaultdict(float)
    comparisons: Counter[str] = Counter()
    if judge is None:
        return points, comparisons
    pairs = [
        Pair(ballot.question, first.representative, second.representative)
        for ballot in ballots
        for first, second in permutations(ballot.contested[:TOURNAMENT], 2)
    ]
    scores = dict(zip(map(_keys, pairs), judge.compare(pairs, context) if pairs else (), strict=True))
    for pair in pairs:
        first, second = _keys(pair)
        score = scores[first, second]
        # One order alone would count which of the two came first.
        if score is None or scores[second, first] is None:
            continue
        points[first] += score
        points[second] += 1 - score
        comparisons[pair.question.question_id] += 1
    return points, comparisons


def _keys(pair: Pair) -> tuple[str, str]:
    return _key(pair.first), _key(pair.second)


def _key(repair: Repair) -> str:
    return f"{repair.question_id}\n{repair.candidate_id}"


def _select(
    ballot: Ballot, points: Mapping[str, float], comparisons: int, accuracies: Mapping[str, float]
) -> Selection:
    question, vote = ballot.question, majority(ballot.candidates)
    winner = _winner(ballot, points, comparisons)
    answer = winner.representative if winner else best_effort(ballot.candidates)
    vote_answer = vote or answer
    groups = sorted(ballot.groups, key=lambda g: g is not winner)
    return Selection(
        question_id=question.question_id,
        db_id=question.db_id,
        candidate_id=answer.candidate_id if winner and answer else "",
        sql=answer.sql if answer else "",
        path="tournament" if comparisons else ballot.path,
        confidence=_confidence(winner, groups[1:], accuracies) if winner else 0.0,
        clusters=tuple(Cluster(g.digest, tuple(r.candidate_id for r in g.members), g.weight) for g in groups),
        vote_candidate_id=vote.candidate_id if vote else "",
        vote_sql=vote_answer.sql if vote_answer else "",
        comparisons=comparisons,
    )


def _confidence(winner: Group, others: Sequence[Group], accuracies: Mapping[str, float]) -> float:
    systems = {system_of(r.generator): accuracy_of(r.generator, accuracies) for r in winner.members}
    return confidence(winner.weight, [g.weight for g in others], systems.values())


def _winner(ballot: Ballot, points: Mapping[str, float], comparisons: int) -> Group | None:
    if not ballot.contested:
        return ballot.groups[0] if ballot.groups else None
    if comparisons:
        return max(ballot.contested, key=lambda g: points[_key(g.representative)])
    if ballot.path == "policy":
        return ballot.groups[0]
    return min(ballot.contested, key=lambda g: g.rank)


def majority(candidates: Sequence[Repair]) -> Repair | None:
    """Give the plain vote's choice: one candidate, one vote, empty results too; ties go to the earlier candidate."""
    ran = [c for c in candidates if c.outcome in RAN]
    votes = Counter(c.result_digest for c in ran)
    return max(ran, key=lambda c: votes[c.result_digest], default=None)


def best_effort(candidates: Sequence[Repair]) -> Repair | None:
    """Give the candidate to show when none ran, None when there is none."""
    return min(candidates, key=lambda c: BEST_EFFORT.index(c.outcome), default=None)
