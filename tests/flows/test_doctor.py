"""What the doctor finds on a machine that lacks something."""

import json

import pytest

from flows.doctor import (
    FAIL,
    OK,
    WARN,
    Finding,
    Patient,
    benchmark,
    examine,
    golds,
    keys,
    orchestration,
    questions_digest,
)
from flows.operating_commands import show_findings
from flows.options import Options, load_preset
from nl2sql.benchmarks import load_benchmark

SECRET = "sk-never-shown-0123456789"


def by_name(findings) -> dict[str, Finding]:
    return {f.name: f for f in findings}


def test_a_whole_machine_has_no_failures(tiny, tmp_path):
    found = examine(Patient(Options(), str(tmp_path), str(tiny)))
    assert not [f for f in found if f.status == FAIL]
    assert all(f.mend for f in found if f.status == WARN)
    assert by_name(found)["gold SQL"].found.startswith("5 of 5 run")


def test_keys_are_named_and_never_shown(tmp_path, monkeypatch):
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    monkeypatch.setenv("ANTHROPIC_API_KEY", SECRET)
    found = by_name(keys(Patient(load_preset("api"), str(tmp_path), reach=False)))
    assert found["key of gemini"].status == FAIL
    assert "GEMINI_API_KEY" in found["key of gemini"].mend
    assert found["key of anthropic"].status == OK
    assert SECRET not in repr(found)


def test_a_server_that_does_not_answer(tmp_path):
    options = Options.model_validate(
        {
            "roles": {"fix": {"model": "openai/x"}},
            "providers": {"openai": {"api_base": "http://127.0.0.1:9", "key": ""}},
        }
    )
    found = by_name(keys(Patient(options, str(tmp_path))))
    assert found["openai answers"].status == FAIL
    assert found["openai answers"].mend == "start the server"


def test_an_incomplete_benchmark(tmp_path):
    (tmp_path / "dev.json").write_text("[]", encoding="utf-8")
    (finding,) = benchmark(Patient(Options(), str(tmp_path), str(tmp_path)))
    assert finding.status == FAIL
    assert "dev" in finding.found


def test_questions_of_one_number_have_their_digest(tiny):
    first = questions_digest(load_benchmark(tiny))
    questions = tiny / "dev.json"
    questions.write_text(questions.read_text(encoding="utf-8").replace("otters", "lions"), encoding="utf-8")
    assert questions_digest(load_benchmark(tiny)) != first


def test_a_local_model_that_is_not_there(tmp_path):
    options = Options.model_validate({"roles": {"fix": {"model": "local:generator_b"}}})
    found = by_name(keys(Patient(options, str(tmp_path))))["local models there"]
    assert found.status == FAIL
    assert "nl2sql" in found.mend


def test_limits_of_providers_are_said(tmp_path):
    found = by_name(keys(Patient(load_preset("api"), str(tmp_path), reach=False)))
    assert found["limits of anthropic"].found == "16 calls at once, 1,000 calls a minute, 2,000,000 tokens a minute"


def test_a_server_of_the_users_is_the_one_that_is_asked(tmp_path, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    assert "http://127.0.0.1:9/api" in by_name(orchestration(Patient(Options(), str(tmp_path))))["Prefect"].found


def test_broken_golds_lower_the_ceiling(tiny):
    questions = tiny / "dev.json"
    held = json.loads(questions.read_text(encoding="utf-8"))
    held[0]["SQL"] = "SELECT nothing FROM nowhere"
    questions.write_text(json.dumps(held), encoding="utf-8")
    (finding,) = golds(load_benchmark(tiny), 5.0)
    assert finding.status == WARN
    assert "4 of 5" in finding.found
    assert "80.0" in finding.found


@pytest.mark.parametrize(("status", "code"), [(OK, 0), (WARN, 0), (FAIL, 1)])
def test_only_failures_fail(status, code, capsys):
    assert show_findings([Finding("disk [b]full[/b]", status, "0 GiB", "make clean")], as_json=True) == code
    out = capsys.readouterr().out
    assert "[b]full[/b]" in out
    assert json.loads(out.splitlines()[-1])[status] == 1
