"""A preset's way into use: without its local models first, then with one of them more at each step."""

from dataclasses import dataclass

from flows.local_limits import local_folders
from flows.model_choices import LOCAL, model_name
from flows.model_options import EntryOption
from flows.model_settings import with_local_models
from flows.options import Options
from nl2sql.errors import UserError
from nl2sql.models.admissions import check_admitted

GENERATE = "generate"


@dataclass(frozen=True)
class Change:
    """A local model that is to do something: a generator of the lineup, or a role."""

    use: str  # generate, or the name of a role
    model: str  # local:NAME@DIGEST
    entry: EntryOption | None = None  # of a generator


def refuse_uncompared(options: Options, artifacts: str) -> None:
    """Raise UserError when a preset has a local model that was not compared with what it would replace."""
    changes = local_changes(with_local_models(options, artifacts))
    if changes:
        check_admitted(((c.use, c.model) for c in changes), local_folders(artifacts).adapters)


def local_changes(options: Options) -> list[Change]:
    """The local models of a preset, generators first; a role's and an entry's own model, not its fallback."""
    named = [(e, model_name(options, e.model)) for e in options.lineup if e.maker == "prompted" and e.model]
    generators = [Change(GENERATE, model, e) for e, model in named if model.startswith(LOCAL)]
    roles = [(role, getattr(options.roles, role)) for role in type(options.roles).model_fields]
    asked = [(role, model_name(options, found.model)) for role, found in roles if found]
    return [*generators, *(Change(role, model) for role, model in asked if model.startswith(LOCAL))]


def start_of(options: Options, instead: Options | None) -> Options:
    """The preset with another one's lineup and roles; without one, with its own that need no local model."""
    if instead is None:
        changes = local_changes(options)
        local = [c.entry for c in changes]
        lineup = tuple(e for e in options.lineup if e not in local) or Options().lineup
        gone: dict[str, None] = {c.use: None for c in changes if c.use != GENERATE}
        if "compare" in gone:
            gone["tiebreak"] = None
        parts = {"lineup": lineup, "roles": options.roles.model_copy(update=gone)}
    else:
        parts = {"lineup": instead.lineup, "roles": instead.roles}
    return options.model_copy(update={**parts, "preset": f"{options.preset}-before"})


def steps_from(start: Options, options: Options) -> list[Change]:
    """The local models of a preset that its start lacks. Raises UserError when there is none."""
    known = {(c.use, c.model) for c in local_changes(start)}
    changes = [c for c in local_changes(options) if (c.use, c.model) not in known]
    if not changes:
        raise UserError(f"preset {options.preset} has no local model that is not there without it: nothing to compare")
    return changes


def changed(before: Options, change: Change, options: Options) -> Options:
    """What was there with one local model more, in the place of the generator of its name or of the role's model."""
    name = f"{options.preset}-{change.use}"
    if change.entry is not None:
        kept = [change.entry if e.name == change.entry.name else e for e in before.lineup]
        lineup = (*kept, *(() if change.entry in kept else (change.entry,)))
        return before.model_copy(update={"lineup": lineup, "preset": f"{name}-{change.entry.name}"})
    given = {change.use: getattr(options.roles, change.use)}
    if change.use == "compare":
        given["tiebreak"] = options.roles.tiebreak
    return before.model_copy(update={"roles": before.roles.model_copy(update=given), "preset": name})


def replaced(before: Options, change: Change) -> str:
    """What did the work of a change before it, in words."""
    if change.entry is not None:
        return f"the lineup {', '.join(e.name for e in before.lineup)}"
    found = getattr(before.roles, change.use)
    return model_name(before, found.model).partition("@")[0] if found else f"no model to {change.use}"
