"""The digest of code follows imports, and sees edits that matter."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nl2sql import contracts
from nl2sql.schema import quote
from tasks.code_digest import code_digest, reachable_modules

ROOT = Path(__file__).parents[2]


def test_reachable_modules_follow_imports_and_stop_there():
    reached = reachable_modules("nl2sql.contracts")
    assert {"nl2sql.contracts", "nl2sql.rows"} <= reached
    assert "nl2sql.execution" not in reached


def test_functions_of_different_modules_differ():
    assert code_digest([quote]) != code_digest([contracts.check])


@pytest.fixture
def copy(tmp_path) -> Path:
    for name in ("nl2sql", "tasks"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def digest_in(copy: Path, **environment: str) -> str:
    program = "from nl2sql.schema import quote; from tasks.code_digest import code_digest; print(code_digest([quote]))"
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    run = [sys.executable, "-c", program]
    return subprocess.run(run, cwd=copy, env={**kept, **environment}, capture_output=True, text=True, check=True).stdout


def kept_in(copy: Path) -> list[Path]:
    return list((copy / "nl2sql" / "__pycache__").glob("code_digests.*"))


def test_what_was_found_of_modules_is_kept_and_no_more_than_believed(copy):
    fresh = digest_in(copy, PYTHONDONTWRITEBYTECODE="1")
    assert kept_in(copy) == []
    assert digest_in(copy) == fresh
    (kept,) = kept_in(copy)
    held = json.loads(kept.read_text())
    source, _, own, other = held["nl2sql.schema"]
    assert source == hashlib.sha256((copy / "nl2sql" / "schema.py").read_bytes()).hexdigest()
    kept.write_text(json.dumps({**held, "nl2sql.schema": [source, "another tree", own, other]}))
    assert digest_in(copy) != fresh  # it is read
    kept.write_text(json.dumps({**held, "nl2sql.schema": ["another text", "another tree", own, other]}))
    assert digest_in(copy) == fresh  # but for the same text only
    for broken in ("", "[1]", '{"nl2sql.schema": [1]}', "\x00"):
        kept.write_text(broken)
        assert digest_in(copy) == fresh


def test_an_edit_that_matters_changes_the_digest_and_a_comment_does_not(copy):
    before = digest_in(copy)
    schema, rows = copy / "nl2sql" / "schema.py", copy / "nl2sql" / "rows.py"
    schema.write_text("# a comment\n" + schema.read_text())
    assert digest_in(copy) == before
    rows.write_text(rows.read_text() + "\nMORE = 1\n")
    after_import = digest_in(copy)
    assert after_import != before
    unrelated = copy / "nl2sql" / "benchmarks.py"
    unrelated.write_text(unrelated.read_text() + "\nMORE = 1\n")
    assert digest_in(copy) == after_import
