"""A small run with real results: statements are executed against a database made here, the rest is written by hand."""

# A question and its pool stay together on their lines.
# ruff: noqa: E501

import hashlib
import json
import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import count
from typing import Any

import pytest

from nl2sql.reporting.run_tables import RunTables
from nl2sql.rows import (
    Candidate,
    CellMatch,
    Cluster,
    ColumnHit,
    ColumnName,
    ExampleHit,
    Grounding,
    Link,
    Linking,
    ModelCall,
    Question,
    Recall,
    Repair,
    Selection,
    Verdict,
)

HOSTILE = "</script><script>document.title='pwned'</script><img src=x onerror=\"document.title='pwned'\"><!-- {{7*7}}"
KEYS = count()
SCHEMA = """
CREATE TABLE ship (ship_id INTEGER PRIMARY KEY, name TEXT, class TEXT, tonnage REAL, launched TEXT, port_id INTEGER);
CREATE TABLE port (port_id INTEGER PRIMARY KEY, "harbour name" TEXT, country TEXT, depth REAL);
CREATE TABLE voyage (voyage_id INTEGER PRIMARY KEY, ship_id INTEGER, departed TEXT, arrived TEXT, cargo TEXT);
"""
SHIPS = [
    (1, "Aurora", "brig", 310.5, "1831-04-02", 1),
    (2, "Bella Nova", "clipper", 980.0, "1856-11-20", 2),
    (3, "Cormorant", "brig", 290.25, "1829-01-15", 1),
    (4, "Dauntless", "frigate", 1450.0, "1844-07-30", 3),
    (5, HOSTILE, "clipper", None, None, 2),
    (6, "Ελπίς", "schooner", 120.0, "1861-03-09", 4),
]
PORTS = [(1, "Whitby", "GB", 6.5), (2, "Gênes", "IT", 12.0), (3, "Plymouth", "GB", 9.25), (4, "Πειραιάς", "GR", 11.0)]
VOYAGES = [
    (n, n % 6 + 1, f"1860-0{n % 9 + 1}-03", f"1860-0{n % 9 + 1}-27", ["tea", "coal", None][n % 3]) for n in range(1, 30)
]
COLUMNS = {
    "ship": ("ship_id", "name", "class", "tonnage", "launched", "port_id"),
    "port": ("port_id", "harbour name", "country", "depth"),
    "voyage": ("voyage_id", "ship_id", "departed", "arrived", "cargo"),
}


@dataclass
class Run:
    """All rows of a run."""

    questions: list[Question] = field(default_factory=list)
    groundings: list[Grounding] = field(default_factory=list)
    linkings: list[Linking] = field(default_factory=list)
    candidates: list[Candidate] = field(default_factory=list)
    repairs: list[Repair] = field(default_factory=list)
    selections: list[Selection] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    recalls: list[Recall] = field(default_factory=list)

    @property
    def tables(self) -> RunTables:
        """As render_report and summarise_run take them."""
        by_question = {name: {r.question_id: r for r in getattr(self, name)} for name in ("groundings", "linkings")}
        return RunTables(**{**vars(self), **by_question})


@dataclass(frozen=True)
class Case:
    """A question and its pool: (generator, sql) or (generator, sql, sql before repair, actions)."""

    question: str
    gold: str
    pool: Sequence[tuple]
    difficulty: str = "simple"
    evidence: str = ""
    db_id: str = "harbour"
    pick: int | None = None  # place in the pool of the selected candidate; None = the vote's
    matches: Sequence[CellMatch] = ()
    missing: Sequence[ColumnName] = ()


def _ports(country: str) -> str:
    return f"SELECT \"harbour name\" FROM port WHERE country = '{country}'"


