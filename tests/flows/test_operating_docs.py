"""The units, the hooks and the deployments that the documentation gives are ones that their programs take."""

import plistlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from flows.serve_deployments import read_schedules

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md"))]
OPERATING = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", OPERATING, re.DOTALL)


@pytest.mark.parametrize("number", range(2))
def test_systemd_takes_the_unit(tmp_path, number):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / f"nl2sql{number}.service"
    home = str(tmp_path)
    text = re.sub(r"ExecStart=\S+", f"ExecStart={sys.executable}", blocks("ini")[number]).replace("%h", home)
    (tmp_path / "nl2sql").mkdir()
    unit.write_text(text)
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    said = [line for line in (done.stdout + done.stderr).splitlines() if unit.name in line]
    assert not said


def test_the_agent_of_launchd_is_a_property_list_that_restarts_only_after_a_failure():
    (agent,) = (plistlib.loads(text.encode()) for text in blocks("xml"))
    assert agent["ProgramArguments"][1] == "serve"
    assert agent["KeepAlive"] == {"SuccessfulExit": False}
    assert {"Label", "WorkingDirectory", "RunAtLoad"} <= agent.keys()


def test_every_deployment_is_in_the_table():
    rows = re.findall(r"^\| ([^|]+) \| `(\w+)` \|.*\| (\w+) \|$", OPERATING, re.MULTILINE)
    assert rows == [(s.name, s.flow, *s.tags) for s in read_schedules().deployments]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.name)
def test_what_a_document_links_exists(path):
    for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text(encoding="utf-8")):
        assert (path.parent / link).exists(), link


def test_the_hooks_are_local_and_use_what_is_installed():
    held = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert {r["repo"] for r in held["repos"]} == {"local"}
    for hook in held["repos"][0]["hooks"]:
        assert hook["language"] == "system"
        assert shutil.which(Path(hook["entry"].split()[0]).name, path=Path(sys.executable).parent), hook["id"]
