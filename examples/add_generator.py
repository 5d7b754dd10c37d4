"""A generator of your own. It writes a file of predictions, and these become candidates beside those of the lineup.

python examples/add_generator.py datasets/demo counting.jsonl
nl2sql evaluate datasets/demo --predictions counting.jsonl
"""

import json
import sys
from pathlib import Path

from nl2sql.benchmarks import load_benchmark
from nl2sql.execution import open_read_only
from nl2sql.schema import Schema, quote, read_schema


def write_sql(question: str, schema: Schema) -> str:
    """Count the rows of the table whose name the question holds, else of the first."""
    named = [t for t in schema.tables if t.name.casefold().rstrip("s") in question.casefold()]
    return f"SELECT COUNT(*) FROM {quote((named or schema.tables)[0].name)}"


if __name__ == "__main__":
    benchmark = load_benchmark(sys.argv[1])
    schemas = {d.db_id: read_schema(open_read_only(d.path), d.db_id) for d in benchmark.databases}
    written = [(q, write_sql(q.question, schemas[q.db_id])) for q in benchmark.questions]
    lines = [{"question_id": q.question_id, "db_id": q.db_id, "model": "counting", "sql": sql} for q, sql in written]
    Path(sys.argv[2]).write_text("\n".join(map(json.dumps, lines)))
