"""The project's own benchmark: it can be rebuilt, its golds run, and it is as messy as it promises to be."""

import codecs
import csv
import importlib.util
import io
import json
import re
import sqlite3
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

DEMO = Path(__file__).resolve().parents[2] / "datasets" / "demo"
DEV = json.loads((DEMO / "dev.json").read_text(encoding="utf-8"))
TRAIN = json.loads((DEMO / "train.json").read_text(encoding="utf-8"))
DATABASES = {p.stem: p for p in sorted(DEMO.glob("*_databases/*/*.sqlite"))}
FIELDS = ["question_id", "db_id", "question", "evidence", "SQL", "difficulty"]
LIMIT_SECONDS = 0.1  # of one gold query
SLACK = 10  # for a busy machine; a gold near LIMIT_SECONDS would still be seen


def open_database(db_id: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{DATABASES[db_id].as_uri()}?mode=ro", uri=True)
    if hasattr(connection, "setconfig"):
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_DQS_DML, False)
    return connection


def database_texts() -> dict[str, set[str]]:
    """All texts that stand in any cell, by database."""
    texts = {}
    for db_id in DATABASES:
        with closing(open_database(db_id)) as connection:
            tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            cells = (v for t in tables for row in connection.execute(f"SELECT * FROM `{t}`") for v in row)
            texts[db_id] = {value for value in cells if isinstance(value, str)}
    return texts


