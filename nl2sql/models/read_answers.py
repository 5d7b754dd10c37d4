"""Read SQL and JSON out of what models answer: fenced or not, with prose around it, nearly right or not at all."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, TypeVar

import sqlglot
from pydantic import BaseModel, ValidationError
from sqlglot import exp
from sqlglot.errors import SqlglotError

from nl2sql.prompts.fences import harmless
from nl2sql.scoring.sql_text import pieces

Answer = TypeVar("Answer", bound=BaseModel)

LONGEST_ANSWER = 400_000  # characters; of longer ones the end is read, where the final answer stands
LONGEST_SQL = 50_000  # characters of a statement
OBJECTS_TRIED = 64  # openings of objects in one text
STATEMENTS_TRIED = 64  # places in prose where a statement could begin
SQL_KEYS = ("final_sql", "sql", "query")

_THOUGHT = re.compile(r"<(think|thinking|thought)>.*?(?:</\1>|\Z)", re.IGNORECASE | re.DOTALL)
_THOUGHT_END = re.compile(r"</(?:think|thinking|thought)>", re.IGNORECASE)
_TAG = re.compile(r"^[ \t]*</?[a-z_]{1,20}(?:-\d+)?>|</?[a-z_]{1,20}(?:-\d+)?>[ \t]*$", re.IGNORECASE | re.MULTILINE)
_BLOCK = re.compile(
    r"(?P<mark>(?<!`)`{3,9}+(?!`)|(?<!~)~{3,9}+(?!~))[^\n`~]*\n(?P<body>.*?)(?:\n?[ \t]*(?P=mark)|\Z)", re.DOTALL
)
_QUERY = re.compile(r"\(*\s*(?:SELECT|WITH|VALUES)\b", re.IGNORECASE)
_LOUD_QUERY = re.compile(r"(?:SELECT|WITH)\b.*\bFROM\b", re.DOTALL)  # no prose, whether it parses or not
_STATEMENT = re.compile(
    r"^(?!\s*--)[^\w\n]*+(?:sqlite|sql)?[ \t]*(?:\w[\w ]{0,30}:\W{0,4})?(?=(?:SELECT|WITH)\b)",
    re.IGNORECASE | re.MULTILINE,
)
_PROSE_END = re.compile(r"\n[ \t]*\n|```|\Z")
# Unfinished strings and comments reach to the end, so that reading takes linear time whatever the text is.
_TOKEN = re.compile(
    r"""(?P<double>"(?:[^"\\]|\\.)*+(?:"|\\?\Z))
      | (?P<single>'(?:[^'\\]|\\.)*+(?:'|\\?\Z))
      | (?P<comment>(?<!:)//[^\n]*|/\*.*?(?:\*/|\Z))
      | (?P<comma>,(?=\s{0,200}[}\]]))
      | (?P<escape>\\[nrt])
      | (?P<word>(?<![\w.])[A-Za-z_][A-Za-z0-9_]*)""",
    re.VERBOSE | re.DOTALL,
)
_WORDS = {"true": "true", "false": "false", "null": "null", "none": "null", "nan": "NaN", "infinity": "Infinity"}
_LETTER = re.compile(r"\W{0,8}(?:Query )?([AB])(?=[.,:;)]|\W*(?:\n|\Z))", re.IGNORECASE)
_SENT_AS_STRING = re.compile(r"\{(?:\s|\\[nrt]){0,40}\\\"")


class Unreadable(Exception):
    """An answer that holds nothing of what was asked for. The message tells the model what is missing."""


# --- SQL ------------------------------------------------------------------------------------------------------------


def read_sql(text: str) -> str:
    """The query that an answer ends with, without comments around it and without closing semicolon.

    Of several fenced blocks the last that parses counts, one that the line before calls final above all; without
    blocks the last statement in the prose, or the text of a JSON answer. Of several statements the last query counts.
    SQL that does not parse is given as well when it is clearly meant as a query: repairs are for others. Thoughts
    between <think> tags are not read, other tags around a statement fall off. Raises Unreadable when there is no query.
    """
    said = _TAG.sub("\n", _said(text))
    written = [s for block in _final_first(said) for s in [*_queries(block), *_queries(_json_text(block))]]
    written = written or [*_queries(_json_text(said)), *_in_prose(said)]
    if not written:
        raise Unreadable("there is no SQL query in it: it has to begin with SELECT or WITH")
    sql = next((s for s in map(_readable, written) if s), written[0])
    if len(sql) > LONGEST_SQL:
        raise Unreadable(f"the SQL is longer than {LONGEST_SQL} characters")
    return sql


def _said(text: str) -> str:
    """The answer without its thoughts and without characters that no SQL needs."""
    kept = harmless(text[-LONGEST_ANSWER:].replace("\0", ""))
    ends = list(_THOUGHT_END.finditer(kept))
    # Some servers give the thoughts without their opening tag.
    return kept[ends[-1].end() :] if ends else _THOUGHT.sub("", kept)


def _final_first(text: str) -> list[str]:
    """Bodies of the fenced blocks, the last first; those that are called final before the others."""
    found: list[tuple[bool, str]] = []
    end = 0
    for block in _BLOCK.finditer(text):
        said = text[max(end, block.start() - 80) : block.start()]
        found.append((re.search(r"\bfinal\b", said, re.IGNORECASE) is None, block["body"]))
        end = block.end()
    found.reverse()
    return [body for _, body in sorted(found, key=lambda f: f[0])]


def _queries(text: str) -> list[str]:
    """Statements of the text that begin like a query, the last first."""
    return [s for s in _statements(text) if _QUERY.match(s)][::-1]


def _statements(text: str) -> Iterator[str]:
    """Split at semicolons; comments before and after a statement are dropped, those within stay."""
    kept: list[tuple[str, str]] = []
    for kind, piece in [*pieces(text), ("end", ";")]:
        if kind != "end":
            if kept or kind not in ("space", "comment"):
                kept.append((kind, piece))
            continue
        while kept and kept[-1][0] in ("space", "comment"):
            kept.pop()
        if kept:
            yield "".join(piece for _, piece in kept)
        kept = []


def _in_prose(text: str) -> list[str]:
    """Statements that stand in no block, the last first; when none of them parses those that look like SQL."""
    found = [s for s in [*_said_at_once(text), *_said_by_line(text)] if len(s) <= LONGEST_SQL]
    parsed = [
        s for s in found if _readable(s) and (re.search(r"\bFROM\b", s, re.IGNORECASE) or s == text.strip(" \n;"))
    ]
    return parsed or [s for s in found if _LOUD_QUERY.match(s)]


def _said_at_once(text: str) -> list[str]:
    return _queries(text) if _QUERY.match(text.strip()) else []


def _said_by_line(text: str) -> list[str]:
    """What begins a line like a statement, up to a semicolon or a blank line, the last first."""
    found: list[str] = []
    end = 0
    for place in list(_STATEMENT.finditer(text))[-STATEMENTS_TRIED:]:
        if place.end() < end:
            continue  # a part of the statement before
        stop = _PROSE_END.search(text, place.end())
        sql = next(_statements(text[place.end() : stop.start() if stop else None]), "")
        sql = sql.rstrip("` \n") if sql.count("`") % 2 else sql
        found.append(sql)
        end = place.end() + (len(sql) if _readable(sql) else 0)
    return found[::-1]


def _readable(sql: str) -> str:
    """The statement as it parses: as it stands, or without the escapes that transports leave; '' when it does not."""
    unescaped = sql.replace("\\n", "\n").replace("\\t", " ").replace('\\"', '"')
    return next((form for form in dict.fromkeys((sql, unescaped)) if _parses(form)), "")


def _parses(sql: str) -> bool:
    try:
        return len(sql) <= LONGEST_SQL and isinstance(sqlglot.parse_one(sql, dialect="sqlite"), exp.Query)
    except (SqlglotError, RecursionError):
        return False


def _json_text(text: str) -> str:
    """The SQL of an answer such as {"sql": "SELECT ..."}; '' for any other text."""
    if not text.lstrip().startswith(("{", '"')):
        return ""
    try:
        value = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return ""
    keyed = {k.casefold(): v for k, v in value.items()} if isinstance(value, dict) else {"sql": value}
    texts = [keyed[k] for k in SQL_KEYS if isinstance(keyed.get(k), str)]
    return texts[0] if texts else ""


def read_letter(text: str) -> str:
    """A or B, the one letter that an answer is or begins with; raises Unreadable for anything else."""
    found = _LETTER.match(_said(text))
    if not found:
        raise Unreadable("it is neither A nor B")
    return found[1].upper()


# --- JSON -----------------------------------------------------------------------------------------------------------


def read_json(text: str, model: type[Answer]) -> Answer:
    """The JSON object that an answer ends with, checked against the model.

    It may stand in a fenced block, in prose or in a JSON string, and have single quotes, bare keys, Python's
    constants, comments and trailing commas. The last object that fits counts. Half an object, a key that stands
    twice with different values, NaN and values that do not fit are not mended. Raises Unreadable, which says what was
    wrong with the last object.
    """
    said = _said(text)
    errors: list[str] = []
    for source in [*_final_first(said), said]:
        for form in (source, _unescaped(source), _mended(source)):
            for value in list(_objects(form, errors))[::-1]:
                try:
                    return model.model_validate(value)
                except ValidationError as error:
                    errors.append(_told(error))
    raise Unreadable(errors[0] if errors else "there is no JSON object in it")


def _objects(text: str, errors: list[str]) -> Iterator[Any]:
    """Every outermost object that can be read; what keeps an object from being read is noted."""
    place = text.find("{")
    for _ in range(OBJECTS_TRIED):
        if place < 0:
            return
        try:
            value, end = _DECODER.raw_decode(text, place)
            yield value
        except _Refused as error:
            errors.insert(0, str(error))
            end = place + 1
        except (ValueError, RecursionError) as error:
            errors.append(f"the JSON object cannot be read: {str(error)[:200]}")
            end = place + 1
        place = text.find("{", end)


class _Refused(Exception):
    """JSON that can be read, but in more than one way."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found and found[key] != value:
            raise _Refused(f"the key {key[:80]!r} stands twice with different values")
        found[key] = value
    return found


