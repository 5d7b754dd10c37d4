"""Which part of a question says what is wanted (head), of which rows (filter), and per what (group)."""

from collections.abc import Sequence

from nl2sql.models.rules import vocabulary
from nl2sql.models.rules.reading import Span
from nl2sql.models.rules.words import Token

_HEAD_STARTS = """
    what which who whom whose where when how list show find give name count state please calculate provide tell
    identify indicate mention write compute describe return display
"""
HEAD_STARTS = frozenset(_HEAD_STARTS.split())
_RETURNS = """
    their its his her how what which who where when list give show state include also provide write indicate
    identify find tell name calculate mention return count please describe
"""
RETURNS = frozenset(_RETURNS.split())
_PARTICIPLES = """
    made held born written taken given won built sold bought paid spent known drawn sung driven led living
    belonging containing working playing weighing costing attending located happening
"""
PARTICIPLES = frozenset(_PARTICIPLES.split())
VERBS = frozenset({"is", "are", "was", "were", "do", "does", "did", "has", "have", "had", "can"})
GROUP_OPENERS = ("for each", "for every", "in each", "of each", "per", "by each", "for all the different")


def mark_regions(tokens: Sequence[Token], spans: Sequence[Span]) -> str:
    """One letter per token: h where the question says what it wants, f where of which rows, g where per what."""
    letters: list[str] = []
    for begin, end in _sentences(tokens):
        letters.extend(_sentence_regions(tokens, spans, begin, end, later=begin > 0))
    return "".join(letters)


def _sentences(tokens: Sequence[Token]) -> list[tuple[int, int]]:
    found, begin = [], 0
    for i, token in enumerate(tokens):
        following = tokens[i + 1].text[:1] if i + 1 < len(tokens) else ""
        if token.text in ".?!" and (not following or following.isupper() or tokens[i + 1].lower in HEAD_STARTS):
            found.append((begin, i + 1))
            begin = i + 1
    if begin < len(tokens):
        found.append((begin, len(tokens)))
    return found


def _sentence_regions(tokens: Sequence[Token], spans: Sequence[Span], begin: int, end: int, later: bool) -> list[str]:
    letters: list[str] = []
    head = _head_start(tokens, begin, end)
    if head > begin:
        words = " ".join(t.lower for t in tokens[begin : begin + 4])
        letters.extend(("g" if words.startswith(GROUP_OPENERS) else "f") * (head - begin))
    starts = {s.start: s for s in spans}
    inside = {p for s in spans if s.kind != "condition" for p in range(s.start + 1, s.end)} | {
        s.start for s in spans if s.kind == "value"
    }
    mode, named = "h", False
    for i in range(head, end):
        if mode == "h" and named and i not in inside and _is_boundary(tokens, starts, i):
            mode = "f"
        elif mode == "f" and i not in inside and _returns(tokens, i):
            mode, named = "h", False
        letters.append(mode)
        named = named or (i in starts and starts[i].kind in ("schema", "columns", "value", "formula"))
    return letters


def _head_start(tokens: Sequence[Token], begin: int, end: int) -> int:
    """Past an opening such as "Among the students who ..., " or "In 2019, "."""
    first = tokens[begin].lower
    if first not in vocabulary.PREFIXES and not (first.endswith(("ing", "ed")) and first not in HEAD_STARTS):
        return begin
    asked = ("which", "what", "how", "whom", "who", "whose")
    if begin + 1 < end and first in vocabulary.PREFIXES and tokens[begin + 1].lower in asked:
        return begin
    for i in range(begin + 1, end):
        if tokens[i].lower in HEAD_STARTS and (tokens[i - 1].text == "," or tokens[i].lower in ("what", "how", "list")):
            return i
        if tokens[i].lower in ("which", "who") and tokens[i - 1].text == ",":
            return i
    commas = [i for i in range(begin + 1, end - 1) if tokens[i].text == ","]
    return commas[0] + 1 if commas else begin


def _is_boundary(tokens: Sequence[Token], starts: dict[int, Span], i: int) -> bool:
    word, span = tokens[i].lower, starts.get(i)
    if span is not None and span.kind in ("schema", "columns", "formula"):
        return span.cue == "verb"
    if span is not None and span.kind == "compare":
        return word not in ("from", "since") or _number_follows(starts, span.end)
    if span is not None and span.kind == "negation":
        return True
    if word == "with" and tokens[i - 1].lower in ("along", "together"):
        return False
    if word in HEAD_STARTS and i and tokens[i - 1].lower in ("and", ",", ";"):
        return False
    if word in vocabulary.BOUNDARIES or word in VERBS or word in PARTICIPLES:
        return True
    if word in ("for", "of", "in") and i + 1 < len(tokens):
        following = next((starts[j] for j in range(i + 1, min(i + 3, len(tokens))) if j in starts), None)
        return following is not None and following.kind in ("superlative", "formula")
    return len(word) > 4 and word.endswith("ed") and (span is None or span.kind == "value")


def _number_follows(starts: dict[int, Span], place: int) -> bool:
    return any(j in starts and starts[j].kind in ("number", "date", "value") for j in (place, place + 1))


def _returns(tokens: Sequence[Token], i: int) -> bool:
    """ "..., and how many", "and their names", "; list" bring the question back to what it wants."""
    if tokens[i].lower not in ("and", ",", ";", "along", "then") or i + 1 >= len(tokens):
        return False
    following = tokens[i + 1].lower
    if tokens[i].lower == "along":
        return following == "with"
    if following in ("and", "also", "please") and i + 2 < len(tokens):
        following = tokens[i + 2].lower
    if tokens[i].text == "," and following in ("their", "his", "her", "its", "who", "which", "where", "when"):
        return following in ("which", "who") and tokens[i].text == "," and _no_head_before(tokens, i)
    return following in RETURNS


def _no_head_before(tokens: Sequence[Token], i: int) -> bool:
    return not any(t.lower in HEAD_STARTS for t in tokens[:i])
