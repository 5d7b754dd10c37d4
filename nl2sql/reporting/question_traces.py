"""Pack what the run knows of each question into compact JSON, which the report's page unpacks when it is asked to.

A report of 1,534 questions with 11 candidates holds 17,000 statements and their results. To stay small, column and
generator names are numbers into tables that all questions share, equal statements of a question stand once, and a
result stands once per cluster instead of once per candidate.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nl2sql.reporting.model_costs import CountedCall, count_calls, finite, gave_up
from nl2sql.reporting.question_outcomes import QuestionOutcome, repair_effects, selected_verdicts, verdicts_by_system
from nl2sql.reporting.run_tables import RunTables
from nl2sql.rows import (
    Candidate,
    ColumnName,
    Grounding,
    Linking,
    Question,
    Recall,
    Repair,
    Selection,
    Verdict,
)

# What the texts may hold that would end a script element early or upset a parser of JavaScript.
ESCAPES = tuple((c, f"\\u{ord(c):04x}") for c in "<>&\u2028\u2029")


@dataclass(frozen=True)
class Caps:
    """How much of each thing a trace shows; text in characters, the rest in pieces."""

    rows: int
    columns: int
    cell: int
    previews: int
    matches: int
    examples: int
    sql: int
    text: int
    calls: int


# Tried in order until the traces fit the budget.
CAPS = (
    Caps(rows=10, columns=12, cell=80, previews=12, matches=24, examples=3, sql=8_000, text=4_000, calls=200),
    Caps(rows=5, columns=8, cell=48, previews=6, matches=12, examples=2, sql=3_000, text=2_000, calls=60),
    Caps(rows=3, columns=6, cell=32, previews=3, matches=6, examples=0, sql=1_000, text=1_000, calls=20),
)


@dataclass
class Numbers:
    """Hands out a number for each different thing, from 0, in order of first use."""

    by_thing: dict[Any, int] = field(default_factory=dict)

    def of(self, thing: Any) -> int:
        """Give the number of a hashable thing, a new one for a new thing."""
        return self.by_thing.setdefault(thing, len(self.by_thing))

    @property
    def things(self) -> list[Any]:
        """Everything that has a number, by number."""
        return list(self.by_thing)


@dataclass(frozen=True)
class RunRows:
    """The rows of a run by question."""

    groundings: Mapping[str, Grounding]
    linkings: Mapping[str, Linking]
    candidates: Mapping[str, Sequence[Candidate]]
    repairs: Mapping[tuple[str, str], Repair]
    selections: Mapping[str, Selection]
    recalls: Mapping[str, Recall]
    verdicts: Mapping[tuple[str, str], Verdict]  # of candidates
    selected: Mapping[str, Verdict]
    corrected: Mapping[str, Verdict]  # of the selected answers, by corrected gold
    effects: Mapping[tuple[str, str], str]  # of repair
    gold_previews: Mapping[str, str]
    calls: Mapping[str, Sequence[CountedCall]]


@dataclass(frozen=True)
class Traces:
    """JSON texts, safe inside a script element: one list of all questions, one object per question."""

    index: str
    questions: tuple[str, ...]
    caps: Caps

    @property
    def size(self) -> int:
        """Bytes in UTF-8."""
        return len(self.index.encode()) + sum(len(q.encode()) for q in self.questions)


def script_json(value: Any) -> str:
    """JSON that can stand inside a script element: no '<', '>' or '&', and no lone surrogate, which UTF-8 refuses."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character, escape in ESCAPES:
        text = text.replace(character, escape)
    return text.encode("utf-8", "replace").decode("utf-8")


def group_rows(tables: RunTables) -> RunRows:
    """File every row under its question."""
    systems = verdicts_by_system(tables.verdicts)
    by_question: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in tables.candidates:
        by_question[candidate.question_id].append(candidate)
    calls: dict[str, list[CountedCall]] = defaultdict(list)
    for counted in count_calls(tables.model_calls, tables.reused_calls):
        calls[counted.call.question_id].append(counted)
    return RunRows(
        tables.groundings,
        tables.linkings,
        by_question,
        {(r.question_id, r.candidate_id): r for r in tables.repairs},
        {s.question_id: s for s in tables.selections},
        {r.question_id: r for r in tables.recalls},
        systems.get("candidate", {}),
        selected_verdicts(tables.verdicts),
        selected_verdicts(tables.corrected),
        repair_effects(tables.repairs, systems),
        tables.gold_previews,
        calls,
    )


def pack_traces(
    questions: Sequence[Question], outcomes: Sequence[QuestionOutcome], rows: RunRows, budget: int
) -> Traces:
    """Pack all questions, under the most generous caps whose JSON is at most `budget` bytes, else the tightest."""
    traces = _pack(questions, outcomes, rows, CAPS[0])
    for caps in CAPS[1:]:
        if traces.size <= budget:
            break
        traces = _pack(questions, outcomes, rows, caps)
    return traces


