"""Every figure of a run, from the rows that the run wrote."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

import pyarrow as pa

from nl2sql.reporting.question_outcomes import (
    FAILURES,
    STATUSES,
    QuestionOutcome,
    question_outcomes,
    repair_effects,
    rows_of,
    verdicts_by_system,
)
from nl2sql.reporting.run_summary import (
    GeneratorFigures,
    Group,
    LinkingFigures,
    RepairAction,
    RunSummary,
    percent,
    to_json,
)
from nl2sql.rows import (
    Candidate,
    Database,
    Grounding,
    Linking,
    Question,
    Recall,
    Repair,
    Selection,
    Verdict,
)

__all__ = ["RunSummary", "run_label", "summarise_run", "to_json"]

RULES_LABEL = "keyless rules baseline (no model)"
RECORDED_LABEL = "recorded predictions"
DIFFICULTIES = ("simple", "moderate", "challenging", "easy", "medium", "hard", "extra")
SHOWN_IDS = 10  # ids that a note spells out


def summarise_run(
    questions: Sequence[Question] | pa.Table,
    groundings: Sequence[Grounding] | pa.Table,
    linkings: Sequence[Linking] | pa.Table,
    candidates: Sequence[Candidate] | pa.Table,
    repairs: Sequence[Repair] | pa.Table,
    selections: Sequence[Selection] | pa.Table,
    verdicts: Sequence[Verdict] | pa.Table,
    recalls: Sequence[Recall] | pa.Table,
    *,
    databases: Sequence[Database] = (),
    run_id: str = "",
    dataset: str = "",
    preset: str = "",
    finished: str = "",
    seconds: float = 0.0,
    report: str = "",
    failed_tasks: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> RunSummary:
    """Summarise a run over all its questions; each artifact is rows or an Arrow table of them.

    A question counts whatever befell it: unanswered, unscored and with a broken gold it is not right. Fixed and broken
    need verdicts of the system 'unrepaired'; without them only candidates that did not run before repair can count.
    Groundings and linkings are not looked at: what they are worth stands in the recalls. Costs are 0 until a run
    has model calls.
    """
    questions, candidates = rows_of(questions, Question), rows_of(candidates, Candidate)
    repairs, selections = rows_of(repairs, Repair), rows_of(selections, Selection)
    verdicts, recalls = rows_of(verdicts, Verdict), rows_of(recalls, Recall)
    outcomes = question_outcomes(questions, candidates, repairs, selections, verdicts)
    systems = verdicts_by_system(verdicts)
    effects = repair_effects(repairs, systems)
    repaired = Counter(effects.values())
    parsed = [r for r in recalls if not r.error]
    cells, missing_cells = (sum(len(getattr(r, f)) for r in parsed) for f in ("gold_cells", "missing_cells"))
    answered = {s.question_id for s in selections}
    return RunSummary(
        run_id=run_id,
        dataset=dataset,
        preset=preset,
        label=run_label(candidates),
        finished=finished,
        seconds=seconds,
        report=report,
        overall=_group("all", outcomes),
        by_difficulty=_groups(outcomes, lambda o: o.difficulty or "unknown", _difficulty_order),
        by_database=_groups(outcomes, lambda o: o.db_id, lambda name: (0, name)),
        statuses={status: sum(o.status == status for o in outcomes) for status in STATUSES},
        reasons=dict(Counter(o.reason for o in outcomes if o.reason).most_common()),
        gained=sum(o.status == "right" and not o.voted for o in outcomes),
        lost=sum(o.status != "right" and o.voted for o in outcomes),
        s1=_linking_figures(parsed, lambda r: len(r.missing_s1), lambda r: r.kept_s1),
        s2=_linking_figures(parsed, lambda r: len(r.missing_s2), lambda r: r.kept_s2),
        cells=cells,
        cell_recall=percent(cells - missing_cells, cells) if cells else None,
        changed=len(effects),
        fixed=repaired["fixed"],
        broken=repaired["broken"],
        actions=_repair_actions(repairs, effects),
        outcomes=dict(Counter(r.outcome for r in repairs).most_common()),
        paths=dict(Counter(s.path for s in selections).most_common()),
        candidates=len(candidates),
        generators=_generator_figures(candidates, repairs, systems.get("candidate", {}), len(questions)),
        cost=0.0,
        failed_questions=tuple(q.question_id for q in questions if q.question_id not in answered),
        failed_tasks=tuple(_counted(failed_tasks)),
        notes=(*notes, *_data_notes(questions, verdicts, recalls, databases), *_repair_notes(repairs, systems)),
    )


def run_label(candidates: Iterable[Candidate]) -> str:
    """Say what kind of run wrote these candidates; '' when models did."""
    names = {c.generator for c in candidates}
    kinds = {"recorded" if name.startswith("recorded") else name for name in names}
    if not kinds:
        return "no candidates"
    if kinds == {"rules"}:
        return RULES_LABEL
    if kinds == {"recorded"}:
        return RECORDED_LABEL
    return f"{RECORDED_LABEL} and keyless rules" if kinds == {"rules", "recorded"} else ""


def _group(name: str, outcomes: Sequence[QuestionOutcome]) -> Group:
    return Group(
        name,
        len(outcomes),
        sum(o.status == "right" for o in outcomes),
        sum(o.voted for o in outcomes),
        sum(o.right_candidates > 0 for o in outcomes),
    )


def _groups(
    outcomes: Sequence[QuestionOutcome],
    key: Callable[[QuestionOutcome], str],
    order: Callable[[str], tuple[int, str]],
) -> tuple[Group, ...]:
    members: dict[str, list[QuestionOutcome]] = defaultdict(list)
    for outcome in outcomes:
        members[key(outcome)].append(outcome)
    return tuple(_group(name, members[name]) for name in sorted(members, key=order))


def _difficulty_order(name: str) -> tuple[int, str]:
    return (DIFFICULTIES.index(name) if name in DIFFICULTIES else len(DIFFICULTIES), name)


def _linking_figures(
    recalls: Sequence[Recall], missing: Callable[[Recall], int], kept: Callable[[Recall], int]
) -> LinkingFigures:
    n = len(recalls)
    if not n:
        return LinkingFigures(0, None, None, None, None, None, None)
    found = [len(r.gold_columns) - missing(r) for r in recalls]
    # SELECT COUNT(*) uses no column: nothing can be missed, so its recall is 1.
    recall = [f / len(r.gold_columns) if r.gold_columns else 1.0 for f, r in zip(found, recalls, strict=True)]
    precision = [f / kept(r) if kept(r) else 0.0 for f, r in zip(found, recalls, strict=True)]
    shares = [kept(r) / r.columns_total if r.columns_total else 0.0 for r in recalls]
    return LinkingFigures(
        n,
        percent(sum(not missing(r) for r in recalls), n),
        percent(sum(recall), n),
        percent(sum(precision), n),
        sum(kept(r) for r in recalls) / n,
        sum(r.columns_total for r in recalls) / n,
        percent(sum(shares), n),
    )


def _repair_actions(repairs: Sequence[Repair], effects: Mapping[tuple[str, str], str]) -> tuple[RepairAction, ...]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for repair in repairs:
        effect = effects.get((repair.question_id, repair.candidate_id))
        for action in {action_kind(a) for a in repair.actions}:
            counts[action].update(["applied", effect] if effect else [])
    actions = [RepairAction(name, c["applied"], c["fixed"], c["broken"]) for name, c in counts.items()]
    return tuple(sorted(actions, key=lambda a: (-a.applied, a.name)))


def action_kind(action: str) -> str:
    """Give the kind of a repair: what stands before the details in 'unknown column: nmae -> name'."""
    return action.partition(":")[0].strip()


def _generator_figures(
    candidates: Sequence[Candidate],
    repairs: Sequence[Repair],
    verdicts: Mapping[tuple[str, str], Verdict],
    n: int,
) -> tuple[GeneratorFigures, ...]:
    """Figures of each generator, the most accurate first."""
    firsts: dict[str, set[str]] = defaultdict(set)
    correct: Counter[str] = Counter()
    right: dict[str, set[str]] = defaultdict(set)
    for candidate in candidates:
        verdict = verdicts.get((candidate.question_id, candidate.candidate_id))
        if candidate.question_id not in firsts[candidate.generator]:
            firsts[candidate.generator].add(candidate.question_id)
            correct[candidate.generator] += verdict is not None and verdict.correct
        if verdict is not None and verdict.correct:
            right[candidate.generator].add(candidate.question_id)
    written = Counter(c.generator for c in candidates)
    failed = Counter(r.generator for r in repairs if r.outcome in FAILURES)
    solvers = Counter(question for solved in right.values() for question in solved)
    figures = [
        GeneratorFigures(
            name,
            written[name],
            len(firsts[name]),
            correct[name],
            len(right[name]),
            sum(solvers[question] == 1 for question in right[name]),
            failed[name],
            percent(correct[name], n),
            percent(len(right[name]), n),
            0.0,
        )
        for name in written
    ]
    return tuple(sorted(figures, key=lambda g: (-g.correct, -g.available, g.name)))


def _data_notes(
    questions: Sequence[Question],
    verdicts: Sequence[Verdict],
    recalls: Sequence[Recall],
    databases: Sequence[Database],
) -> Iterable[str]:
    repeated = [key for key, count in Counter(q.question_id for q in questions).items() if count > 1]
    broken = sorted({v.question_id for v in verdicts if v.reason == "gold_error"})
    goldless = [q.question_id for q in questions if not q.gold_sql.strip()]
    unparsed = [r.question_id for r in recalls if r.error]
    if repeated:
        yield f"question ids that stand more than once: {_listed(repeated)}"
    if goldless:
        yield f"questions without gold SQL, counted as wrong: {_listed(goldless)}"
    if broken:
        yield f"gold SQL that does not run, counted as wrong: {_listed(broken)}"
    if unparsed:
        yield f"gold SQL that could not be analysed, left out of linking and cell recall: {_listed(unparsed)}"
    for database in databases:
        if database.error:
            yield f"database {database.db_id} does not open: {database.error}"


def _repair_notes(repairs: Sequence[Repair], systems: Mapping[str, Mapping[tuple[str, str], Verdict]]) -> Iterable[str]:
    judged = systems.get("unrepaired", {})
    ran = [r for r in repairs if r.sql != r.sql_before and r.outcome_before not in FAILURES]
    unknown = sum((r.question_id, r.candidate_id) not in judged for r in ran)
    if unknown and "candidate" in systems:
        yield f"repaired candidates not scored as they were before, left out of fixed and broken: {unknown:,}"


def _counted(lines: Sequence[str]) -> Iterable[str]:
    for line, times in Counter(lines).items():
        yield line if times == 1 else f"{line} ({times} times)"


def _listed(ids: Sequence[str]) -> str:
    rest = f" and {len(ids) - SHOWN_IDS} more" if len(ids) > SHOWN_IDS else ""
    return f"{', '.join(ids[:SHOWN_IDS])}{rest} ({len(ids)} in all)"
