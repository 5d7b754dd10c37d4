"""`nl2sql admit` over real evaluations: what was not compared is refused, what is not worse is let in."""

import json
from pathlib import Path

import pytest

pytestmark = [pytest.mark.usefixtures("server"), pytest.mark.xdist_group("prefect")]


def said(result) -> dict:
    return json.loads(result.stdout.splitlines()[-1])


def test_a_local_model_is_used_only_once_it_was_compared(nl2sql, tiny, tiny_model, tmp_path, monkeypatch):
    monkeypatch.setenv("NL2SQL_LOCK_FOLDER", str(tmp_path / "lock"))
    preset, base, artifacts = tmp_path / "mine.toml", tiny_model / "4bit", tmp_path / "artifacts"
    preset.write_text(f'lineup = ["rules"]\n[roles]\nfix = {{ model = "local:{base}", max_tokens = 16 }}\n')
    asked = [tiny, "--database", "shop", "--preset", preset, "--artifacts", artifacts, "--json"]
    refused = nl2sql("evaluate", *asked)
    assert refused.exit_code == 1
    assert "(to fix) has not been compared with what it would replace: nl2sql admit" in said(refused)["error"]
    assert not (artifacts / "repairs").exists()

    result = nl2sql("admit", *asked)
    assert result.exit_code == 0, result.output + result.stderr
    (made,) = said(result)["models"]
    assert (made["use"], made["instead_of"], made["questions"]) == ("fix", "no model to fix", 2)
    assert made["model"].startswith(f"local:{base}@")
    assert made["admitted"] == (made["right"] >= made["right_before"])
    runs = [json.loads((Path(made[name]) / "summary.json").read_text()) for name in ("run_before", "run")]
    assert [r["correct"] for r in runs] == [made["right_before"], made["right"]]
    assert [r["preset"] for r in runs] == ["mine-before", "mine-fix"]

    evaluated = nl2sql("evaluate", *asked)
    assert evaluated.exit_code == 0, evaluated.output + evaluated.stderr
    assert said(evaluated)["correct"] == made["right"]
