"""A Prefect server that keeps its database in PostgreSQL, by Prefect's own setting, runs everything that is here."""

import json
import os
import subprocess
import sys

import pytest

from tests.servers.postgres import program, run_postgres

PROGRAMS = ("initdb", "pg_ctl", "createdb", "psql")
missing = [name for name in PROGRAMS if not program(name)]
pytestmark = pytest.mark.skipif(bool(missing), reason=f"PostgreSQL is not installed: no {', '.join(missing)}")


def test_a_run_is_recorded_in_postgresql_and_gives_the_same(tiny, tmp_path):
    with run_postgres() as postgres:
        environment = {
            **os.environ,
            "PREFECT_HOME": str(tmp_path / "prefect"),
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": postgres.address,
        }
        environment.pop("PREFECT_API_URL", None)
        command = [sys.executable, "-m", "flows.cli", "evaluate", str(tiny), "--json"]
        done = subprocess.run(
            [*command, "--artifacts", str(tmp_path / "artifacts")], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        summary = json.loads(done.stdout.splitlines()[-1])
        assert summary["correct"] == 5
        assert int(postgres.ask("SELECT COUNT(*) FROM flow_run")) == 5  # the pipeline and its four flows
        assert postgres.ask("SELECT DISTINCT state_type FROM flow_run") == "COMPLETED"
        assert not (tmp_path / "prefect" / "prefect.db").exists()
