"""Price a run before it starts: the steps of a few questions, with stand-in answers and real prompts."""

import json
from collections.abc import Sequence
from functools import partial

from flows.answer_questions import offline_artifacts
from flows.batches import Batch, batches_of
from flows.build_indexes import build_indexes
from flows.manifests import manifest_of
from flows.model_choices import lineup_entries, role_choice
from flows.model_options import Roles
from flows.model_settings import given_prices, with_local_models
from flows.options import Options
from nl2sql.benchmarks import Benchmark, load_benchmark
from nl2sql.errors import UserError
from nl2sql.execution import ExecutionResult
from nl2sql.models.chat import Reply, Request
from nl2sql.models.choices import ModelChoice
from nl2sql.models.prices import Prices
from nl2sql.models.prompted.compare_answers import PairJudge
from nl2sql.models.prompted.fix_candidates import Fixer
from nl2sql.models.prompted.generate_candidates import Prompted
from nl2sql.models.prompted.ground_questions import QuestionReader
from nl2sql.models.prompted.link_schema import SchemaLinker
from nl2sql.models.prompted.summarise_fields import SummaryWriter
from nl2sql.models.quote import Quote, price_requests
from nl2sql.models.rules.generator import Rules
from nl2sql.models.scripted import Scripted
from nl2sql.models.session import Session
from nl2sql.online.context import DatabaseContext
from nl2sql.online.generate_candidates import generate_candidates
from nl2sql.online.ground_questions import ground_questions
from nl2sql.online.link_schema import link_schema
from nl2sql.online.repair_candidates import Broken, repair_candidates
from nl2sql.online.select_answers import Pair
from nl2sql.rows import Candidate, Grounding, Linking, Question
from tasks.database_context import open_context

SAMPLE = 12
# How often a question is expected to have a candidate fixed, two compared, a tie broken: assumptions, stated with
# every quote.
TIMES = {"fix": 1.0, "compare": 3.0, "tiebreak": 1.0}
FAILED = ExecutionResult("error", "no such column: name", (), (), 0, 0.0, "")


def quote_run(
    dataset: str,
    databases: tuple[str, ...],
    limit: int | None,
    split: str,
    artifacts: str,
    options: Options,
    sample: int = SAMPLE,
) -> Quote:
    """What the preset's models will cost for a dataset; profiles and indexes are made first where they are missing.

    Nothing is asked of any model. Raises UserError for a dataset without questions.
    """
    options = with_local_models(options, artifacts)
    unpaid = options.model_copy(update={"roles": Roles(), "lineup": Options().lineup})
    indexed = manifest_of(build_indexes(dataset, databases, split, artifacts, unpaid, return_state=True))
    benchmark = load_benchmark(dataset, split, databases)
    offline = offline_artifacts(indexed, benchmark.databases)
    questions = [q for q in benchmark.questions[:limit] if q.db_id in offline]
    if not questions:
        raise UserError(f"{dataset} has no questions to price. To ask one: nl2sql ask FILE QUESTION")
    model = Scripted(lambda request: Reply("", request.model, failure="unavailable"))
    for db_id in dict.fromkeys(q.db_id for q in questions):
        _describe(open_context(offline[db_id]), options, model)
    chosen = spread(questions, sample)
    for batch in _batches(benchmark, chosen):
        rehearse(batch.blind, open_context(offline[batch.db_id]), options, model)
    prices = Prices({p.model: p for p in given_prices(options)})
    return price_requests(model.asked, len(chosen), len(questions), prices, TIMES)


def spread(questions: Sequence[Question], count: int) -> list[Question]:
    """At most so many of the questions, at even distances."""
    step = max(1.0, len(questions) / count)
    return [questions[int(i * step)] for i in range(min(count, len(questions)))]


def _batches(benchmark: Benchmark, chosen: Sequence[Question]) -> list[Batch]:
    ids = {(q.db_id, q.question_id) for q in chosen}
    found = (
        Batch(b.db_id, b.number, tuple(q for q in b.questions if (q.db_id, q.question_id) in ids))
        for b in batches_of(benchmark, None, len(benchmark.questions))
    )
    return [b for b in found if b.questions]


def _describe(context: DatabaseContext, options: Options, model: Scripted) -> None:
    choice = role_choice(options, "summarise")
    if choice:
        SummaryWriter(Session(model), choice)(context.profiles, context.summaries)


def rehearse(questions: Sequence[Question], context: DatabaseContext, options: Options, model: Scripted) -> None:
    """Go through the online steps; `model` keeps what is asked. What it does not answer is done without a model."""
    session, rules = Session(model), Rules()
    ground, link, fix, compare = (role_choice(options, role) for role in ("ground", "link", "fix", "compare"))
    readings = partial(QuestionReader(session, ground), questions) if ground else None
    groundings = ground_questions(questions, context, example_limit=options.examples, readings=readings)
    linkings = link_schema(questions, groundings, context, draft=rules.draft)
    if link:
        model.asked += linking_requests(questions, groundings, linkings, context, link, role_choice(options, "draft"))
    entries = lineup_entries(options)
    prompted = [Prompted(e, session) for e in entries if e.maker == "prompted"]
    generate_candidates(questions, groundings, linkings, context, prompted)
    repairs = repair_candidates(
        questions, groundings, linkings, rules_candidates(questions, groundings, linkings, context), context, rounds=0
    )
    first = {r.question_id: r for r in reversed(repairs)}
    asked = [(q, g, k) for q, g, k in zip(questions, groundings, linkings, strict=True) if q.question_id in first]
    if compare:
        pairs = [Pair(q, first[q.question_id], first[q.question_id]) for q, _, _ in asked]
        PairJudge(session, compare, role_choice(options, "tiebreak")).compare(pairs, context)
    if fix:
        Fixer(session, fix)([Broken(q, g, k, first[q.question_id].sql, FAILED, ()) for q, g, k in asked], context)


def linking_requests(
    questions: Sequence[Question],
    groundings: Sequence[Grounding],
    linkings: Sequence[Linking],
    context: DatabaseContext,
    link: ModelChoice,
    draft: ModelChoice | None,
) -> list[Request]:
    """Both rounds and the drafts, answered with what the scores choose: only after a first round there is a second."""
    columns = {k.question_id: [{"table": c.table, "column": c.column} for c in k.links] for k in linkings}

    def answer(request: Request) -> str:
        return (
            "SELECT 1"
            if request.role == "draft"
            else json.dumps({"needs": "", "columns": columns[request.question_id]})
        )

    linker = Scripted(answer)
    link_schema(questions, groundings, context, chooser=SchemaLinker(Session(linker), link, draft))
    return linker.asked


def rules_candidates(
    questions: Sequence[Question],
    groundings: Sequence[Grounding],
    linkings: Sequence[Linking],
    context: DatabaseContext,
) -> list[Candidate]:
    """What stands in for candidates in the prompts that show some."""
    return generate_candidates(questions, groundings, linkings, context, [Rules()])
