"""Op 2 on disk: chats in, an adapter out. Its weights lie in a folder beside the row that describes it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from nl2sql.errors import UserError
from nl2sql.models.local_models import LocalFolders, file_digest
from nl2sql.training.rows import Adapter
from nl2sql.training.train_adapter import Training
from nl2sql.training.train_adapter import train_adapter as train
from tasks.artifact_store import ArtifactStore, forget, read_rows
from tasks.cached_task import artifact_task


@dataclass(frozen=True)
class Workplace:
    """Where a training runs and who watches it. It decides no weights, so it belongs to no cache key."""

    keyed: ClassVar[bool] = False
    of_this_process: ClassVar[bool] = True  # no worker of another process may have it
    data: Path
    folders: LocalFolders
    limit: int | None = None  # bytes; None for the machine's
    watch: Callable[[dict[str, Any]], None] = field(default=lambda message: None)


# The code is not in the key: hours of training are not thrown away for an edit. The card names the versions of what
# computed the weights; moving the adapter's folder away trains it anew. Training has a process of its own anyway.
@artifact_task("adapters", calls=[], apart=False, tags=["mlx"])
def train_adapter(training: Training, workplace: Workplace) -> list[Adapter]:
    """Train an adapter, or continue one that was killed."""
    return [train(training, workplace.data, workplace.folders, workplace.watch, workplace.limit)]


def forget_lost(store: ArtifactStore, training: Training, workplace: Workplace) -> None:
    """Drop the artifact of an adapter whose weights are gone or altered, so that it is trained again."""
    found = store.find("adapters", train_adapter.key({"training": training, "workplace": workplace}))
    if found is not None and not all(_intact(row) for row in read_rows(found, Adapter)):
        forget(found)


def _intact(row: Adapter) -> bool:
    try:
        return file_digest(Path(row.path) / "adapters.safetensors") == row.weights_digest
    except (OSError, UserError):
        return False