@pytest.fixture(scope="module")
def texts() -> dict[str, set[str]]:
    return database_texts()


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = importlib.util.spec_from_file_location("make_demo", DEMO / "source" / "make_demo.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder = tmp_path_factory.mktemp("demo")
    module.make_demo(folder)
    return folder


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        return list(connection.iterdump())


def test_rebuilding_gives_the_committed_files(rebuilt: Path) -> None:
    made = sorted(p.relative_to(rebuilt) for p in rebuilt.rglob("*") if p.is_file())
    assert len(made) > 20
    for name in made:
        if name.suffix == ".sqlite":
            assert dump(rebuilt / name) == dump(DEMO / name), name
        else:
            assert (rebuilt / name).read_bytes() == (DEMO / name).read_bytes(), name


def test_nothing_is_committed_that_the_script_does_not_make(rebuilt: Path) -> None:
    by_hand = {DEMO / "README.md", *DEMO.glob("source/**/*")}
    committed = {p.relative_to(DEMO) for p in DEMO.rglob("*") if p.is_file() and p not in by_hand}
    assert committed == {p.relative_to(rebuilt) for p in rebuilt.rglob("*") if p.is_file()}


def test_the_benchmark_is_large_and_mixed_enough() -> None:
    assert len(DEV) >= 120
    assert len(TRAIN) >= 240
    assert len(DATABASES) >= 4
    for questions in (DEV, TRAIN):
        shares = {k: n / len(questions) for k, n in Counter(q["difficulty"] for q in questions).items()}
        assert set(shares) == {"simple", "moderate", "challenging"}
        assert 0.38 < shares["simple"] < 0.52
        assert 0.10 < shares["challenging"] < 0.25
        assert 0.55 < sum(bool(q["evidence"]) for q in questions) / len(questions) < 0.85


def test_questions_have_bird_fields_and_unique_ids() -> None:
    assert all(list(q) == FIELDS for q in DEV + TRAIN)
    ids = [q["question_id"] for q in DEV + TRAIN]
    assert len(set(ids)) == len(ids)


def test_no_question_stands_twice_not_even_over_the_splits() -> None:
    def normal(question: dict) -> str:
        return re.sub(r"\W+", " ", question["question"].casefold()).strip()

    wordings = Counter(normal(q) for q in DEV + TRAIN)
    assert [w for w, n in wordings.items() if n > 1] == []
    assert not {q["db_id"] for q in DEV} & {q["db_id"] for q in TRAIN}


def test_no_gold_is_a_copy_of_another_with_a_new_literal() -> None:
    def shape(sql: str) -> str:
        return re.sub(r"'[^']*'|\b\d+(\.\d+)?\b", "?", sql).casefold()

    for db_id in DATABASES:
        shapes = Counter(shape(q["SQL"]) for q in DEV + TRAIN if q["db_id"] == db_id)
        assert max(shapes.values()) <= 2, (db_id, shapes.most_common(1))


@pytest.mark.parametrize("db_id", sorted(DATABASES))
def test_every_gold_runs_read_only_and_fast_and_returns_rows(db_id: str) -> None:
    questions = [q for q in DEV + TRAIN if q["db_id"] == db_id]
    assert len(questions) >= 30
    with closing(open_database(db_id)) as connection:
        for question in questions:
            started = time.perf_counter()
            rows = connection.execute(question["SQL"]).fetchall()
            seconds = time.perf_counter() - started
            assert any(value is not None for row in rows for value in row), question
            assert seconds < LIMIT_SECONDS * SLACK, question


@pytest.mark.parametrize("db_id", sorted(DATABASES))
def test_no_gold_depends_on_the_order_in_which_rows_are_stored(db_id: str) -> None:
    with closing(open_database(db_id)) as connection:
        for question in [q for q in DEV + TRAIN if q["db_id"] == db_id]:
            connection.execute("PRAGMA reverse_unordered_selects = OFF")
            rows = set(connection.execute(question["SQL"]).fetchall())
            connection.execute("PRAGMA reverse_unordered_selects = ON")
            other = set(connection.execute(question["SQL"]).fetchall())
            assert {rounded(r) for r in rows} == {rounded(r) for r in other}, question


def rounded(row: tuple) -> tuple:
    """Sums of floats may differ in the last digit when rows come in another order."""
    return tuple(round(value, 6) if isinstance(value, float) else value for value in row)


def test_double_quotes_in_golds_only_enclose_columns() -> None:
    for question in DEV + TRAIN:
        with closing(open_database(question["db_id"])) as connection:
            tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
            columns = {r[1] for (t,) in tables for r in connection.execute(f"PRAGMA table_info(`{t}`)")}
        assert set(re.findall(r'"([^"]*)"', question["SQL"])) <= columns, question


def test_dev_sql_holds_one_gold_and_its_database_a_line() -> None:
    lines = (DEMO / "dev.sql").read_text(encoding="utf-8").splitlines()
    assert [line.split("\t") for line in lines] == [[q["SQL"], q["db_id"]] for q in DEV]


@pytest.mark.parametrize("split", ["dev", "train"])
def test_tables_json_describes_the_databases(split: str) -> None:
    for schema in json.loads((DEMO / f"{split}_tables.json").read_text(encoding="utf-8")):
        with closing(open_database(schema["db_id"])) as connection:
            for number, table in enumerate(schema["table_names_original"]):
                listed = [c for n, c in schema["column_names_original"] if n == number]
                assert listed == [r[1] for r in connection.execute(f"PRAGMA table_info(`{table}`)")]
        assert len(schema["column_names_original"]) == len(schema["column_types"]) == len(schema["column_names"])


def test_description_files_name_the_columns_of_their_tables() -> None:
    for path in DEMO.glob("*_databases/*/database_description/*.csv"):
        with closing(open_database(path.parts[-3])) as connection:
            columns = [r[1] for r in connection.execute(f"PRAGMA table_info(`{path.stem}`)")]
        text = decode(path.read_bytes())
        assert [row["original_column_name"] for row in csv.DictReader(io.StringIO(text))] == columns, path


def decode(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252")


def test_some_descriptions_are_not_utf8_and_some_have_a_byte_order_mark() -> None:
    contents = [p.read_bytes() for p in DEMO.glob("*_databases/*/database_description/*.csv")]
    assert any(c.startswith(codecs.BOM_UTF8) for c in contents)
    with pytest.raises(UnicodeDecodeError):
        b"".join(contents).decode("utf-8")


@pytest.mark.parametrize("split", ["dev", "train"])
def test_some_table_of_each_database_has_no_description(split: str) -> None:
    for schema in json.loads((DEMO / f"{split}_tables.json").read_text(encoding="utf-8")):
        folder = DATABASES[schema["db_id"]].parent / "database_description"
        assert {t for t in schema["table_names_original"] if not (folder / f"{t}.csv").exists()}, schema["db_id"]


def test_every_database_joins_over_keys_that_it_does_not_declare() -> None:
    for n in ("dev", "train"):
        for schema in json.loads((DEMO / f"{n}_tables.json").read_text(encoding="utf-8")):
            assert len(schema["foreign_keys"]) < len(schema["table_names_original"]) - 1, schema["db_id"]
    with closing(open_database("regional_hospital")) as connection:
        joined = connection.execute("SELECT COUNT(*) FROM lab_result JOIN admission USING (adm_id)").fetchone()
        assert joined == connection.execute("SELECT COUNT(*) FROM lab_result").fetchone()
        assert connection.execute("PRAGMA foreign_key_list(lab_result)").fetchall() == []


def test_there_are_wide_tables_views_keywords_and_names_with_spaces() -> None:
    names, kinds, widths = set(), set(), []
    for db_id in DATABASES:
        with closing(open_database(db_id)) as connection:
            tables = connection.execute("SELECT name, type FROM sqlite_master").fetchall()
            kinds |= {kind for _, kind in tables}
            columns = [connection.execute(f"PRAGMA table_info(`{t}`)").fetchall() for t, _ in tables]
        widths += [len(rows) for rows in columns]
        names |= {row[1].lower() for rows in columns for row in rows}
    assert sum(width >= 60 for width in widths) >= 2
    assert "view" in kinds
    assert any(" " in name for name in names)
    assert names & {"order", "group", "select", "from", "to", "end"}


def test_values_are_spelled_in_several_ways(texts: dict[str, set[str]]) -> None:
    for db_id, values in texts.items():
        folded = Counter(re.sub(r"\W+", "", v).casefold() for v in values if re.search(r"[^\W\d]{3}", v))
        assert sum(n > 1 for n in folded.values()) >= 2, db_id


def test_values_are_padded_empty_and_in_other_alphabets(texts: dict[str, set[str]]) -> None:
    every = set().union(*texts.values())
    assert any(v != v.rstrip() for v in every)
    assert all("" in values for values in texts.values())
    assert sum(bool(re.search("[а-яА-Я]", v)) for v in texts["film_archive"]) > 30
    assert sum(bool(re.search("[ぁ-ヿ一-鿿]", v)) for v in texts["film_archive"]) > 30


@pytest.mark.parametrize(
    "pattern",
    [r"\d{4}-\d\d-\d\d", r"\d\d/\d\d/\d{4}", r"\d\d\.\d\d\.\d{4}", r"(19|20)\d{6}", r"[A-Z][a-z]{2} \d+, \d{4}"],
)
def test_dates_come_as_text_in_several_formats(pattern: str, texts: dict[str, set[str]]) -> None:
    assert sum(bool(re.fullmatch(pattern, v)) for v in set().union(*texts.values())) > 20


@pytest.mark.parametrize("pattern", [r"EUR \d{1,3}(,\d{3})+(\.\d\d)?", r"\$\d+\.\d\d", r"\d+ (m|mm|min)"])
def test_numbers_come_as_text_with_units_and_commas(pattern: str, texts: dict[str, set[str]]) -> None:
    assert sum(bool(re.fullmatch(pattern, v)) for v in set().union(*texts.values())) > 5


def test_databases_are_small_and_no_package_hides_in_the_data_folder() -> None:
    assert all(path.stat().st_size < 520_000 for path in DATABASES.values())
    assert list(DEMO.parent.rglob("__init__.py")) == []


def test_the_readme_counts_right() -> None:
    rows = re.findall(r"^\| `(\w+)` \|.*\| (\d+) / (\d+) / (\d+) \|$", (DEMO / "README.md").read_text("utf-8"), re.M)
    stated = {db_id: [int(n) for n in counts] for db_id, *counts in rows}
    counted = Counter((q["db_id"], q["difficulty"]) for q in DEV + TRAIN)
    levels = ("simple", "moderate", "challenging")
    assert stated == {db_id: [counted[db_id, level] for level in levels] for db_id in DATABASES}