def _pack(questions: Sequence[Question], outcomes: Sequence[QuestionOutcome], rows: RunRows, caps: Caps) -> Traces:
    columns, names = Numbers(), Numbers()
    packed = tuple(script_json(_trace(q.question_id, rows, caps, columns, names)) for q in questions)
    entries = [_entry(q, o, rows, caps) for q, o in zip(questions, outcomes, strict=True)]
    index = {
        "columns": [[c.table, c.column] for c in columns.things],
        "names": names.things,
        "previewRows": caps.rows,
        "questions": entries,
    }
    return Traces(script_json(index), packed, caps)


def _entry(question: Question, outcome: QuestionOutcome, rows: RunRows, caps: Caps) -> list[Any]:
    selection = rows.selections.get(question.question_id)
    return [
        question.question_id,
        question.db_id,
        question.difficulty or "unknown",
        outcome.status,
        outcome.reason,
        outcome.path,
        round(outcome.confidence, 3),
        outcome.candidates,
        outcome.right_candidates,
        int(outcome.voted),
        shortened(question.question, caps.text),
        shortened(question.evidence, caps.text),
        shortened(selection.sql if selection else "", caps.sql),
        shortened(question.gold_sql, caps.sql),
        _flags(question.question_id, rows),
    ]


def _flags(key: str, rows: RunRows) -> list[str]:
    """What a reader may want to find questions by, besides their outcome."""
    effects = {rows.effects.get((key, c.candidate_id)) for c in rows.candidates.get(key, ())}
    recall = rows.recalls.get(key)
    flags = {
        "repair fixed": "fixed" in effects,
        "repair broke": "broken" in effects,
        "repaired": bool(effects - {None}),
        "column missed": recall is not None and bool(recall.missing_s2),
        "cell missed": recall is not None and bool(recall.missing_cells),
        "without a model": any(gave_up(c.call) for c in rows.calls.get(key, ())),
        **_corrected_flags(rows.selected.get(key), rows.corrected.get(key)),
    }
    return [flag for flag, raised in flags.items() if raised]


def _corrected_flags(verdict: Verdict | None, corrected: Verdict | None) -> dict[str, bool]:
    before, after = verdict is not None and verdict.correct, corrected is not None and corrected.correct
    known = corrected is not None
    return {"right by corrected gold": known and after > before, "wrong by corrected gold": known and after < before}


def _trace(key: str, rows: RunRows, caps: Caps, columns: Numbers, names: Numbers) -> dict[str, Any]:
    verdict = rows.selected.get(key)
    return {
        **_grounding(rows.groundings.get(key), caps, columns, names),
        **_linking(rows.linkings.get(key), columns, names),
        **_recall(rows.recalls.get(key), columns, caps),
        **_choice(key, rows, caps, names),
        **_calls(rows.calls.get(key, ()), caps, names),
        "detail": shortened(verdict.detail, caps.text) if verdict else "",
    }


def _grounding(grounding: Grounding | None, caps: Caps, columns: Numbers, names: Numbers) -> dict[str, Any]:
    if grounding is None:
        return {}
    best = sorted(grounding.cells, key=lambda c: -c.score)[: caps.matches]
    return {
        "literals": [shortened(t, caps.cell) for t in grounding.literals[: caps.matches]],
        "keywords": [shortened(t, caps.cell) for t in grounding.keywords[: caps.matches]],
        "skeleton": shortened(grounding.skeleton, caps.text),
        "matches": [
            [
                shortened(c.literal, caps.cell),
                columns.of(ColumnName(c.table, c.column)),
                shortened(c.value, caps.cell),
                round(c.score, 3),
                names.of(c.method),
            ]
            for c in best
        ],
        "matchesTotal": len(grounding.cells),
        "examples": [
            [e.db_id, shortened(e.question, caps.text), shortened(e.sql, caps.sql), round(e.score, 3)]
            for e in grounding.examples[: caps.examples]
        ],
    }


def _linking(linking: Linking | None, columns: Numbers, names: Numbers) -> dict[str, Any]:
    if linking is None:
        return {}
    return {
        "links": [
            [
                columns.of(ColumnName(k.table, k.column)),
                k.view,
                round(k.score, 3),
                [names.of(r) for r in k.reasons],
            ]
            for k in linking.links
        ],
        "columnsTotal": linking.columns_total,
        "draft": linking.draft_sql,
    }


def _recall(recall: Recall | None, columns: Numbers, caps: Caps) -> dict[str, Any]:
    if recall is None or recall.error:
        return {"goldError": recall.error} if recall else {}
    missing = set(recall.missing_cells)
    return {
        "goldColumns": [columns.of(c) for c in recall.gold_columns],
        "missing1": [columns.of(c) for c in recall.missing_s1],
        "missing2": [columns.of(c) for c in recall.missing_s2],
        "goldCells": [
            [shortened(c.value, caps.cell), columns.of(ColumnName(c.table, c.column)), int(c not in missing)]
            for c in recall.gold_cells
        ],
    }


