"""How a task reaches models: one gateway per run and process, shared by all its tasks so that their calls overlap."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar

from nl2sql.models.budget import Budget
from nl2sql.models.courier import Courier
from nl2sql.models.gateway import Gateway
from nl2sql.models.local import local_model_for
from nl2sql.models.local_models import LocalFolders
from nl2sql.models.prices import Price, Prices
from nl2sql.models.rate_limits import ProviderLimits
from nl2sql.models.response_cache import FILE, ResponseCache
from nl2sql.models.session import Ledger, Session
from tasks.cached_task import Made


@dataclass(frozen=True)
class Access:
    """Everything that decides how models are reached and paid, and nothing that decides what they answer.

    It belongs to no cache key: an answer is the same whatever the limits were.
    """

    keyed: ClassVar[bool] = False
    of_this_process: ClassVar[bool] = True  # no worker of another process may have it
    run: str  # tasks of one run share limits and budget
    folder: str  # of the answers that are kept
    limits: tuple[ProviderLimits, ...] = ()
    prices: tuple[Price, ...] = ()
    fallbacks: tuple[tuple[str, str], ...] = ()  # model and the one to ask when it does not answer
    local: LocalFolders | None = None
    max_cost: float | None = None  # dollars
    questions: int = 0  # of the run, among which the budget is shared

    @contextmanager
    def lent(self) -> Iterator["Access"]:
        """This access for another process: with what is left of the cap, which nobody here spends meanwhile."""
        if not self.max_cost:
            yield self
            return
        budget, before = open_gateway(self).budget, paid(self.folder)
        assert budget is not None
        with _LENDING:
            left = max(0.0, budget.cap - budget.spent - budget.reserved)
            left = left if asyncio.run(budget.reserve(left)) else 0.0
            try:
                yield replace(self, max_cost=max(left, LEAST_CAP))
            finally:
                budget.settle(left, paid(self.folder) - before)


_GATEWAYS: dict[str, Gateway] = {}
_OPENING = Lock()
_LENDING = Lock()
LEAST_CAP = 1e-9  # dollars: a cap of 0 would be none


def open_session(access: Access) -> Session:
    """A session of the run's gateway, with a ledger of its own for one task."""
    gateway = open_gateway(access)
    return Session(gateway, Ledger(), gateway.budget, gateway.estimate)


def open_gateway(access: Access) -> Gateway:
    """The run's gateway in this process, made when it is first asked for."""
    with _OPENING:
        gateway = _GATEWAYS.get(access.run)
        if gateway is None:
            gateway = _GATEWAYS[access.run] = _make_gateway(access)
        if gateway.budget is not None:
            gateway.budget.questions = max(gateway.budget.questions, access.questions)
        return gateway


def paid(folder: str) -> float:
    """Dollars of all the answers and broken attempts that a folder of answers holds, whoever paid for them."""
    with closing(sqlite3.connect(Path(folder) / FILE, timeout=60)) as connection:
        return sum(
            connection.execute(f"SELECT COALESCE(SUM(dollars), 0) FROM {table}").fetchone()[0]
            for table in ("replies", "broken")
        )


def close_gateway(access: Access) -> None:
    """End the run's gateway, if it has one in this process."""
    with _OPENING:
        gateway = _GATEWAYS.pop(access.run, None)
    if gateway is not None:
        gateway.close()


def levels_of(access: Access | None) -> dict[str, int]:
    """How many questions of the run had to do with what, by the budget's levels; {} without a cap."""
    with _OPENING:
        gateway = _GATEWAYS.get(access.run) if access else None
    budget = gateway.budget if gateway else None
    return dict(Counter(level.name for level in budget.levels.values())) if budget else {}


def _make_gateway(access: Access) -> Gateway:
    prices = Prices({price.model: price for price in access.prices})
    limits = {limit.provider: limit for limit in access.limits}
    cache = ResponseCache(Path(access.folder))
    return Gateway(
        Courier(cache, limits, prices),
        cache,
        limits,
        prices,
        dict(access.fallbacks),
        Budget(access.max_cost, access.questions) if access.max_cost else None,
        local_model_for(access.local) if access.local else None,
    )


def made(rows: Any, session: Session | None) -> Any:
    """What a task returns: its rows, with the calls that they cost when it asked models."""
    if session is None:
        return rows
    return Made(rows, tuple(session.ledger.calls), session.ledger.complete)
