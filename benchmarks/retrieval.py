"""What grounding and linking find on benchmarks, without any model but the embeddings, with every method in turn off.

    python -m benchmarks.retrieval [DATASET ...] [--split dev] [--database ID] [--questions N] [--examples N] [--json]

Builds profiles and indexes in memory and prints one table, by default of BIRD's and Spider's questions in
../shared/data, with evidence and without: cell recall (strings of the gold SQL that were matched in their column), and
for linking's S2 strict recall (all columns of the gold SQL kept), recall, precision, mean columns kept, the tokens of
their schema in a prompt, and strict recall when exactly the 25 best-ranked columns are kept. `--detail` adds the parts
of each method. Tokens are counted as limits do, bytes / 2.5, an upper estimate. `--examples` training questions are
embedded. The reversed pass takes the draft of the rules; drafts are made once, not for each line.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import fmean

from rich.console import Console
from rich.table import Table

from benchmarks.measured import machine
from nl2sql.benchmarks import Benchmark, load_benchmark
from nl2sql.indexes.cells import CellIndex, index_cells
from nl2sql.indexes.columns import ColumnIndex, index_columns
from nl2sql.indexes.examples import ExampleIndex, index_examples
from nl2sql.models.rules.generator import Rules
from nl2sql.online.context import DatabaseContext
from nl2sql.online.ground_questions import ground_questions
from nl2sql.online.link_schema import LIMITS, Limits, link_schema
from nl2sql.online.score_columns import WEIGHTS
from nl2sql.profiling.profile_database import profile_database
from nl2sql.profiling.summarise_fields import summarise_fields
from nl2sql.prompts.schema_text import count_tokens, schema_text
from nl2sql.rows import CellMatch, ColumnName, Database, Grounding, Linking, Question
from nl2sql.schema import schema_from_profiles
from nl2sql.scoring.recall import measure_recall, strict_recall_of, summarise_recall

BUDGET = 25  # columns
DATA = Path("../shared/data")
NEVER = 10.0  # a threshold that nothing reaches
# Those of the cell path: what is left of cell recall when one kind of match is taken out.
MATCH_METHODS = ("exact", "casefold", "folded", "lsh", "date", "number", "shape", "variant", "evidence")


@dataclass(frozen=True)
class Asked:
    """The questions of one database, grounded, with the rules' drafts by question."""

    context: DatabaseContext
    questions: tuple[Question, ...]
    groundings: tuple[Grounding, ...]
    drafts: Mapping[str, str]


@dataclass(frozen=True)
class Variant:
    """Linking with something switched off."""

    name: str
    weights: Mapping[str, float] = field(default_factory=lambda: WEIGHTS)
    limits: Limits = LIMITS
    keep: Callable[[CellMatch], bool] = lambda cell: True
    drafted: bool = True


@dataclass(frozen=True)
class Line:
    """One line of the table; shares are 0..1."""

    dataset: str
    evidence: bool
    variant: str
    questions: int
    cell_recall: float
    strict_recall: float
    recall: float
    precision: float
    columns_kept: float
    prompt_tokens: float
    strict_at_budget: float
    precise_strict_recall: float  # of S1


def without(*signals: str) -> dict[str, float]:
    """The weights with some signals off."""
    return {**WEIGHTS, **dict.fromkeys(signals, 0.0)}


VARIANTS = (
    Variant("all methods"),
    Variant("- names", without("name", "table", "label")),
    Variant("- embeddings", without("embedding")),
    Variant("- values", keep=lambda cell: False),
    Variant("- examples", without("example")),
    Variant("- key closure", limits=replace(LIMITS, tables=0, keys_by_tables=False)),
    Variant("- reversed pass", drafted=False),
)
DETAILS = (
    *(Variant(f"- signal {name}", without(name)) for name in WEIGHTS),
    Variant("- second round", limits=replace(LIMITS, recall_score=NEVER)),
    Variant("- columns of cells", limits=replace(LIMITS, cell_score=NEVER)),
    *(Variant(f"- match {m}", keep=lambda cell, m=m: cell.method != m) for m in MATCH_METHODS),
)


def build_context(database: Database, examples: ExampleIndex) -> DatabaseContext:
    """Profile and index one database in memory."""
    profiles = profile_database(database)
    summaries = summarise_fields(profiles)
    return DatabaseContext(
        database,
        schema_from_profiles(profiles),
        tuple(profiles),
        tuple(summaries),
        CellIndex(index_cells(database, profiles), profiles),
        ColumnIndex(index_columns(summaries)),
        examples,
    )


def ground(contexts: Sequence[DatabaseContext], questions: Sequence[Question]) -> list[Asked]:
    """Ground the questions of every database and draft their SQL."""
    asked = []
    for context in contexts:
        own = [q for q in questions if q.db_id == context.database.db_id]
        groundings = ground_questions(own, context)
        linkings, rules = link_schema(own, groundings, context), Rules()
        drafts = {
            q.question_id: rules.draft(q, g, linking, context)
            for q, g, linking in zip(own, groundings, linkings, strict=True)
        }
        asked.append(Asked(context, tuple(own), tuple(groundings), drafts))
    return asked


