"""Write docs/journey.md: one question on its way through every step, with every prompt and every answer.

    python -m benchmarks.journey [--folder FOLDER] [--output docs/journey.md]

The prompts are the pipeline's. The answers come from the scripted provider of tests/servers on loopback, which knows
the gold SQL: they show what goes over the wire, and nothing about how well a model answers.
"""

import argparse
import json
import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pyarrow.parquet as pq

from nl2sql.contracts import from_table
from nl2sql.reporting.model_costs import count_calls, role_order
from nl2sql.reporting.shares import money
from nl2sql.rows import Candidate, ModelCall, Repair, Selection
from tests.servers.pipeline_process import prepare_pipeline
from tests.servers.server_process import ROOT, run_model_server

Row = TypeVar("Row")

DATASET = "datasets/demo"
DATABASE = "film_archive"
QUESTION = 13  # of the dataset's dev.json
PRESET = "api"
MARGIN = 1.0  # no vote is clear enough, so that the page shows a comparison
PAGE = ROOT / "docs" / "journey.md"
COST = "Cost: "  # begins the one line that may differ between runs: what providers cache depends on time
PICTURES = """## In the report

What `evaluate` shows of 24 questions of the same database, with the same stand-ins for models: where the money went,
and the calls of one question.

![Dollars by operation, calls by operation and model, dollars per question](images/report-money.png)

![The model calls of one question](images/report-calls.png)"""
STEPS = {
    "summarise": ("Profile: fields in English", "Offline, once per database."),
    "ground": ("Ground: what the question names", "Its literals are then looked up in the database."),
    "link": ("Link: the columns it needs", "Two rounds: from all columns, then from what the first left out."),
    "draft": ("Link: a quick draft", "The columns of a draft query join those that were chosen."),
    "generate": ("Generate: the lineup's candidates", "Each with its own model, prompt, view and form of the schema."),
    "fix": ("Fix: candidates without a useful result", "After the deterministic repairs, with what went wrong."),
    "compare": (
        "Select: pairs of different results",
        "In both orders, against a liking for the first.",
    ),
}


@dataclass(frozen=True)
class Exchange:
    """A call with the texts that went either way."""

    call: ModelCall
    system: str
    context: str
    request: dict[str, Any]
    answer: str


@dataclass(frozen=True)
class Journey:
    """A question and everything that was said on its way."""

    question: str
    evidence: str
    exchanges: tuple[Exchange, ...]
    candidates: tuple[Candidate, ...]
    repairs: tuple[Repair, ...]
    selection: Selection


def run_journey(folder: Path, number: int = QUESTION) -> Journey:
    """Ask the question with every step's model answered by the scripted provider; files are kept in `folder`."""
    question = json.loads((ROOT / DATASET / "dev.json").read_text(encoding="utf-8"))[number]
    database = ROOT / DATASET / "dev_databases" / DATABASE / f"{DATABASE}.sqlite"
    script = ("tests.servers.benchmark_script:build", {"dataset": str(ROOT / DATASET), "predictions": ""})
    with run_model_server(folder, *script) as server:
        pipeline = prepare_pipeline(folder, server, PRESET, margin=MARGIN)
        pipeline.run("ask", database, question["question"], "--evidence", question["evidence"])
    return read_journey(question["question"], question["evidence"], pipeline.artifacts)


def read_journey(question: str, evidence: str, artifacts: Path) -> Journey:
    """Put together the artifacts and the response cache of a folder in which one question was asked."""
    calls = sorted(_rows(artifacts, "model_calls", ModelCall), key=lambda c: (role_order(c.role), c.number))
    said = read_cache(artifacts / "model_cache" / "responses.sqlite")
    (selection,) = _rows(artifacts, "selections", Selection)
    return Journey(
        question,
        evidence,
        tuple(Exchange(c, *said[c.key]) for c in calls if c.key in said),
        tuple(_rows(artifacts, "candidates", Candidate)),
        tuple(_rows(artifacts, "repairs", Repair)),
        selection,
    )


def _rows(artifacts: Path, kind: str, row: type[Row]) -> list[Row]:
    return [r for path in sorted((artifacts / kind).glob("*.parquet")) for r in from_table(pq.read_table(path), row)]


def read_cache(path: Path) -> dict[str, tuple[str, str, dict[str, Any], str]]:
    """System text, context, request and answer of everything in a response cache, by key."""
    with sqlite3.connect(path) as connection:
        stored = connection.execute("SELECT digest, text FROM texts").fetchall()
        rows = connection.execute("SELECT key, system, context, request, reply FROM replies").fetchall()
    texts = {digest: text.decode("utf-8", "replace") for digest, text in stored}
    return {
        key: (texts.get(system, ""), texts.get(context, ""), json.loads(request), json.loads(reply)["text"])
        for key, system, context, request, reply in rows
    }