COUNT = "SELECT COUNT(*) FROM ship WHERE class = 'brig'"
HEAVIEST = "SELECT name FROM ship ORDER BY tonnage DESC LIMIT 1"
CASES = (
    Case("How many brigs are there?", COUNT, [("rules", COUNT), ("A", "SELECT COUNT(ship_id) FROM ship WHERE class = 'brig'"), ("B", COUNT)],
         matches=[CellMatch("brigs", "ship", "class", "brig", 0.86, "lsh")]),
    Case("Which ship is the heaviest?", HEAVIEST,
         [("rules", "SELECT name FROM ship ORDER BY tonnage LIMIT 1"), ("A", HEAVIEST), ("B", "SELECT name, tonnage FROM ship ORDER BY tonnage LIMIT 1")], difficulty="moderate"),
    Case("Name the harbours of Britain.", _ports("GB"), [("rules", _ports("GB"), _ports("Britain"), ["literal: 'Britain' -> 'GB'"]), ("A", _ports("GB")), ("B", _ports("UK"))],
         evidence="Britain refers to country = 'GB'", matches=[CellMatch("Britain", "port", "country", "GB", 0.4, "evidence")]),
    Case("List every voyage with tea.", "SELECT voyage_id FROM voyage WHERE cargo = 'tea'", [("rules", "SELECT voyage_id FROM voyage WHERE cargo = 'coffee'"), ("A", "SELECT ship_id FROM voyage WHERE cargo = 'tea'")]),
    Case("What does the ship's log say?", "SELECT nothing FROM nowhere", [("rules", "SELECT 1")], difficulty="challenging"),
    Case("Average tonnage by class, largest first?", "SELECT class, AVG(tonnage) FROM ship GROUP BY class ORDER BY 2 DESC",
         [("rules", "SELECT class, AVG(tonage) FROM ship GROUP BY class ORDER BY 2 DESC"), ("A", "SELEC class"), ("B", "")], difficulty="challenging"),
    Case("Show every ship with its harbour and every voyage that it made.", "SELECT * FROM ship JOIN port USING (port_id) JOIN voyage USING (ship_id)",
         [("A", "SELECT * FROM ship JOIN port USING (port_id) JOIN voyage USING (ship_id)"), ("B", "SELECT s.*, p.* FROM ship s, port p")], difficulty="moderate"),
    Case(f"Which ship is called {HOSTILE}?", "SELECT ship_id FROM ship WHERE name LIKE '%script%'",
         [("rules", f"SELECT name FROM ship WHERE name = '{HOSTILE.replace(chr(39), chr(39) * 2)}'"), ("A", "SELECT ship_id FROM ship WHERE name LIKE '%script%'")],
         evidence=HOSTILE, db_id="quay", pick=0, matches=[CellMatch(HOSTILE, "ship", "name", HOSTILE, 1.0, "exact")]),
    Case("Πόσα πλοία είναι στον Πειραιά;", "SELECT COUNT(*) FROM ship WHERE port_id = 4", [("rules", "SELECT COUNT(*) FROM ship WHERE port_id = 4"), ("A", "SELECT COUNT(*) FROM ship WHERE port_id = 4")], db_id="quay"),
    Case("", "SELECT name FROM ship WHERE tonnage IS NULL", [], db_id="quay", difficulty=""),
    Case("Which ships were launched before 1830 but sail from a harbour deeper than all British ones?",
         "SELECT name FROM ship WHERE launched < '1830' AND port_id IN (SELECT port_id FROM port WHERE depth > (SELECT MAX(depth) FROM port WHERE country = 'GB'))",
         [("A", "SELECT s.name FROM ship AS s INNER JOIN port AS p ON s.port_id = p.port_id WHERE s.launched < '1830' AND p.depth > (SELECT MAX(depth) FROM port WHERE country = 'GB')"),
          ("B", "SELECT name FROM ship WHERE launched < '1830'")], difficulty="challenging", db_id="quay", missing=[ColumnName("port", "depth")]),
    Case("How many ships lie in each country?", "SELECT country, COUNT(*) FROM ship JOIN port USING (port_id) GROUP BY country",
         [("A", "SELECT country, COUNT(*) FROM ship JOIN port USING (port_id) GROUP BY country"),
          ("B", "SELECT country, COUNT(*) FROM port GROUP BY country", "SELECT country, COUNT(*) FROM ship JOIN port USING (port_id) GROUP BY country", ["join: port only"])],
         difficulty="moderate", db_id="quay", pick=1),
)  # fmt: skip


@pytest.fixture(scope="session")
def connection() -> Iterator[sqlite3.Connection]:
    made = sqlite3.connect(":memory:")
    made.executescript(SCHEMA)
    for table, values in (("ship", SHIPS), ("port", PORTS), ("voyage", VOYAGES)):
        made.executemany(f"INSERT INTO {table} VALUES ({','.join('?' * len(values[0]))})", values)
    yield made
    made.close()


@pytest.fixture(scope="session")
def run(connection: sqlite3.Connection) -> Run:
    """The dozen questions above, and one whose tasks failed."""
    built = build_run(connection, CASES)
    built.questions.append(Question("lost", "quay", "What happened to this one?", "", "SELECT 1", "simple", "dev"))
    return built


@pytest.fixture(scope="session")
def make_run(connection: sqlite3.Connection):
    return lambda cases, **options: build_run(connection, cases, **options)


