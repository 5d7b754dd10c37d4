"""A metric of your own over anyone's predictions: here, how often the number of rows is that of the gold's result.

python examples/add_metric.py datasets/demo counting.jsonl
"""

import sys
from collections import defaultdict
from statistics import fmean

from nl2sql.benchmarks import load_benchmark
from nl2sql.execution import ExecutionResult, execute_many
from nl2sql.scoring.predictions import load_predictions


def same_row_count(answer: ExecutionResult, gold: ExecutionResult) -> float:
    """1 or 0; 0 where either does not run."""
    return float(answer.ran and gold.ran and answer.row_count == gold.row_count)


if __name__ == "__main__":
    benchmark, predictions = load_benchmark(sys.argv[1]), load_predictions(sys.argv[2])
    path, asked = {d.db_id: d.path for d in benchmark.databases}, {q.question_id: q for q in benchmark.questions}
    found = [(p, asked[p.question_id]) for p in predictions.items if p.question_id in asked]
    results = iter(execute_many([(path[q.db_id], sql) for p, q in found for sql in (p.sql, q.gold_sql)]))
    scores = defaultdict(list)
    for (p, _), answer, gold in zip(found, results, results, strict=True):
        scores[p.model].append(same_row_count(answer, gold))
    print(*(f"{model}: {100 * fmean(values):.1f} % of {len(values)}" for model, values in scores.items()), sep="\n")
