"""Op 7 by models: an entry of the lineup asks for the product of its views, efforts, temperatures, prompts, samples."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import cast

from nl2sql.models.ask import ask_models
from nl2sql.models.chat import Request
from nl2sql.models.choices import LineupEntry, ModelChoice
from nl2sql.models.generator import Asked
from nl2sql.models.prompted.make_request import make_request
from nl2sql.models.read_answers import read_sql
from nl2sql.models.session import Session
from nl2sql.online.context import DatabaseContext
from nl2sql.prompts.render import render
from nl2sql.prompts.schema_text import Notation, schema_values
from nl2sql.prompts.task_text import asked_values, examples_text
from nl2sql.rows import Candidate, ColumnName, ExampleHit, Linking

WIDE = 400  # columns of a database that is shown whole in the same words for every question; of wider ones not all fit


@dataclass(frozen=True)
class Prompted:
    """A generator that asks a model. Those of one lineup share a session and are best asked by `generate_together`."""

    entry: LineupEntry
    session: Session

    @property
    def name(self) -> str:
        """The entry's name."""
        return self.entry.name

    def generate(self, asked: Sequence[Asked], context: DatabaseContext) -> list[list[Candidate]]:
        """One candidate for each answer that holds a query, numbered by what was asked for: NAME/1 is wanted first."""
        return generate_together([self], asked, context)[0]


@dataclass(frozen=True)
class Wanted:
    """A candidate to ask for."""

    generator: int  # place in the lineup
    question: int  # place in the batch
    number: int  # of the candidate among its generator's, from 1: the first ones matter most
    view: str
    prompt: str
    request: Request


def generate_together(
    generators: Sequence[Prompted], asked: Sequence[Asked], context: DatabaseContext
) -> list[list[list[Candidate]]]:
    """Ask for the candidates of several generators in one call: by generator, then by question.

    Where the budget does not stretch to all, the first candidate of every generator comes before the second of any.
    An answer without a query gives no candidate. Raises ModelsStopped.
    """
    found: list[list[list[Candidate]]] = [[[] for _ in asked] for _ in generators]
    if not generators or not asked:
        return found
    wanted = [
        w for g, made in enumerate(generators) for q, a in enumerate(asked) for w in _want(made.entry, g, a, q, context)
    ]
    session = generators[0].session
    kept = _afford(session, wanted, asked)
    statements = ask_models(session, [w.request for w in kept], lambda _, text: read_sql(text))
    for w, sql in zip(kept, statements, strict=True):
        if sql is not None:
            found[w.generator][w.question].append(_candidate(w, generators[w.generator].name, sql))
    return found


def _candidate(wanted: Wanted, name: str, sql: str) -> Candidate:
    request = wanted.request
    return Candidate(
        question_id=request.question_id,
        db_id=request.db_id,
        candidate_id=f"{name}/{wanted.number}",
        generator=name,
        model=request.model,
        view=wanted.view,
        prompt=wanted.prompt,
        sample=request.sample,
        sql=sql,
    )


def _afford(session: Session, wanted: Sequence[Wanted], asked: Sequence[Asked]) -> list[Wanted]:
    """What the budget allows of it, planned for the batch as a whole."""
    if session.budget is None:
        return list(wanted)
    by_question: list[list[Wanted]] = [[] for _ in asked]
    for w in sorted(wanted, key=lambda w: (w.number, w.generator)):
        by_question[w.question].append(w)
    costs = [sum(map(session.estimate, (w.request for w in rank))) / len(rank) for rank in _ranks(by_question)]
    level = session.budget.plan([a.question.question_id for a in asked], costs)
    if any(len(some) > level.candidates for some in by_question):
        session.ledger.degrade()
    return [w for some in by_question for w in some[: level.candidates]]


def _ranks(by_question: Sequence[Sequence[Wanted]]) -> Iterator[list[Wanted]]:
    """What all questions want first, what they want second, and so on."""
    for rank in range(max(map(len, by_question))):
        yield [some[rank] for some in by_question if len(some) > rank]


def _want(entry: LineupEntry, generator: int, asked: Asked, place: int, context: DatabaseContext) -> list[Wanted]:
    """An entry's requests for one question. Views vary first, so that the first candidates differ most."""
    assert entry.choice is not None, f"{entry.name} is prompted and has no model"
    choice = entry.choice
    efforts, temperatures = entry.efforts or (choice.effort,), entry.temperatures or (choice.temperature,)
    wanted: list[Wanted] = []
    known: set[str] = set()
    for sample, prompt, temperature, effort, view in product(
        range(entry.samples), entry.prompts, temperatures, efforts, entry.views
    ):
        variant = replace(choice, temperature=temperature, effort=effort)
        request = _unlike(known, entry, variant, prompt, view, sample, asked, context)
        known.add(request.key)
        wanted.append(Wanted(generator, place, len(wanted) + 1, view, prompt, request))
    return wanted


def _unlike(
    known: set[str],
    entry: LineupEntry,
    choice: ModelChoice,
    prompt: str,
    view: str,
    sample: int,
    asked: Asked,
    context: DatabaseContext,
) -> Request:
    """The request, as a further sample where it equals a known one: two views may show the same columns."""
    request = _request(entry, choice, prompt, view, sample, asked, context)
    while request.key in known:
        sample += entry.samples
        request = _request(entry, choice, prompt, view, sample, asked, context)
    return request


def _request(
    entry: LineupEntry,
    choice: ModelChoice,
    prompt: str,
    view: str,
    sample: int,
    asked: Asked,
    context: DatabaseContext,
) -> Request:
    # A model that is not sampled at a temperature answers differently only when it is told things differently. What
    # stands late in the prompt is changed where it can be, as providers cache its beginning.
    order = 0 if choice.temperature else sample
    examples = asked.grounding.examples[: entry.examples]
    columns = columns_of(asked.linking, view) or _linked_first(asked.linking, context)
    shuffle = order if len(examples) < 2 else 0
    notation = cast(Notation, entry.schema_format)
    text = render(
        f"generate/{prompt}",
        **schema_values(context, columns, notation, entry.context_tokens, shuffle=shuffle),
        **asked_values(asked.question, asked.grounding, columns),
        examples=examples_text(_permuted(examples, order), entry.examples),
    )
    request = make_request(choice, text, "generate", asked.question.db_id, asked.question.question_id)
    return replace(request, sample=sample, generator=entry.name)


def columns_of(linking: Linking, view: str) -> tuple[ColumnName, ...] | None:
    """The columns of a view: s1, s2, or full, which is None; an empty view shows everything as well."""
    if view == "full":
        return None
    most = {"s1": 1, "s2": 2}[view]
    return tuple(ColumnName(k.table, k.column) for k in linking.links if k.view <= most) or None


def _linked_first(linking: Linking, context: DatabaseContext) -> tuple[ColumnName, ...] | None:
    """All columns of a wide database, the linked ones first, since the last may not fit; None for any other."""
    every = context.schema.column_names
    if len(every) <= WIDE:
        return None
    return tuple(dict.fromkeys((*(ColumnName(k.table, k.column) for k in linking.links), *every)))


def _permuted(examples: Sequence[ExampleHit], seed: int) -> list[ExampleHit]:
    """The examples in another order for each seed, in their own for 0."""
    shuffled = list(examples)
    if seed:
        random.Random(seed).shuffle(shuffled)
    return shuffled
