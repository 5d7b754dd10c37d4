"""Training files: chats and pairs in, a folder with mlx-lm's JSON lines for each role out."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nl2sql.errors import UserError
from nl2sql.rows import Question
from nl2sql.training.rows import Chat, PairSample, Solution
from nl2sql.training.write_jsonl import Balance, jsonl_files, refuse_leaks, role_samples, tally
from tasks.artifact_store import Artifact, file_digest, read_rows, replace_file

CARD = "data.json"
SOLUTIONS = "solutions.jsonl"


@dataclass(frozen=True)
class Written:
    """What was written: the number of chats of each part by role, and where everything came from."""

    folder: str
    roles: dict[str, dict[str, int]]
    balance: tuple[Balance, ...]
    files: dict[str, str] = field(default_factory=dict)  # path in the folder, SHA-256


def write_training_files(
    folder: str,
    chats: Sequence[Artifact],
    pairs: Sequence[Artifact],
    solutions: Sequence[Solution],
    dev: Sequence[Question],
    seed: int,
    said: Mapping[str, Any],
) -> Written:
    """Write ROLE/train.jsonl, valid.jsonl and test.jsonl, and two files beside them.

    solutions.jsonl is for the next round of sampling, data.json says what everything is made from. A part without
    samples has no file. Nothing is written when a sample gives a dev question away (UserError).
    """
    samples = [c for a in chats for c in read_rows(a, Chat)], [p for a in pairs for p in read_rows(a, PairSample)]
    roles = role_samples(*samples)
    for found in roles.values():
        refuse_leaks(found, dev)
    made = {role: jsonl_files(found, seed) for role, found in roles.items()}
    digests = {}
    for role, parts in made.items():
        for part, lines in parts.items():
            path = Path(folder) / role / f"{part}.jsonl"
            if lines:
                _write_text(path, "\n".join(lines) + "\n")
                digests[f"{role}/{path.name}"] = file_digest(path)
            else:
                path.unlink(missing_ok=True)  # of an earlier run
    _write_text(Path(folder) / SOLUTIONS, "".join(f"{json.dumps(asdict(s))}\n" for s in solutions))
    counts = {role: {part: len(lines) for part, lines in parts.items()} for role, parts in made.items()}
    written = Written(str(Path(folder)), counts, tuple(tally(roles)), digests)
    card = {**said, "roles": counts, "files": digests, "balance": [asdict(b) for b in written.balance]}
    card["inputs"] = {a.kind: [x.sha256 for x in (*chats, *pairs) if x.kind == a.kind] for a in (*chats, *pairs)}
    _write_text(Path(folder) / CARD, json.dumps(card, indent=1, ensure_ascii=False) + "\n")
    return written


def _write_text(path: Path, text: str) -> None:
    replace_file(path, lambda name: Path(name).write_text(text, encoding="utf-8", newline="\n"))


def read_solutions(folder: str) -> tuple[Solution, ...]:
    """The solutions that an earlier round left in its folder; raises UserError where there are none."""
    path = Path(folder) / SOLUTIONS
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
        return tuple(Solution(**json.loads(line)) for line in lines if line)
    except (OSError, ValueError, TypeError) as error:
        raise UserError(
            f"{path}: no solutions of an earlier round ({error}): name a folder of nl2sql traindata"
        ) from error


def read_card(folder: str) -> dict[str, Any]:
    """What data.json of a folder says."""
    return json.loads((Path(folder) / CARD).read_text(encoding="utf-8"))
