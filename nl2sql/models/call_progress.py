"""How far a run's calls are, for whoever watches."""

from dataclasses import dataclass, field
from threading import Lock

from nl2sql.models.chat import Reply


@dataclass
class CallProgress:
    """Counts of one gateway. Safe under threads."""

    asked: int = 0
    answered: int = 0  # failures included
    cached: int = 0  # of these, those that were paid for earlier
    dollars: float = 0.0  # paid now
    _lock: Lock = field(default_factory=Lock, repr=False)

    def ask(self, count: int) -> None:
        """Note calls that are wanted."""
        with self._lock:
            self.asked += count

    def answer(self, reply: Reply) -> None:
        """Note what became of one."""
        with self._lock:
            self.answered += 1
            self.cached += reply.cached
            self.dollars += 0.0 if reply.cached else reply.dollars

    def __str__(self) -> str:
        kept = f", {self.cached:,} from cache" if self.cached else ""
        return f"{self.answered:,} of {self.asked:,} calls{kept}, ${self.dollars:.3f}"
