"""Judgements on disk: found again, never trusted when altered, never lost between two runs at once."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from nl2sql.errors import UserError
from nl2sql.scoring.execution_accuracy import SCORING_LIMITS, Judgement, Pair
from tasks.artifact_store import ArtifactStore
from tasks.judgement_store import JudgementStore

ROOT = Path(__file__).parents[2]
RIGHT, WRONG = Judgement(True, True, "", ""), Judgement(False, False, "values", "(1,) where the gold has ('猫\0',)")
ADD = """
import sys
sys.path.insert(0, sys.argv[1])
from nl2sql.scoring.execution_accuracy import SCORING_LIMITS, Judgement
from tasks.artifact_store import ArtifactStore
from tasks.judgement_store import JudgementStore
for i in range(8):
    JudgementStore(ArtifactStore(sys.argv[2]), SCORING_LIMITS).keep(
        {("d", "gold", f"{sys.argv[3]} {i}"): Judgement(True, True, "", "")}
    )
"""


@pytest.fixture
def store(tmp_path) -> JudgementStore:
    return JudgementStore(ArtifactStore(str(tmp_path)), SCORING_LIMITS)


JUDGED: dict[Pair, Judgement] = {("d", "gold", "a"): RIGHT, ("d", "gold", "'猫\0'"): WRONG, ("e", "gold", "a"): WRONG}


def test_what_is_kept_is_found_by_database(store):
    assert store.load(["d"]) == {}
    store.keep(JUDGED)
    assert store.load(["d", "e", "d", "f"]) == JUDGED
    assert store.load(["e"]) == {("e", "gold", "a"): WRONG}


def test_many_databases_are_kept_at_once_and_each_has_its_own_file(store, tmp_path):
    judged = {(f"d{i % 30}", "gold", str(i)): Judgement(True, True, "", f"{i}") for i in range(300)}
    store.keep(judged)
    assert store.load(f"d{i}" for i in range(30)) == judged
    assert len(list(tmp_path.glob("judgements/*.parquet"))) == 30


def test_other_rules_find_nothing(store):
    store.keep(JUDGED)
    assert replace(store, any_column_order=True).load(["d"]) == {}
    assert replace(store, limits=replace(SCORING_LIMITS, seconds=1.0)).load(["d"]) == {}


def test_later_judgements_are_added(store):
    store.keep(JUDGED)
    store.keep({("d", "gold", "b"): RIGHT})
    assert len(store.load(["d"])) == 3


def test_statements_that_no_file_can_hold_are_left_out(store):
    store.keep({("d", "gold", "\udcff"): WRONG, ("d", "gold", "a"): RIGHT})
    assert store.load(["d"]) == {("d", "gold", "a"): RIGHT}


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-20],
        lambda content: b"",
        lambda content: content[:100] + bytes([content[100] ^ 1]) + content[101:],
    ],
    ids=["cut", "empty", "one bit"],
)
def test_an_altered_file_is_not_read_and_is_mended(store, tmp_path, damage):
    store.keep({("d", "gold", "a"): RIGHT})
    (file,) = tmp_path.glob("judgements/*.parquet")
    file.write_bytes(damage(file.read_bytes()))
    assert store.load(["d"]) == {}
    store.keep({("d", "gold", "b"): WRONG})
    assert store.load(["d"]) == {("d", "gold", "b"): WRONG}


def test_a_broken_card_is_no_judgement(store, tmp_path):
    store.keep(JUDGED)
    for card in tmp_path.glob("judgements/*.json"):
        card.write_bytes(b"\xff{")
    assert store.load(["d", "e"]) == {}


def test_runs_at_once_lose_nothing(store, tmp_path):
    words = [[sys.executable, "-c", ADD, str(ROOT), str(tmp_path), name] for name in ("one", "two")]
    runs = [subprocess.Popen(w) for w in words]
    assert [run.wait(timeout=120) for run in runs] == [0, 0]
    assert len(store.load(["d"])) == 16


def test_a_folder_that_cannot_be_written_is_the_users_mistake(tmp_path):
    (tmp_path / "file").write_text("")
    store = JudgementStore(ArtifactStore(str(tmp_path / "file")), SCORING_LIMITS)
    assert store.load(["d"]) == {}
    with pytest.raises(UserError, match="--artifacts"):
        store.keep(JUDGED)
