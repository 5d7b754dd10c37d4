"""On Dask's workers, and with artifacts on S3, a run is what it is on threads and in a folder."""

import os
import shutil
import signal
import socket
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from flows.manifests import artifact, manifest_of, read_manifest
from flows.options import Options
from nl2sql.errors import UserError
from nl2sql.rows import Database, Step, Verdict
from tasks.artifact_store import ArtifactStore, forget, read_rows, read_text
from tests.flows.test_caching import block_cells_of
from tests.servers.object_store import BUCKET, run_object_store
from tests.servers.pipeline_process import prepare_pipeline
from tests.servers.server_process import run_model_server

pytest.importorskip("prefect_dask", reason="pip install 'nl2sql[dask]'")
pytest.importorskip("moto", reason="pip install 'nl2sql[dev]'")
pytestmark = [pytest.mark.usefixtures("server"), pytest.mark.xdist_group("prefect")]

SCRIPT = "tests.servers.benchmark_script:build"
S3 = f"s3://{BUCKET}/some artifacts"


@pytest.fixture(scope="module")
def object_store(tmp_path_factory):
    """The S3 server, which this process and every worker that it starts then find in their environment."""
    folder = tmp_path_factory.mktemp("object_store")
    with run_object_store(folder) as variables, pytest.MonkeyPatch.context() as patch:
        for name, value in {**variables, "NL2SQL_CACHE_FOLDER": str(folder / "cache")}.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def cluster(object_store):
    """Two workers on this machine; by its number of workers a preset reaches the same cluster as by its address."""
    from flows.dask_cluster import local_cluster

    return local_cluster(2)


def run(dataset: Path, artifacts: str, **options) -> list[Step]:
    """Run the whole pipeline; the lines of its manifest."""
    from flows.run_pipeline import run_pipeline

    state = run_pipeline(
        str(dataset),
        artifacts=artifacts,
        output=f"{artifacts}/report",
        options=Options(**{"batch_size": 2, **options}),
        return_state=True,
    )
    return read_manifest(manifest_of(state))


def verdicts(steps: list[Step]) -> list[Verdict]:
    assert not [s.error for s in steps if s.error]
    return [v for s in steps if s.kind == "verdicts" for v in read_rows(artifact(s), Verdict)]


def executed(steps: list[Step]) -> Counter:
    return Counter(s.stage for s in steps if not s.reused and not s.error.startswith("skipped"))


def test_dask_and_s3_give_the_same_verdicts_and_threads_reuse_all_but_a_lost_object(tiny, tmp_path, cluster):
    from flows.runs import answers_of, read_run

    alone = run(tiny, str(tmp_path / "artifacts"))
    shared = run(tiny, S3, task_runner="dask", dask_address=cluster.scheduler_address)
    assert executed(shared) == executed(alone)
    assert verdicts(shared) == verdicts(alone)
    assert all(s.path.startswith(f"{S3}/{s.kind}/") for s in shared)
    assert "<html" in read_text(f"{S3}/report/report.html")
    assert len(answers_of(read_run(f"{S3}/report"))) == 5

    forget(next(artifact(s) for s in shared if s.stage == "index_columns" and s.db_id == "zoo"))
    again = run(tiny, S3)
    assert executed(again) == Counter({"index_columns": 1})
    assert verdicts(again) == verdicts(alone)


def index(dataset: Path, artifacts: Path) -> list[Step]:
    """Profile and index on the workers; the lines of the manifest."""
    from flows.build_indexes import build_indexes

    options = Options(task_runner="dask")
    return read_manifest(
        manifest_of(build_indexes(str(dataset), artifacts=str(artifacts), options=options, return_state=True))
    )


def test_a_failed_task_on_dask_leaves_the_others_and_is_all_that_runs_again(tiny, tmp_path, cluster):
    artifacts = tmp_path / "artifacts"
    blocker = block_cells_of(tiny, "zoo", ArtifactStore(str(artifacts)))
    failed = index(tiny, artifacts)
    (error,) = [s.error for s in failed if s.error and s.stage == "index_cells"]
    assert "cannot write" in error
    assert {s.stage for s in failed if s.db_id == "shop" and not s.error} >= {"profile_database", "index_cells"}
    shutil.rmtree(blocker)
    mended = executed(index(tiny, artifacts))
    assert mended.pop("index_cells") == 1
    assert set(mended) <= {"band_cells"}  # which follows from the cells


