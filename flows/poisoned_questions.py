"""Questions that make their task fail, or end its process: found, set aside with their error, and left out from then.

A batch that fails for a reason that nobody foresaw is halved again and again, until the questions that fail on their
own are known; it is then submitted once more without them. What fails as a whole (a broken index, a bug that every
question meets) is no matter of single questions, and stays a failed batch.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from prefect import get_run_logger
from prefect.futures import PrefectFuture

from flows.batches import Batch
from flows.manifests import Follow, Submission, settle
from flows.options import Options
from nl2sql.errors import UserError
from nl2sql.rows import Database, Question, SetAside, Step
from tasks.artifact_store import ArtifactStore, Provenance, read_rows
from tasks.cached_task import digest_of
from tasks.run_apart import FailedApart
from tasks.under_way import ProcessDied

MOST = 4  # parts of one batch that may fail: with more of them it is not single questions
ROUNDS = 5  # times that one batch is submitted again
PHASES = {"select_answers": 1, "score_answers": 2, "measure_recall": 2, "execute_golds": 2, "score_corrected": 2}
ANSWERING, SELECTING, SCORING = 0, 1, 2
Part = tuple[Question, ...]


@dataclass(frozen=True)
class Aside:
    """The questions of some databases that are set aside, kept as one artifact per database."""

    store: ArtifactStore
    databases: tuple[Database, ...]
    tries: int

    @cached_property
    def by_database(self) -> dict[str, tuple[SetAside, ...]]:
        """What was set aside by now, by earlier runs and by this one."""
        found = {d.db_id: self.store.find("set_aside", _key(d)) for d in self.databases}
        return {db_id: tuple(read_rows(a, SetAside)) if a else () for db_id, a in found.items()}

    def keep(self, db_id: str, rows: Sequence[SetAside]) -> None:
        """Replace what is set aside of a database."""
        (database,) = [d for d in self.databases if d.db_id == db_id]
        self.store.write("set_aside", _key(database), list(rows), Provenance("set_aside"))
        self.by_database[db_id] = tuple(rows)

    def add(self, db_id: str, rows: Sequence[SetAside]) -> None:
        """Set more questions of a database aside."""
        known = {_identity(row): row for row in (*self.by_database[db_id], *rows)}
        self.keep(db_id, list(known.values()))

    def forget(self, batches: Iterable[Batch]) -> None:
        """Try the questions of these batches again."""
        asked = {(b.db_id, q.question, q.evidence) for b in batches for q in b.questions}
        for db_id, rows in list(self.by_database.items()):
            kept = [row for row in rows if (db_id, row.question, row.evidence) not in asked]
            if len(kept) < len(rows):
                self.keep(db_id, kept)

    def without(self, batches: Iterable[Batch], phase: int = SCORING) -> list[Batch]:
        """The batches without the questions that are set aside in this phase or before; empty ones are left out."""
        left = (replace(b, questions=tuple(q for q in b.questions if not self._out(q, phase))) for b in batches)
        return [batch for batch in left if batch.questions]

    def among(self, questions: Iterable[Question]) -> list[SetAside]:
        """What is set aside of these questions, under the ids that they have now."""
        return [replace(r, question_id=q.question_id) for q in questions for r in self._rows(q, SCORING)[:1]]

    def _out(self, question: Question, phase: int) -> bool:
        return bool(self._rows(question, phase))

    def _rows(self, question: Question, phase: int) -> list[SetAside]:
        said = (question.question, question.evidence)
        rows = self.by_database.get(question.db_id, ())
        return [r for r in rows if (r.question, r.evidence) == said and PHASES.get(r.stage, ANSWERING) <= phase]


def _key(database: Database) -> str:
    return digest_of(("set aside", database))[:32]


def _identity(row: SetAside) -> tuple[str, str, str]:
    return row.question, row.evidence, row.stage


def open_aside(store: ArtifactStore, databases: Iterable[Database], options: Options) -> Aside:
    """What is set aside of these databases."""
    return Aside(store, tuple(databases), options.tries)


def settle_around(
    stage: str,
    batches: Sequence[Batch],
    submit: Callable[[Batch], Sequence[Submission]],
    aside: Aside,
    beside: Sequence[Submission] = (),
    follow: Follow = lambda _: (),
) -> list[Step]:
    """Submit every batch and wait; those with poisoned questions once more without them. The steps that counted.

    Tasks `beside` are waited for with the first, as are those that `follow` submits.
    """
    waiting, others, steps, name = list(batches), list(beside), [], stage
    for left in reversed(range(ROUNDS + 1)):
        submitted = {b: submit(b) for b in waiting}
        every = [s for found in submitted.values() for s in found]
        settled = settle(name, [*every, *others], follow)
        poisoned = [b for b in waiting if left and _set_aside(submitted[b], every, aside)]
        again = {(b.db_id, b.number) for b in poisoned}
        steps += [s for s in settled if (s.db_id, s.batch) not in again]
        if not again:
            break
        phase = max(PHASES.get(s.task.name, ANSWERING) for s in every)
        waiting, others, name = aside.without(poisoned, phase), [], f"{stage} again"
    return steps


def _set_aside(submitted: Sequence[Submission], every: Sequence[Submission], aside: Aside) -> bool:
    """Set the poisoned questions of a batch aside; whether it is worth another go."""
    failed = next((s for s in submitted if unexpected(s) is not None), None)
    if failed is None:
        return False
    others = any(s.task.name == failed.task.name and s.future.state.is_completed() for s in every)
    try:
        found = find_poisoned(failed, others, aside.tries)
    except UserError:  # the disk, the provider, the budget: nothing that says anything about questions
        return False
    for row in found or ():
        get_run_logger().error("question %s of %s is set aside: %s", row.question_id, row.db_id, row.error)
    if found:
        aside.add(failed.db_id, found)
    return found is not None


def unexpected(submission: Submission) -> Exception | None:
    """What a task raised that is no user's mistake and no refusal of disks or providers; None if nothing."""
    submission.future.wait()
    state = submission.future.state
    if state.is_completed() or state.name == "NotReady":
        return None
    problem = submission.future.result(raise_on_failure=False)
    if isinstance(problem, UserError) and not isinstance(problem, ProcessDied):
        return None
    return problem if isinstance(problem, Exception) else None