@pytest.fixture(scope="session")
def case() -> type[Case]:
    return Case


@pytest.fixture(scope="session")
def call():
    """Makes a model call; what is not said is that of an ordinary one, and its key is its own."""
    return _call


@pytest.fixture(scope="session")
def model_run(run: Run) -> Run:
    """The run above as if two models had written the recorded candidates."""
    names = {"recorded:A": ("A", "anthropic/claude-sonnet-5-5"), "recorded:B": ("B2", "gemini/gemini-3.8-flash")}
    made = deepcopy(run)
    made.candidates = [
        replace(c, generator=names[c.generator][0], model=names[c.generator][1]) if c.generator in names else c
        for c in run.candidates
    ]
    made.repairs = [replace(r, generator=names.get(r.generator, (r.generator,))[0]) for r in run.repairs]
    return made


@pytest.fixture(scope="session")
def model_calls(model_run: Run) -> list[ModelCall]:
    """Calls of that run: summaries, a linking and a candidate per question, and one of each trouble."""
    calls = [_call(key=f"s{n}", role="summarise", dollars=0.004, prompt="summarise/fields") for n in range(3)]
    for number, c in enumerate(c for c in model_run.candidates if c.model):
        said = {"question_id": c.question_id, "db_id": c.db_id, "model": c.model, "model_asked": c.model}
        calls.append(_call(key=f"l{number}", role="link", dollars=0.002, prompt="link/columns", **said))
        spent = 0.01 + 0.003 * (number % 5)
        calls.append(_call(key=f"g{number}", role="generate", generator=c.generator, dollars=spent, **said))
    for outcome in ("invalid", "refused", "cut", "unavailable", "budget"):
        calls.append(_call(key=outcome, role="fix", question_id="2", outcome=outcome, error=f"<b>{outcome}</b>"))
    calls.append(_call(key="again", role="fix", question_id="2", again=True, cached=True, model="other/<i>model</i>"))
    return calls


@pytest.fixture(scope="session")
def hostile() -> str:
    return HOSTILE


@pytest.fixture(scope="session")
def chromium() -> str:
    found = next((p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if p), None)
    return found or pytest.skip("no Chromium found: install chromium or google-chrome to test the report's page")


def _call(**said: Any) -> ModelCall:
    ordinary: dict[str, Any] = {
        "number": 0,
        "key": str(next(KEYS)),
        "role": "generate",
        "generator": "",
        "db_id": "harbour",
        "question_id": "",
        "prompt": "generate/direct",
        "sample": 0,
        "model_asked": "gemini/gemini-3.8-flash",
        "model": said.get("model_asked", "gemini/gemini-3.8-flash"),
        "input_tokens": 2_000,
        "cache_read_tokens": 500,
        "cache_write_tokens": 0,
        "output_tokens": 300,
        "reasoning_tokens": 200,
        "dollars": 0.0,
        "uncertain_dollars": 0.0,
        "seconds": 1.5,
        "attempts": 1,
        "cached": False,
        "again": False,
        "outcome": "ok",
        "error": "",
    }
    return ModelCall(**(ordinary | said))


def build_run(connection: sqlite3.Connection, cases: Sequence[Case], prefix: str = "") -> Run:
    run = Run()
    for place, one in enumerate(cases, 1):
        _build(run, connection, one, f"{prefix}{place}")
    return run


def _build(run: Run, connection: sqlite3.Connection, case: Case, key: str) -> None:
    run.questions.append(Question(key, case.db_id, case.question, case.evidence, case.gold, case.difficulty, "dev"))
    gold = _execute(connection, case.gold)
    repairs = []
    for generator, sql, *fixed in case.pool:
        before, actions = fixed or (sql, ())
        name = generator if generator == "rules" else f"recorded:{generator}"
        after, first = _execute(connection, sql), _execute(connection, before)
        identity = f"{name}/1"
        run.candidates.append(
            Candidate(key, case.db_id, identity, name, "", "s2" if name == "rules" else "full", "", 1, before)
        )
        repairs.append(
            Repair(
                key,
                case.db_id,
                identity,
                name,
                sql,
                before,
                tuple(actions),
                after["outcome"],
                first["outcome"],
                after["error"],
                after["count"],
                after["width"],
                0.002,
                after["digest"],
                after["preview"],
            )
        )
        run.verdicts.append(_verdict(key, case, "candidate", identity, name, sql, after, gold))
        if before != sql:
            run.verdicts.append(_verdict(key, case, "unrepaired", identity, name, before, first, gold))
    run.repairs.extend(repairs)
    _select(run, case, key, repairs, {r.candidate_id: _execute(connection, r.sql) for r in repairs}, gold)
    _look_up(run, case, key)


