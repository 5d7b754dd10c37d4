import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nl2sql.contracts import check, to_table
from nl2sql.online.ground_questions import ground_questions
from nl2sql.online.join_paths import JoinGraph
from nl2sql.online.link_schema import Limits, link_schema
from nl2sql.rows import Linking
from nl2sql.schema import ForeignKey, Schema


def link(context, question, **options):
    return link_schema([question], ground_questions([question], context), context, **options)[0]


def columns(linking, view=2):
    return {f"{x.table}.{x.column}" for x in linking.links if x.view <= view}


def reasons(linking, name):
    return next(x.reasons for x in linking.links if f"{x.table}.{x.column}" == name)


def test_named_column_of_the_named_table_is_precise(club, ask):
    linking = link(club, ask("List the location of every event."))
    assert "event.location" in columns(linking, view=1)
    assert linking.links[0].column == "location"
    assert "name" in reasons(linking, "event.location")


def test_matched_cell_brings_its_column_and_the_bridge_to_the_other_table(club, ask):
    linking = link(club, ask("Which event did Ann Allen go to?"))
    assert columns(linking, view=1) >= {
        "member.first_name",
        "member.last_name",
        "attendance.link_to_member",
        "attendance.link_to_event",
        "member.id",
        "event.event_id",
    }
    assert "cell" in reasons(linking, "member.first_name")
    assert "path" in reasons(linking, "attendance.link_to_event")


def test_part_of_a_name_counts_less_where_another_table_holds_more_of_it(club, ask):
    linking = link(club, ask("Where does Ann Allen live?"))
    scores = {f"{x.table}.{x.column}": x.score for x in linking.links}
    assert scores["member.last_name"] > scores.get("city.name", 0)


def test_formula_of_the_evidence_outranks_everyday_words(club, ask):
    linking = link(club, ask("Who is best?", "best refers to MAX(rating)"))
    assert linking.links[0].column == "rating"
    assert "evidence" in linking.links[0].reasons


def test_evidence_names_the_table_as_well(build_context, ask):
    script = "CREATE TABLE a (id INTEGER PRIMARY KEY, cost REAL); CREATE TABLE b (id INTEGER PRIMARY KEY, cost REAL);"
    linking = link(build_context(script, "costs"), ask("How much?", "how much refers to SUM(b.cost)"))
    assert columns(linking, view=1) >= {"b.cost"}
    assert linking.links[0].table == "b"


def test_cue_words_reach_columns_that_nobody_names(build_context, ask):
    script = "CREATE TABLE person (id INTEGER PRIMARY KEY, age INTEGER, code TEXT, remark TEXT, h REAL, k REAL);"
    linking = link(build_context(script, "people"), ask("How old is the oldest one?"))
    assert linking.links[0].column == "age"
    assert "cue" in linking.links[0].reasons


def test_draft_adds_its_columns_to_the_second_view(club, ask):
    def draft(question, grounding, linking, context):
        assert linking.draft_sql == ""
        return "SELECT iban FROM supplier"

    plain = link(club, ask("List the location of every event."))
    drafted = link(club, ask("List the location of every event."), draft=draft)
    assert columns(drafted) - columns(plain) >= {"supplier.iban"}
    assert columns(drafted, view=1) == columns(plain, view=1)
    assert reasons(drafted, "supplier.iban")[-1] == "draft"
    assert drafted.draft_sql == "SELECT iban FROM supplier"


def test_a_draft_brings_the_keys_that_tie_its_table_to_the_others(club, ask):
    question = ask("Which event did Ann Allen go to?")
    scarce = Limits(exactly=9)
    drafted = link(club, question, limits=scarce, draft=lambda *_: "SELECT type FROM event")
    assert {"event.type", "event.event_id", "attendance.link_to_event"} <= columns(drafted)
    assert len(drafted.links) == 9


def test_names_of_what_a_likely_column_refers_to_outrank_its_other_columns(build_context, ask):
    script = """
        CREATE TABLE pupil (sid INTEGER PRIMARY KEY, surname TEXT, town TEXT, remark TEXT, phone TEXT, grade_x INT);
        CREATE TABLE exam (sid INT REFERENCES pupil, score INT, room TEXT);
    """
    linking = link(build_context(script, "exams"), ask("What is the highest exam score?"), limits=Limits(exactly=5))
    assert {"exam.score", "exam.sid", "pupil.sid", "pupil.surname"} <= columns(linking)


def test_exactly_so_many_columns_are_kept(club, ask):
    for count in (1, 5, 1000):
        kept = link(club, ask("Which event did Ann Allen go to?"), limits=Limits(exactly=count)).links
        assert len(kept) == min(count, len(club.schema.column_names))


@pytest.mark.parametrize("sql", ["", "SELEC nonsense (", "SELECT ghost FROM nowhere", "DROP TABLE member"])
def test_unreadable_draft_changes_nothing(club, ask, sql):
    question = ask("List the location of every event.")
    assert columns(link(club, question, draft=lambda *_: sql)) == columns(link(club, question))


