"""What a run's calls to models cost, and what became of them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from statistics import mean, median
from typing import Any

from nl2sql.reporting.shares import money, percent, quantile
from nl2sql.rows import ModelCall

ROLES = ("summarise", "ground", "link", "draft", "generate", "fix", "compare", "tiebreak")
ANSWERED = ("ok", "invalid", "refused", "cut")  # outcomes of calls that came back
ASKED_AGAIN = ("invalid", "cut")  # outcomes after which a call is made once more
UNLIMITED = "full"  # what the budget takes nothing away from


@dataclass(frozen=True, slots=True)
class CountedCall:
    """A call with what it adds to the bill: an answer that several calls got counts once."""

    call: ModelCall
    earlier: bool  # paid before this run, or by another call of it
    repeated: bool  # another call of the run stands for the same answer

    @property
    def dollars(self) -> float:
        """What the answer cost whoever paid for it; 0 for a repeated one."""
        return 0.0 if self.repeated else finite(self.call.dollars)


@dataclass(frozen=True)
class Spread:
    """Dollars per question, over all questions, those without a call too."""

    mean: float
    median: float
    p95: float
    most: float


@dataclass(frozen=True)
class ModelUse:
    """All calls of one operation to one model; tokens and dollars count an answer that was got twice once."""

    role: str
    model: str
    calls: int
    earlier: int  # of these, answered from what was paid before
    input_tokens: int
    cache_read_tokens: int  # of these, read from the provider's cache
    output_tokens: int
    reasoning_tokens: int  # of these, thinking
    dollars: float
    per_question: float  # dollars over all questions of the run
    median_seconds: float | None
    p95_seconds: float | None

    @property
    def cached_share(self) -> float:
        """Input tokens that the provider had cached, in percent."""
        return percent(self.cache_read_tokens, self.input_tokens)


@dataclass(frozen=True)
class RoleOutcomes:
    """What became of the calls of one operation."""

    role: str
    calls: int
    outcomes: Mapping[str, int]  # as in ModelCall; ok among them
    again: int  # calls that asked once more
    given_up: int  # requests without a usable answer in the end
    without: int  # questions (and databases, for what they share) for which the step went without the model somewhere
    other_model: int  # answers by the fallback model


@dataclass(frozen=True)
class ModelCosts:
    """Every figure of a run's model calls."""

    calls: int
    earlier: int  # answered from what was paid before
    dollars: float  # of all answers that the run is made of, whoever paid for them
    paid: float  # by this run
    uncertain: float  # at most so much more, for attempts that broke off
    shared: float  # of `dollars`, what belongs to no question of the run: summaries of fields
    per_question: Spread
    by_question: tuple[float, ...]  # dollars, in the questions' order
    uses: tuple[ModelUse, ...]  # by operation, then dearest first
    outcomes: tuple[RoleOutcomes, ...]
    generators: Mapping[str, float]  # dollars that each lineup entry's candidates cost
    degraded: Mapping[str, int]  # questions by what the budget left them, in its order; nothing for full ones
    unpriced: int  # calls whose dollars are no number, counted as 0


def finite(value: float) -> float:
    """The value, 0 for infinities and NaN."""
    return value if isfinite(value) else 0.0


def model_costs(
    question_ids: Sequence[str],
    made: Sequence[ModelCall],
    reused: Sequence[ModelCall] = (),
    degraded: Mapping[str, int] | None = None,
) -> ModelCosts | None:
    """Count the calls of artifacts that this run made and of those that it reused; None where models had no part."""
    limited = {name: n for name, n in (degraded or {}).items() if n and name != UNLIMITED}
    if not made and not reused and not limited:
        return None
    calls, ids = count_calls(made, reused), list(dict.fromkeys(question_ids))
    dollars: dict[str, float] = defaultdict(float)
    generators: dict[str, float] = defaultdict(float)
    for c in calls:
        dollars[c.call.question_id] += c.dollars
        if c.call.role == "generate":
            generators[c.call.generator] += c.dollars
    by_question = tuple(dollars.get(key, 0.0) for key in ids)
    return ModelCosts(
        len(calls),
        sum(c.earlier for c in calls),
        sum(c.dollars for c in calls),
        sum(c.dollars for c in calls if not c.earlier),
        sum(finite(c.call.uncertain_dollars) for c in calls if not c.repeated),
        sum(spent for key, spent in dollars.items() if key not in set(ids)),
        _spread(by_question),
        by_question,
        _uses(calls, len(ids)),
        _outcomes(calls),
        dict(generators),
        limited,
        sum(not isfinite(c.call.dollars) for c in calls),
    )


def count_calls(made: Iterable[ModelCall], reused: Iterable[ModelCall] = ()) -> list[CountedCall]:
    """Tell the calls that were paid now from those paid before, and those that stand for an answer already counted."""
    calls = [(c, c.cached) for c in made] + [(c, True) for c in reused]
    standing = {c.key for c, _ in calls if not c.cached and c.outcome in ANSWERED}
    counted = []
    for call, earlier in calls:
        counted.append(CountedCall(call, earlier, call.cached and call.key in standing))
        if call.cached:
            standing.add(call.key)
    return counted


