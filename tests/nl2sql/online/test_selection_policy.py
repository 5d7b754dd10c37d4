import json
import sqlite3
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nl2sql.errors import UserError
from nl2sql.online.context import DatabaseContext
from nl2sql.online.select_answers import select_answers
from nl2sql.online.selection_features import ACCURACY_FEATURES, FEATURES, gather_pool, measure
from nl2sql.online.selection_policy import Policies, Policy, policies_from_json, policies_to_json
from nl2sql.online.sql_facts import read_facts
from nl2sql.rows import CellMatch, Database, Grounding, Link, Linking, Question, Repair
from nl2sql.schema import read_schema

EVERY = {**FEATURES, **ACCURACY_FEATURES}
NOBODY = Policy((), (), (), False)


class NoSearch:
    def lookup(self, texts, limit=10):
        return [[] for _ in texts]

    def search(self, texts, limit=10, **_):
        return [[] for _ in texts]


nothing = NoSearch()
SHOP = read_schema(sqlite3.connect(":memory:"), "shop")
CONTEXT = DatabaseContext(Database("shop", "", "", 0, "", "", ""), SHOP, (), (), nothing, nothing, nothing)
ASKED = Question("7", "shop", "How many items cost more than 20?", "cost refers to price", "", "", "dev")


def gave(generator, digest, sql="SELECT 1", outcome="ok", rows=((1,),), before=""):
    ran = outcome in ("ok", "empty", "all_null")
    return Repair(
        question_id="7",
        db_id="shop",
        candidate_id=f"{generator}/1",
        generator=generator,
        sql=sql,
        sql_before=before or sql,
        actions=(),
        outcome=outcome,
        outcome_before=outcome,
        error="",
        row_count=len(rows),
        column_count=len(rows[0]) if rows else 1,
        seconds=0.0,
        result_digest=digest if ran else "",
        preview=json.dumps({"columns": [], "rows": [list(r) for r in rows]}) if ran else "",
    )


def feature(name, candidates, question=ASKED, grounding=None, linking=None, accuracies=None):
    pool = gather_pool(question, candidates, accuracies or {}, grounding, linking)
    return dict(zip(pool.digests, EVERY[name](pool), strict=True))


def test_facts_of_a_statement():
    facts = read_facts("SELECT `Price` FROM item WHERE name = 'O''Hara' AND \"n\" > 20.5 LIMIT 3")
    assert {"price", "item", "limit", "n"} <= facts.words
    assert "o'hara" in facts.strings
    assert facts.numbers == {"20.5", "3"}


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80))
def test_whatever_stands_in_a_candidate_is_measured(text):
    question = replace(ASKED, question=text, evidence=text)
    pool = gather_pool(question, [gave("a", "x", text), gave("b", "y", "SELECT 2")], {})
    assert np.isfinite(measure(pool, EVERY)).all()


def test_features_tell_results_apart():
    lion, tiger = gave("a", "x", "SELECT price FROM item"), gave("b", "y", "SELECT COUNT(*) FROM item WHERE price > 20")
    for name in ("cues", "numbers"):
        found = feature(name, [lion, tiger])
        assert found["y"] > found["x"], name
    assert feature("uncued", [lion, replace(tiger, sql="SELECT AVG(price) FROM item")])["y"] == 1


def test_evidence_counts_where_it_is_followed():
    question = replace(ASKED, evidence="ratio = DIVIDE(SUM(price), COUNT(id)); status = 'A'")
    found = feature(
        "evidence",
        [gave("a", "x", "SELECT SUM(price)/COUNT(id) FROM t WHERE status='A'"), gave("b", "y", "SELECT price FROM t")],
        question,
    )
    assert found["x"] > found["y"] == 0


def test_matched_cells_and_linked_columns_count():
    cell = CellMatch("lamp", "item", "name", "Lamp", 1.0, "casefold")
    grounding = Grounding("7", "shop", (), ("lamp",), "", (cell,), (), ())
    linking = Linking("7", "shop", (Link("item", "price", 1, 1, ()), Link("item", "colour", 2, 0.1, ())), 3, "")
    pool = [
        gave("a", "x", "SELECT price FROM item WHERE name = 'Lamp'"),
        gave("b", "y", "SELECT colour FROM item WHERE name = 'Rug'"),
    ]
    expected = {"cells": (1, 0), "linked": (1, 0), "unlinked": (0, 1), "foreign_strings": (0, 1)}
    for name, (x, y) in expected.items():
        assert feature(name, pool, grounding=grounding, linking=linking) == {"x": x, "y": y}, name
    assert feature("cells", pool) == {"x": 0, "y": 0}  # without a grounding