def find_poisoned(failed: Submission, others_passed: bool, tries: int) -> list[SetAside] | None:
    """The questions that fail this task on their own, `tries` times each; None where it is not single questions.

    A single question must fail where others pass, unless it ends its process.
    """
    arguments = {n: v.result() if isinstance(v, PrefectFuture) else v for n, v in failed.arguments.items()}
    questions: Part = arguments.get("questions", ())
    attempt = _attempt(failed, arguments, apart=_ends_processes(unexpected(failed)))
    alone = _fail_alone(questions, attempt)
    if alone is None or (len(alone) == len(questions) > 1):
        return None
    stubborn = {q: e for q in alone if (e := _last_error(q, attempt, tries))}
    trusted = others_passed or len(questions) > 1 or any(isinstance(e, ProcessDied) for e in stubborn.values())
    return [_row(q, failed, e, tries) for q, e in stubborn.items()] if trusted else None


def _fail_alone(questions: Part, attempt: Callable[[Part], Exception | None]) -> list[Question] | None:
    """The questions that fail on their own, found by halving; None when too many parts fail."""
    suspects, alone = [questions], []
    while suspects:
        if len(suspects) + len(alone) > MOST:
            return None
        alone += [part[0] for part in suspects if len(part) == 1]
        halves = [half for part in suspects if len(part) > 1 for half in _halves(part)]
        suspects = [half for half in halves if attempt(half) is not None]
    return alone


def _halves(part: Part) -> tuple[Part, Part]:
    middle = len(part) // 2
    return part[:middle], part[middle:]


def _last_error(question: Question, attempt: Callable[[Part], Exception | None], tries: int) -> Exception | None:
    """What a question fails with when it is tried so often; None as soon as it passes."""
    error = None
    for _ in range(tries):
        if (error := attempt((question,))) is None:
            return None
    return error


def _attempt(failed: Submission, arguments: Mapping[str, Any], apart: bool) -> Callable[[Part], Exception | None]:
    """Run the failed task on some of its questions only; gives what it raises.

    It runs in another process where it has ended one, and from then on.
    """
    task, ends = failed.task, [apart]

    def attempt(part: Part) -> Exception | None:
        given = {**arguments, "questions": part}
        with ThreadPoolExecutor(1) as pool:
            problem = pool.submit(task.make, failed.store, f"{task.key(given)}-try", given, ends[0]).exception()
        ends[0] = ends[0] or isinstance(problem, ProcessDied)
        if isinstance(problem, UserError) and not isinstance(problem, ProcessDied):
            raise problem
        return problem if isinstance(problem, Exception) else None

    return attempt


def _ends_processes(problem: Exception | None) -> bool:
    """Whether a task ended the process it ran in: ours, set apart for it, or a worker of Dask."""
    return isinstance(problem, ProcessDied) or type(problem).__name__ == "KilledWorker"


def _row(question: Question, failed: Submission, error: Exception, tries: int) -> SetAside:
    said = str(error) if isinstance(error, ProcessDied | FailedApart) else f"{type(error).__name__}: {error}"
    q = question
    return SetAside(q.question_id, q.db_id, q.question, q.evidence, failed.task.name, " ".join(said.split()), tries)
