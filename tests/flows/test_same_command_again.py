"""What is said of each mishap in docs/recovering.md: the same command again, and what was finished is reused."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

from tests.faults.injections import can_mount, fill, mount_small, unmount
from tests.servers.pipeline_process import KEYS, prepare_pipeline
from tests.servers.server_process import RunningServer, run_model_server

SCRIPT = "tests.servers.benchmark_script:build"
QUESTIONS = ("--database", "shop")
NOWHERE = "http://127.0.0.1:9"  # discard: nobody listens there


@pytest.fixture
def provider(tiny, tmp_path, monkeypatch) -> Iterator[RunningServer]:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    with run_model_server(tmp_path, SCRIPT, {"dataset": str(tiny)}) as running:
        yield running


@pytest.fixture
def preset(provider, tmp_path) -> Path:
    """Cheap models of the scripted provider, which is asked once."""
    file = prepare_pipeline(tmp_path / "preset", provider, base="economy", concurrency=4).preset
    file.write_text(file.read_text().replace("[providers.anthropic]\n", "[providers.anthropic]\nretries = 0\n"))
    return file


@pytest.fixture
def evaluate(nl2sql, tiny, tmp_path, server) -> Callable[..., Result]:
    """The same command every time."""
    return lambda *words: nl2sql(
        "evaluate", tiny, *QUESTIONS, "--artifacts", tmp_path / "disk" / "artifacts", "--json", *words
    )


def last_json(result: Result) -> dict:
    return json.loads(result.stdout.splitlines()[-1])


def said(result: Result) -> str:
    return re.sub(r"\s+", " ", result.output)


def cards(folder: Path) -> dict[Path, str]:
    """Of what was finished: a card holds the time at which its artifact was written."""
    whole = [card for card in folder.glob("disk/artifacts/*/*.json") if card.with_suffix(".parquet").exists()]
    return {card: card.read_text() for card in whole if card.parent.name not in ("manifests", "runs")}


def answered(provider: RunningServer) -> Counter[str]:
    return Counter(c["digest"] for c in provider.calls() if c["delivered"] and c["status"] == 200)


def test_a_full_disk(evaluate, tmp_path):
    if not can_mount(tmp_path / "disk"):
        pytest.skip("this user may not mount: no small disk to fill")
    mount_small(tmp_path / "disk")
    try:
        make_room = fill(tmp_path / "disk" / "filler", 200_000)
        failed = evaluate()
        finished = cards(tmp_path)
        assert (failed.exit_code, bool(finished)) == (1, True)
        assert "No space left on device" in said(failed)
        make_room()
        done = evaluate()
        assert done.exit_code == 0, done.output
        assert last_json(done)["reused"] > 0
        assert {card: cards(tmp_path).get(card) for card in finished} == finished
    finally:
        unmount(tmp_path / "disk")


def test_an_exhausted_quota(evaluate, preset, provider, tmp_path):
    provider.control(misbehaviours=[{"kind": "no_credit", "numbers": list(range(12, 1000))}])
    failed = evaluate("--preset", preset)
    assert failed.exit_code == 1
    assert "credit balance is too low" in said(failed)
    paid, finished = answered(provider), cards(tmp_path)
    assert paid
    provider.control(misbehaviours=[])
    done = evaluate("--preset", preset)
    assert done.exit_code == 0, done.output
    assert not (answered(provider) - paid).keys() & paid.keys()  # nothing was paid for twice
    assert {card: cards(tmp_path).get(card) for card in finished} == finished


def test_a_model_that_cannot_be_reached(evaluate, preset, provider, tmp_path):
    reachable = preset.read_text()
    preset.write_text(reachable.replace(provider.address, NOWHERE))
    failed = evaluate("--preset", preset)
    assert failed.exit_code == 1
    assert "anthropic has not answered" in said(failed)
    finished = cards(tmp_path)
    assert finished
    preset.write_text(reachable)
    done = evaluate("--preset", preset)
    assert done.exit_code == 0, done.output
    assert last_json(done)["reused"] > 0
    assert {card: cards(tmp_path).get(card) for card in finished} == finished
