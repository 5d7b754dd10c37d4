"""Prompts are files, ROLE/VARIANT.md beside this module, with a section each for system, context and task.

`system` is the same for all calls with a prompt and holds no placeholder. `context` holds the schema and nothing else
of a question, so that calls for one database, or for one view of it, begin alike and providers can cache their start.
Examples, matched values, evidence and question stand in `task`, in this order, and last what the question is asked
about: a query, its result.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, TemplateError, meta

from nl2sql.models.chat import Prompt
from nl2sql.prompts.fences import Fenced

FOLDER = Path(__file__).parent
NAME = re.compile(r"[a-z_]+/[a-z_]+")
SECTION = re.compile(r"^# (system|context|task)[ \t]*\n", re.MULTILINE)


class PromptError(Exception):
    """A prompt file is not as it should be, or not filled with what it asks for."""


@dataclass(frozen=True)
class PromptFile:
    """A prompt file, ready to be filled. `placeholders` are what its context and task ask for, includes counted."""

    system: str
    context: Template
    task: Template
    placeholders: frozenset[str]


def render(name: str, **values: Fenced | int | str) -> Prompt:
    """Fill the prompt of that name, e.g. 'generate/reasoning'.

    What is put into the text is Fenced (see fences.fence and task_text) or a number; plain strings can only be
    compared with. Raises PromptError for an unknown prompt, a placeholder without a value, a value without a
    placeholder and text that is not fenced.
    """
    file = load_prompt(name)
    if file.placeholders != values.keys():
        missing, unknown = sorted(file.placeholders - values.keys()), sorted(values.keys() - file.placeholders)
        raise PromptError(f"prompt {name}: without a value: {missing or 'none'}; unknown: {unknown or 'none'}")
    return Prompt(name, file.system, _filled(file.context, values), _filled(file.task, values))


def prompt_names(role: str) -> tuple[str, ...]:
    """Names of all prompts of a role, e.g. 'generate'; () for an unknown role."""
    return tuple(sorted(f"{role}/{path.stem}" for path in (FOLDER / role).glob("*.md")))


@cache
def load_prompt(name: str) -> PromptFile:
    """Read a prompt file once per process; raises PromptError when there is none or it does not keep the form."""
    path = FOLDER / f"{name}.md"
    if not NAME.fullmatch(name) or not path.is_file():
        raise PromptError(f"there is no prompt {name!r} under nl2sql/prompts")
    opening, *parts = SECTION.split(path.read_text(encoding="utf-8"))
    if opening.strip() or parts[::2] != ["system", "context", "task"]:
        raise PromptError(f"{name}.md must consist of the sections system, context and task, in this order")
    system, context, task = parts[1::2]
    try:
        if _placeholders(system):
            raise PromptError(f"{name}.md has placeholders in its system text: {sorted(_placeholders(system))}")
        wanted = _placeholders(context) | _placeholders(task)
        return PromptFile(_filled(_from(system), {}), _from(context), _from(task), frozenset(wanted))
    except TemplateError as error:
        raise PromptError(f"{name}.md: {error}") from error


def _filled(template: Template, values: dict[str, Fenced | int | str]) -> str:
    return template.render(values).strip()


def _from(source: str) -> Template:
    return _environment().from_string(source)


def _placeholders(source: str) -> set[str]:
    """Names that a text and the texts that it includes ask for."""
    tree = _environment().parse(source)
    included = [n for n in meta.find_referenced_templates(tree) if n is not None]
    texts = [(FOLDER / name).read_text(encoding="utf-8") for name in included]
    return set(meta.find_undeclared_variables(tree)).union(*map(_placeholders, texts))


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDER),
        undefined=StrictUndefined,
        finalize=_checked,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _checked(value: object) -> object:
    if isinstance(value, Fenced | int):
        return value
    raise PromptError(f"text that is not fenced may not stand in a prompt: {str(value)[:80]!r}")
