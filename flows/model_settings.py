"""How a run reaches its models: limits, keys, prices and the cap, from the preset and the environment."""

import os
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from prefect.runtime import flow_run

from flows.local_limits import local_folders
from flows.model_choices import (
    LOCAL,
    lineup_entries,
    model_name,
    models_of,
    prices_of,
    provider_option,
    role_choice,
)
from flows.model_options import EntryOption, ProviderOption, RoleOption
from flows.options import Options
from nl2sql.errors import UserError
from nl2sql.models.capabilities import check_request_fits
from nl2sql.models.choices import LineupEntry, ModelChoice
from nl2sql.models.courier import prepare_courier
from nl2sql.models.local_models import resolve_local
from nl2sql.models.prices import Price, Prices
from nl2sql.models.rate_limits import ProviderLimits
from nl2sql.prompts.render import PromptError, load_prompt
from tasks.artifact_store import local_folder
from tasks.model_access import Access

ANSWERS = "model_cache"  # folder among the artifacts


def run_access(options: Options, artifacts: str, questions: int = 0) -> Access | None:
    """The access of the run that is under way, None for a preset without models.

    All flows of a run have one: they share its limits and its budget. Raises UserError for a missing key.
    """
    models = models_of(options)
    if not models:
        return None
    providers = dict.fromkeys(m.partition("/")[0] for m in models if not m.startswith(LOCAL))
    return Access(
        run=flow_run.get_root_flow_run_id() or uuid4().hex,
        folder=str(Path(local_folder(artifacts)).absolute() / ANSWERS),
        limits=tuple(_limits(options, provider) for provider in providers),
        prices=given_prices(options),
        fallbacks=tuple((c.model, c.fallback) for c in choices_of(options) if c.fallback),
        local=local_folders(artifacts) if any(m.startswith(LOCAL) for m in models) else None,
        max_cost=options.max_cost,
        questions=questions,
    )


def check_models(options: Options, artifacts: str, keys: bool = True) -> None:
    """See that every model of a preset is known, priced, there, takes what it is asked for and has its key.

    Raises UserError for the first that is not so. Nothing is asked of any server.
    """
    options = with_local_models(options, artifacts)
    prices = Prices({p.model: p for p in given_prices(options)})
    for role in type(options.roles).model_fields:
        if choice := role_choice(options, role):
            _check_choice(choice, prices)
    for entry in lineup_entries(options):
        _check_entry(entry, prices)
    if keys:
        run_access(options, artifacts)  # finds them


def prepare_models(options: Options) -> None:
    """Start what calls of API models need, where a preset has any: it takes seconds, in a process of its own."""
    if any(not model.startswith(LOCAL) for model in models_of(options)):
        prepare_courier()


def choices_of(options: Options) -> list[ModelChoice]:
    """Every choice of a model that a preset makes, for roles and for the lineup."""
    roles = [role_choice(options, role) for role in type(options.roles).model_fields]
    return [c for c in (*roles, *(e.choice for e in lineup_entries(options))) if c]


def with_local_models(options: Options, artifacts: str) -> Options:
    """The options with every local model by its digest, so that answers belong to the weights that gave them.

    Raises UserError for a local model that is not there.
    """
    words = [w for c in _model_options(options) for w in (c.model, c.fallback) if w]
    local = {w: name for w in words if (name := model_name(options, w)).startswith(LOCAL)}
    folders = local_folders(artifacts)
    found = {word: resolve_local(name, folders) for word, name in local.items()}
    return options.model_copy(update={"names": {**options.names, **found}}) if found else options


def _model_options(options: Options) -> list[RoleOption | EntryOption]:
    roles = [getattr(options.roles, role) for role in type(options.roles).model_fields]
    return [*(r for r in roles if r), *(e for e in options.lineup if e.maker == "prompted")]


def given_prices(options: Options) -> tuple[Price, ...]:
    """The preset's own prices."""
    return tuple(Price(model=name, **option.model_dump()) for name, option in prices_of(options).items())


def _check_choice(choice: ModelChoice, prices: Prices) -> None:
    asked = {"temperature": choice.temperature, "effort": choice.effort, "max_tokens": choice.max_tokens}
    for model in (choice.model, choice.fallback):
        if model:
            check_request_fits(model, **asked, prices=prices)


def _check_entry(entry: LineupEntry, prices: Prices) -> None:
    """Every combination that an entry asks for, and that its prompts exist."""
    if entry.choice is None:
        return
    for prompt in entry.prompts:
        try:
            load_prompt(f"generate/{prompt}")
        except PromptError as error:
            raise UserError(f"generator {entry.name!r} of the lineup: {error}") from error
    for effort in entry.efforts or (entry.choice.effort,):
        for temperature in entry.temperatures or (entry.choice.temperature,):
            _check_choice(replace(entry.choice, effort=effort, temperature=temperature), prices)


def _limits(options: Options, provider: str) -> ProviderLimits:
    option = provider_option(options, provider)
    given = option.model_dump(exclude={"key"}, exclude_none=True)
    return ProviderLimits(provider, api_key=_key(option, provider), key_name=option.key or "", **given)


def _key(option: ProviderOption, provider: str) -> str:
    key = os.environ.get(option.key, "") if option.key else ""
    if option.key and not key:
        raise UserError(
            f"{option.key} is not set: models of {provider} need a key."
            f" export {option.key}=..., or use --preset offline"
        )
    return key
