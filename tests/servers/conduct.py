"""How the server behaves: latency, limits, prices, fixed answers, misbehaviours. All of it can change while it runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.servers.misbehaviour import Misbehaviour
from tests.servers.script import Asked


@dataclass(frozen=True)
class FixedAnswer:
    """An answer set by a test; the first whose conditions hold goes before the script."""

    text: str
    role: str = ""
    model: str = ""
    contains: str = ""  # in the system or user text
    sample: int | None = None
    logprobs: tuple[tuple[str, float], ...] = ()

    def fits(self, asked: Asked) -> bool:
        return (
            self.role in ("", asked.role)
            and self.model in asked.model
            and (self.contains in asked.system or self.contains in asked.user)
            and self.sample in (None, asked.sample)
        )


@dataclass(frozen=True)
class Conduct:
    """How the server behaves; all of it can be changed while it runs."""

    latency: float = 0.0  # seconds from the request to the first byte of its answer
    spread: float = 0.0  # sigma of a log-normal factor on the latency
    misbehaviours: tuple[Misbehaviour, ...] = ()
    answers: tuple[FixedAnswer, ...] = ()
    concurrency: int = 0  # calls at a time and wire before it says 429; 0 for any number
    requests_per_minute: int = 0  # likewise, with Retry-After
    prices: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # before those of the price map
    models: tuple[str, ...] = ()  # that exist; () for all


def read_conduct(given: Mapping[str, Any], before: Conduct) -> Conduct:
    """A conduct changed by JSON. Raises TypeError or ValueError for what there is not."""
    changes = dict(given)
    if "misbehaviours" in changes:
        rules = [{"kind": rule} if isinstance(rule, str) else rule for rule in changes["misbehaviours"]]
        changes["misbehaviours"] = tuple(Misbehaviour(**{k: _frozen(v) for k, v in rule.items()}) for rule in rules)
    if "answers" in changes:
        changes["answers"] = tuple(FixedAnswer(**{k: _frozen(v) for k, v in a.items()}) for a in changes["answers"])
    return replace(before, **{key: _frozen(value) for key, value in changes.items()})


def _frozen(value: Any) -> Any:
    return tuple(_frozen(v) for v in value) if isinstance(value, list) else value
