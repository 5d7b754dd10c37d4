"""Where artifacts come from: which run made which file, from which inputs, read from their cards."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nl2sql.errors import UserError
from tasks.artifact_store import Artifact, read_text
from tasks.cached_task import name_of
from tasks.remote_files import absolute


@dataclass(frozen=True)
class Origin:
    """What the card of an artifact says of its making. `run` is '' for one that was made outside of Prefect."""

    name: str  # KIND/KEY
    task: str
    rows: int
    seconds: float
    written: float  # Unix time
    run: str
    run_id: str
    parents: tuple[str, ...]  # KIND/KEY of each


def origin_of(root: str | Path, name: str) -> Origin:
    """The origin of the artifact KIND/KEY in a folder; raises UserError when it has none there."""
    path = f"{absolute(str(root))}/{name}.json"
    try:
        card: dict[str, Any] = json.loads(read_text(path))
        made = (card["task"], card["rows"], card["seconds"], card["written"])
        return Origin(name, *made, card.get("run", ""), card.get("run_id", ""), tuple(card.get("parents", ())))
    except FileNotFoundError as error:
        raise UserError(
            f"{path} is not there: {name} was deleted. Run the same command again, it is rebuilt from its inputs"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is not the card of an artifact ({error}): run the same command again") from error


def origins(root: str | Path, artifacts: Iterable[Artifact]) -> list[Origin]:
    """The origins of a run's artifacts, each once, in the order of the run."""
    return [origin_of(root, name) for name in dict.fromkeys(map(name_of, artifacts))]


def ancestors(root: str | Path, name: str, depth: int = 0) -> Iterator[tuple[int, Origin]]:
    """An artifact and all that it was made from, depth first, each artifact expanded where it first stands."""
    seen: set[str] = set()
    yield from _ancestors(root, name, depth, seen)


def _ancestors(root: str | Path, name: str, depth: int, seen: set[str]) -> Iterator[tuple[int, Origin]]:
    origin = origin_of(root, name)
    yield depth, origin
    if name in seen:
        return
    seen.add(name)
    for parent in origin.parents:
        yield from _ancestors(root, parent, depth + 1, seen)
