"""What runs and artifacts are called in the Prefect UI: after the dataset's folder, never after its whole path."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from prefect.runtime import flow_run

SHOWN_DATABASES = 2


def run_name(verb: str) -> Callable[[], str]:
    """Give a flow's `flow_run_name`: the verb, the dataset and what narrows the run, e.g. 'answer demo, first 10'."""

    def name() -> str:
        return name_of(verb, flow_run.parameters)

    return name


def name_of(verb: str, parameters: Mapping[str, Any]) -> str:
    """The name of a run with these parameters; the preset is told of the whole pipeline only."""
    options = parameters.get("options")
    title = [verb, dataset_name(parameters), *([options.preset] if verb == "pipeline" and options else [])]
    return ", ".join([" ".join(title), *_narrowed(parameters)])


def _narrowed(parameters: Mapping[str, Any]) -> list[str]:
    databases = tuple(parameters.get("databases") or ())
    shown = databases if len(databases) <= SHOWN_DATABASES else (f"{len(databases)} databases",)
    split = [parameters["split"]] if parameters.get("split", "dev") != "dev" else []
    first = [f"first {parameters['limit']:,}"] if parameters.get("limit") else []
    return [*split, *shown, *first]


def dataset_name(parameters: Mapping[str, Any] | None = None) -> str:
    """The folder or file name of the dataset of these parameters, by default those of the flow that is running."""
    known: Mapping[str, Any] = flow_run.parameters if parameters is None else parameters
    return Path(known.get("dataset", "")).absolute().name


def artifact_key(*words: str) -> str:
    """A key that Prefect takes: lower-case ASCII letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", "-".join(words).lower()).strip("-") or "run"
