"""What a run will cost, before it starts: real prompts of a few questions at the prices of the price map."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from nl2sql.models.chat import Request
from nl2sql.models.expected_outputs import ExpectedOutputs
from nl2sql.models.prices import Prices, likely_tokens

LOCAL = "local:"
ONCE = ("summarise",)  # roles whose calls are made once per database, not for every question


@dataclass(frozen=True)
class QuoteLine:
    """One operation by one model. Of roles that work once per database the figures are of all of them."""

    role: str
    model: str
    calls: float  # a question
    input_tokens: float  # a question
    output_tokens: float
    dollars: float
    most: float  # dollars, were every answer as long as it may be


@dataclass(frozen=True)
class Quote:
    """The lines of a preset, and what they come to."""

    lines: tuple[QuoteLine, ...]
    questions: int  # of the run
    sampled: int  # questions whose prompts were rendered

    @property
    def per_question(self) -> float:
        """Dollars that one more question costs."""
        return sum(line.dollars for line in self.lines if line.role not in ONCE)

    @property
    def once(self) -> float:
        """Dollars for what is done once, whatever the number of questions."""
        return sum(line.dollars for line in self.lines if line.role in ONCE)

    @property
    def total(self) -> float:
        """Dollars for the run."""
        return self.once + self.per_question * self.questions


def price_requests(
    requests: Iterable[Request], sampled: int, questions: int, prices: Prices, times: Mapping[str, float]
) -> Quote:
    """Sum requests up by role and model, those of a role counted `times` over (1 where it is not named).

    Answers are as long as ExpectedOutputs expects before it has seen any; nothing is taken off for prompts that
    providers have cached. Local models cost nothing. Raises UserError for a model without a price.
    """
    groups: dict[tuple[str, str], list[Request]] = defaultdict(list)
    for request in requests:
        groups[request.role, request.model].append(request)
    lines = [_line(group, made, sampled, prices, times.get(group[0], 1.0)) for group, made in groups.items()]
    return Quote(tuple(sorted(lines, key=lambda line: -line.dollars)), questions, sampled)


def _line(group: tuple[str, str], requests: Sequence[Request], sampled: int, prices: Prices, times: float) -> QuoteLine:
    role, model = group
    share = times / (1 if role in ONCE else max(1, sampled))
    lengths = [ExpectedOutputs().tokens(r) for r in requests]
    free = model.startswith(LOCAL)
    dollars = sum(0.0 if free else prices.expected(r, n) for r, n in zip(requests, lengths, strict=True))
    most = sum(0.0 if free else prices.bound(r) for r in requests)
    tokens = sum(map(likely_tokens, requests))
    return QuoteLine(
        role, model, share * len(requests), share * tokens, share * sum(lengths), share * dollars, share * most
    )
