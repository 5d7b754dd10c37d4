"""The flows as served deployments: on their schedules, and as forms in the UI."""

import asyncio
import importlib
import os
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlparse
from zoneinfo import ZoneInfo

from prefect import Flow
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import RunnerDeployment
from prefect.runner import Runner
from prefect.schedules import Cron
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.types.entrypoint import EntrypointType

from flows.environment import LOCAL_SERVER, local_server_runs
from flows.options import Options
from nl2sql.errors import UserError

SCHEDULES = Path(__file__).parent.parent / "deployments" / "schedules.toml"
START_SECONDS = 240  # a server on a new database takes 14 s on a slow machine


@dataclass(frozen=True)
class Scheduled:
    """One deployment of schedules.toml."""

    flow: str  # module and function under flows/
    name: str
    description: str
    tags: tuple[str, ...] = ()
    cron: str = ""  # '' for none
    timezone: str = "UTC"
    concurrency: int = 1  # runs at a time; another one waits
    parameters: dict[str, Any] = field(default_factory=dict)  # beside dataset, artifacts and options

    @property
    def when(self) -> str:
        """In words."""
        return f"{self.cron} {self.timezone}" if self.cron else "on demand"

    @property
    def entrypoint(self) -> str:
        """The flow's dotted name."""
        return f"flows.{self.flow}.{self.flow}"


@dataclass(frozen=True)
class Schedules:
    """A file of schedules."""

    deployments: tuple[Scheduled, ...]
    runs_at_once: int


def read_schedules(path: Path = SCHEDULES) -> Schedules:
    """The deployments of a file; raises UserError for one that cannot be read."""
    try:
        held = tomllib.loads(path.read_text(encoding="utf-8"))
        zone = held.get("timezone", "UTC")
        made = (Scheduled(**{"timezone": zone, **d, "tags": tuple(d.get("tags", ()))}) for d in held["deployment"])
        schedules = Schedules(tuple(made), int(held.get("runs_at_once", 1)))
        _check(schedules)
    except (OSError, ValueError, KeyError, TypeError) as error:  # TOMLDecodeError and ZoneInfo's are among these
        raise UserError(f"{path} cannot be read ({error}): compare it with the one that came with nl2sql") from error
    return schedules


def _check(schedules: Schedules) -> None:
    """Raise ValueError for a time zone or a flow that does not exist."""
    for s in schedules.deployments:
        ZoneInfo(s.timezone)
        if not (SCHEDULES.parent.parent / "flows" / f"{s.flow}.py").is_file():
            raise ValueError(f"no flow {s.flow!r}")


def deployments(dataset: str, artifacts: str, options: Options) -> list[RunnerDeployment]:
    """Every scheduled deployment over one dataset, its other parameters at their defaults."""
    parameters = {"dataset": dataset, "artifacts": artifacts, "options": options.model_dump(mode="json")}
    return [_deployment(s, {**parameters, **s.parameters}) for s in read_schedules().deployments]


def _deployment(scheduled: Scheduled, parameters: dict[str, Any]) -> RunnerDeployment:
    flow: Flow = getattr(importlib.import_module(f"flows.{scheduled.flow}"), scheduled.flow)
    made = flow.to_deployment(
        name=scheduled.name,
        schedule=Cron(scheduled.cron, timezone=scheduled.timezone) if scheduled.cron else None,
        parameters=parameters,
        description=scheduled.description,
        tags=list(scheduled.tags),
        concurrency_limit=ConcurrencyLimitConfig(
            limit=scheduled.concurrency, collision_strategy=ConcurrencyLimitStrategy.ENQUEUE
        ),
        entrypoint_type=EntrypointType.MODULE_PATH,  # a path would put flows/ first on sys.path
    )
    return cast(RunnerDeployment, made)  # a coroutine only inside an event loop


def server_address(port: int | None = None) -> str:
    """The API of the server to serve on: on that port of this machine, else the one that the user has chosen."""
    if port is not None:
        return f"http://127.0.0.1:{port}/api"
    return PREFECT_API_URL.value() or LOCAL_SERVER


def serve_deployments(dataset: str, artifacts: str, options: Options, address: str = LOCAL_SERVER) -> None:
    """Serve the deployments until interrupted; on this machine, start a Prefect server unless one runs."""
    ours = urlparse(address).hostname == "127.0.0.1" and not local_server_runs(address)
    server = start_server(address) if ours else None
    os.environ["PREFECT_API_URL"] = address
    try:
        # Prefect has read the environment by now, and would start another server for this process.
        with temporary_settings({PREFECT_API_URL: address}):
            _serve(deployments(dataset, artifacts, options), read_schedules().runs_at_once)
    finally:
        if server is not None:
            _silence()
            server.terminate()
            server.wait()


class _StoppableRunner(Runner):
    def handle_sigterm(self, *args: Any, **kwargs: Any) -> None:
        # Prefect's own never awaits its stop and hangs (3.8.8).
        signal.raise_signal(signal.SIGINT)


def _serve(made: Sequence[RunnerDeployment], runs_at_once: int) -> None:
    """Run what is due until Ctrl-C or SIGTERM; schedules are paused then, and runs under way are ended."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell ignores it for what it starts with &
    runner = _StoppableRunner(pause_on_shutdown=True, limit=runs_at_once)
    for deployment in made:
        runner.add_deployment(deployment)  # a coroutine only inside an event loop
    with suppress(KeyboardInterrupt):
        asyncio.run(runner.start())


def _silence() -> None:
    """Print nothing more: threads of Prefect's runner outlive it, and complain of the server that ends before them."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def guards(address: str) -> dict[str, str]:
    """Settings of a server of ours: no page of another site may use it, and slots of killed runs outlive it."""
    return {
        "PREFECT_UI_API_URL": address,  # else its pages ask at port 4200, whatever port it listens on
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": address.removesuffix("/api"),
        "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
        "PREFECT_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
    }


def start_server(address: str = LOCAL_SERVER) -> subprocess.Popen[bytes]:
    """A Prefect server that listens on loopback only; raises UserError when it does not come up."""
    place = urlparse(address)
    where = ["--host", str(place.hostname), "--port", str(place.port)]
    command = [sys.executable, "-m", "prefect", "server", "start", *where, "--log-level", "ERROR"]
    settings = {**{k: v for k, v in os.environ.items() if k != "PREFECT_API_URL"}, **guards(address)}
    # Of its own session, so that Ctrl-C ends it last: the runner tells it first that its deployments are paused.
    server = subprocess.Popen(command, env=settings, start_new_session=True, stdout=subprocess.DEVNULL)
    limit = time.monotonic() + START_SECONDS
    while time.monotonic() < limit and server.poll() is None:
        if local_server_runs(address):
            return server
        time.sleep(0.5)
    server.kill()
    raise UserError(
        f"no Prefect server came up on {address}: see why with .venv/bin/prefect server start --port {place.port},"
        " or name another port with --port"
    )
