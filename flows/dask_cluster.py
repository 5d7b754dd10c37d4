"""The Dask cluster that a preset asks for: one on this machine, or one whose scheduler answers at an address."""

import hashlib
import socket
from functools import lru_cache
from logging import ERROR
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import nl2sql
import tasks
from flows.options import Options
from nl2sql.errors import UserError

CONNECT_SECONDS = 10.0
SCHEDULER_PORT = 8786


def check_task_runner(options: Options) -> None:
    """See that what a preset's task runner needs is installed and answers; raises UserError. Nothing is started."""
    if options.task_runner != "dask":
        return
    try:
        import prefect_dask  # noqa: F401
    except ImportError as error:
        raise UserError(
            f'preset {options.preset}: task_runner = "dask" needs packages that are not installed ({error}):'
            " pip install 'nl2sql[dask]'"
        ) from error
    if options.dask_address:
        place = urlparse(options.dask_address)
        try:
            at = (place.hostname or "", place.port or SCHEDULER_PORT)
            socket.create_connection(at, timeout=CONNECT_SECONDS).close()
        except (OSError, ValueError) as error:
            raise _unreachable(options, error) from error


def dask_task_runner(options: Options) -> Any:
    """Prefect's runner on the cluster of a preset; raises UserError where there is none with the code of this process.

    A cluster on this machine is started once for all flows of this process, and ends with it.
    """
    check_task_runner(options)
    from prefect_dask.task_runners import DaskTaskRunner

    if not options.dask_address:
        return DaskTaskRunner(cluster=local_cluster(options.dask_workers))
    runner = DaskTaskRunner(address=options.dask_address, client_kwargs={"timeout": CONNECT_SECONDS})
    try:
        client = runner.client
    except (OSError, ValueError) as error:  # something answers there, but it is no scheduler
        raise _unreachable(options, error) from error
    try:
        _check_workers(client, options.dask_address)
    except UserError:
        client.close()
        raise
    return runner


def _unreachable(options: Options, error: Exception) -> UserError:
    return UserError(
        f"preset {options.preset}: no Dask scheduler answers at {options.dask_address} ({error}): start one there with"
        " dask scheduler, or leave dask_address out for workers on this machine"
    )


@lru_cache(maxsize=1)
def local_cluster(workers: int) -> Any:
    """Processes of this machine, one task each at a time: what runs in a task is Python and holds its lock."""
    from dask import config
    from distributed import LocalCluster

    # A task may need a process of its own, which a daemon may not have.
    config.set({"distributed.worker.daemon": False})
    dashboard = "127.0.0.1:0"  # any free port
    return LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=dashboard, silence_logs=ERROR)


def _check_workers(client: Any, address: str) -> None:
    """Raises UserError for a cluster without workers or whose workers have other code than this process."""
    try:
        found = client.run(code_version)
    except ImportError as error:
        raise UserError(f"the workers at {address} lack nl2sql ({error}): install it there as it is here") from error
    if not found:
        raise UserError(f"the Dask scheduler at {address} has no workers: start some with dask worker {address}")
    other = [worker for worker, version in found.items() if version != code_version()]
    if other:
        raise UserError(f"{len(other)} of {len(found)} workers at {address} have other code, {other[0]}: update them")


@lru_cache(maxsize=1)
def code_version() -> str:
    """Digest of the source of the library and its tasks, as it lies on the machine that is asked."""
    digest = hashlib.sha256()
    for package in (nl2sql, tasks):
        folder = Path(str(package.__file__)).parent
        for path in sorted(folder.rglob("*.py")):
            digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()