def _spread(dollars: Sequence[float]) -> Spread:
    if not dollars:
        return Spread(0.0, 0.0, 0.0, 0.0)
    return Spread(mean(dollars), median(dollars), quantile(dollars, 0.95), max(dollars))


def _uses(calls: Sequence[CountedCall], n: int) -> tuple[ModelUse, ...]:
    members: dict[tuple[str, str], list[CountedCall]] = defaultdict(list)
    for c in calls:
        members[c.call.role, c.call.model or c.call.model_asked].append(c)
    uses = [_use(role, model, found, n) for (role, model), found in members.items()]
    return tuple(sorted(uses, key=lambda u: (role_order(u.role), -u.dollars, u.model)))


def _use(role: str, model: str, calls: Sequence[CountedCall], n: int) -> ModelUse:
    single = [c.call for c in calls if not c.repeated]
    seconds = [c.seconds for c in single if isfinite(c.seconds) and c.outcome in ANSWERED]
    names = ("input_tokens", "cache_read_tokens", "output_tokens", "reasoning_tokens")
    dollars = sum(c.dollars for c in calls)
    return ModelUse(
        role,
        model,
        len(calls),
        sum(c.earlier for c in calls),
        *(sum(getattr(c, name) for c in single) for name in names),
        dollars=dollars,
        per_question=dollars / n if n else 0.0,
        median_seconds=median(seconds) if seconds else None,
        p95_seconds=quantile(seconds, 0.95) if seconds else None,
    )


def role_order(role: str) -> tuple[int, str]:
    """Sorts operations as a run goes through them, unknown ones last."""
    return (ROLES.index(role) if role in ROLES else len(ROLES), role)


def _outcomes(calls: Sequence[CountedCall]) -> tuple[RoleOutcomes, ...]:
    members: dict[str, list[ModelCall]] = defaultdict(list)
    for c in calls:
        members[c.call.role].append(c.call)
    return tuple(_role_outcomes(role, members[role]) for role in sorted(members, key=role_order))


def _role_outcomes(role: str, calls: Sequence[ModelCall]) -> RoleOutcomes:
    lost = [c for c in calls if gave_up(c)]
    return RoleOutcomes(
        role,
        len(calls),
        dict(Counter(c.outcome for c in calls).most_common()),
        sum(c.again for c in calls),
        len(lost),
        len({(c.db_id, c.question_id) for c in lost}),
        sum(c.outcome in ANSWERED and c.model != c.model_asked for c in calls),
    )


def gave_up(call: ModelCall) -> bool:
    """Whether a step went without what it asked for: an unusable answer is asked for once more, other failures not."""
    return call.outcome != "ok" and (call.again or call.outcome not in ASKED_AGAIN)


def cost_notes(costs: ModelCosts | None, n: int) -> list[str]:
    """What a reader of the run must know of its models, a line each."""
    if costs is None:
        return []
    notes = []
    if costs.degraded:
        levels = ", ".join(f"{name} {count:,}" for name, count in costs.degraded.items())
        limited = sum(costs.degraded.values())
        notes.append(f"the budget took something away from {limited:,} of {n:,} questions: {levels}")
    lost = [f"{o.role} {o.without:,}" for o in costs.outcomes if o.without]
    if lost:
        notes.append(f"questions for which a step went without its model, by operation: {', '.join(lost)}")
    other = sum(o.other_model for o in costs.outcomes)
    if other:
        notes.append(f"answers by a fallback model: {other:,}")
    if costs.uncertain:
        notes.append(f"attempts that broke off may have cost up to {money(costs.uncertain)} more")
    if costs.unpriced:
        notes.append(f"calls whose price is no number, counted as $0: {costs.unpriced:,}")
    return notes


def costs_json(costs: ModelCosts | None) -> dict[str, Any] | None:
    """The figures as plain data: dollars, tokens, seconds, shares in percent; null where models had no part."""
    if costs is None:
        return None
    sums = ("calls", "earlier", "dollars", "paid", "uncertain", "shared")
    return {
        **{name: _plain(getattr(costs, name)) for name in sums},
        "per_question": {name: _plain(value) for name, value in asdict(costs.per_question).items()},
        "uses": [
            {**{k: _plain(v) for k, v in asdict(u).items()}, "cached_share": _plain(u.cached_share)} for u in costs.uses
        ],
        "outcomes": {o.role: {k: v for k, v in asdict(o).items() if k != "role"} for o in costs.outcomes},
        "degraded": dict(costs.degraded),
        "unpriced": costs.unpriced,
    }


def _plain(value: Any) -> Any:
    return round(value, 8) if isinstance(value, float) else value