def measure_line(dataset: str, evidence: bool, variant: Variant, asked: Sequence[Asked]) -> Line:
    """Link all questions with one variant, and compare with their gold SQL."""
    recalls, at_budget, tokens = [], [], []
    for some in asked:
        groundings = [replace(g, cells=tuple(filter(variant.keep, g.cells))) for g in some.groundings]
        linkings = _linked(some, groundings, variant, variant.limits)
        found = measure_recall(some.questions, groundings, linkings, some.context)
        recalls += found
        budget = _linked(some, groundings, variant, replace(variant.limits, exactly=BUDGET))
        at_budget += strict_recall_of(found, budget)
        tokens += [_tokens(some.context, linking) for linking in linkings]
    both = summarise_recall(recalls)
    return Line(
        *(dataset, evidence, variant.name, both.questions),
        *(both.cell_recall, both.strict_recall, both.recall, both.precision, both.columns_kept),
        *(fmean(tokens or [0.0]), fmean(at_budget or [0.0]), summarise_recall(recalls, 1).strict_recall),
    )


def _linked(some: Asked, groundings: Sequence[Grounding], variant: Variant, limits: Limits) -> list[Linking]:
    def draft(question: Question, *_: object) -> str:
        return some.drafts[question.question_id]

    chosen = draft if variant.drafted else None
    return link_schema(some.questions, groundings, some.context, draft=chosen, limits=limits, weights=variant.weights)


def _tokens(context: DatabaseContext, linking: Linking) -> int:
    columns = sorted((ColumnName(link.table, link.column) for link in linking.links), key=lambda c: (c.table, c.column))
    return count_tokens(schema_text(context, columns, "m_schema"))


def measure_benchmark(benchmark: Benchmark, examples: int, variants: Sequence[Variant] = VARIANTS) -> Iterator[Line]:
    """Build, ground, link: the lines with evidence, then those without; questions that have none are linked once."""
    step = max(1, len(benchmark.examples) // max(1, examples))
    index = ExampleIndex(index_examples(benchmark.examples[::step][:examples]))
    contexts = [build_context(d, index) for d in benchmark.databases if not d.error]
    has_evidence = any(q.evidence for q in benchmark.questions)
    for evidence in (True, False) if has_evidence else (False,):
        questions = [q if evidence else replace(q, evidence="") for q in benchmark.questions]
        asked = ground(contexts, questions)
        for variant in variants:
            yield measure_line(benchmark.name, evidence, variant, asked)


def show(lines: Sequence[Line], seconds: float) -> None:
    """Print the table."""
    caption = f"percent, columns and tokens per question; {seconds:.0f} s; {machine()}"
    table = Table(title="Finding", caption=caption, title_justify="left", caption_justify="left")
    heads = ("cells", "strict", "recall", "precision", "kept", "tokens", f"strict @{BUDGET}", "S1 strict")
    for name in ("questions", "methods", *heads):
        table.add_column(name, justify="left" if name in ("questions", "methods") else "right")
    for line in lines:
        first = line.variant == VARIANTS[0].name
        kind = f"{line.dataset} ({line.questions}), {'with' if line.evidence else 'without'} evidence" if first else ""
        shares = [f"{100 * s:.1f}" for s in (line.cell_recall, line.strict_recall, line.recall, line.precision)]
        ends = [f"{100 * s:.1f}" for s in (line.strict_at_budget, line.precise_strict_recall)]
        table.add_row(kind, line.variant, *shares, f"{line.columns_kept:.1f}", f"{line.prompt_tokens:.0f}", *ends)
    Console(width=int(os.environ.get("COLUMNS", 140))).print(table)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", nargs="*", default=[str(DATA / "bird"), str(DATA / "spider")], metavar="DATASET")
    parser.add_argument("--split", default="dev")
    parser.add_argument("--database", action="append", default=[], metavar="ID")
    parser.add_argument("--questions", type=int, default=None, metavar="N", help="only the first N of each dataset")
    parser.add_argument("--examples", type=int, default=300, metavar="N", help="training questions to embed")
    parser.add_argument("--detail", action="store_true", help="switch off every signal and kind of match as well")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    start, lines = time.perf_counter(), []
    for dataset in options.datasets:
        benchmark = load_benchmark(dataset, options.split, options.database)
        chosen = replace(benchmark, questions=benchmark.questions[: options.questions])
        found = measure_benchmark(chosen, options.examples, (*VARIANTS, *(DETAILS if options.detail else ())))
        lines += [replace(line, dataset=f"{Path(dataset).name} {options.split}") for line in found]
    if options.json:
        print(json.dumps({"machine": machine(), "lines": [asdict(line) for line in lines]}, indent=1))
    else:
        show(lines, time.perf_counter() - start)


if __name__ == "__main__":
    main()
