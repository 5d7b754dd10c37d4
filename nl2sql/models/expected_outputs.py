"""How long answers are likely to be: what was seen of each role and model, and before that a prior."""

from collections import defaultdict
from dataclasses import dataclass, field
from threading import Lock

from nl2sql.models.chat import Request, Usage

# Tokens of an answer by role, thinking included: guesses, which the first answers outweigh.
PRIORS = {
    "summarise": 900,
    "ground": 200,
    "link": 400,
    "draft": 250,
    "generate": 900,
    "fix": 600,
    "compare": 150,
    "tiebreak": 150,
}
OTHERWISE = 500
# What thinking multiplies them by: guesses, too.
EFFORT_FACTORS = {"low": 1.5, "medium": 2.5, "high": 4.0, "xhigh": 6.0, "max": 8.0}
PRIOR_WEIGHT = 3  # answers that the prior counts as much as


@dataclass
class ExpectedOutputs:
    """Running means of output tokens by role, model and effort. Safe under threads."""

    _seen: dict[tuple[str, str, str], tuple[int, int]] = field(default_factory=lambda: defaultdict(lambda: (0, 0)))
    _lock: Lock = field(default_factory=Lock, repr=False)

    def note(self, request: Request, usage: Usage) -> None:
        """Remember an answer's length."""
        with self._lock:
            calls, tokens = self._seen[_group(request)]
            self._seen[_group(request)] = calls + 1, tokens + usage.output_tokens

    def tokens(self, request: Request) -> float:
        """The likely length of the answer to a request."""
        prior = PRIORS.get(request.role, OTHERWISE) * EFFORT_FACTORS.get(request.effort, 1.0)
        calls, tokens = self._seen.get(_group(request), (0, 0))
        return min(request.max_tokens, (prior * PRIOR_WEIGHT + tokens) / (PRIOR_WEIGHT + calls))


def _group(request: Request) -> tuple[str, str, str]:
    return request.role, request.model, request.effort
