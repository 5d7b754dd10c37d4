"""A PostgreSQL server on loopback with an empty database, for tests of Prefect's own database."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

FOLDERS = (*os.environ.get("PATH", "").split(os.pathsep), *map(str, Path("/usr/lib/postgresql").glob("*/bin")))


def program(name: str) -> str | None:
    """The path of one of PostgreSQL's programs, which Debian does not put on the path."""
    return shutil.which(name, path=os.pathsep.join(FOLDERS))


@dataclass(frozen=True)
class Postgres:
    """A running server: where its database `prefect` answers, and a way to ask it."""

    port: int

    @property
    def address(self) -> str:
        """As SQLAlchemy and Prefect write it."""
        return f"postgresql+asyncpg://prefect@127.0.0.1:{self.port}/prefect"

    def ask(self, sql: str) -> str:
        """What a statement gives."""
        place = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "prefect", "-d", "prefect"]
        done = subprocess.run([str(program("psql")), *place, "-Atc", sql], capture_output=True, text=True, check=True)
        return done.stdout.strip()


@contextmanager
def run_postgres() -> Iterator[Postgres]:
    """Serve until the block ends. PostgreSQL refuses root, whose place `nobody` then takes."""
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    user = "nobody" if os.geteuid() == 0 else None
    if user:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    data, port = folder / "data", _free_port()
    control = [str(program("pg_ctl")), "-D", str(data), "-w", "-l", str(folder / "log")]

    def call(*command: str) -> None:
        subprocess.run(command, user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL, timeout=120)

    try:
        call(str(program("initdb")), "-D", str(data), "-U", "prefect", "-A", "trust", "--no-sync")
        call(*control, "-o", f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off", "start")
        call(str(program("createdb")), "-h", "127.0.0.1", "-p", str(port), "-U", "prefect", "prefect")
        yield Postgres(port)
    finally:
        if (data / "postmaster.pid").exists():
            call(*control, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
