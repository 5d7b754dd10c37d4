"""A dataset of your own: questions and a CSV file, written in BIRD's layout, which every command reads.

python examples/add_dataset.py people.csv mine
nl2sql evaluate mine
"""

import csv
import json
import sqlite3
import sys
from pathlib import Path

from nl2sql.schema import quote

QUESTIONS = [("How many people are there?", "SELECT COUNT(*) FROM people")]

if __name__ == "__main__":
    source, folder = Path(sys.argv[1]), Path(sys.argv[2])
    db_id = source.stem
    path = folder / "dev_databases" / db_id / f"{db_id}.sqlite"
    path.parent.mkdir(parents=True)
    header, *rows = csv.reader(source.open(encoding="utf-8", newline=""))
    with sqlite3.connect(path) as database:
        database.execute(f"CREATE TABLE {quote(db_id)} ({', '.join(map(quote, header))})")
        database.executemany(f"INSERT INTO {quote(db_id)} VALUES ({', '.join('?' * len(header))})", rows)
    asked = [{"question_id": i, "db_id": db_id, "question": q, "SQL": sql} for i, (q, sql) in enumerate(QUESTIONS)]
    (folder / "dev.json").write_text(json.dumps(asked))
