"""One local model in memory: where local models and their lock lie, and the limit of the tag `mlx`.

The lock of the operating system is what holds; Prefect's limit shows in the UI who waits, and keeps tasks from taking a
thread each while they do.
"""

import os
from pathlib import Path

from prefect.client.orchestration import get_client

from nl2sql.errors import UserError
from nl2sql.models.local_models import LocalFolders
from tasks.artifact_store import local_folder

TAG = "mlx"
LIMIT = f"tag:{TAG}"


def local_folders(artifacts: str) -> LocalFolders:
    """Adapters among the artifacts, bases in the caches of the Hugging Face hub, one lock for the user."""
    home = Path.home()
    cache = Path(os.environ.get("XDG_CACHE_HOME", home / ".cache"))
    hub = Path(os.environ.get("HF_HUB_CACHE", Path(os.environ.get("HF_HOME", cache / "huggingface")) / "hub"))
    lock = Path(os.environ.get("NL2SQL_LOCK_FOLDER", cache / "nl2sql"))
    return LocalFolders(Path(local_folder(artifacts)).absolute() / "adapters", lock, (hub,))


def ensure_one_local_model() -> None:
    """Make sure that the tag `mlx` has a limit of one: a tag without a limit is silently unlimited.

    Raises UserError when the server does not keep it.
    """
    with get_client(sync_client=True) as client:
        client.upsert_global_concurrency_limit_by_name(LIMIT, 1)
        found = client.read_global_concurrency_limit_by_name(LIMIT)
    if not found.active or found.limit != 1:
        raise UserError(
            f"the Prefect server does not limit {LIMIT} to one (limit {found.limit}, active {found.active}):"
            f" prefect gcl update {LIMIT} --limit 1 --enable"
        )
