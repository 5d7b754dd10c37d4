import json
from dataclasses import replace

import pytest

from nl2sql.reporting.run_tables import RunTables
from nl2sql.reporting.summarise_run import RECORDED_LABEL, RULES_LABEL, run_label, summarise_run, to_json
from nl2sql.rows import ColumnName, Database, Question, Recall


@pytest.fixture(scope="module")
def summary(run):
    return summarise_run(run.tables, dataset="harbours", seconds=83.4, failed_tasks=["ground quay: disk is full"])


def test_counts_every_question_once(summary, run):
    assert summary.overall.n == len(run.questions) == 13
    assert sum(summary.statuses.values()) == 13
    for groups in (summary.by_difficulty, summary.by_database):
        assert sum(g.n for g in groups) == 13
        assert sum(g.correct for g in groups) == summary.overall.correct
    assert sum(summary.reasons.values()) == 13 - summary.overall.correct


def test_separates_right_missed_wrong_and_unanswered(summary):
    # Missed: the heaviest ship, the hostile name, the ships by country; unanswered: none runs, none there, task failed.
    assert summary.statuses == {"right": 5, "missed": 3, "wrong": 2, "unanswered": 3}
    assert summary.overall.available == 8
    assert summary.overall.upper_bound == pytest.approx(100 * 8 / 13)


def test_vote_and_selection_differ_by_what_is_gained_and_lost(summary):
    assert summary.overall.voted - summary.lost + summary.gained == summary.overall.correct
    assert (summary.gained, summary.lost) == (0, 1)  # the ships by country: the vote was right


def test_repairs_are_judged_by_the_verdict_before(summary):
    assert (summary.changed, summary.fixed, summary.broken) == (2, 1, 1)
    assert {(a.name, a.fixed, a.broken) for a in summary.actions} == {("literal", 1, 0), ("join", 0, 1)}


def test_without_verdicts_before_only_a_failure_can_have_been_fixed(run):
    known = [v for v in run.verdicts if v.system != "unrepaired"]
    tables = replace(run.tables, verdicts=known)
    summary = summarise_run(tables)
    assert (summary.fixed, summary.broken) == (0, 0)
    assert any(note.endswith("left out of fixed and broken: 2") for note in summary.notes)
    failed = [replace(r, outcome_before="error") if r.sql != r.sql_before else r for r in run.repairs]
    summary = summarise_run(replace(tables, repairs=failed))
    assert (summary.fixed, summary.broken) == (1, 0)


def test_a_failed_task_is_reported_and_counts_as_wrong(summary):
    assert summary.failed_questions == ("lost",)
    assert summary.reasons["task failed"] == 1
    assert "ground quay: disk is full" in to_json(summary)["failed_tasks"]


def test_equal_failures_are_told_once():
    made = summarise_run(RunTables(), failed_tasks=["ground a: full", "ground b: full", "ground a: full"])
    assert made.failed_tasks == ("ground a: full (2 times)", "ground b: full")


def test_generators_stand_for_themselves(summary):
    by_name = {g.name: g for g in summary.generators}
    assert [g.correct for g in summary.generators] == sorted((g.correct for g in summary.generators), reverse=True)
    assert sum(g.candidates for g in summary.generators) == summary.candidates == 25
    assert by_name["recorded:A"].unique == 5
    assert by_name["rules"].unique == 0
    assert all(g.cost == 0 for g in summary.generators)


def test_a_generator_with_several_samples_is_judged_by_its_first(make_run, case):
    pool = [("rules", "SELECT 1"), ("A", "SELECT 2")]
    run = make_run([case("Two?", "SELECT 2", pool)])
    as_second = [replace(c, generator="rules") for c in run.candidates]
    (figures,) = summarise_run(replace(run.tables, candidates=as_second)).generators
    assert (figures.correct, figures.available, figures.candidates, figures.answered) == (0, 1, 2, 1)


def test_difficulties_stand_in_the_order_of_the_field(summary):
    assert [g.name for g in summary.by_difficulty] == ["simple", "moderate", "challenging", "unknown"]


def test_linking_is_averaged_over_questions_with_a_gold_that_parses(summary):
    assert summary.s2.n == 11  # of 12: one gold names a table that is not there
    assert summary.s2.strict_recall == pytest.approx(100 * 10 / 11)
    assert summary.s1.columns_kept < summary.s2.columns_kept < summary.s2.columns_total
    assert (summary.cells, summary.cell_recall) == (3, pytest.approx(100 * 2 / 3))


def test_a_gold_without_columns_cannot_be_missed():
    count_all = Recall("1", "d", (), (), (), 0, 3, 10, (), (), "")
    missed = Recall(
        "2", "d", (ColumnName("t", "a"), ColumnName("t", "b")), (), (ColumnName("t", "a"),), 1, 5, 10, (), (), ""
    )
    figures = summarise_run(RunTables(recalls=[count_all, missed])).s2
    assert (figures.strict_recall, figures.recall, figures.precision) == (50.0, 75.0, 10.0)
    assert (figures.columns_kept, figures.share_kept) == (4.0, 40.0)


