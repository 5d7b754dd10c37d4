"""Which of the product's prompts a system text is, by the files under nl2sql/prompts: no list to keep in step."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "nl2sql" / "prompts"
LEAST_SHARED = 24  # characters from the start that a system text must share with a prompt's
MARKUP = re.compile(r"\A(?:---\n.*?\n---\n|\s|<!--.*?-->|#[^\n]*\n|\[\[?[a-z]+\]?\]\n|@[^\n]*\n)*", re.DOTALL)


def load_starts(folder: Path = FOLDER) -> dict[str, str]:
    """Prompt name ('generate/reasoning') -> its text from the first sentence on."""
    found = {}
    for path in sorted(folder.rglob("*.md")):
        text = MARKUP.sub("", path.read_text(encoding="utf-8"), count=1)
        found[path.relative_to(folder).with_suffix("").as_posix()] = text
    return found


@dataclass
class PromptTable:
    """Recognises system texts; equal ones are looked up once."""

    starts: Mapping[str, str] = field(default_factory=load_starts)
    _known: dict[str, str] = field(default_factory=dict)

    def name_of(self, system: str) -> str:
        """The prompt that shares the longest start with a system text, '' when none shares enough."""
        if system not in self._known:
            shared = {name: _shared(start, system) for name, start in self.starts.items()}
            best = max(shared, key=lambda name: shared[name], default="")
            self._known[system] = best if best and shared[best] >= LEAST_SHARED else ""
        return self._known[system]


def _shared(one: str, other: str) -> int:
    """Characters that two texts have in common from their start."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