def _select(run: Run, case: Case, key: str, repairs: list[Repair], results: dict, gold: dict) -> None:
    members: dict[str, list[Repair]] = defaultdict(list)
    for repair in repairs:
        if repair.result_digest:
            members[repair.result_digest].append(repair)
    ranked = sorted(members.values(), key=lambda m: -len(m))
    clusters = tuple(Cluster(m[0].result_digest, tuple(r.candidate_id for r in m), float(len(m))) for m in ranked)
    vote = ranked[0][0] if ranked else None
    chosen = vote if case.pick is None else repairs[case.pick]
    path = "none" if not ranked else "unanimous" if len(ranked) == 1 else "vote" if chosen is vote else "rank"
    confidence = len(members[chosen.result_digest]) / len(repairs) if chosen else 0.0
    run.selections.append(
        Selection(
            key,
            case.db_id,
            chosen.candidate_id if chosen else "",
            chosen.sql if chosen else "",
            path,
            confidence,
            clusters,
            vote.candidate_id if vote else "",
            vote.sql if vote else "",
            0,
        )
    )
    nothing = {"outcome": "error", "digest": "", "error": "no SQL", "count": 0, "width": 0}
    for system, repair in (("selected", chosen), ("vote", vote)):
        result = results[repair.candidate_id] if repair else nothing
        identity, generator, sql = (repair.candidate_id, repair.generator, repair.sql) if repair else ("", "", "")
        run.verdicts.append(_verdict(key, case, system, identity, generator, sql, result, gold))


def _look_up(run: Run, case: Case, key: str) -> None:
    names = [ColumnName(table, column) for table, columns in COLUMNS.items() for column in columns]
    gold = tuple(n for n in names if n.column in case.gold)
    missing = tuple(case.missing)
    kept = [n for n in names if n not in missing and (n in gold or n.table == "ship")]
    links = tuple(
        Link(n.table, n.column, 1 if n in gold else 2, 0.5, ("name", "embedding") if n in gold else ("key",))
        for n in kept
    )
    cells, literals = tuple(case.matches), tuple(m.literal for m in case.matches)
    examples = (
        ExampleHit(
            "t1", "zoo", "How many lions are there?", "", "SELECT COUNT(*) FROM animal WHERE kind = 'lion'", 0.81
        ),
    )
    hits = (ColumnHit("ship", "name", 0.4),)
    run.groundings.append(
        Grounding(key, case.db_id, ("ship",), literals, "How many _ are there?", cells, hits, examples)
    )
    run.linkings.append(Linking(key, case.db_id, links, len(names), ""))
    error = "no such table: nowhere" if "nowhere" in case.gold else ""
    missing_cells = cells if "Britain" in case.question else ()
    precise = sum(link.view == 1 for link in links)
    run.recalls.append(
        Recall(key, case.db_id, gold, missing, missing, precise, len(links), len(names), cells, missing_cells, error)
    )


def _verdict(
    key: str, case: Case, system: str, identity: str, generator: str, sql: str, result: dict, gold: dict
) -> Verdict:
    correct = bool(result["digest"]) and result["digest"] == gold["digest"]
    if gold["outcome"] == "error":
        reason = "gold_error"
    elif result["outcome"] == "error":
        reason = "error"
    else:
        reason = "columns" if result["width"] != gold["width"] else "values"
    return Verdict(
        key,
        case.db_id,
        system,
        identity,
        generator,
        sql,
        correct,
        "" if correct else reason,
        "" if correct else result["error"],
    )


@cache
def _execute(connection: sqlite3.Connection, sql: str) -> dict[str, Any]:
    try:
        cursor = connection.execute(sql)
    except sqlite3.Error as error:
        return {"outcome": "error", "error": str(error), "digest": "", "count": 0, "width": 0, "preview": ""}
    if cursor.description is None:
        return {"outcome": "error", "error": "not a query", "digest": "", "count": 0, "width": 0, "preview": ""}
    columns, rows = [d[0] for d in cursor.description], cursor.fetchall()
    digest = hashlib.sha256(repr(sorted(set(rows), key=repr)).encode()).hexdigest()
    preview = json.dumps({"columns": columns, "rows": rows[:10]}, default=repr)
    return {
        "outcome": "ok" if rows else "empty",
        "error": "",
        "digest": digest,
        "count": len(rows),
        "width": len(columns),
        "preview": preview,
    }
