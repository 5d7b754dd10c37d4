"""What the documentation says is what the code does."""

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from nl2sql.contracts import CONTRACTS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\s*(?:\$ )?(nl2sql [a-z]+[^\n]*)$", README, re.MULTILINE)


def columns_table() -> str:
    """The table of artifacts/README.md; `make docs` writes it after a change of rows.py."""
    lines = ["| kind | columns | primary key |", "|---|---|---|"]
    for kind, contract in CONTRACTS.items():
        names = ", ".join(f"`{f.name}`" for f in fields(contract.row))
        lines.append(f"| `{kind}` | {names} | {', '.join(contract.primary_key)} |")
    return "\n".join(lines)


def test_every_artifact_is_listed_with_its_columns():
    text = (ROOT / "artifacts" / "README.md").read_text(encoding="utf-8")
    listed = text.partition("<!-- columns: start -->\n")[2].partition("\n<!-- columns: end -->")[0]
    assert listed == columns_table()


def help_of(*words: str) -> str:
    run = subprocess.run(
        [sys.executable, "-m", "flows.cli", *words, "--help"], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_of_the_readme_exist_with_their_options(command):
    _, name, *words = command.split()
    text = help_of(name)
    for option in [w.split("=")[0] for w in words if w.startswith("--")]:
        assert option in text, f"{name} has no {option}"


def test_the_readme_names_commands():
    assert len(COMMANDS) >= 5


@pytest.mark.parametrize("target", re.findall(r"^\s*(?:\$ )?make ([a-z]+)", README, re.MULTILINE))
def test_make_targets_of_the_readme_exist(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_paths_that_the_readme_links_exist():
    for path in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / path).exists(), path
