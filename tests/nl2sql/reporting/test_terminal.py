from dataclasses import replace

import pytest

from nl2sql.reporting.run_summary import Group
from nl2sql.reporting.run_tables import RunTables
from nl2sql.reporting.summarise_run import summarise_run
from nl2sql.reporting.terminal import headline, markdown_table, terminal_text


@pytest.fixture(scope="module")
def summary(run):
    return summarise_run(
        run.tables, dataset="har|bours_[1]", preset="offline", seconds=83.4, notes=["<b>dup</b> | ids"]
    )


def test_terminal_and_markdown_show_the_same_figures(summary):
    text, markdown = terminal_text(summary), markdown_table(summary)
    for line in headline(summary):
        assert line.value in text
        assert line.value in markdown


def test_every_figure_has_one_line_in_a_terminal_of_eighty_columns(summary):
    dev = Group("all", 1534, 1130, 1101, 1290)
    table = replace(summary, overall=dev, notes=(), failed_questions=(), failed_tasks=())
    lines = terminal_text(table, width=80).splitlines()
    assert max(len(line.rstrip()) for line in lines) <= 80
    assert len([line for line in lines if line.strip()]) == len(headline(table)) + 4  # two titles, header, rule


def test_the_label_is_said(make_run, case):
    run = make_run([case("One?", "SELECT 1", [("rules", "SELECT 1")])])
    summary = summarise_run(run.tables)
    assert "keyless rules baseline (no model)" in terminal_text(summary)
    assert "keyless rules baseline (no model)" in markdown_table(summary)


def test_markdown_is_not_broken_by_what_the_run_is_called(summary):
    markdown = markdown_table(summary)
    assert "<b>" not in markdown
    rows = [line for line in markdown.splitlines() if line.startswith("|")]
    assert all(line.replace("\\|", "").count("|") == 4 for line in rows)


def test_rich_markup_in_texts_stays_text(run):
    summary = summarise_run(run.tables, dataset="[red]x[/red]", notes=["[link=http://a]b[/link]"])
    text = terminal_text(summary)
    assert "[red]x[/red]" in text
    assert "[link=http://a]b[/link]" in text


def test_many_notes_are_cut_short(run):
    text = terminal_text(summarise_run(run.tables, notes=[f"note {n}" for n in range(400)]))
    assert "more notes in the report" in text
    assert "note 300" not in text


def test_an_empty_run_has_a_table():
    assert "execution accuracy" in terminal_text(summarise_run(RunTables()))


def test_a_run_with_models_shows_its_costs_in_eighty_columns(model_run, model_calls):
    summary = summarise_run(replace(model_run.tables, model_calls=model_calls), degraded={"vote only": 2})
    text, markdown = terminal_text(summary, width=80), markdown_table(summary)
    assert max(map(len, text.splitlines())) <= 80
    for part in ("model calls", "a question", "claude-sonnet-5-5", "Least missed: ", "vote only 2"):
        assert part in text.replace("\n", " ")
        assert part in markdown
    assert "<i>" not in markdown


def test_a_run_without_models_has_no_model_tables(summary):
    text = terminal_text(summary)
    assert "cost $0.00: no model calls" in text
    assert "operation" not in text
    assert markdown_table(summary).count("|---") == 3
