"""Answers that cannot break their form: every token that would is forbidden while a local model writes.

Needs llguidance, an optional package. Only the child process of a local model imports this.
"""

import json
from collections.abc import Callable
from typing import Any

import mlx.core as mx
import numpy as np

from nl2sql.errors import UserError
from nl2sql.models.local_protocol import Ask

# One statement that reads: it begins with SELECT or WITH, quotes and parentheses close, nothing follows its semicolon.
# Names, types and clauses are not checked: that is what executing it is for.
SQL = r"""
start: /(?i:select|with)[\s(*'"`\[]/ piece* /;?/
piece: PLAIN | STRING | NAME | "(" piece* ")"
PLAIN: /[^()'"`;\[\]\x00]+/
STRING: /'([^'\x00]|'')*'/
NAME: /"([^"\x00]|"")*"/ | /`[^`\x00]*`/ | /\[[^\]\x00]*\]/
"""

Processor = Callable[[mx.array, mx.array], mx.array]


def grammar_processors(tokenizer: Any, vocabulary: int) -> Callable[[Ask], list[Processor]]:
    """What keeps a model's answers to their form: the request's JSON schema, or SQL when it asks for a statement.

    Raises UserError when llguidance is not installed.
    """
    try:
        from llguidance import LLMatcher
        from llguidance.hf import from_tokenizer
    except ImportError as error:
        raise UserError(
            "answers can be kept to a grammar only with llguidance: pip install 'nl2sql[grammar]'"
        ) from error
    known = from_tokenizer(tokenizer._tokenizer, n_vocab=vocabulary)

    def processors(ask: Ask) -> list[Processor]:
        if ask.schema:
            grammar = LLMatcher.grammar_from_json_schema(
                json.loads(ask.schema), defaults={"whitespace_flexible": False}
            )
        elif ask.sql:
            grammar = LLMatcher.grammar_from_lark(SQL)
        else:
            return []
        matcher = LLMatcher(known, grammar)
        if matcher.is_error():
            raise UserError(f"the schema of a request cannot be kept to: {matcher.get_error()}")
        return [_processor(matcher)]

    return processors


def _processor(matcher: Any) -> Processor:
    seen = -1  # tokens of the prompt at the first call, then of prompt and answer

    def process(tokens: mx.array, logits: mx.array) -> mx.array:
        nonlocal seen
        if seen >= 0 and len(tokens) > seen and not matcher.is_stopped():
            matcher.consume_tokens(np.array(tokens[seen:]).tolist())
        seen = len(tokens)
        bits = np.frombuffer(matcher.compute_bitmask(), np.uint8)
        allowed = np.zeros(logits.shape[-1], bool)
        found = np.unpackbits(bits, bitorder="little").astype(bool)[: len(allowed)]
        allowed[: len(found)] = found
        return mx.where(mx.array(allowed), logits, -mx.inf)

    return process
