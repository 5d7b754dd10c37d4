"""What a question wants: columns, aggregates, counts, in the order of its words."""

from sqlglot import exp

from nl2sql.models.rules import cues
from nl2sql.models.rules.frame import Frame, Item
from nl2sql.models.rules.query import column
from nl2sql.models.rules.reading import Span
from nl2sql.rows import ColumnName

FUNCTIONS = {"AVG": exp.Avg, "SUM": exp.Sum, "MAX": exp.Max, "MIN": exp.Min}
OF = frozenset({"of", "for", "from", "in", "by", "at", "to", "on", "with", "per", "about", "among"})


def add_items(frame: Frame) -> None:
    """Walk over the head of the question and collect what it names."""
    pending: list[str] = []
    for span in frame.scope.reading.spans:
        if frame.scope.reading.region(span) == "f" or span in frame.used or span.cue == "verb":
            continue
        if span.kind in ("schema", "columns") and _begins_list(frame, span):
            frame.items = [i for i in frame.items if i.kind in ("count", "aggregate", "formula")]
        if span.kind == "aggregate" or (span.kind == "superlative" and span.cue in _EXTREME_WORDS):
            pending = [] if pending == ["SUM"] and span.cue in ("average", "mean") else pending
            pending.append(cues.AGGREGATES.get(span.cue) or ("MAX" if cues.SUPERLATIVES[span.cue] == "DESC" else "MIN"))
        elif span.kind == "count":
            _add_count(frame, span)
        elif span.kind in ("schema", "columns"):
            pending = _add_named(frame, span, pending)
        elif span.kind == "distinct":
            frame.distinct = True
    _add_wh(frame)
    words = frame.scope.reading.between(0, len(frame.scope.reading.tokens))
    if not frame.items and frame.order and "which one" in words and (key := frame.scope.lexicon.key_of(frame.entity)):
        frame.items.append(Item(column(key), 0, "column", key.table, key))
    if all(i.kind == "entity" for i in frame.items) and not frame.order:
        _add_unplaced(frame)


def _add_unplaced(frame: Frame) -> None:
    """A column of the evidence whose words the question does not use, when nothing better is wanted."""
    words = frame.scope.reading.between(0, 4)
    hinted = [c for a in frame.anchors if a.hint.conditions and not frame.items for c in a.hint.columns]
    if hinted:
        frame.items = [Item(column(c), 0, "column", c.table, c) for c in dict.fromkeys(hinted)]
        return
    for span in frame.unused("columns"):
        frame.items = [Item(column(c), span.start, "column", c.table, c) for c in frame.columns_of(span)]
        frame.used.add(span)
        return
    for item in frame.anchors:
        plain = item.hint.columns and not item.hint.conditions and item.start < 0
        if plain and (not frame.items or words.startswith(("how much", "when", "where", "who", "what"))):
            frame.items = [Item(column(c), 0, "column", c.table, c) for c in item.hint.columns]
            return


def _begins_list(frame: Frame, span: Span) -> bool:
    """ "Which makers designed more than 3 models? List their full name.": the last sentence says what to show."""
    reading = frame.scope.reading
    begin = max((i for i, t in enumerate(reading.tokens[: span.start]) if t.text in ".?!"), default=-1) + 1
    first = reading.between(begin, begin + 2)
    opened = begin > 0 and first.startswith(_LISTING) and not any(i.start >= begin for i in frame.items)
    asks = reading.between(0, 1) in ("which", "who", "among", "for", "what", "in", "how", "of")
    return opened and asks and "also" not in reading.between(begin, begin + 4)


_LISTING = (
    "list",
    "give",
    "show",
    "state",
    "tell",
    "name",
    "indicate",
    "provide",
    "identify",
    "write",
    "only list",
    "mention",
    "return",
    "find",
    "display",
    "please list",
    "please give",
    "please state",
    "please provide",
    "please indicate",
)
_EXTREME_WORDS = frozenset(
    {
        "maximum",
        "minimum",
        "max",
        "min",
        "highest",
        "lowest",
        "largest",
        "smallest",
        "greatest",
        "biggest",
        "most",
        "least",
        "oldest",
        "youngest",
        "longest",
        "shortest",
        "latest",
        "earliest",
    }
)


