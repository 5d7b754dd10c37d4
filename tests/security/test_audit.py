"""The list of accepted advisories is kept up, and the audit tells what it found from what it could not look at."""

import datetime
import importlib.util
import re
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

CI = Path(__file__).parents[2] / ".ci"
ALLOWED = CI / "audit-allowed.toml"
LONGEST = datetime.timedelta(days=120)
ENTRY = (
    '[[advisory]]\nid = "PYSEC-1"\npackage = "some"\nreason = "not reached"\naccepted = 2026-11-01\nuntil = {until}\n'
)


@pytest.fixture(scope="module")
def audit():
    loader = SourceFileLoader("audit", str(CI / "audit"))
    spec = importlib.util.spec_from_loader("audit", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_every_accepted_advisory_has_a_reason_and_an_end_and_is_locked(audit):
    locked = (CI.parent / "requirements.lock").read_text(encoding="utf-8")
    for entry in audit.allowed(ALLOWED, datetime.date.min).values():
        assert set(entry) == {"id", "package", "reason", "accepted", "until"}, entry
        assert len(entry["reason"]) > 20, entry
        assert entry["accepted"] < entry["until"] <= entry["accepted"] + LONGEST, entry
        assert re.search(rf"^{re.escape(entry['package'])}==", locked, re.MULTILINE), entry


def test_no_accepted_advisory_is_out_of_date(audit):
    today = datetime.date.today()
    assert audit.allowed(ALLOWED, today) == audit.allowed(ALLOWED, datetime.date.min)


@pytest.mark.parametrize(("until", "accepted"), [("2026-11-23", False), ("2026-11-24", True)])
def test_an_advisory_counts_again_from_its_day_on(audit, tmp_path, until, accepted):
    file = tmp_path / "allowed.toml"
    file.write_text(ENTRY.format(until=until))
    known = audit.allowed(file, datetime.date(2026, 11, 23))
    vulnerable = {"name": "some", "version": "1", "vulns": [{"id": "PYSEC-1", "aliases": [], "fix_versions": ["2"]}]}
    skipped = {"name": "other", "skip_reason": "not on PyPI"}
    said = audit.judge({"dependencies": [vulnerable, skipped]}, known)
    assert said == ([] if accepted else ["some 1: PYSEC-1, mended in 2"])


def test_an_advisory_is_known_by_its_other_names_too(audit):
    found = {"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": []}
    package = {"name": "some", "version": "1", "vulns": [found]}
    assert audit.judge({"dependencies": [package]}, {"CVE-1": {}}) == []
    assert "no release" in audit.judge({"dependencies": [package]}, {})[0]


def test_an_audit_that_cannot_look_is_told_from_one_that_found_nothing(audit, tmp_path):
    assert audit.audit(tmp_path / "nowhere", tmp_path / "requirements.lock") is None