def _choice(key: str, rows: RunRows, caps: Caps, names: Numbers) -> dict[str, Any]:
    candidates = rows.candidates.get(key, ())
    selection = rows.selections.get(key)
    clusters, members = _clusters(candidates, rows, selection, caps)
    statements = Numbers()
    packed = [_candidate(c, rows, members.get(c.candidate_id, -1), statements, names, caps) for c in candidates]
    places = {c.candidate_id: place for place, c in enumerate(candidates)}
    return {
        "candidates": packed,
        "statements": statements.things,
        "clusters": clusters,
        "chosen": places.get(selection.candidate_id, -1) if selection else -1,
        "vote": places.get(selection.vote_candidate_id, -1) if selection else -1,
        "comparisons": selection.comparisons if selection else 0,
        "goldPreview": preview_of(rows.gold_previews.get(key, ""), caps),
    }


def _clusters(
    candidates: Sequence[Candidate], rows: RunRows, selection: Selection | None, caps: Caps
) -> tuple[list[list[Any]], dict[str, int]]:
    """Clusters as [weight, preview], the selection's first, then results that the selection left out (weight -1)."""
    weights = {c.result_digest: c.weight for c in selection.clusters} if selection else {}
    members = {i: n for n, c in enumerate(selection.clusters if selection else ()) for i in c.candidate_ids}
    digests = Numbers({digest: n for n, digest in enumerate(weights)})
    previews: dict[int, Any] = {}
    for candidate in candidates:
        repair = rows.repairs.get((candidate.question_id, candidate.candidate_id))
        if repair is None or not repair.result_digest:
            continue
        cluster = members.setdefault(candidate.candidate_id, digests.of(repair.result_digest))
        if cluster not in previews and len(previews) < caps.previews:
            previews[cluster] = preview_of(repair.preview, caps)
    found = [[round(weights.get(d, -1.0), 3), previews.get(n)] for n, d in enumerate(digests.things)]
    return found, members


def _candidate(
    candidate: Candidate, rows: RunRows, cluster: int, statements: Numbers, names: Numbers, caps: Caps
) -> list[Any]:
    key = (candidate.question_id, candidate.candidate_id)
    repair, verdict = rows.repairs.get(key), rows.verdicts.get(key)
    sql = shortened(repair.sql if repair else candidate.sql, caps.sql)
    changed = repair is not None and repair.sql != repair.sql_before
    return [
        candidate.candidate_id,
        names.of(candidate.generator),
        names.of(candidate.view),
        names.of(candidate.prompt),
        statements.of(sql),
        statements.of(shortened(repair.sql_before, caps.sql)) if repair and changed else -1,
        [shortened(a, caps.text) for a in repair.actions] if repair else [],
        names.of(repair.outcome if repair else "not run"),
        names.of(repair.outcome_before if repair else ""),
        shortened(repair.error, caps.text) if repair else "",
        repair.row_count if repair else 0,
        round(repair.seconds, 3) if repair else 0,
        cluster,
        -1 if verdict is None else int(verdict.correct),
        names.of(verdict.reason if verdict else ""),
        names.of(rows.effects.get(key, "")),
    ]


def _calls(calls: Sequence[CountedCall], caps: Caps, names: Numbers) -> dict[str, Any]:
    if not calls:
        return {}
    return {"calls": [_call(c, caps, names) for c in calls[: caps.calls]], "callsTotal": len(calls)}


def _call(counted: CountedCall, caps: Caps, names: Numbers) -> list[Any]:
    call = counted.call
    return [
        names.of(call.role),
        names.of(call.generator),
        names.of(call.prompt),
        names.of(call.model or call.model_asked),
        names.of(call.model_asked),
        call.sample,
        call.input_tokens,
        call.cache_read_tokens,
        call.output_tokens,
        call.reasoning_tokens,
        round(counted.dollars, 8),
        round(finite(call.seconds), 2),
        names.of(call.outcome),
        int(counted.earlier),
        int(call.again),
        shortened(call.error, caps.cell),
    ]


def shortened(text: str, limit: int) -> str:
    """The text, or its beginning and how much there is."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters)"


def preview_of(text: str, caps: Caps) -> list[Any] | None:
    """A result preview as [columns, rows, columns in all]; None when there is none or it is not one."""
    try:
        preview = json.loads(text) if text else {}
    except ValueError:
        return None
    if not isinstance(preview, dict) or "columns" not in preview:
        return None
    columns, rows = preview["columns"], preview.get("rows", [])
    return [
        [shortened(str(c), caps.cell) for c in columns[: caps.columns]],
        [[_cell(v, caps.cell) for v in row[: caps.columns]] for row in rows[: caps.rows]],
        len(columns),
    ]


def _cell(value: Any, limit: int) -> Any:
    if isinstance(value, float) and value - value != 0:  # infinities and NaN are no JSON
        return str(value)
    if value is None or isinstance(value, (int, float)):
        return value
    return shortened(value if isinstance(value, str) else json.dumps(value), limit)