def test_wide_table_is_linked_in_bounded_time_to_few_columns(build_context, ask):
    names = [f"metric_{i}" for i in range(1995)] + ["blood pressure"]
    script = "CREATE TABLE wide (" + ", ".join(f'"{n}" REAL' for n in names) + "); INSERT INTO wide DEFAULT VALUES;"
    context = build_context(script, "wide")
    questions = [ask("What is the highest blood pressure?", question_id=str(i)) for i in range(10)]
    groundings = ground_questions(questions, context)
    start = time.perf_counter()
    linkings = link_schema(questions, groundings, context)
    assert time.perf_counter() - start < 5
    assert linkings[0].links[0].column == "blood pressure"
    assert len(linkings[0].links) <= Limits().recall_most + 2


def test_one_table_without_keys(build_context, ask):
    context = build_context("CREATE TABLE log (level TEXT, message TEXT, host TEXT, at TEXT, pid INTEGER);", "log")
    linking = link(context, ask("Show the message of each host"))
    assert columns(linking, view=1) >= {"log.message", "log.host"}
    assert linking.columns_total == 5


def test_names_with_spaces_emoji_keywords_and_quotes(build_context, ask):
    script = 'CREATE TABLE "order" ("group by" TEXT, "🎉 party" TEXT, "a""b" TEXT, "select" INTEGER, "名前" TEXT);'
    linking = link(build_context(script, "odd"), ask("Which party, by select and 名前?"))
    assert columns(linking) >= {"order.🎉 party", "order.select", "order.名前"}


def test_view_is_linked_like_a_table(build_context, ask):
    script = "CREATE TABLE raw (x1 TEXT); CREATE VIEW clean AS SELECT x1 AS temperature FROM raw;"
    assert "clean.temperature" in columns(link(build_context(script, "views"), ask("the temperature")), view=1)


def test_database_without_tables_has_no_links(build_context, ask):
    linking = link(build_context("", "nothing"), ask("Anything?"))
    assert (linking.links, linking.columns_total) == ((), 0)


def test_missing_grounding_is_an_error(club, ask):
    with pytest.raises(KeyError, match="q"):
        link_schema([ask("x")], [], club)


@settings(max_examples=40, deadline=None)
@given(text=st.text(max_size=80), evidence=st.text(max_size=80))
def test_links_are_columns_of_the_schema_without_repeats_s1_first(club, ask, text, evidence):
    linking = link(club, ask(text, evidence))
    names = [(x.table, x.column) for x in linking.links]
    assert len(set(names)) == len(names) <= linking.columns_total
    assert all(club.schema.column(*name) for name in names)
    views = [x.view for x in linking.links]
    assert views == sorted(views)
    check(to_table([linking], Linking), "linkings")


def test_same_question_links_the_same_whatever_stands_beside_it(club, ask):
    questions = [ask("members in France", question_id=str(i)) for i in range(3)]
    linkings = link_schema(questions, ground_questions(questions, club), club)
    assert len({x.links for x in linkings}) == 1


def keys(*pairs, declared=True):
    return tuple(ForeignKey(a, f"{b}_id", b, "id", declared) for a, b in pairs)


def test_paths_go_through_tables_that_are_not_asked_for():
    graph = JoinGraph(Schema("x", (), keys(("a", "b"), ("b", "c"), ("c", "d"))))
    assert [(k.table, k.to_table) for k in graph.connect(["a", "d"])] == [("a", "b"), ("b", "c"), ("c", "d")]


def test_declared_key_wins_over_a_proposed_one_and_a_proposed_one_over_a_detour():
    direct = keys(("a", "c"), declared=False)
    assert JoinGraph(Schema("x", (), keys(("a", "b"), ("b", "c")) + direct)).connect(["a", "c"]) == list(direct)
    both = (*keys(("a", "c")), ForeignKey("a", "other", "c", "id", False))
    assert JoinGraph(Schema("x", (), both)).connect(["a", "c"]) == [both[0]]


def test_tables_out_of_reach_are_left_alone():
    graph = JoinGraph(Schema("x", (), keys(("a", "b"), ("c", "c"))))
    assert graph.connect(["a", "c", "b"]) == list(keys(("a", "b")))
    assert graph.connect([]) == []


@pytest.mark.parametrize(
    ("database", "evidence"), [("bird/dev_databases/superhero", True), ("spider/database/orchestra", False)]
)
def test_targets_are_met_on_held_out_real_questions(real_context, database, evidence):
    from pathlib import Path

    from nl2sql.benchmarks import load_benchmark
    from nl2sql.scoring.recall import measure_recall, summarise_recall

    name = Path(database).name
    context = real_context(f"{database}/{name}.sqlite")
    root = Path(context.database.path).parents[2]
    questions = load_benchmark(root, databases=[name]).questions[:60]
    groundings = ground_questions(questions, context)
    linkings = link_schema(questions, groundings, context)
    summary = summarise_recall(measure_recall(questions, groundings, linkings, context))
    assert summary.strict_recall >= (0.85 if evidence else 0.92)
    assert summary.kept_share <= 0.5
    assert summary.cell_recall >= 0.92
