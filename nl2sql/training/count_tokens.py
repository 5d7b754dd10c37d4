"""How many tokens a chat takes: counted with the base model's own tokenizer, or bounded from above without one."""

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from nl2sql.errors import UserError

Messages = Sequence[dict[str, str]]

# Byte-level tokenizers cut text into such pieces before they join bytes, so that no token spans two of them.
PIECES = re.compile(r" ?[A-Za-z]+|[0-9]|[^\S\n]*\n\s*|\s+|[^\sA-Za-z0-9]", re.ASCII)
TURN_TOKENS = 8  # that a chat template puts around one message


class TokenCounter(Protocol):
    """Counts the tokens of a chat."""

    @property
    def name(self) -> str:
        """What counted: the tokenizer, or how the bound is made."""
        ...

    def __call__(self, messages: Messages, answering: bool = False) -> int:
        """Tokens of the messages in the chat template; `answering` adds the opening of the assistant's turn."""
        ...


class BoundCounter:
    """An upper bound without a tokenizer, meant for byte-level vocabularies of 100,000 tokens and more.

    A word of n Latin letters counts n / 3 tokens rounded up, every digit and every sign one, every other character as
    many as it has bytes in UTF-8, a run of blanks one, every message 8 for the template. Words that are no words of
    any language (hashes, keys) can take more; docs/training-data.md has the measured ratio.
    """

    name = "bound"

    def __call__(self, messages: Messages, answering: bool = False) -> int:
        """Give the bound."""
        turns = len(messages) + (1 if answering else 0)
        return sum(bound_tokens(m["content"]) for m in messages) + TURN_TOKENS * turns


def bound_tokens(text: str) -> int:
    """The bound for one text; see BoundCounter."""
    return sum(_piece_tokens(piece) for piece in PIECES.findall(text))


def _piece_tokens(piece: str) -> int:
    letters = piece.strip()
    if not letters:
        return 1
    return -(-len(letters) // 3) if letters.isascii() else len(letters.encode("utf-8", "surrogatepass"))


class TokenizerCounter:
    """The base model's own tokenizer and chat template."""

    def __init__(self, tokenizer: Any, name: str) -> None:
        """Wrap a tokenizer of transformers."""
        self._tokenizer, self.name = tokenizer, name

    def __call__(self, messages: Messages, answering: bool = False) -> int:
        """Count as mlx-lm does when it trains."""
        made = self._tokenizer.apply_chat_template(list(messages), add_generation_prompt=answering, return_dict=False)
        return len(made)


def token_counter(tokenizer: str = "") -> TokenCounter:
    """The counter for a tokenizer, named by its folder or as earlier downloads left it; '' for the bound.

    Nothing is downloaded and no code of the model's is run. Raises UserError when there is none, or one without a
    chat template.
    """
    return _load(tokenizer) if tokenizer else BoundCounter()


@lru_cache(maxsize=2)
def _load(tokenizer: str) -> TokenCounter:
    from transformers import AutoTokenizer

    try:
        loaded = AutoTokenizer.from_pretrained(tokenizer, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, ImportError, KeyError, TypeError) as error:
        where = (
            "it is no folder with a tokenizer" if Path(tokenizer).is_dir() else "no such folder, nor was it downloaded"
        )
        raise UserError(
            f"tokenizer {tokenizer}: {where} ({type(error).__name__}). Name the base model's folder, or leave"
            " --tokenizer out: tokens are then bounded from above"
        ) from error
    if not loaded.chat_template:
        raise UserError(f"tokenizer {tokenizer} has no chat template: name the instruct model's folder")
    return TokenizerCounter(loaded, Path(tokenizer).name or tokenizer)


def tokenizer_digest(tokenizer: str) -> str:
    """What tells two tokenizers apart, for cache keys: a digest of the files in the folder, '' without a folder."""
    folder = Path(tokenizer)
    if not tokenizer or not folder.is_dir():
        return ""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.iterdir() if p.suffix in (".json", ".txt", ".jinja", ".model")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()
