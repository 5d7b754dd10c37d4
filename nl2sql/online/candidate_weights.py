"""What each candidate's voice counts when results are compared, and how sure that makes the answer."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from nl2sql.rows import Repair

BLANK = frozenset({"empty", "all_null"})
RAN = BLANK | {"ok"}

# Generators whose candidates are ranked readings of the question, not samples: the first is the one meant.
RANKED = frozenset({"rules"})
DECAY = 0.5
# How often a generator is right before anything is known of it, and the number of questions which that is worth.
ACCURACY = 0.6
ACCURACIES = {"rules": 0.5}
PRIOR_QUESTIONS = 10
FAINTEST = 0.01  # voice of a generator that is wrong more often than right: it can only break ties
ROUNDS = 2
TOLERANCE = 1e-9  # below which a weight is the rounding of zero


def system_of(generator: str) -> str:
    """Name the system that a generator belongs to: names that agree up to the first '/' are stages of one."""
    return generator.partition("/")[0]


def accuracy_of(generator: str, accuracies: Mapping[str, float]) -> float:
    """How often a generator is right, 0..1: as given for it or its system, else what is assumed."""
    system = system_of(generator)
    assumed = ACCURACIES.get(system, ACCURACY)
    return accuracies.get(generator, accuracies.get(system, assumed))


def weigh_candidates(candidates: Sequence[Repair], accuracies: Mapping[str, float]) -> dict[str, float]:
    """Weigh one question's candidates, by candidate id; the weights sum to 1.

    A system has one voice however much it writes, as loud as the log-odds of its accuracy (the weight under which a
    vote of independent voices errs least). Its candidates share that voice: equally when they are samples or stages;
    those of a RANKED generator so that each counts DECAY times the one before it.
    """
    shares: dict[str, list[float]] = defaultdict(list)
    for candidate in candidates:
        system = system_of(candidate.generator)
        shares[system].append(DECAY ** len(shares[system]) if system in RANKED else 1.0)
    places: Counter[str] = Counter()
    weights = {}
    for candidate in candidates:
        system = system_of(candidate.generator)
        share = shares[system][places[system]] / sum(shares[system])
        places[system] += 1
        weights[candidate.candidate_id] = share * _voice(accuracy_of(candidate.generator, accuracies))
    total = sum(weights.values())
    return {name: weight / total for name, weight in weights.items()}


def _voice(accuracy: float) -> float:
    accuracy = min(max(accuracy, 0.001), 0.999)
    return max(FAINTEST, math.log(accuracy / (1 - accuracy)))


def estimate_accuracies(repairs: Iterable[Repair], empty_is_wrong: bool) -> dict[str, float]:
    """Estimate without any gold how often each generator is right: how often the other systems' vote gives its result.

    Two rounds: the vote under assumed accuracies, then under those that it led to. Meant for one batch of questions or
    more; with few questions the estimate stays near what is assumed, and so it does for a system that is alone.
    Systems that err together are overrated.
    """
    by_question: dict[str, list[Repair]] = defaultdict(list)
    for repair in repairs:
        by_question[repair.question_id].append(repair)
    accuracies: dict[str, float] = {}
    for _ in range(ROUNDS):
        accuracies = _agreement(by_question.values(), accuracies, empty_is_wrong)
    return accuracies


def _agreement(
    questions: Iterable[Sequence[Repair]], accuracies: Mapping[str, float], empty_is_wrong: bool
) -> dict[str, float]:
    agreed: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    for candidates in questions:
        winners = _winners_without(candidates, weigh_candidates(candidates, accuracies), empty_is_wrong)
        heard: set[str] = set()
        for candidate in candidates:
            name, winner = candidate.generator, winners[system_of(candidate.generator)]
            if winner and not (name in heard and name in RANKED):
                asked[name] += 1
                agreed[name] += candidate.result_digest == winner
            heard.add(name)
    return {
        name: (agreed[name] + PRIOR_QUESTIONS * accuracy_of(name, {})) / (count + PRIOR_QUESTIONS)
        for name, count in asked.items()
    }


def _winners_without(
    candidates: Sequence[Repair], weights: Mapping[str, float], empty_is_wrong: bool
) -> dict[str, str]:
    """For each system the digest of the result with the most weight among the others, '' when they have none."""
    own: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    heard: dict[str, float] = defaultdict(float)
    blank = {c.result_digest for c in candidates if c.outcome in BLANK} if empty_is_wrong else set()
    for candidate in candidates:
        weight = weights[candidate.candidate_id] if candidate.outcome in RAN else 0.0
        own[system_of(candidate.generator)][candidate.result_digest] += weight
        heard[candidate.result_digest] += weight
    winners = {}
    for system, voice in own.items():
        others = {d: heard[d] - voice[d] for d in heard if d and heard[d] - voice[d] > TOLERANCE}
        winners[system] = max(others, key=lambda d: (d not in blank, others[d]), default="")
    return winners


def confidence(winner: float, others: Sequence[float], accuracies: Iterable[float]) -> float:
    """How sure an answer is, 0..1.

    It grows with the winning result's share of the weight and with its lead over the next one, and stays below the
    chance that at least one of the systems which gave it is right: one weak system that agrees with itself is not sure.
    """
    lead = max(0.0, winner - max(others, default=0.0))
    wrong = math.prod(1 - a for a in accuracies)
    return min(1.0, (winner + lead) / 2) * (1 - wrong)
