"""Op 7: every generator of the lineup proposes SQL for every question."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from nl2sql.models.generator import Asked, Generator
from nl2sql.models.prompted.generate_candidates import Prompted, generate_together
from nl2sql.online.context import DatabaseContext
from nl2sql.rows import Candidate, Grounding, Linking, Question


def generate_candidates(
    questions: Sequence[Question],
    groundings: Sequence[Grounding],
    linkings: Sequence[Linking],
    context: DatabaseContext,
    generators: Sequence[Generator],
    *,
    stand_in: Generator | None = None,
) -> list[Candidate]:
    """Candidates of one database's questions: by question, then in the order of the lineup.

    Groundings and linkings are found by question id; a question without them raises KeyError. Candidates without
    text are left out. All requests of the prompted generators go out together, and the others work meanwhile. Where
    no generator that asks models gave anything, the best of `stand_in` joins, unless its generator stands in the
    lineup itself. Raises ModelsStopped when going on is pointless.
    """
    grounding = {g.question_id: g for g in groundings}
    linking = {item.question_id: item for item in linkings}
    asked = [Asked(q, grounding[q.question_id], linking[q.question_id]) for q in questions]
    answers = _run_side_by_side(generators, asked, context)
    found = [[c for by_question in answers for c in by_question[i] if c.sql.strip()] for i in range(len(asked))]
    prompted = {g.name for g in generators if isinstance(g, Prompted)}
    if stand_in is not None and prompted and stand_in.name not in {g.name for g in generators}:
        _fill(found, prompted, asked, context, stand_in)
    return [candidate for candidates in found for candidate in candidates]


def _run_side_by_side(
    generators: Sequence[Generator], asked: Sequence[Asked], context: DatabaseContext
) -> list[list[list[Candidate]]]:
    """What each generator gave each question; those that wait for models do so on a thread of their own."""
    prompted = [g for g in generators if isinstance(g, Prompted)]
    if not prompted:
        return [g.generate(asked, context) for g in generators]
    with ThreadPoolExecutor(1, thread_name_prefix="prompted") as pool:
        waiting = pool.submit(generate_together, prompted, asked, context)
        worked = {g.name: g.generate(asked, context) for g in generators if not isinstance(g, Prompted)}
        given = dict(zip((g.name for g in prompted), waiting.result(), strict=True))
    return [(given if isinstance(g, Prompted) else worked)[g.name] for g in generators]


def _fill(
    found: list[list[Candidate]],
    prompted: set[str],
    asked: Sequence[Asked],
    context: DatabaseContext,
    stand_in: Generator,
) -> None:
    """Give the stand-in's best to the questions for which no prompted candidate came out."""
    empty = [i for i, candidates in enumerate(found) if not prompted & {c.generator for c in candidates}]
    for i, best in zip(empty, stand_in.generate([asked[i] for i in empty], context), strict=True):
        found[i] += best[:1]
