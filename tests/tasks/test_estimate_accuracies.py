"""Generators of a database are weighed by all of its batches, and the estimate reaches the selection."""

from dataclasses import replace

import pytest

from nl2sql.rows import Database, Question, Repair, Selection
from nl2sql.scoring.rows import Accuracy
from tasks.artifact_store import ArtifactStore, Provenance, read_rows
from tasks.database_context import OfflineArtifacts
from tasks.estimate_accuracies import estimate_accuracies

ROW = Repair("0", "zoo", "a", "good", "SELECT 1", "SELECT 1", (), "ok", "ok", "", 1, 1, 0.0, "right", "")


def batch(store: ArtifactStore, number: int) -> object:
    """Twenty questions: two good systems agree, the bad one has a result of its own."""
    rows = [
        replace(ROW, question_id=f"{number}-{i}", candidate_id=name, generator=name, result_digest=digest)
        for i in range(20)
        for name, digest in (("good", "right"), ("fair", "right"), ("bad", "wrong"))
    ]
    return store.write("repairs", f"batch{number}", rows, Provenance("test"))


@pytest.fixture
def store(tmp_path) -> ArtifactStore:
    return ArtifactStore(str(tmp_path))


def accuracies(store: ArtifactStore, **repairs) -> dict[str, float]:
    found = estimate_accuracies.run(store, empty_is_wrong=True, **repairs)
    return {a.generator: a.accuracy for a in read_rows(found, Accuracy)}


def test_more_batches_say_more(store):
    one = accuracies(store, batch_0=batch(store, 0))
    two = accuracies(store, batch_0=batch(store, 0), batch_1=batch(store, 1))
    assert list(one) == ["bad", "fair", "good"]
    assert two["good"] > one["good"] > 0.6 > one["bad"] > two["bad"]


def test_the_estimate_is_made_again_only_for_other_candidates(store):
    first, second = batch(store, 0), batch(store, 1)
    made = estimate_accuracies.run(store, empty_is_wrong=True, batch_0=first)
    assert estimate_accuracies.run(store, empty_is_wrong=True, batch_0=first) == made
    assert estimate_accuracies.run(store, empty_is_wrong=True, batch_0=second).path != made.path


def test_selection_listens_to_the_estimate(store, tmp_path):
    from tasks.select_answers import select_answers

    rows = [
        replace(ROW, candidate_id=f"{name}/1", generator=name, result_digest=digest)
        for name, digest in (("good", "right"), ("bad", "wrong"), ("poor", "wrong"))
    ]
    repairs = store.write("repairs", "asked", rows, Provenance("test"))
    known = [Accuracy("good", 0.95), Accuracy("bad", 0.55), Accuracy("poor", 0.55)]
    weights = store.write("accuracies", "known", known, Provenance("test"))
    kinds = ("profiles", "summaries", "cells", "cell_bands", "columns", "examples")
    nothing = [store.write(kind, "none", (), Provenance("test")) for kind in kinds]
    database = Database("zoo", str(tmp_path / "zoo.sqlite"), "", 0, "", "", "")
    offline = OfflineArtifacts(database, *nothing)
    asked = {"questions": (Question("0", "zoo", "?", "", "", "", "dev"),), "repairs": repairs, "offline": offline}
    rules = {"margin": 0.05, "empty_is_wrong": True}
    plain, weighed = (select_answers.run(store, **asked, **rules, **more) for more in ({}, {"accuracies": weights}))
    assert [read_rows(found, Selection)[0].candidate_id for found in (plain, weighed)] == ["bad/1", "good/1"]
