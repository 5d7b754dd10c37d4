"""Settings of Prefect for runs from the command line. Import this, and call `prepare`, before anything of Prefect's."""

import json
import os
import sys
import tomllib
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib.metadata import version
from pathlib import Path

LOCAL_SERVER = "http://127.0.0.1:4200/api"

# Measured reasons: a cold ephemeral server takes 14 s to start, more than Prefect waits by default; a waiting task asks
# for its slot only every 30 s; the recorder writes one transaction per task run unless batched; registering the types
# of blocks, none of which is used here, takes a third of a first start, and to remember that there are none imports all
# integrations of Prefect. The rest keeps the machine from calling out,
# which without a network costs seconds each time. `prefect.toml` says the same to `prefect server start`.
DEFAULTS = {
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "PREFECT_SERVER_TASKS_TAG_CONCURRENCY_SLOT_WAIT_SECONDS": "1",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "100",
    "PREFECT_API_BLOCKS_REGISTER_ON_START": "false",
    "PREFECT_MEMOIZE_BLOCK_AUTO_REGISTRATION": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
    "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
    "DO_NOT_TRACK": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
}
# The command line prints progress and failures itself; the UI keeps the whole log.
QUIET = {"PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL", "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL"}


def prepare(verbose: bool = False) -> None:
    """Set what the user has not set, and use the local Prefect server when one is running."""
    for name, value in {**DEFAULTS, **({} if verbose else QUIET)}.items():
        os.environ.setdefault(name, value)
    if not is_chosen() and local_server_runs():
        os.environ["PREFECT_API_URL"] = LOCAL_SERVER


@contextmanager
def without_heartbeats() -> Iterator[None]:
    """Run flows without the thread that tells the server of each run every three minutes, unless the user wants it.

    Ending that thread takes up to a second for each flow run, and nothing on a server acts on a missing heartbeat
    until somebody sets up an automation for it.
    """
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    wanted = "PREFECT_FLOWS_HEARTBEAT_FREQUENCY" in os.environ
    with nullcontext() if wanted else temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        yield


def end_now(code: int) -> None:
    """End the process once all is said, with 120 like the interpreter itself when it could not be said.

    The interpreter takes seconds to take itself apart once Prefect's server or torch is loaded.
    """
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        code = 120
    os._exit(code)


def is_chosen() -> bool:
    """Whether the environment, a profile or a file of settings in this folder names the Prefect server to use."""
    home = Path(os.environ.get("PREFECT_HOME", Path.home() / ".prefect"))
    profiles = Path(os.environ.get("PREFECT_PROFILES_PATH", home / "profiles.toml"))
    named = [path.read_text(encoding="utf-8") for path in (profiles, Path(".env")) if path.is_file()]
    return "PREFECT_API_URL" in os.environ or any("PREFECT_API_URL" in text for text in named) or _in_settings()


def _in_settings() -> bool:
    settings, project = (
        {} if not (p := Path(name)).is_file() else tomllib.loads(p.read_text(encoding="utf-8"))
        for name in ("prefect.toml", "pyproject.toml")
    )
    return any("url" in given.get("api", {}) for given in (settings, project.get("tool", {}).get("prefect", {})))


def local_server_runs(address: str = LOCAL_SERVER) -> bool:
    """Whether a Prefect server of our version answers on this machine: another version may not speak our API."""
    try:
        with urllib.request.urlopen(f"{address}/admin/version", timeout=0.5) as answer:
            return json.load(answer) == version("prefect")
    except (OSError, ValueError):
        return False