def _add_named(frame: Frame, span: Span, pending: list[str]) -> list[str]:
    table = frame.scope.table(span)
    if table and not pending:
        _add_table(frame, span, table)
        return pending
    names = frame.columns_of(span) or frame.scope.columns(span)[:1]
    before = frame.previous_span(span.start, ("schema", "columns"), 0)
    if span.words == ("name",) and before is not None and not frame.scope.table(before) and before in frame.used:
        frame.used.add(span)
        return pending  # "college name": the college has been taken already
    if pending:
        return _add_aggregates(frame, span, names, pending)
    if frame.items and (_is_owner(frame, span) or frame.scope.reading.between(span.start - 1, span.start) == "("):
        frame.used.add(span)
        return []
    for name in names:
        if not any(i.name == name and i.kind == "column" for i in frame.items) and not _introduces(frame, span):
            frame.items.append(Item(column(name), span.start, "column", name.table, name))
    frame.used.add(span)
    return []


_ITEM_KINDS = frozenset({"schema", "columns", "count", "formula", "aggregate"})
_COORDINATORS = frozenset(
    {
        "and",
        ",",
        "&",
        "along",
        "plus",
        "including",
        "with",
        "together",
        "per",
        "by",
        ";",
        ".",
        "?",
        "or",
        "list",
        "state",
        "include",
        "what",
        "which",
        "also",
        ":",
    }
)


def _is_owner(frame: Frame, span: Span) -> bool:
    """ "the price of the car" where "car" is but a part of a column's name: what the price belongs to."""
    reading = frame.scope.reading
    words = reading.between(span.start - 4, span.start).split()
    if span.kind == "schema" and span.senses[0].quality < 0.9 and "of" in words:
        return True
    last = max(
        (s.end for s in reading.spans if s in frame.used and s.end <= span.start and s.kind in _ITEM_KINDS),
        default=0,
    )
    joint = reading.between(last, span.start).split()
    after_count = bool(frame.items) and frame.items[-1].kind == "count"
    return span.kind == "schema" and (span.senses[0].quality < 0.97 or after_count) and not _COORDINATORS & set(joint)


def _add_aggregates(frame: Frame, span: Span, names: list[ColumnName], pending: list[str]) -> list[str]:
    lexicon = frame.scope.lexicon
    numeric = [
        c
        for c in [*names, *(frame.scope.columns(span) if span.kind == "schema" else [])]
        if lexicon.is_numeric(c) or lexicon.is_date(c)
    ]
    if not numeric:
        return pending if frame.scope.table(span) else _add_named(frame, span, [])
    frame.used.add(span)
    for kind in dict.fromkeys(pending):
        frame.items.append(
            Item(
                FUNCTIONS[kind](this=column(numeric[0])),
                span.start,
                "aggregate",
                numeric[0].table,
                numeric[0],
            )
        )
    return []


def _add_table(frame: Frame, span: Span, table: str) -> None:
    """A table named in the head: what the columns are of, or wanted itself when it stands alone or after "and"."""
    reading = frame.scope.reading
    frame.used.add(span)
    words = reading.between(span.start - 3, span.start).split()
    follows = reading.between(span.end, span.end + 1)
    belongs = bool(OF & set(words)) or follows in ("'s", "'")
    joined = words[-1:] in (["and"], [","]) or (
        words[-2:-1] in (["and"], [","]) and words[-1] in ("the", "all", "what", "which")
    )
    if not frame.entity:
        frame.entity = table
    if follows in ("'s", "'"):
        return
    if (belongs and not joined) or any(i.kind == "count" and i.table == table for i in frame.items):
        return
    if (joined and frame.items and words[-1:] != [","]) or (
        not frame.items and not any(i.kind == "entity" for i in frame.items)
    ):
        frame.items.append(Item(exp.Null(), span.start, "entity", table))


