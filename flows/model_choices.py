"""From a preset's words to what tasks take: models by litellm's names, with everything that decides their answers."""

import tomllib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from flows.local_limits import TAG
from flows.model_options import EntryOption, PriceOption, ProviderOption, RoleOption
from flows.options import Options
from nl2sql.errors import UserError
from nl2sql.models.choices import LineupEntry, ModelChoice
from tasks.model_access import Access

MODELS = Path(__file__).parent.parent / "deployments" / "models.toml"
LOCAL = "local:"
CONTEXT, LOCAL_CONTEXT = 16_000, 1_024  # tokens; local models are trained on so many, see docs/local-models.md


def role_choice(options: Options, role: str) -> ModelChoice | None:
    """The model of a role, None when the preset has none for it."""
    chosen: RoleOption | None = getattr(options.roles, role)
    if chosen is None:
        return None
    model = model_name(options, chosen.model)
    given = chosen.model_dump(include={"effort", "temperature", "max_tokens"})
    length = chosen.context_tokens or (LOCAL_CONTEXT if model.startswith(LOCAL) else CONTEXT)
    return ModelChoice(model, fallback=_optional(options, chosen.fallback), context_tokens=length, **given)


def asking(options: Options, access: Access | None, **roles: str) -> dict[str, Any]:
    """What a task is given to ask models: for each argument the model of its role; nothing when no role has one."""
    choices = {argument: role_choice(options, role) for argument, role in roles.items()}
    given = {argument: choice for argument, choice in choices.items() if choice}
    return {**given, "access": access} if given and access else {}


def linking_models(options: Options, access: Access | None) -> dict[str, Any]:
    """What the linking task is given to ask models; nothing when linking is switched off."""
    return {} if "linking" in options.without else asking(options, access, choice="link", draft="draft")


def fixing(options: Options, access: Access | None) -> dict[str, Any]:
    """What the repairing task is given to ask a model; nothing when repair is switched off or models may not try."""
    if "fixer" in options.without or not options.fix_attempts:
        return {}
    given = asking(options, access, fixer="fix")
    return {**given, "attempts": options.fix_attempts} if given else {}


def local_tags(arguments: Mapping[str, Any]) -> tuple[str, ...]:
    """The tag `mlx`, of which one task runs at a time, for arguments that name a local model."""
    choices = [v for v in arguments.values() if isinstance(v, ModelChoice)]
    entries = [e.choice for e in arguments.get("lineup", ()) if e.choice]
    return (TAG,) if any(c.model.startswith(LOCAL) for c in (*choices, *entries)) else ()


def split_lineup(entries: Sequence[LineupEntry]) -> tuple[tuple[LineupEntry, ...], tuple[LineupEntry, ...]]:
    """The entries for one task, and local ones for a task of their own, so that API calls do not wait for them."""
    local = tuple(e for e in entries if e.choice and e.choice.model.startswith(LOCAL))
    others = tuple(e for e in entries if e not in local)
    return (others, local) if others else (local, ())


def judging(options: Options, access: Access | None, groundings: Any = None) -> dict[str, Any]:
    """What the selecting task is given to ask models; nothing when selection is switched off.

    A tiebreaker comes with the certainty below which it is asked; a local judge with the `groundings` that it sees.
    """
    given = {} if "selection" in options.without else asking(options, access, judge="compare", tiebreak="tiebreak")
    if "tiebreak" in given and options.roles.compare:
        given["sure"] = options.roles.compare.sure
    local = "judge" in given and given["judge"].model.startswith(LOCAL)
    return {**given, "groundings": groundings} if local and groundings else given


def lineup_entries(options: Options) -> tuple[LineupEntry, ...]:
    """The lineup with models by litellm's names; raises UserError for a prompted entry without a model."""
    names = [e.name for e in options.lineup]
    if len(set(names)) < len(names):
        raise UserError(f"two generators of the lineup {', '.join(names)} have one name: give each its own")
    return tuple(_entry(options, e) for e in options.lineup)


def _entry(options: Options, entry: EntryOption) -> LineupEntry:
    if entry.maker != "prompted":
        return LineupEntry(entry.name, entry.maker)
    if not entry.model:
        raise UserError(f"generator {entry.name!r} of the lineup names no model: give it one with model = NAME")
    choice = ModelChoice(
        model_name(options, entry.model),
        max_tokens=entry.max_tokens,
        fallback=_optional(options, entry.fallback),
    )
    rest = entry.model_dump(exclude={"name", "maker", "model", "fallback", "max_tokens"})
    return LineupEntry(entry.name, "prompted", choice, **rest)


def _optional(options: Options, name: str) -> str:
    return model_name(options, name) if name else ""


def model_name(options: Options, name: str) -> str:
    """A model by litellm's name; raises UserError for a word that is neither that nor a name of the preset's."""
    known = {**catalogue()["names"], **options.names}
    found = known.get(name, name)
    if "/" not in found and not found.startswith(LOCAL):
        raise UserError(
            f"preset {options.preset}: no model {name!r}: write one of {', '.join(sorted(known))},"
            " or PROVIDER/MODEL as litellm names it"
        )
    return found


def models_of(options: Options) -> tuple[str, ...]:
    """Every model that a run may ask, fallbacks included, once each."""
    roles = [role_choice(options, role) for role in type(options.roles).model_fields]
    choices = [c for c in (*roles, *(e.choice for e in lineup_entries(options))) if c]
    return tuple(dict.fromkeys(m for c in choices for m in (c.model, c.fallback) if m))


def provider_option(options: Options, provider: str) -> ProviderOption:
    """How a provider is reached: deployments/models.toml with what the preset changes."""
    base = ProviderOption(**catalogue()["providers"].get(provider, {}))
    changed = options.providers.get(provider, ProviderOption())
    return base.model_copy(update=changed.model_dump(exclude_none=True))


def prices_of(options: Options) -> dict[str, PriceOption]:
    """Prices that the preset gives, by litellm's names."""
    return {model_name(options, name): price for name, price in options.prices.items()}


@lru_cache(maxsize=1)
def catalogue() -> dict[str, Any]:
    """deployments/models.toml; raises UserError where it cannot be read or has an option that does not exist."""
    try:
        held = tomllib.loads(MODELS.read_text(encoding="utf-8"))
        for option in held.get("providers", {}).values():
            ProviderOption(**option)
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise UserError(f"{MODELS} cannot be read: {error}") from error
    return {"names": held.get("names", {}), "providers": held.get("providers", {})}
