"""Selection policies from files, for the tasks that select."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from nl2sql.errors import UserError
from nl2sql.online.selection_policy import Policies, policies_from_json


def selection_policy(path: str, db_id: str, **reads: Any) -> dict[str, Any]:
    """What the selection task is given for a database: the policy that has never seen it, and what that reads.

    Nothing, so that the cache key stays what it is without a policy, for '' and for a policy that did not gain.
    """
    policy = load_policies(path).for_database(db_id) if path else None
    return {"policy": policy, **reads} if policy else {}


def load_policies(path: str) -> Policies:
    """Read a policy file; raises UserError when it cannot be read."""
    try:
        return _parsed(Path(path).read_text(encoding="utf-8"), path)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"policy {path} cannot be read ({error}): make one with nl2sql calibrate RUN") from error


@lru_cache(maxsize=8)
def _parsed(text: str, path: str) -> Policies:
    return policies_from_json(text, path)