def render_page(journey: Journey) -> str:
    """The page in Markdown. A system text or a schema that several calls share stands once, at the first of them."""
    seen: dict[str, int] = {}
    parts = [_opening(journey)]
    step = ""
    for number, exchange in enumerate(_told(journey.exchanges), 1):
        if exchange.call.role != step:
            step = exchange.call.role
            parts.append("## {}\n\n{}".format(*STEPS.get(step, (step, ""))) + _left_out(journey, step))
        parts.append(_call(number, exchange, seen))
    return "\n\n".join([*parts, _ending(journey)]) + "\n"


def _told(exchanges: tuple[Exchange, ...]) -> list[Exchange]:
    """All calls about the question, and of those about the fields of its database the first."""
    shared = [e for e in exchanges if not e.call.question_id]
    return [*shared[:1], *(e for e in exchanges if e.call.question_id)]


def _left_out(journey: Journey, step: str) -> str:
    shared = sum(e.call.role == step and not e.call.question_id for e in journey.exchanges)
    return f" One of {shared} calls, the others are of its kind." if shared > 1 else ""


def _opening(journey: Journey) -> str:
    asked = [e.call for e in journey.exchanges if e.call.question_id]
    spent = sum(c.dollars for c in count_calls(asked))
    return f"""# One question's journey

Every prompt and every answer of one question to the demo's `{DATABASE}`, by the `{PRESET}` preset with a margin that no
vote reaches, so that different results are compared in pairs.
`python -m benchmarks.journey` writes this page, and a test sees that its prompts are those of today.

**The answers are not a model's.** They are scripted stand-ins from a server on loopback that speaks the providers' wire
formats and knows the gold SQL, with mistakes put in: they show what is asked and what is made of it, not how well
models answer. The models named are those that the requests were addressed to.

> {journey.question}

Evidence: {journey.evidence or "none"}

{COST}{money(spent)} in {len(asked)} calls, had the providers named counted and charged these tokens."""


def _call(number: int, exchange: Exchange, seen: dict[str, int]) -> str:
    call, request = exchange.call, exchange.request
    entry = f", generator {call.generator}" if call.generator else ""
    effort = f", effort {request['effort']}" if request["effort"] else ""
    again = ", asked once more" if call.again else ""
    said = [f"### {number}. `{call.prompt}` to {call.model_asked}{entry}{effort}{again}"]
    for name, text in (("System", exchange.system), ("Context", exchange.context)):
        first = seen.setdefault(text, number)
        if text:
            said.append(f"{name}: as in call {first}." if first != number else f"{name}:\n\n{fenced(text)}")
    said.append(f"Task:\n\n{fenced(request['prompt']['task'])}")
    said += [f"{turn['role'].capitalize()}:\n\n{fenced(turn['text'])}" for turn in request["turns"]]
    schema = f" (by the JSON schema of {call.prompt})" if request["schema"] else ""
    outcome = "" if call.outcome == "ok" else f", {call.outcome}: {call.error}"
    return "\n\n".join([*said, f"Stand-in answer{schema}{outcome}:\n\n{fenced(exchange.answer)}"])


def fenced(text: str) -> str:
    """A text as a block of code, with a fence longer than any in it."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}text\n{text}\n{fence}"


def _ending(journey: Journey) -> str:
    changed = {r.candidate_id: r for r in journey.repairs}
    lines = ["| candidate | view | outcome | repairs | SQL that was executed |", "|---|---|---|---|---|"]
    for c in journey.candidates:
        repair = changed[c.candidate_id]
        cells = (c.candidate_id, c.view, repair.outcome, ", ".join(repair.actions), f"`{_line(repair.sql)}`")
        lines.append(f"| {' | '.join(cells)} |")
    chosen = journey.selection
    return "\n".join(
        [
            "## What became of the candidates",
            "",
            *lines,
            "",
            f"Selected by {chosen.path}, {len(chosen.clusters)} different results, {chosen.comparisons} comparisons:",
            "",
            f"```sql\n{chosen.sql}\n```",
            "",
            PICTURES,
        ]
    )


def _line(sql: str) -> str:
    return " ".join(sql.split()).replace("|", "\\|")


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="keep what the run writes here, an empty folder")
    parser.add_argument("--output", type=Path, default=PAGE)
    parser.add_argument("--question", type=int, default=QUESTION, help="place in dev.json, from 0")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        journey = run_journey(arguments.folder or Path(temporary), arguments.question)
    arguments.output.write_text(render_page(journey), encoding="utf-8")
    print(f"{arguments.output}: {len(journey.exchanges)} calls")


if __name__ == "__main__":
    main()
