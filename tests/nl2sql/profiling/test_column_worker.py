import os
import subprocess
import sys
from pathlib import Path

from nl2sql.query_worker import Messages, message

ROOT = Path(__file__).parents[3]
START = "import sys; sys.path.insert(0, sys.argv[1]); from nl2sql.profiling.column_worker import main; main()"


def worker():
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-I", "-c", START, str(ROOT)], bufsize=0, **pipes)


def answers(process, number):
    messages, found = Messages(), []
    while len(found) < number:
        block = os.read(process.stdout.fileno(), 2**20)
        assert block
        messages.add(block)
        found += iter(messages.next, None)
    return found


def test_it_answers_job_after_job_and_ends_with_its_input(make_database):
    database = make_database("CREATE TABLE t (a INT, b TEXT); INSERT INTO t VALUES (1, 'x'), (2, 'longer')")
    process = worker()
    for names in (("a", "b"), ("b",)):
        process.stdin.write(message((database.path, "t", names, 2, 1000, 1 << 20)))
        (heaviest,), *tallies = answers(process, 1 + len(names))
        assert (heaviest, len(tallies)) == (3, len(names))
    process.stdin.close()
    assert process.wait(10) == 0


def test_what_cannot_be_read_ends_it_without_a_word(tmp_path):
    (tmp_path / "bad.sqlite").write_bytes(b"not a database at all, only some words" * 200)
    for path in (tmp_path / "bad.sqlite", tmp_path / "gone.sqlite"):
        process = worker()
        process.stdin.write(message((str(path), "t", ("a",), 1, 1000, 1 << 20)))
        assert process.wait(10) == 1
        assert process.communicate() == (b"", b"")


def test_it_loads_no_more_than_it_needs():
    """The start of a child is what sharing costs."""
    heavy = ("scipy", "redis", "datasketch")
    code = f"import sys, nl2sql.profiling.read_columns; print([m for m in {heavy} if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert said.strip() == "[]"
