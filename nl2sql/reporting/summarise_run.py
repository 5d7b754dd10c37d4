"""Every figure of a run, from the rows that the run wrote."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial

from nl2sql.reporting.generator_diversity import generator_diversity
from nl2sql.reporting.generator_figures import generator_figures
from nl2sql.reporting.model_costs import cost_notes, model_costs, role_order
from nl2sql.reporting.question_outcomes import (
    FAILURES,
    STATUSES,
    QuestionOutcome,
    question_outcomes,
    repair_effects,
    selected_verdicts,
    verdicts_by_system,
)
from nl2sql.reporting.run_summary import (
    Group,
    LinkingFigures,
    RepairAction,
    RunSummary,
    WrongQuestion,
    percent,
    to_json,
)
from nl2sql.reporting.run_tables import RunTables
from nl2sql.rows import (
    Candidate,
    Database,
    ModelCall,
    Recall,
    Repair,
    Verdict,
)

__all__ = ["RunSummary", "run_label", "summarise_run", "to_json"]

RULES_LABEL = "keyless rules baseline (no model)"
RECORDED_LABEL = "recorded predictions"
SHOWN_MODELS = 4
DIFFICULTIES = ("simple", "moderate", "challenging", "easy", "medium", "hard", "extra")
SHOWN_IDS = 10  # ids that a note spells out


def summarise_run(
    tables: RunTables,
    *,
    degraded: Mapping[str, int] | None = None,
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
    """Summarise a run over all its questions.

    A question counts whatever befell it: unanswered, unscored and with a broken gold it is not right. Fixed and broken
    need verdicts of the system 'unrepaired'; without them only candidates that did not run before repair can count.
    Groundings and linkings are not looked at: what they are worth stands in the recalls. `degraded` counts questions by
    what the budget left them, as in nl2sql.models.budget.LEVELS.
    """
    questions, candidates, repairs = tables.questions, tables.candidates, tables.repairs
    outcomes, systems = question_outcomes(tables), verdicts_by_system(tables.verdicts)
    effects = repair_effects(repairs, systems)
    repaired = Counter(effects.values())
    parsed = [r for r in tables.recalls if not r.error]
    cells, missing_cells = (sum(len(getattr(r, f)) for r in parsed) for f in ("gold_cells", "missing_cells"))
    answered = {s.question_id for s in tables.selections}
    costs = model_costs([q.question_id for q in questions], tables.model_calls, tables.reused_calls, degraded)
    judged, spent = systems.get("candidate", {}), costs.generators if costs else {}
    generators = generator_figures(candidates, repairs, judged, spent, len(questions))
    grouped = partial(_groups, outcomes, bool(tables.corrected))
    return RunSummary(
        run_id=run_id,
        dataset=dataset,
        preset=preset,
        label=run_label(candidates, (*tables.model_calls, *tables.reused_calls)),
        finished=finished,
        seconds=seconds,
        report=report,
        overall=_group("all", outcomes, bool(tables.corrected)),
        by_difficulty=grouped(lambda o: o.difficulty or "unknown", _difficulty_order),
        by_database=grouped(lambda o: o.db_id, lambda name: (0, name)),
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
        paths=dict(Counter(s.path for s in tables.selections).most_common()),
        candidates=len(candidates),
        generators=generators,
        diversity=generator_diversity(generators, candidates, repairs, judged, len(questions)),
        models=costs,
        wrong=tuple(_wrong(tables, outcomes)),
        failed_questions=tuple(q.question_id for q in questions if q.question_id not in answered),
        failed_tasks=tuple(_counted(failed_tasks)),
        notes=(
            *cost_notes(costs, len(questions)),
            *notes,
            *_data_notes(tables, databases),
            *_repair_notes(repairs, systems),
        ),
    )


def _wrong(tables: RunTables, outcomes: Iterable[QuestionOutcome]) -> Iterable[WrongQuestion]:
    verdicts = selected_verdicts(tables.verdicts)
    for question, outcome in zip(tables.questions, outcomes, strict=True):
        if outcome.reason:
            key, verdict = question.question_id, verdicts.get(question.question_id)
            words = (question.question, outcome.reason, verdict.detail if verdict else "")
            yield WrongQuestion(key, question.db_id, outcome.difficulty, *words)


def run_label(candidates: Iterable[Candidate], model_calls: Iterable[ModelCall] = ()) -> str:
    """Say what wrote these candidates, models by their names, and what models were asked for besides."""
    models: set[str] = set()
    others: set[str] = set()
    for c in candidates:
        if c.generator == "rules" or c.generator.startswith("recorded"):
            others.add("keyless rules" if c.generator == "rules" else RECORDED_LABEL)
        else:
            models.add(c.model or c.generator)
    parts = [*_model_names(models), *sorted(others, reverse=True)]
    roles = sorted({c.role for c in model_calls}, key=role_order)
    if parts == ["keyless rules"] and not roles:
        return RULES_LABEL
    asked = f", models for: {', '.join(roles)}" if roles and not models else ""
    return f"{' and '.join(parts) or 'no candidates'}{asked}"


def _model_names(models: Collection[str]) -> Iterable[str]:
    if models:
        names, rest = sorted(models), len(models) - SHOWN_MODELS
        more = f" and {rest} more" if rest > 0 else ""
        yield f"{'model' if len(names) == 1 else 'models'} {', '.join(names[:SHOWN_MODELS])}{more}"


def _group(name: str, outcomes: Sequence[QuestionOutcome], corrected: bool) -> Group:
    return Group(
        name,
        len(outcomes),
        sum(o.status == "right" for o in outcomes),
        sum(o.voted for o in outcomes),
        sum(o.right_candidates > 0 for o in outcomes),
        sum(o.corrected for o in outcomes) if corrected else None,
    )


def _groups(
    outcomes: Sequence[QuestionOutcome],
    corrected: bool,
    key: Callable[[QuestionOutcome], str],
    order: Callable[[str], tuple[int, str]],
) -> tuple[Group, ...]:
    members: dict[str, list[QuestionOutcome]] = defaultdict(list)
    for outcome in outcomes:
        members[key(outcome)].append(outcome)
    return tuple(_group(name, members[name], corrected) for name in sorted(members, key=order))


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


def _data_notes(tables: RunTables, databases: Sequence[Database]) -> Iterable[str]:
    repeated = [key for key, count in Counter(q.question_id for q in tables.questions).items() if count > 1]
    broken = sorted({v.question_id for v in tables.verdicts if v.reason == "gold_error"})
    goldless = [q.question_id for q in tables.questions if not q.gold_sql.strip()]
    unparsed = [r.question_id for r in tables.recalls if r.error]
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