def _introduces(frame: Frame, span: Span) -> bool:
    """A column that only names its value: it has a condition and stands right before it."""
    return any(
        c.start in (span.end, span.end + 1) and c.kind == "equal" and c.name in frame.columns_of(span)
        for c in frame.conditions
    )


def _add_count(frame: Frame, span: Span) -> None:
    """ "how many singers", "number of different types": rows, or distinct values of a column."""
    frame.used.add(span)
    after = frame.next_span(span.end, ("schema", "columns", "distinct"), 4)
    frame.items = [i for i in frame.items if i.kind != "count" or i.table]
    if after is not None and {"and", ","} & set(frame.scope.reading.between(span.end, after.start).split()):
        after = None
    distinct = (after is not None and after.kind == "distinct") or "different" in span.cue
    if after is not None and after.kind == "distinct":
        frame.used.add(after)
        after = frame.next_span(after.end, ("schema", "columns"), 3)
    if after is None:
        counted = next((i for i in frame.items if i.kind == "count"), None)
        table = counted.table if counted is not None else ""
        frame.items = [*(i for i in frame.items if i is not counted)]
        frame.items.append(counted or Item(exp.Count(this=exp.Star()), span.start, "count", table))
        return
    frame.used.add(after)
    table = frame.scope.table(after)
    name = next(iter(frame.columns_of(after)), None)
    if not table and name is not None and after.kind == "schema" and after.senses[0].quality < 0.9 and not distinct:
        table = name.table  # "purchases" is but a part of PurchasePrice: rows are counted
    if table or name is None:
        if not frame.entity:
            frame.entity = table
        frame.items = [i for i in frame.items if i.kind != "count" or i.table != table]
        item = Item(exp.Count(this=exp.Star()), span.start, "count", table)
        if distinct and (key := frame.scope.lexicon.key_of(table)):
            item = Item(_count_distinct(key), span.start, "count", table, key)
        frame.items.append(item)
        return
    frame.items.append(_counted_column(frame, span, name, distinct))


def _counted_column(frame: Frame, span: Span, name: ColumnName, distinct: bool) -> Item:
    """A column of numbers is read, not counted: "how many cylinders does the car have"."""
    lexicon = frame.scope.lexicon
    alone = not frame.group and not frame.per_entity and span.cue.startswith("how many") and bool(frame.conditions)
    measured = lexicon.is_numeric(name) and not lexicon.is_key(name) and not distinct
    if measured and (frame.order or alone):
        return Item(column(name), span.start, "column", name.table, name)
    counted = _count_distinct(name) if distinct else exp.Count(this=column(name))
    return Item(counted, span.start, "count", name.table, name)


def _count_distinct(name: ColumnName) -> exp.Expr:
    return exp.Count(this=exp.Distinct(expressions=[column(name)]))


def _add_wh(frame: Frame) -> None:
    """When, where, how old and how heavy ask for a column without naming it."""
    reading = frame.scope.reading
    for place in range(len(reading.tokens)):
        if place and reading.tokens[place - 1].lower not in ("and", ",", "also", ".", "?"):
            continue
        phrase = next((p for p in cues.WH_COLUMNS if reading.between(place, place + len(p.split())) == p), "")
        parts = cues.WH_COLUMNS.get(phrase, ())
        if (
            not phrase
            and reading.between(place, place + 2) == "how much"
            and {"weigh", "weighs"} & set(reading.between(place, len(reading.tokens)).split())
        ):
            parts = ("weight", "mass")
        if parts:
            asked = reading.between(place + 1, place + 2) in ("was", "were", "did", "is", "are", "do", "does")
            _add_asked(frame, place, parts, strong=phrase not in ("when", "where") or asked)


def _add_asked(frame: Frame, place: int, parts: tuple[str, ...], strong: bool) -> None:
    if place == 0:
        if any(i.kind in ("column", "aggregate", "formula") for i in frame.items):
            return
        frame.items = [i for i in frame.items if i.kind != "entity"]
    elif not strong:
        return
    name = frame.column_for(parts)
    if name is not None and not any(i.name == name for i in frame.items):
        frame.items.append(Item(column(name), place, "column", name.table, name))
