"""What grounding and linking find on a benchmark, without any model but the embeddings, with every method in turn off.

    python -m benchmarks.retrieval [DATASET] [--database ID]... [--questions N] [--examples N]

Builds profiles and indexes in memory and prints one table: cell recall (strings of the gold SQL that were matched in
their column) and, for S1 and S2, strict recall (all columns of the gold SQL kept), recall, precision and the mean share
of columns kept. Rows: everything on; without evidence; each signal of linking off; each closure of linking off.
`--examples` training questions are embedded, the rest is left out to stay within two minutes.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from nl2sql.benchmarks import Benchmark, load_benchmark
from nl2sql.indexes.cells import CellIndex, index_cells
from nl2sql.indexes.columns import ColumnIndex, index_columns
from nl2sql.indexes.examples import ExampleIndex, index_examples
from nl2sql.online.context import DatabaseContext
from nl2sql.online.ground_questions import ground_questions
from nl2sql.online.link_schema import LIMITS, Limits, link_schema
from nl2sql.online.score_columns import WEIGHTS
from nl2sql.profiling.profile_database import profile_database
from nl2sql.profiling.summarise_fields import summarise_fields
from nl2sql.rows import CellMatch, Database, Grounding, Question, Recall
from nl2sql.schema import schema_from_profiles
from nl2sql.scoring.recall import measure_recall, summarise_recall

# Those of the cell path: what is left of cell recall when one kind of match is taken out.
MATCH_METHODS = ("exact", "casefold", "folded", "lsh", "date", "number", "shape", "variant", "evidence")
NEVER = 10.0  # a threshold that nothing reaches
Work = list[tuple[DatabaseContext, list[Question], list[Grounding]]]


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


def measure(work: Work, weights: dict[str, float] = WEIGHTS, limits: Limits = LIMITS) -> list[Recall]:
    """Link all questions and compare them with their gold SQL."""
    recalls: list[Recall] = []
    for context, questions, groundings in work:
        linkings = link_schema(questions, groundings, context, limits=limits, weights=weights)
        recalls += measure_recall(questions, groundings, linkings, context)
    return recalls


def rows(work: Work, bare: Work) -> Iterator[tuple[str, list[Recall]]]:
    """The lines of the table, computed as they are asked for."""
    yield "all", measure(work)
    yield "no evidence", measure(bare)
    for name in WEIGHTS:
        yield f"- signal {name}", measure(work, weights={**WEIGHTS, name: 0.0})
    yield "- second round", measure(work, limits=replace(LIMITS, recall_score=NEVER))
    yield "- columns of cells", measure(work, limits=replace(LIMITS, cell_score=NEVER))
    yield "- keys and paths", measure(work, limits=replace(LIMITS, tables=0))
    for method in MATCH_METHODS:
        yield f"- match {method}", measure(filtered(work, lambda c, method=method: c.method != method))


def filtered(work: Work, keep: Callable[[CellMatch], bool]) -> Work:
    """The same groundings with some of their cells taken out."""
    return [
        (context, questions, [replace(g, cells=tuple(c for c in g.cells if keep(c))) for g in groundings])
        for context, questions, groundings in work
    ]


def ground(contexts: Sequence[DatabaseContext], questions: Sequence[Question]) -> Work:
    """Ground the questions of every database."""
    work: Work = []
    for context in contexts:
        own = [q for q in questions if q.db_id == context.database.db_id]
        work.append((context, own, ground_questions(own, context)))
    return work


def line(name: str, recalls: Sequence[Recall]) -> str:
    """One row of the table."""
    cells = summarise_recall(recalls).cell_recall
    shown = f"{name:20s} {100 * cells:6.1f}"
    for view in (1, 2):
        s = summarise_recall(recalls, view)
        shares = (s.strict_recall, s.recall, s.precision, s.kept_share)
        shown += "  |" + "".join(f"{100 * share:8.1f}" for share in shares)
    return shown


def run(benchmark: Benchmark, examples: int) -> None:
    """Build, ground, link, and print the table."""
    start = time.perf_counter()
    step = max(1, len(benchmark.examples) // max(1, examples))
    index = ExampleIndex(index_examples(benchmark.examples[::step][:examples]))
    contexts = [build_context(d, index) for d in benchmark.databases if not d.error]
    built = time.perf_counter()
    work = ground(contexts, benchmark.questions)
    grounded = time.perf_counter()
    bare = ground(contexts, [replace(q, evidence="") for q in benchmark.questions])
    print(f"{benchmark.name}: {len(benchmark.questions)} questions, {len(contexts)} databases; percent")
    print(f"{'':20s} {'cells':>6s}  |{'S1 all':>8s}{'recall':>8s}{'prec':>8s}{'kept':>8s}", end="")
    print(f"  |{'S2 all':>8s}{'recall':>8s}{'prec':>8s}{'kept':>8s}")
    for name, recalls in rows(work, bare):
        print(line(name, recalls), flush=True)
    seconds = (built - start, grounded - built, time.perf_counter() - start)
    print("built in {:.0f} s, grounded in {:.0f} s, all in {:.0f} s".format(*seconds))


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", nargs="?", default="../shared/data/bird")
    parser.add_argument("--database", action="append", default=[], metavar="ID")
    parser.add_argument("--questions", type=int, default=None, metavar="N", help="only the first N")
    parser.add_argument("--examples", type=int, default=300, metavar="N", help="training questions to embed")
    options = parser.parse_args()
    benchmark = load_benchmark(options.dataset, databases=options.database)
    run(replace(benchmark, questions=benchmark.questions[: options.questions]), options.examples)


if __name__ == "__main__":
    main()