def _no_constant(name: str) -> Any:
    raise _Refused(f"{name} is no JSON value")


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant, strict=False)


def _unescaped(text: str) -> str:
    """An object that was sent as a string of JSON: {\\"a\\": 1}; '' for any other text."""
    sent = _SENT_AS_STRING.search(text)
    return text.replace('\\"', '"').replace("\\n", "\n").replace("\\t", " ") if sent else ""


def _mended(text: str) -> str:
    """The text from its first brace on, as JSON spells it."""
    start = text.find("{")
    return _TOKEN.sub(_spelled, text[start:]) if start >= 0 else ""


def _spelled(token: re.Match[str]) -> str:
    kind, text = token.lastgroup, token.group()
    if kind == "single":
        return json.dumps(text[1:-1].replace("\\'", "'").replace('\\"', '"'))
    if kind == "word":
        return _WORDS.get(text.casefold(), f'"{text}"')
    return text if kind == "double" else ""


def _told(error: ValidationError) -> str:
    """The first few things that do not fit, without what pydantic says to programmers."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    told = [f"{'.'.join(map(str, e['loc'])) or 'the object'}: {e['msg']}" for e in found[:5]]
    return harmless("; ".join(told))[:500]


@cache
def json_schema(model: type[BaseModel]) -> str:
    """The model's JSON schema in the form that all providers take: no references, every key required, no other keys."""
    schema = model.model_json_schema()
    return json.dumps(_plain(schema, schema.get("$defs", {})))


def _plain(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_plain(n, definitions) for n in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _plain(definitions[node["$ref"].rpartition("/")[2]], definitions)
    kept = {k: _plain(v, definitions) for k, v in node.items() if k not in ("$defs", "title", "default")}
    if isinstance(node.get("properties"), dict):
        kept["properties"] = {k: _plain(v, definitions) for k, v in node["properties"].items()}
        kept |= {"required": list(node["properties"]), "additionalProperties": False}
    return kept
