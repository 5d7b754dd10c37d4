"""Training chats in mlx-lm's format: read, checked and turned into token ids. One bad row spoils a whole adapter."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nl2sql.errors import UserError
from nl2sql.training.recipe import bucket

ROLES = ("system", "user", "assistant")


@dataclass(frozen=True)
class Tokens:
    """A chat as token ids; the first `prompt` of them are given, the rest is learnt."""

    ids: tuple[int, ...]
    prompt: int


def read_chats(file: Path) -> list[list[dict[str, str]]]:
    """The conversations of a file of JSON lines, each {"messages": [{"role", "content"}, ..]} and ended by an answer.

    Raises UserError that names the line for anything else, and for a file that is missing or empty.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file} cannot be read ({error}): make it with nl2sql traindata DATASET") from error
    chats = [_chat(line, f"{file} line {number}") for number, line in enumerate(lines, 1) if line.strip()]
    if not chats:
        raise UserError(f"{file} holds no chats: make training data with nl2sql traindata DATASET")
    return chats


def _chat(line: str, where: str) -> list[dict[str, str]]:
    try:
        held = json.loads(line)
        messages = [{"role": str(m["role"]), "content": m["content"]} for m in held["messages"]]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{where} is no chat ({error}): write the data again with nl2sql traindata") from error
    if not all(m["role"] in ROLES and isinstance(m["content"], str) for m in messages):
        raise UserError(f"{where}: a message needs a role ({', '.join(ROLES)}) and text: write the data again")
    if len(messages) < 2 or messages[-1]["role"] != "assistant" or not messages[-1]["content"].strip():
        raise UserError(f"{where}: the last message must be the assistant's answer, and not blank")
    return messages


def tokenise(chats: Sequence[list[dict[str, str]]], tokenizer: Any, limit: int, where: str) -> list[Tokens]:
    """Token ids of every chat. Raises UserError when one is over the limit or has nothing to learn."""
    rows = [_tokens(messages, tokenizer, f"{where} chat {number}") for number, messages in enumerate(chats, 1)]
    long = [number for number, row in enumerate(rows, 1) if len(row.ids) > limit or row.prompt >= limit]
    if long:
        most = max(len(row.ids) for row in rows)
        raise UserError(
            f"{where}: {len(long)} of {len(rows)} chats are over the limit of {limit} tokens, the first is chat"
            f" {long[0]} with {len(rows[long[0] - 1].ids)}: train with --length {most}, or make shorter data with"
            " nl2sql traindata"
        )
    return rows


def _tokens(messages: list[dict[str, str]], tokenizer: Any, where: str) -> Tokens:
    clean = [{**m, "content": m["content"].encode("utf-8", "replace").decode("utf-8")} for m in messages]
    ids = list(tokenizer.apply_chat_template(clean))
    prompt = list(tokenizer.apply_chat_template(clean[:-1], add_generation_prompt=True))
    if ids[: len(prompt)] != prompt or len(ids) <= len(prompt):
        raise UserError(f"{where}: the chat template does not put the answer after the prompt: use another base model")
    return Tokens(tuple(ids), len(prompt))


def batches_per_epoch(rows: int, batch: int) -> int:
    """How many batches hold every row once."""
    return -(-rows // batch)


def batch_order(rows: Sequence[Tokens], batch: int, limit: int, seed: int, start: int) -> Iterator[list[int]]:
    """Batches of row numbers without end, from the `start`th on: the same ones whenever the seed is.

    Chats of similar length stand together, so that padding is little; every epoch has an order of its own.
    """
    by_length = sorted(range(len(rows)), key=lambda number: (bucket(len(rows[number].ids), limit), number))
    groups = [by_length[at : at + batch] for at in range(0, len(by_length), batch)]
    epoch, place = divmod(start, len(groups))
    while True:
        order = np.random.default_rng((seed, epoch)).permutation(len(groups))
        for number in order[place:]:
            yield groups[number]
        epoch, place = epoch + 1, 0


def padded(rows: Sequence[Tokens], limit: int) -> tuple[np.ndarray, np.ndarray]:
    """Token ids of shape (rows, bucket + 1), zero after a chat's end, and (prompt, length) of each row."""
    width = bucket(max(len(row.ids) for row in rows), limit) + 1
    ids = np.zeros((len(rows), width), np.int32)
    for number, row in enumerate(rows):
        ids[number, : len(row.ids)] = row.ids
    return ids, np.array([(row.prompt, len(row.ids) - 1) for row in rows], np.int32)
