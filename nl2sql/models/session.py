"""What a step that asks models is handed: the model, the ledger of its calls and the budget of the run."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from nl2sql.models.budget import Budget
from nl2sql.models.chat import Model, Reply, Request
from nl2sql.rows import ModelCall


@dataclass
class Ledger:
    """The calls of one task, and whether all that it is made of can be kept for good."""

    calls: list[ModelCall] = field(default_factory=list)
    complete: bool = True
    _lock: Lock = field(default_factory=Lock, repr=False)

    def record(self, request: Request, reply: Reply, outcome: str, again: bool = False) -> None:
        """Add a call; `outcome` is ok, invalid (an answer that could not be read), or the reply's failure.

        `again` is for one that is made once more because the answer before it could not be used.
        """
        with self._lock:
            self.complete = self.complete and reply.lasting
            self.calls.append(_row(len(self.calls), request, reply, outcome, again))

    def degrade(self) -> None:
        """Note that something was left out for the budget's sake: a run with more money would make more."""
        with self._lock:
            self.complete = False


def free(request: Request) -> float:
    """What calls are expected to cost where nothing is paid for."""
    return 0.0


@dataclass(frozen=True)
class Session:
    """Models, for the length of one task. Without a cap there is no budget."""

    model: Model
    ledger: Ledger = field(default_factory=Ledger)
    budget: Budget | None = None
    estimate: Callable[[Request], float] = free  # dollars that a call is expected to cost


def _row(number: int, request: Request, reply: Reply, outcome: str, again: bool) -> ModelCall:
    return ModelCall(
        number=number,
        key=request.key,
        role=request.role,
        generator=request.generator,
        db_id=request.db_id,
        question_id=request.question_id,
        prompt=request.prompt.name,
        sample=request.sample,
        model_asked=request.model,
        model=reply.model,
        input_tokens=reply.usage.input_tokens,
        cache_read_tokens=reply.usage.cache_read_tokens,
        cache_write_tokens=reply.usage.cache_write_tokens,
        output_tokens=reply.usage.output_tokens,
        reasoning_tokens=reply.usage.reasoning_tokens,
        dollars=reply.dollars,
        uncertain_dollars=reply.uncertain_dollars,
        seconds=reply.seconds,
        attempts=reply.attempts,
        cached=reply.cached,
        again=again,
        outcome=outcome,
        error=reply.error,
    )
