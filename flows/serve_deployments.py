"""The flows as served deployments: on their schedules, and as forms in the UI."""

import importlib
import os
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlparse

from prefect import Flow, serve
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import RunnerDeployment
from prefect.events import DeploymentEventTrigger
from prefect.types.entrypoint import EntrypointType

from flows.environment import LOCAL_SERVER, local_server_runs
from flows.options import Options
from nl2sql.errors import UserError

SCHEDULES = Path(__file__).parent.parent / "deployments" / "schedules.toml"
START_SECONDS = 120  # a server on a new database takes 14 s on a slow machine


@dataclass(frozen=True)
class Scheduled:
    """One line of schedules.toml."""

    flow: str  # module and function under flows/
    name: str
    description: str
    tags: tuple[str, ...] = ()
    cron: str = ""  # '' for none
    after: str = ""  # name of the deployment whose completed runs start this one

    @property
    def when(self) -> str:
        """In words."""
        return self.cron or (f"after {self.after}" if self.after else "on demand")


def read_schedules(path: Path = SCHEDULES) -> tuple[Scheduled, ...]:
    """The deployments of a file; raises UserError for one that cannot be read."""
    try:
        held = tomllib.loads(path.read_text(encoding="utf-8"))["deployment"]
        return tuple(Scheduled(**{**item, "tags": tuple(item.get("tags", ()))}) for item in held)
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise UserError(f"{path} cannot be read ({error}): compare it with the one that came with nl2sql") from error


def deployments(dataset: str, artifacts: str, options: Options) -> list[RunnerDeployment]:
    """Every scheduled deployment over one dataset, its other parameters at their defaults."""
    parameters = {"dataset": dataset, "artifacts": artifacts, "options": options.model_dump(mode="json")}
    return [_deployment(s, parameters) for s in read_schedules()]


def _deployment(scheduled: Scheduled, parameters: dict[str, Any]) -> RunnerDeployment:
    flow: Flow = getattr(importlib.import_module(f"flows.{scheduled.flow}"), scheduled.flow)
    made = flow.to_deployment(
        name=scheduled.name,
        cron=scheduled.cron or None,
        triggers=[_following(scheduled.after)] if scheduled.after else None,
        parameters=parameters,
        description=scheduled.description,
        tags=list(scheduled.tags),
        concurrency_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.ENQUEUE),
        entrypoint_type=EntrypointType.MODULE_PATH,  # a path would put flows/ first on sys.path
    )
    return cast(RunnerDeployment, made)  # a coroutine only inside an event loop


def _following(name: str) -> DeploymentEventTrigger:
    return DeploymentEventTrigger(
        name=f"after {name}",
        expect={"prefect.flow-run.Completed"},
        match_related={"prefect.resource.name": name, "prefect.resource.role": "deployment"},
    )


def serve_deployments(dataset: str, artifacts: str, options: Options) -> None:
    """Start a Prefect server on this machine unless one runs, and serve the deployments until interrupted."""
    server = None if local_server_runs() else start_server()
    os.environ["PREFECT_API_URL"] = LOCAL_SERVER
    try:
        serve(*deployments(dataset, artifacts, options), print_starting_message=False)
    finally:
        if server is not None:
            _silence()
            server.terminate()
            server.wait()


def _silence() -> None:
    """Print nothing more: threads of Prefect's runner outlive it, and complain of the server that ends before them."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def start_server() -> subprocess.Popen[bytes]:
    """A Prefect server that listens on loopback only; raises UserError when it does not come up."""
    address = urlparse(LOCAL_SERVER)
    place = ["--host", str(address.hostname), "--port", str(address.port)]
    command = [sys.executable, "-m", "prefect", "server", "start", *place, "--log-level", "ERROR"]
    # Of its own session, so that Ctrl-C ends it last: the runner tells it first that its deployments are paused.
    server = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)
    limit = time.monotonic() + START_SECONDS
    while time.monotonic() < limit and server.poll() is None:
        if local_server_runs():
            return server
        time.sleep(0.5)
    server.kill()
    raise UserError(f"no Prefect server came up on {LOCAL_SERVER}: see why with .venv/bin/prefect server start")
