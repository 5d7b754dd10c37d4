"""Both scores side by side, also where nothing was selected or nothing corrected."""

from nl2sql.reporting.corrected_gold_figures import corrected_figures, corrected_json, corrected_sentence
from nl2sql.reporting.run_tables import RunTables
from nl2sql.rows import Question, Verdict


def verdict(key: str, correct: bool, system: str = "selected") -> Verdict:
    return Verdict(key, "shop", system, "c", "g", "SELECT 1", correct, "" if correct else "values", "")


FIRST = [verdict("0", True), verdict("1", False), verdict("2", True), verdict("0", False, "vote")]
QUESTIONS = [Question(str(n), "shop", "Which?", "", "SELECT 1", "simple", "dev") for n in range(4)]


def figures(corrected: list[Verdict]):
    return corrected_figures(RunTables(QUESTIONS, verdicts=FIRST, corrected=corrected))


def test_only_corrected_questions_can_change():
    found = figures([verdict("0", False), verdict("1", True), verdict("2", True)])
    assert found is not None
    assert (found.first, found.corrected, found.now_right, found.now_wrong, found.changed) == (2, 2, 1, 1, 2)
    found = figures([verdict("1", True)])
    assert found is not None
    assert (found.golds, found.first, found.corrected) == (1, 2, 3)
    assert "75.0 % with the corrected gold, 50.0 % with the benchmark's" in corrected_sentence(found)
    told = corrected_json(found)
    assert told is not None
    assert (told["execution_accuracy"], told["questions_changed"]) == (75.0, 1)


def test_nothing_corrected_has_no_figures():
    assert figures([]) is None
    assert figures([verdict("0", False, "vote")]) is None
    assert corrected_json(None) is None


def test_a_question_that_had_no_verdict_counts_as_wrong_before():
    found = figures([verdict("9", True)])
    assert found is not None
    assert (found.now_right, found.corrected) == (1, 3)
