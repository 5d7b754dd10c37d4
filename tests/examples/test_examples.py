"""Every example runs as its first lines say, in under 30 lines."""

import subprocess
import sys
from pathlib import Path

import pytest

from nl2sql.benchmarks import load_benchmark
from nl2sql.execution import execute_many
from nl2sql.scoring.execution_accuracy import score_predictions
from nl2sql.scoring.predictions import load_predictions

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
DEMO = ROOT / "datasets" / "demo"


def run(name: str, *words: object) -> str:
    command = [sys.executable, str(ROOT / "examples" / f"{name}.py"), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_an_example_has_under_30_lines_and_is_explained(path):
    text = path.read_text(encoding="utf-8")
    assert len([line for line in text.partition('"""\n\n')[2].splitlines() if line.strip()]) < 30
    assert len(text.splitlines()) < 40
    assert f"examples/{path.name}" in (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")


def test_a_generator_becomes_a_system_that_can_be_scored(tmp_path):
    file = tmp_path / "counting.jsonl"
    run("add_generator", DEMO, file)
    benchmark = load_benchmark(DEMO)
    predictions = load_predictions(str(file))
    assert len(predictions.items) == len(benchmark.questions)
    scores = score_predictions(predictions, benchmark.questions, benchmark.databases)
    assert list(scores.models) == ["counting"]
    assert len(scores.verdicts) == len(benchmark.questions)


def test_a_dataset_is_read_by_every_command(tmp_path):
    (tmp_path / "people.csv").write_text('name,"the ""age"""\nAda,36\nBo,41\n')
    run("add_dataset", tmp_path / "people.csv", tmp_path / "mine")
    benchmark = load_benchmark(tmp_path / "mine")
    (question,) = benchmark.questions
    assert execute_many([(benchmark.databases[0].path, question.gold_sql)])[0].rows == ((2,),)


def test_a_metric_is_computed_over_predictions(tmp_path):
    file = tmp_path / "golds.jsonl"
    run("add_generator", DEMO, file)
    said = run("add_metric", DEMO, file)
    share = float(said.removeprefix("counting: ").partition(" %")[0])
    assert 0 < share < 100
