"""An ablation runs each task once for all variants that need the same of it."""

from collections import Counter
from pathlib import Path

import pytest

from flows.ablate_benchmark import WHOLE, variants_of
from flows.options import PARTS, Options
from nl2sql.rows import Grounding, Linking, Selection, Step
from tasks.artifact_store import Artifact, read_rows

pytestmark = [pytest.mark.usefixtures("server"), pytest.mark.xdist_group("prefect")]
BATCHES = 2  # one of each database


def ablate(dataset: Path, artifacts: Path, without: tuple[str, ...] = PARTS) -> dict[str, list[Step]]:
    from flows.ablate_benchmark import ablate_benchmark
    from flows.manifests import read_manifest

    state = ablate_benchmark(
        str(dataset),
        artifacts=str(artifacts),
        output=str(artifacts / "ablation"),
        without=without,
        options=Options(batch_size=32),
        return_state=True,
    )
    manifests = state.result()
    assert isinstance(manifests, dict)
    return {name: read_manifest(manifest) for name, manifest in manifests.items()}


def executed(steps: list[Step]) -> Counter:
    return Counter(s.stage for s in steps if not s.reused and s.batch >= 0)


def rows(steps: list[Step], stage: str, row: type) -> list:
    found = [s for s in steps if s.stage == stage]
    return [
        r
        for s in found
        for r in read_rows(Artifact(s.kind, s.path, s.sha256, s.rows, s.schema_version, s.seconds), row)
    ]


def test_each_part_is_off_and_everything_else_is_shared(tiny, tmp_path):
    variants = ablate(tiny, tmp_path / "artifacts")
    assert list(variants) == ["whole pipeline", *(f"without {part}" for part in PARTS)]
    assert not [s.error for steps in variants.values() for s in steps if s.error]
    for part, shared in {
        "linking": {"ground_questions"},
        "fixer": {"ground_questions", "link_schema", "generate_candidates"},
        "selection": {"ground_questions", "link_schema", "generate_candidates", "repair_candidates"},
    }.items():
        assert not executed(variants[f"without {part}"]).keys() & shared, part
    assert executed(variants["without examples"]) == Counter({"ground_questions": BATCHES})  # there are none here

    assert any(g.cells for g in rows(variants["whole pipeline"], "ground_questions", Grounding))
    assert not any(g.cells for g in rows(variants["without cells"], "ground_questions", Grounding))
    links = rows(variants["without linking"], "link_schema", Linking)
    assert all(len(item.links) == item.columns_total for item in links)
    paths = {s.path for s in rows(variants["without selection"], "select_answers", Selection)}
    assert paths <= {"first", "none"}
    written = {p.name for p in (tmp_path / "artifacts" / "ablation" / "without-cells").iterdir()}
    assert {"report.html", "predictions.json"} <= written


def test_variants_by_name_keep_what_is_off_already():
    options = Options(without=("examples",))
    variants = variants_of(options, ("cells", "cells"))
    assert {name: v.without for name, v in variants.items()} == {
        WHOLE: ("examples",),
        "without cells": ("examples", "cells"),
    }
