"""Questions that end their process, or that raise: what the runs after them do, by the command line."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.runs import PrefectServer
from tests.flows.conftest import build_benchmark

pytestmark = pytest.mark.xdist_group("faults")
ROOT = Path(__file__).parents[2]
# A fault in native code: in the task's own thread, unlike a signal to the process, which any thread may take later.
POISON = """
    for q in questions:
        if "crash" in q.question and os.path.exists("poisoned"):
            ctypes.string_at(0)
        if "raise" in q.question and os.path.exists("poisoned"):
            raise RuntimeError("no skeleton")
"""
QUESTIONS = ("Does this crash the zoo?", "Does this raise a lion?")


@pytest.fixture(scope="module")
def code(base_folder) -> Path:
    """A copy of the code in which grounding fails on some words, as long as a file is there."""
    folder = base_folder / "poisoned-code"
    for part in ("nl2sql", "tasks", "flows", "deployments"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    path = folder / "nl2sql" / "online" / "ground_questions.py"
    head, name, tail = path.read_text().partition("def ground_questions(")
    signature, docstring, body = tail.split('"""', 2)
    path.write_text(f'import ctypes\nimport os\n{head}{name}{signature}"""{docstring}"""{POISON}{body}')
    (folder / "poisoned").touch()
    return folder


@pytest.fixture(scope="module")
def dataset(base_folder) -> Path:
    """The tiny benchmark with two questions more."""
    folder = build_benchmark(base_folder / "poisoned")
    questions = json.loads((folder / "dev.json").read_text())
    questions += [{**questions[0], "question_id": 90 + n, "question": text} for n, text in enumerate(QUESTIONS)]
    (folder / "dev.json").write_text(json.dumps(questions))
    return folder


@pytest.fixture(scope="module")
def evaluate(prefect: PrefectServer, code, dataset, base_folder) -> Callable[..., tuple[int, dict]]:
    """Run `nl2sql evaluate`; its exit code, and what it said as JSON."""
    preset = base_folder / "one-try.toml"
    preset.write_text('lineup = ["rules"]\ntries = 1\n')
    surroundings = {**os.environ, "PYTHONPATH": str(code), "PREFECT_API_URL": prefect.address}

    def run(*words: str) -> tuple[int, dict]:
        command = [sys.executable, "-m", "flows.cli", "evaluate", str(dataset), "--json", *words]
        place = ["--artifacts", str(base_folder / "poisoned-artifacts"), "--preset", str(preset)]
        done = subprocess.run(
            [*command, *place], cwd=code, env=surroundings, capture_output=True, text=True, timeout=200, check=False
        )
        said = done.stdout.strip().splitlines()
        return done.returncode, json.loads(said[-1]) if said and said[-1].startswith("{") else {}

    return run


def test_questions_that_crash_or_raise_are_found_set_aside_and_can_be_tried_again(evaluate, code):
    crashed, said = evaluate()
    assert crashed < 0, said  # by the signal

    code_found, found = evaluate()
    errors = {row["question_id"]: row["error"] for row in found["set_aside"]}
    assert errors == {"90": "ground_questions ended its process (SIGSEGV)", "91": "RuntimeError: no skeleton"}
    assert (code_found, found["n"], found["by_database"]["zoo"]["n"]) == (0, 7, 5)  # they count as wrong
    assert set(found["failed_questions"]) == {"90", "91"}
    assert any("question 90 (zoo) is set aside" in note for note in found["notes"])

    code_again, again = evaluate()
    assert (code_again, len(again["set_aside"])) == (0, 2)
    assert again["reused"] == again["artifacts"]

    (code / "poisoned").unlink()
    code_mended, mended = evaluate("--retry-set-aside")
    assert (code_mended, mended["set_aside"], mended["failed_questions"]) == (0, [], [])