def test_a_killed_worker_costs_nothing_but_time(tiny, tmp_path, cluster):
    killer = threading.Thread(target=kill_a_worker, args=(cluster, tmp_path / "artifacts"))
    killer.start()
    steps = index(tiny, tmp_path / "artifacts")
    killer.join()
    assert not [s.error for s in steps if s.error]
    assert not [s.stage for s in index(tiny, tmp_path / "artifacts") if not s.reused]


def kill_a_worker(cluster, artifacts: Path) -> None:
    """As soon as the first profiles are there."""
    deadline = time.monotonic() + 240
    while not list(artifacts.glob("profiles/*.json")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(cluster.workers[0].pid, signal.SIGKILL)


def test_with_several_workers_the_cap_holds_by_the_providers_bill(tiny, tmp_path, cluster, server):
    cap = 0.04
    with run_model_server(tmp_path, SCRIPT, {"dataset": str(tiny)}, latency=0.05) as provider:
        dask = {"task_runner": '"dask"', "dask_address": f'"{cluster.scheduler_address}"'}
        capped = prepare_pipeline(tmp_path / "capped", provider, prefect=server, concurrency=32, **dask)
        capped.run("evaluate", tiny, "--max-cost", cap)
        assert 0 < provider.stats()["dollars"] <= cap
    assert "the budget took something away" in " ".join(capped.output().split())


def test_what_asks_models_or_waits_for_it_stays_in_this_process():
    from concurrent.futures import Future
    from uuid import uuid4

    from prefect.futures import PrefectConcurrentFuture

    from flows.task_runner import may_leave
    from tasks.band_cells import EarlierBands
    from tasks.cached_task import Sealed
    from tasks.model_access import Access

    store, database = ArtifactStore("artifacts"), Database("zoo", "zoo.sqlite", "", 0, "", "", "")
    waiting = PrefectConcurrentFuture(uuid4(), Future())
    assert may_leave({"call": Sealed(store, {"database": database}), "inputs": []})
    assert may_leave({"call": Sealed(store, {"earlier": EarlierBands(store)}), "inputs": []})  # in no key, and yet
    assert not may_leave({"call": Sealed(store, {"access": Access("run", "folder")}), "inputs": []})
    assert not may_leave({"call": Sealed(store, {"database": database}), "inputs": [waiting]})


def test_an_address_without_a_scheduler_is_one_clear_line(nl2sql, tiny, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    preset = tmp_path / "mine.toml"
    preset.write_text(f'lineup = ["rules"]\ntask_runner = "dask"\ndask_address = "{address}"\n')
    ended = nl2sql("evaluate", tiny, "--preset", preset)
    assert ended.exit_code == 1
    assert f"no Dask scheduler answers at {address}" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_scheduler_without_workers_is_said_rather_than_waited_for(tiny, tmp_path):
    from distributed import LocalCluster

    with LocalCluster(n_workers=0, dashboard_address=None) as empty, pytest.raises(UserError, match="has no workers"):
        run(tiny, str(tmp_path / "artifacts"), task_runner="dask", dask_address=empty.scheduler_address)


def test_a_bucket_that_is_not_there_is_one_clear_line(nl2sql, tiny, object_store):
    ended = nl2sql("evaluate", tiny, "--artifacts", "s3://elsewhere/artifacts")
    assert ended.exit_code == 1
    assert "cannot write s3://elsewhere/artifacts" in ended.stderr
    assert "--artifacts" in ended.stderr


def test_the_preset_that_comes_along_asks_for_two_workers():
    from flows.options import load_preset

    options = load_preset("offline-dask")
    assert (options.task_runner, options.dask_workers) == ("dask", 2)
    assert options.lineup == load_preset("offline").lineup


def test_an_address_without_dask_is_refused(tmp_path):
    from flows.options import load_preset

    (tmp_path / "mine.toml").write_text('dask_address = "tcp://127.0.0.1:8786"\n')
    with pytest.raises(UserError, match="task_runner"):
        load_preset(str(tmp_path / "mine.toml"))