def test_similar_results_support_each_other():
    near = [gave("a", "x", rows=(("Ada",), ("Bo",))), gave("b", "y", rows=(("Ada",), ("Bo",), ("Cy",)))]
    found = feature("overlap", [*near, gave("c", "z", rows=(("Zed",),))])
    assert min(found["x"], found["y"]) > found["z"]


def test_a_preview_that_is_no_json_is_nothing():
    broken = replace(gave("a", "x"), preview='{"rows": [[')
    assert set(feature("overlap", [broken, gave("b", "y")])) == {"x", "y"}


def test_failures_form_no_result_and_no_pool_breaks():
    pool = gather_pool(ASKED, [gave("a", "", outcome="error"), gave("b", "", outcome="timeout")], {})
    assert measure(pool, EVERY).shape == (0, len(EVERY))
    assert NOBODY.probabilities(pool).shape == (0,)
    assert gather_pool(ASKED, [], {}).digests == ()


def test_probabilities_follow_features_and_voices():
    pool = gather_pool(ASKED, [gave("a", "x"), gave("b", "y"), gave("c", "y")], {})
    assert NOBODY.probabilities(pool) == pytest.approx([0.5, 0.5])
    assert Policy((("votes", 1.0),), (), (), False).probabilities(pool) == pytest.approx([1 / 3, 2 / 3])
    loud = Policy((), (("a", 3.0), ("b", 0.0), ("c", 0.0)), (), False)
    assert loud.probabilities(pool)[0] > 0.9


def test_an_unknown_generator_has_the_mean_voice():
    policy = Policy((), (("a", 2.0), ("b", 4.0)), (), False)
    known = policy.probabilities(gather_pool(ASKED, [gave("a", "x"), gave("b", "y")], {}))
    unknown = policy.probabilities(gather_pool(ASKED, [gave("new", "x"), gave("b", "y")], {}))
    assert known[0] < unknown[0] < 0.5


def test_blank_results_lose_where_the_policy_says_so():
    blanks = [gave("a", "x", outcome="empty", rows=()), gave("b", "x", outcome="empty", rows=())]
    policy = replace(NOBODY, features=(("votes", 5.0),), blank_loses=True)
    assert list(policy.probabilities(gather_pool(ASKED, [*blanks, gave("c", "y")], {}))) == [0, 1]
    assert list(policy.probabilities(gather_pool(ASKED, blanks, {}))) == [1]  # nothing else is there


def test_selection_by_policy_outvotes_the_majority():
    pool = [gave("a", "x"), gave("b", "x"), gave("c", "y")]
    policy = Policy((), (("a", 0.0), ("b", 0.0), ("c", 2.0)), (), False)
    (chosen,) = select_answers([ASKED], pool, CONTEXT, policy=policy)
    assert (chosen.candidate_id, chosen.path) == ("c/1", "policy")
    assert chosen.vote_candidate_id == "a/1"
    assert sum(c.weight for c in chosen.clusters) == pytest.approx(1)
    assert 0 < chosen.confidence <= 1
    (plain,) = select_answers([ASKED], pool, CONTEXT)
    assert plain.candidate_id != "c/1"


def test_one_result_needs_no_policy():
    (chosen,) = select_answers([ASKED], [gave("a", "x"), gave("b", "x")], CONTEXT, policy=NOBODY)
    assert chosen.path == "unanimous"
    (none,) = select_answers([ASKED], [gave("a", "", outcome="error")], CONTEXT, policy=NOBODY)
    assert (none.path, none.candidate_id) == ("none", "")


def test_the_file_gives_back_what_was_written():
    policy = Policy((("votes", 0.5),), (("a", -1.0),), (("a", 0.25),), True)
    policies = Policies(policy, {"shop": NOBODY}, True)
    held = policies_from_json(policies_to_json(policies, {"note": "größer"}), "p.json")
    assert held == policies
    assert held.for_database("shop") == NOBODY
    assert held.for_database("other") == policy
    assert replace(held, gains=False).for_database("other") is None


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "null", '{"format": 99}', '{"format": 1, "gains": true, "without": {}, "policy": 3}',
             '{"format": 1, "gains": true, "without": {}, "policy": {"features": {"tea_leaves": 1}, "voices": {},'
             ' "accuracies": {}, "blank_loses": false}}']
)  # fmt: skip
def test_what_is_no_policy_is_refused_by_name(text):
    with pytest.raises(UserError, match=r"p\.json is no selection policy .*nl2sql calibrate"):
        policies_from_json(text, "p.json")
