"""Answers the pipeline's prompts for the questions of a benchmark: a double of the PROVIDER, no part of the product.

It finds the question in the prompt and answers with SQL that recorded systems wrote for it (with mistakes made in the
gold SQL where there are no recordings), links the columns of such SQL, takes keywords from the question, and compares
by a coin. It knows gold SQL, so nothing measured with it says how well a model answers; it serves to measure time,
money, retries and what becomes of answers.

    python -m tests.servers.model_server --script tests.servers.benchmark_script:build \\
        --script-arguments '{"dataset": "datasets/demo", "predictions": ""}'
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from tests.servers.question_pool import Known, QuestionPool, keywords, literals, luck, used_columns
from tests.servers.script import Answer, Asked, Script, answer_minimally, fill_schema

SYSTEMS_PER_MODEL = 12  # that a model may sound like
LISTED = 60  # longest list that is filled from what a prompt shows


@dataclass(frozen=True)
class Scene:
    """One call and the question it is about."""

    asked: Asked
    known: Known | None
    seed: int

    def sql(self, turn: int = 0) -> str:
        """What one of the systems that the model stands for wrote; `turn` gives the SQL of another one."""
        if self.known is None:
            return "SELECT 1"
        pool = self.known.pool
        system = luck(self.asked.model, self.seed) + luck(self.asked.system, self.asked.user) % SYSTEMS_PER_MODEL
        return pool[(system + turn * 7) % len(pool)]

    def columns(self) -> list[tuple[str, str]]:
        """Columns of two systems' SQL."""
        if self.known is None:
            return []
        later = 2 if self.asked.prompt.endswith("second") else 0  # a second round finds what others would use
        both = f"{self.sql(later)} {self.sql(later + 1)}"
        return used_columns(both, self.known.columns)

    def coin(self, bias: float = 0.5) -> bool:
        """True with the given chance, the same for the same call."""
        return luck("coin", self.asked.user, self.seed) % 10_000 < bias * 10_000


def build(dataset: str, predictions: str = "", seed: int = 0) -> Script:
    """The script of a dataset. The number of the sample is left out of account: an equal call gets an equal answer,

    so that a run that was killed and resumed can be compared with one that was not.
    """
    pool = QuestionPool(dataset, predictions)

    def script(asked: Asked) -> Answer | str:
        scene = Scene(asked, pool.find(asked.user), seed)
        if asked.schema is None:
            return in_block(scene)
        return orjson.dumps(fill(asked.schema, scene)).decode()

    return script


def in_block(scene: Scene) -> str:
    """SQL as models give it: some words and a block."""
    if scene.known is None:
        return answer_minimally(scene.asked)
    question = scene.known.question.question
    return f"The question asks: {question}\n\n```sql\n{scene.sql(scene.asked.role == 'fix')}\n```"


def fill(schema: Mapping[str, Any], scene: Scene) -> dict[str, Any]:
    """An object that follows the schema, its fields filled by what their names ask for."""
    return {name: _field(name, part, scene) for name, part in schema.get("properties", {}).items()}


def _field(name: str, schema: Mapping[str, Any], scene: Scene) -> Any:
    if schema.get("enum"):
        return schema["enum"][-1 if scene.coin() else 0]
    kind = schema.get("type")
    if kind == "array":
        return _list(name, schema["items"], scene)
    if kind == "string":
        return next((write(scene) for words, write in STRINGS if re.search(words, name)), "As the schema says.")
    if kind == "number":
        return 0.8
    if kind == "object":
        return fill(schema, scene)
    return fill_schema(schema)


def _skeleton(scene: Scene) -> str:
    text = scene.known.question.question if scene.known else ""
    for literal in literals(text):
        text = text.replace(literal, "_")
    return text


STRINGS: tuple[tuple[str, Callable[[Scene], str]], ...] = (
    ("sql|query", Scene.sql),
    ("skeleton", _skeleton),
    ("better|winner|choice|answer", lambda scene: "A" if scene.coin() else "B"),
)


def _list(name: str, items: Mapping[str, Any], scene: Scene) -> list[Any]:
    if items.get("type") == "string":
        return _texts(name, scene)[:LISTED]
    pairs = shown_columns(scene.asked.user) if scene.asked.role == "summarise" else scene.columns()
    return [_column(items, table, column, scene) for table, column in pairs[:LISTED]]


def _texts(name: str, scene: Scene) -> list[str]:
    question = scene.known.question.question if scene.known else ""
    if "column" in name or "field" in name:
        return [f"{table}.{column}" for table, column in scene.columns()]
    if "table" in name:
        return list(dict.fromkeys(table for table, _ in scene.columns()))
    return keywords(question) if "keyword" in name or "phrase" in name else literals(question)


def _column(items: Mapping[str, Any], table: str, column: str, scene: Scene) -> dict[str, Any]:
    given = {"table": table, "column": column, "name": column}
    short = f"The {column} of a {table}."
    texts = {"short": short, "long": f"{short} Stored as the profile shows.", "summary": short, "description": short}
    named = {**given, **texts}
    return {name: named.get(name) or _field(name, part, scene) for name, part in items["properties"].items()}


def shown_columns(text: str) -> list[tuple[str, str]]:
    """(table, column) of the columns that a summarising prompt asks for."""
    return re.findall(r"^### ([^\n.]+)\.([^\n]+)$", text, re.MULTILINE)
