"""Which run made which file: in the UI, in the terminal and as JSON; and which questions went wrong, in the UI."""

import asyncio
import json
from pathlib import Path

import pytest

from flows.lineage_table import lineage_markdown
from nl2sql.rows import Step
from tasks.lineage import Origin

WRONG = "SELECT 'a | b', \"name\" FROM item"


@pytest.fixture
def twice(server, nl2sql, tiny, tmp_path) -> tuple[dict, dict, Path]:
    """Summaries of two evaluations of which the second reuses what is offline, and their artifacts."""
    (tmp_path / "wrong.jsonl").write_text(json.dumps({"question_id": 4, "db_id": "shop", "model": "m", "sql": WRONG}))
    place = ("--json", "--artifacts", tmp_path / "own")
    first = nl2sql("evaluate", tiny, *place)
    second = nl2sql("evaluate", tiny, "--predictions", tmp_path / "wrong.jsonl", *place)
    assert first.exit_code == second.exit_code == 0, first.output + second.output
    return *(json.loads(r.stdout.splitlines()[-1]) for r in (first, second)), tmp_path / "own"


def shown_in_ui(server: str, prefix: str) -> list[str]:
    """The newest artifact whose key begins so, as the UI would show it."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

    async def read():
        async with get_client() as client:
            return await client.read_artifacts(artifact_filter=ArtifactFilter(key=ArtifactFilterKey(like_=prefix)))

    found = sorted(asyncio.run(read()), key=lambda a: a.created)
    return str(found[-1].data).splitlines()


@pytest.mark.xdist_group("prefect")
def test_the_lineage_names_the_run_that_made_each_artifact(server, twice, nl2sql):
    first, second, _ = twice
    told = json.loads(nl2sql("lineage", second["run_folder"], "--json").stdout.splitlines()[-1])["artifacts"]
    by_kind = {o["name"].partition("/")[0]: o for o in told}
    earlier = {o["name"]: o for o in json.loads(
        nl2sql("lineage", first["run_folder"], "--json").stdout.splitlines()[-1])["artifacts"]}  # fmt: skip
    assert by_kind["cells"] == earlier[by_kind["cells"]["name"]]  # reused: the first run made it
    assert by_kind["candidates"]["name"] not in earlier
    assert (by_kind["cells"]["run"], by_kind["candidates"]["run"]) == ("index tiny", "answer tiny")
    assert by_kind["repairs"]["run_id"] != earlier[next(n for n in earlier if n.startswith("repairs"))]["run_id"]
    parents = {name.partition("/")[0] for name in by_kind["repairs"]["parents"]}
    assert {"groundings", "linkings", "candidates", "profiles", "cells"} <= parents
    table = shown_in_ui(server, "lineage-tiny%")
    assert any("repair candidates: shop" in line and "/runs/flow-run/" in line for line in table)


@pytest.mark.xdist_group("prefect")
def test_an_artifact_is_shown_with_all_that_it_was_made_from(twice, nl2sql):
    _, second, artifacts = twice
    told = json.loads(nl2sql("lineage", second["run_folder"], "--json").stdout.splitlines()[-1])["artifacts"]
    name = next(o["name"] for o in told if o["name"].startswith("verdicts/"))
    for what in (name[:20], artifacts / f"{name}.parquet"):
        result = nl2sql("lineage", what, "--artifacts", artifacts, "--json")
        found = json.loads(result.stdout.splitlines()[-1])["artifacts"]
        assert (found[0]["name"], found[0]["depth"]) == (name, 0)
        assert {"profiles", "candidates"} <= {o["name"].partition("/")[0] for o in found}
        assert max(o["depth"] for o in found) >= 3
        assert "answer tiny" in result.stdout


@pytest.mark.xdist_group("prefect")
def test_wrong_questions_stand_in_the_ui_with_their_reason(server, twice):
    table = shown_in_ui(server, "wrong-tiny-recorded%")
    (line,) = [line for line in table if line.startswith("| 4 |")]
    assert line.startswith("| 4 | shop | columns | How many items are there? | 2 columns ('a \\| b', name) where"), line
    assert len(table) == 2 + 5  # the others had no prediction at all


@pytest.mark.parametrize("what", ["nowhere", "repairs/ffff", "../cells/x", "cells/../../x", "*/*"])
def test_what_does_not_exist_is_refused_in_one_line(nl2sql, what):
    result = nl2sql("lineage", what)
    assert result.exit_code == 1
    assert what in result.stderr
    assert "Traceback" not in result.stderr


def test_names_cannot_break_the_table_of_the_ui():
    hostile = "x|y](javascript:alert(1))<b>"
    step = Step("link_schema", hostile, 0, "linkings", "/a/linkings/k.parquet", "", 1, 1, 0.0, False, "")
    origin = Origin("linkings/k", "link_schema", 1, 0.1, 0.0, hostile, "", ())
    line = lineage_markdown([step], [origin]).splitlines()[2]
    assert line.replace("\\|", "").count("|") == 8
    assert "<b>" not in line
    assert "](javascript" not in line.replace("\\]", "")
