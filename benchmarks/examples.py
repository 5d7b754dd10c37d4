"""Embedding, nearest neighbours and how useful the nearest examples are.

    python -m benchmarks.examples [--questions N] [--large] [--json] [--plots FOLDER] [--data FOLDER]

Rival: sentence-transformers asked for one text at a time. Then FAISS's flat index against its HNSW graph, on vectors
of real questions repeated with noise, on one thread; and the share of questions whose five nearest of other databases
hold an SQL of the same skeleton, masked in three ways. `--large` takes all train questions and a million vectors
(about half an hour). Needs bird/train_filtered.json of the data folder.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.growth import exponent, growth_svg, peak_megabytes
from benchmarks.measured import Measured, interleaved, machine, show
from nl2sql.benchmarks import load_benchmark
from nl2sql.indexes.columns import index_columns
from nl2sql.indexes.embedding import DEFAULT_MODEL, embed, load_model
from nl2sql.indexes.examples import index_examples
from nl2sql.indexes.nearest import FLAT_UP_TO, FaissFlat, FaissGraph
from nl2sql.rows import Question, Summary
from nl2sql.skeletons import mask_question, sql_names, sql_skeleton
from tasks.artifact_store import ArtifactStore
from tasks.embedding_store import EmbeddingStore

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
TOP = 5
TIMED = 200  # texts of one round against the rival
SIZES, LARGE_SIZES = (10_000, 100_000), (1_000_000,)
GROWTH, LARGE_GROWTH = (20, 200, 2000), (66, 660, 6601)
ASKED = 200  # vectors that are searched
NOISE = 0.04  # per number of a vector of 384: the cosine to the original is about 0.79


def train_questions(data: Path, count: int) -> list[Question]:
    """Real train questions, evenly drawn."""
    questions = load_benchmark(data / "bird").examples
    return list(questions[:: max(1, len(questions) // count)][:count])


# --- time -----------------------------------------------------------------------------------------------------------


def measure(data: Path = DATA, rounds: int = 3) -> list[Measured]:
    """Masking, embedding and finding kept embeddings, for TIMED questions a round."""
    questions = train_questions(data, TIMED * (rounds + 1))
    texts = [_masked(q) for q in questions]
    model, turn = load_model(DEFAULT_MODEL), iter(range(100))
    parts = [texts[start : start + TIMED] for start in range(0, len(texts), TIMED)]

    def one_at_a_time() -> None:
        for text in parts[next(turn) // 2]:
            model.encode(text, normalize_embeddings=True, show_progress_bar=False)

    works = {"ours": lambda: embed(parts[next(turn) // 2]), "rival": one_at_a_time}
    taken = interleaved(works, rounds)
    start = time.perf_counter()
    for question in questions[:TIMED]:
        _masked(question)
    masking = time.perf_counter() - start
    with tempfile.TemporaryDirectory() as folder:
        kept = EmbeddingStore(ArtifactStore(folder))
        kept.embed(parts[0])
        again = interleaved({"kept": lambda: kept.embed(parts[0])}, rounds)["kept"]
    rate = f"{TIMED / taken['ours']:.0f} against {TIMED / taken['rival']:.0f} texts a second"
    return [
        Measured(f"mask {TIMED} questions", masking, "", None, None, ""),
        Measured(f"embed {TIMED} questions", taken["ours"], "one at a time", taken["rival"], None, rate),
        Measured(f"embed {TIMED} again", again, "one at a time", taken["rival"], None, "kept by an earlier run"),
    ]


def _masked(question: Question) -> str:
    names = sql_names(question.gold_sql)
    return mask_question(question.question, names.literals, names.columns)


# --- nearest --------------------------------------------------------------------------------------------------------


def compare_indexes(vectors: np.ndarray, sizes: Sequence[int]) -> list[dict[str, float]]:
    """Flat and graph at each size: seconds to build, milliseconds a query, share of the five nearest that are found."""
    import faiss

    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    found = [_compare(_repeated(vectors, size), _repeated(vectors, ASKED)) for size in sizes]
    faiss.omp_set_num_threads(threads)
    return found


def _repeated(vectors: np.ndarray, size: int) -> np.ndarray:
    """So many vectors: those given, again and again with noise, of unit length."""
    chance = np.random.default_rng(size)
    made = vectors[chance.integers(0, len(vectors), size)]
    made += chance.standard_normal(made.shape, np.float32) * NOISE
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def _compare(vectors: np.ndarray, queries: np.ndarray) -> dict[str, float]:
    said: dict[str, float] = {"vectors": len(vectors)}
    rows = {}
    for name, kind in (("flat", FaissFlat), ("graph", FaissGraph)):
        start = time.perf_counter()
        index = kind(vectors)
        said[f"{name}_build_s"] = time.perf_counter() - start
        index.search(queries[:2], TOP)
        start = time.perf_counter()
        _, rows[name] = index.search(queries, TOP)
        said[f"{name}_query_ms"] = 1000 * (time.perf_counter() - start) / len(queries)
    shared = [len({*a} & {*b}) / TOP for a, b in zip(rows["flat"].tolist(), rows["graph"].tolist(), strict=True)]
    said["recall"] = float(np.mean(shared))
    saved = said["flat_query_ms"] - said["graph_query_ms"]
    said["repaid_after"] = 1000 * said["graph_build_s"] / saved if saved > 0 else float("inf")
    return said


# --- usefulness -----------------------------------------------------------------------------------------------------


def same_skeleton(questions: Sequence[Question]) -> tuple[dict[str, float], np.ndarray]:
    """Shares of questions whose five nearest of other databases hold an SQL of the same skeleton; masked vectors."""
    shapes, databases = [
        np.array(x) for x in zip(*((sql_skeleton(q.gold_sql), q.db_id) for q in questions), strict=True)
    ]
    vectors = {
        "unmasked": embed([q.question for q in questions]),
        "masked by what can be seen": embed([mask_question(q.question) for q in questions]),
        "masked with the gold's names": embed([_masked(q) for q in questions]),
    }
    shares = {name: _hits(v, shapes, databases) for name, v in vectors.items()}
    by_shape: dict[str, set[str]] = {}
    for shape, database in zip(shapes.tolist(), databases.tolist(), strict=True):
        by_shape.setdefault(shape, set()).add(database)
    shares["could at best"] = float(np.mean([len(by_shape[shape]) > 1 for shape in shapes.tolist()]))
    return shares, vectors["masked with the gold's names"]


def _hits(vectors: np.ndarray, shapes: np.ndarray, databases: np.ndarray) -> float:
    hits = 0
    for start in range(0, len(vectors), 512):
        part = slice(start, start + 512)
        scores = vectors[part] @ vectors.T
        scores[databases[part, None] == databases[None]] = -2
        nearest = np.argpartition(-scores, TOP, axis=1)[:, :TOP]
        hits += int((shapes[nearest] == shapes[part, None]).any(axis=1).sum())
    return hits / len(vectors)


# --- growth ---------------------------------------------------------------------------------------------------------


def grow(sizes: Sequence[int], data: Path) -> list[dict[str, float]]:
    """Indexing so many questions and so many columns, each in a process of its own."""
    found = []
    for size in sizes:
        command = [sys.executable, "-m", "benchmarks.examples", "--child", str(size), "--data", str(data)]
        found.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    return found


def child(size: int, data: Path) -> dict[str, float]:
    """One size, after the model is loaded."""
    questions = train_questions(data, size)
    embed(["warm up"])
    loaded, start = peak_megabytes(), time.perf_counter()
    index_examples(questions)
    middle = time.perf_counter()
    index_columns([_summary(number) for number in range(size)])
    end = time.perf_counter()
    return {
        "size": size,
        "examples_s": middle - start,
        "columns_s": end - middle,
        "before_mb": loaded,
        "peak_mb": peak_megabytes(),
    }


def _summary(number: int) -> Summary:
    table = f"t{number // 20}"
    text = f"Column measure {number} of table {table}: the {number}th amount, a number from {number} to {3 * number}."
    return Summary("made", table, f"c{number}", text, text, "profile")


def plots(grown: Sequence[dict[str, float]], folder: Path) -> None:
    """Write the growth as SVG."""
    lines = {
        name: [(g["size"], g[key]) for g in grown]
        for name, key in (("questions", "examples_s"), ("columns", "columns_s"))
    }
    svg = growth_svg("Examples and columns: time to index", "questions or columns", "seconds", lines)
    (folder / "indices-texts-time.svg").write_text(svg, encoding="utf-8")
    memory = {"peak": [(g["size"], g["peak_mb"]) for g in grown]}
    svg = growth_svg("Examples and columns: memory with the model", "questions or columns", "MB", memory)
    (folder / "indices-texts-memory.svg").write_text(svg, encoding="utf-8")


# --- printing -------------------------------------------------------------------------------------------------------


def show_all(
    compared: Sequence[dict[str, float]], shares: dict[str, float], grown: Sequence[dict[str, float]], console: Console
) -> None:
    """Print the other tables."""
    table = Table(title=f"Nearest vectors, flat against a graph; chosen above {FLAT_UP_TO:,}", title_justify="left")
    for name in ("vectors", "flat: build", "query", "graph: build", "query", "recall@5", "repaid after queries"):
        table.add_column(name, justify="right")
    for c in compared:
        flat = (f"{c['flat_build_s']:.2f} s", f"{c['flat_query_ms']:.2f} ms")
        graph = (f"{c['graph_build_s']:.1f} s", f"{c['graph_query_ms']:.2f} ms")
        table.add_row(f"{c['vectors']:,}", *flat, *graph, f"{c['recall']:.3f}", f"{c['repaid_after']:,.0f}")
    console.print(table)
    table = Table(
        "question", "percent", title=f"An SQL of the same skeleton among the {TOP} nearest", title_justify="left"
    )
    for name, share in shares.items():
        table.add_row(name, f"{100 * share:.1f}")
    console.print(table)
    table = Table(title="Growth", caption=machine(), title_justify="left")
    for name in ("questions, columns", "questions", "columns", "peak memory", "with the model alone"):
        table.add_column(name, justify="right")
    for g in grown:
        cells = (
            f"{g['examples_s']:.2f} s",
            f"{g['columns_s']:.2f} s",
            f"{g['peak_mb']:,.0f} MB",
            f"{g['before_mb']:,.0f} MB",
        )
        table.add_row(f"{g['size']:,}", *cells)
    fitted = (f"{exponent([(g['size'], g[k]) for g in grown]):.2f}" for k in ("examples_s", "columns_s", "peak_mb"))
    table.add_row("exponent", *fitted, "")
    console.print(table)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=1500, help="train questions among which examples are searched")
    parser.add_argument("--large", action="store_true", help="all train questions and a million vectors")
    parser.add_argument("--json", action="store_true", help="print figures alone")
    parser.add_argument("--plots", type=Path, metavar="FOLDER", help="draw the growth there")
    parser.add_argument("--data", type=Path, default=DATA, help="folder with bird/")
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(child(options.child, options.data)))
        return
    console = Console(quiet=options.json)
    times = measure(options.data)
    show("Examples and columns", times, console)
    questions = train_questions(options.data, 10**6 if options.large else options.questions)
    shares, vectors = same_skeleton(questions)
    compared = compare_indexes(vectors, SIZES + (LARGE_SIZES if options.large else ()))
    grown = grow(LARGE_GROWTH if options.large else GROWTH, options.data)
    show_all(compared, shares, grown, console)
    if options.plots:
        plots(grown, options.plots)
    if options.json:
        rows = [asdict(row) for row in times]
        said = {"machine": machine(), "time": rows, "nearest": compared, "same_skeleton": shares, "growth": grown}
        print(json.dumps(said))


if __name__ == "__main__":
    main()