def test_data_quality_is_noted(run):
    broken = Database("attic", "attic.sqlite", "", 0, "", "", "file is not a database")
    twice = replace(run.tables, questions=[*run.questions, run.questions[0]])
    notes = summarise_run(twice, databases=[broken], notes=["dev.json: 2 questions left out"]).notes
    joined = "\n".join(notes)
    assert "dev.json: 2 questions left out" in notes
    assert "stand more than once: 1 (1 in all)" in joined
    assert "does not run, counted as wrong: 5 (1 in all)" in joined
    assert "database attic does not open: file is not a database" in joined


def test_the_label_says_where_the_sql_comes_from(run):
    rules = [c for c in run.candidates if c.generator == "rules"]
    recorded = [c for c in run.candidates if c.generator != "rules"]
    assert run_label(rules) == RULES_LABEL == "keyless rules baseline (no model)"
    assert run_label(recorded) == RECORDED_LABEL
    assert "recorded" in run_label(run.candidates)
    assert "rules" in run_label(run.candidates)
    prompted = replace(rules[0], generator="A", model="some-model")
    assert run_label([prompted]) == "model some-model"
    assert run_label([*run.candidates, prompted]) == "model some-model and recorded predictions and keyless rules"
    many = [replace(prompted, generator=f"A{n}", model=f"m{n}") for n in range(6)]
    assert run_label(many) == "models m0, m1, m2, m3 and 2 more"
    assert run_label([]) == "no candidates"


def test_rules_helped_by_models_are_no_keyless_baseline(run, call):
    rules = [c for c in run.candidates if c.generator == "rules"]
    assert run_label(rules, [call(role="link"), call(role="summarise")]) == "keyless rules, models for: summarise, link"


def test_a_run_without_models_says_why_it_cost_nothing(summary):
    made = to_json(summary)
    assert (made["cost"], made["cost_note"], made["models"]) == (0.0, "no model calls", None)


def test_model_calls_count_by_what_was_paid_now(run, call):
    made = [call(key="a", question_id="1", dollars=0.01), call(key="b", question_id="2", dollars=0.02, cached=True)]
    reused = [call(key="c", question_id="2", dollars=0.04)]
    tables = replace(run.tables, model_calls=made, reused_calls=reused)
    summary = summarise_run(tables, degraded={"full": 9, "vote only": 4})
    assert summary.cost == pytest.approx(0.07)
    assert summary.models is not None
    assert summary.models.paid == pytest.approx(0.01)
    assert "the budget took something away from 4 of 13 questions: vote only 4" in summary.notes
    json.dumps(to_json(summary), allow_nan=False)


def test_json_has_the_promised_keys_and_is_json(summary):
    made = json.loads(json.dumps(to_json(summary), allow_nan=False))
    promised = "n execution_accuracy upper_bound majority_vote by_difficulty linking cell_recall fixed broken unanimous"
    assert set(promised.split()) <= set(made)
    assert {"seconds", "run_id", "report", "failed_questions", "generators", "by_database"} <= set(made)
    parts = {"strict_recall", "recall", "precision", "columns_kept", "columns_total", "s1"}
    assert parts <= set(made["linking"])
    assert made["execution_accuracy"] == 38.46
    assert made["by_difficulty"]["simple"]["n"] == 6


def test_an_empty_run_has_no_figures_and_no_errors():
    nothing = to_json(summarise_run(RunTables()))
    assert nothing["n"] == 0
    assert nothing["execution_accuracy"] == 0
    assert nothing["linking"]["strict_recall"] is None
    assert nothing["cell_recall"] is None


def test_corrected_gold_counts_beside_the_benchmarks(run, summary):
    answers = [v for v in run.verdicts if v.system == "selected"]
    right, wrong = next(v for v in answers if v.correct), next(v for v in answers if not v.correct)
    corrected = [replace(right, correct=False), replace(wrong, correct=True)]
    found = summarise_run(replace(run.tables, corrected=[*corrected, replace(wrong, system="vote")]))
    assert found.overall.correct == summary.overall.correct == found.overall.corrected
    by_database = {g.name: g.corrected for g in found.by_database}
    assert sum(by_database.values()) == found.overall.corrected
    assert to_json(found)["corrected_accuracy"] == 38.46
    assert summary.overall.corrected is None
    assert "corrected_accuracy" not in to_json(summary)


def test_a_question_without_gold_counts_as_wrong_and_is_noted():
    question = Question("9", "d", "Why?", "", " ", "simple", "dev")
    made = summarise_run(RunTables([question]))
    assert made.overall.correct == 0
    assert "questions without gold SQL, counted as wrong: 9 (1 in all)" in made.notes
