"""A hard cap in dollars for a run, and what a run does without as the cap comes near."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock


@dataclass(frozen=True)
class Level:
    """What one question may still have. The levels are tried in their order, the first that is affordable holds."""

    name: str
    candidates: int  # prompted ones, at most
    fixes: int  # attempts by a model per candidate, at most
    judged: bool  # close results are compared by a model; else the vote decides


MANY = 1_000
LEVELS = (
    Level("full", MANY, MANY, True),
    Level("six candidates", 6, MANY, True),
    Level("three candidates", 3, MANY, True),
    Level("one fix", 3, 1, True),
    Level("no fixes", 3, 0, True),
    Level("vote only", 3, 0, False),
    Level("one candidate", 1, 0, False),
    Level("no model", 0, 0, False),
)
USUAL_FIXES = 2  # attempts that a preset allows
# Dollars of fixing and comparing per dollar of generating, before any were seen: guesses, which calls soon outweigh.
PRIOR_SHARES = {"fix": 0.15, "compare": 0.3}
PLANNED = ("generate", "fix", "compare")  # roles whose calls a level decides
PRIOR_WEIGHT = 20.0  # candidates of the first plan that the prior counts as much as

Waiter = tuple[asyncio.AbstractEventLoop, "asyncio.Future[None]"]


@dataclass
class Budget:
    """The cap of one run in one process. Safe under threads; every call reserves its worst case before it is made.

    Answers from the response cache cost nothing of it: a run that is resumed has its whole cap for what is missing.
    """

    cap: float
    questions: int  # of the whole run
    spent: float = 0.0  # what answers cost, and what attempts that broke off may have cost
    reserved: float = 0.0  # worst cases of the calls under way
    levels: dict[str, Level] = field(default_factory=dict)  # by question id
    _by_role: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float), repr=False)
    _candidate_cost: float = field(default=0.0, repr=False)
    _promised: dict[str, float] = field(default_factory=dict, repr=False)  # expected dollars, by question id
    _waiting: list[Waiter] = field(default_factory=list, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def plan(self, question_ids: Sequence[str], costs: Sequence[float]) -> Level:
        """Choose and keep the level of some questions; `costs` are what their candidates are expected to cost each,

        in the order in which they are wanted. What is left is shared evenly among the questions not yet planned.
        """
        with self._lock:
            self._candidate_cost = self._candidate_cost or sum(costs) / max(1, len(costs))
            unplanned = max(self.questions - len(self.levels.keys() - set(question_ids)), len(question_ids), 1)
            for question_id in question_ids:
                self._promised.pop(question_id, None)
            share = max(0.0, self._left()) / unplanned
            level = next(level for level in LEVELS if self._expected(level, costs) <= share)
            self.levels.update(dict.fromkeys(question_ids, level))
            self._promised.update(dict.fromkeys(question_ids, self._expected(level, costs)))
            return level

    def level_of(self, question_id: str) -> Level:
        """The level that was planned for a question; the first one when none was."""
        return self.levels.get(question_id, LEVELS[0])

    async def reserve(self, bound: float) -> bool:
        """Set the worst case of a call aside; False when it cannot fit, however little the calls under way cost.

        Waits for calls under way to settle where the call could fit then.
        """
        while True:
            with self._lock:
                if self.spent + self.reserved + bound <= self.cap:
                    self.reserved += bound
                    return True
                if self.spent + bound > self.cap or self.reserved <= 0:
                    return False
                loop = asyncio.get_running_loop()
                waiter = loop.create_future()
                self._waiting.append((loop, waiter))
            await waiter

    def settle(self, bound: float, dollars: float, role: str = "") -> None:
        """Replace what was reserved for a call by what it cost, or may have cost. Breaking ties is comparing."""
        with self._lock:
            self.reserved = max(0.0, self.reserved - bound)
            self.spent += dollars
            self._by_role["compare" if role == "tiebreak" else role] += dollars
            waiting, self._waiting = self._waiting, []
        for loop, waiter in waiting:
            if not loop.is_closed():
                loop.call_soon_threadsafe(_wake, waiter)

    def _left(self) -> float:
        """Dollars for questions not yet planned: what the planned ones will cost is taken off, paid already or not.

        The worst cases of the calls under way are many times what they will cost; they matter only to `reserve`.
        """
        paid = sum(self._by_role[role] for role in PLANNED)
        return self.cap - (self.spent - paid) - max(paid, sum(self._promised.values()))

    def _expected(self, level: Level, costs: Sequence[float]) -> float:
        """Dollars per question: its candidates, and their share of fixes and comparisons as seen so far."""
        generated = sum(costs[: level.candidates])
        fixes = min(level.fixes, USUAL_FIXES) / USUAL_FIXES
        return generated * (1 + fixes * self._share("fix") + level.judged * self._share("compare"))

    def _share(self, role: str) -> float:
        """Running mean of a role's dollars per dollar of generation, from the prior on."""
        weight = PRIOR_WEIGHT * self._candidate_cost
        generated = self._by_role["generate"] + weight
        return (self._by_role[role] + PRIOR_SHARES[role] * weight) / generated if generated else PRIOR_SHARES[role]


def _wake(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)
