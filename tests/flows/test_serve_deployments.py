"""The served deployments: on a server that `nl2sql serve` starts, and through a work pool."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.environment import local_server_runs
from flows.serve_deployments import Schedules, read_schedules, server_address
from flows.train_on_dataset import RecipeOptions
from nl2sql.errors import UserError
from nl2sql.training.recipe import Recipe
from tests.flows.conftest import build_benchmark

pytestmark = pytest.mark.xdist_group("prefect")  # one server for all of them
ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PATIENCE = 240.0  # seconds, on a machine that does other things, too


def wait_for(look: Callable[[], object], seconds: float = PATIENCE, pause: float = 0.3) -> object:
    """What `look` gives once it gives something."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(pause)
    return found


def patiently(ask: Callable[[], Any]) -> Any:
    """What the server answers once it is not too busy: with SQLite below it, it then says 503."""
    from prefect.exceptions import PrefectHTTPStatusError

    for _ in range(5):
        try:
            return ask()
        except PrefectHTTPStatusError as error:
            if error.response.status_code != 503:
                raise
            time.sleep(3)
    return ask()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Served:
    """A process of `nl2sql serve` and its API."""

    def __init__(self, folder: Path) -> None:
        self.port, self.log = free_port(), folder / "serve.txt"
        self.api = f"http://127.0.0.1:{self.port}/api"
        here = {"PREFECT_HOME": str(folder / "prefect"), "PREFECT_RUNNER_POLL_FREQUENCY": "1"}
        self.dataset = build_benchmark(folder / "tiny")
        words = ["serve", self.dataset, "--artifacts", folder / "artifacts", "--port", self.port]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [BIN / "nl2sql", *map(str, words)],
                cwd=ROOT,
                env={k: v for k, v in os.environ.items() if k != "PREFECT_API_URL"} | here,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def client(self):
        from prefect.client.orchestration import SyncPrefectClient

        return SyncPrefectClient(self.api)

    def deployments(self) -> dict:
        from httpx import HTTPError
        from prefect.exceptions import PrefectHTTPStatusError

        assert self.process.poll() is None, self.log.read_text()
        try:
            with self.client() as client:
                found = client.read_deployments()
        except (HTTPError, PrefectHTTPStatusError):
            return {}
        return {d.name: d for d in found} if len(found) == len(read_schedules().deployments) else {}


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[Served]:
    running = Served(tmp_path_factory.mktemp("served"))
    try:
        wait_for(running.deployments)
        yield running
    finally:
        if running.process.poll() is None:
            running.process.send_signal(signal.SIGINT)
        running.process.wait(60)


@pytest.fixture(scope="module")
def deployed(served) -> dict:
    return served.deployments()


@pytest.fixture
def page(served, retry) -> Iterator:
    """The UI of the served deployments in a real headless Chromium, for whoever presses its button."""
    if retry is not press_retry:
        yield None
        return
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make setup")
    found = next((p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if p), None)
    if found is None:
        pytest.skip("no Chromium found: install chromium or google-chrome to test the UI")
    with playwright.sync_playwright() as driver:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = driver.chromium.launch(executable_path=found, args=flags)
        opened = browser.new_page(base_url=served.api.removesuffix("/api"))
        opened.set_default_timeout(1000 * PATIENCE)
        yield opened
        browser.close()


def properties(deployment) -> dict:
    return deployment.parameter_openapi_schema["properties"]


def test_every_deployment_has_its_limit_tags_and_time_zone(deployed):
    for wanted in read_schedules().deployments:
        found = deployed[wanted.name]
        assert found.concurrency_options.collision_strategy.value == "ENQUEUE"
        assert found.global_concurrency_limit.limit == 1
        assert found.tags == list(wanted.tags)
        crons = [(s.schedule.cron, s.schedule.timezone) for s in found.schedules]
        assert crons == ([(wanted.cron, wanted.timezone)] if wanted.cron else [])
        assert found.enforce_parameter_schema
        assert found.description == wanted.description


def test_every_parameter_is_explained_in_the_form(deployed):
    for name, deployment in deployed.items():
        unexplained = [p for p, s in properties(deployment).items() if "description" not in s and "$ref" not in str(s)]
        assert not unexplained, name


def test_choices_are_enumerated_in_the_form(deployed):
    assert properties(deployed["weekly evaluation"])["split"]["enum"] == ["dev", "train"]
    assert "selector" in properties(deployed["training on demand"])["role"]["enum"]
    options = deployed["weekly evaluation"].parameter_openapi_schema["definitions"]["Options"]["properties"]
    assert "fixer" in options["without"]["items"]["enum"]
    assert options["timeout"]["description"].startswith("Seconds")


def test_a_parameter_that_does_not_fit_is_refused_before_a_run_exists(served, deployed):
    from prefect.exceptions import PrefectHTTPStatusError

    with served.client() as client, pytest.raises(PrefectHTTPStatusError):
        client.create_flow_run_from_deployment(deployed["weekly evaluation"].id, parameters={"split": "tset"})


def test_a_run_that_finds_nothing_changed_says_so_within_seconds(served, deployed):
    with served.client() as client:

        def run():
            made = patiently(lambda: client.create_flow_run_from_deployment(deployed["indices after profiles"].id))
            return wait_for(lambda: (r := patiently(lambda: client.read_flow_run(made.id))).state.is_final() and r)

        first, again = run(), run()
    assert first.state.is_completed(), first.state.message
    made = int(again.state.message.split()[0])
    assert again.state.message == f"{made} artifacts, {made} of them reused"
    assert again.total_run_time.total_seconds() < 30  # a second or two on an idle machine


def test_the_pages_ask_the_server_that_they_come_from(served):
    with urllib.request.urlopen(f"{served.api.removesuffix('/api')}/ui-settings", timeout=10) as answer:
        assert json.load(answer)["api_url"] == served.api


def ran(client, run, times: int) -> set[str]:
    """The tasks that a flow run did not find done, when it ran for the second time, say."""
    tasks = [t for t in patiently(client.read_task_runs) if (t.flow_run_id, t.flow_run_run_count) == (run, times)]
    return {t.name for t in tasks if t.state_name != "Cached"}


def press_retry(served, page, run) -> None:
    page.goto(f"/runs/flow-run/{run}")
    page.get_by_role("button", name="Retry", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Retry", exact=True).click()
    page.get_by_text("Completed", exact=True).first.wait_for()  # the page follows by itself


def say_retry(served, page, run) -> None:
    here = {**os.environ, "PREFECT_API_URL": served.api}
    subprocess.run([BIN / "prefect", "flow-run", "retry", str(run)], env=here, check=True, capture_output=True)


@pytest.mark.parametrize("retry", [press_retry, say_retry])
def test_a_retry_runs_what_failed_and_nothing_else(served, deployed, page, retry, tmp_path):
    in_the_way = tmp_path / "summaries"
    in_the_way.touch()  # a file where a folder belongs: nothing can be written there
    with served.client() as client:

        def ended(times: int):
            found = patiently(lambda: client.read_flow_run(run))
            return found if found.state.is_final() and found.run_count == times else None

        asked, profiles = {"artifacts": str(tmp_path)}, deployed["nightly profiles"].id
        run = patiently(lambda: client.create_flow_run_from_deployment(profiles, parameters=asked)).id
        failed = wait_for(lambda: ended(1))
        assert failed.state.is_failed()
        assert f"cannot write {in_the_way}" in failed.state.message
        in_the_way.unlink()
        retry(served, page, run)
        assert wait_for(lambda: ended(2)).state.message == "4 artifacts, 2 of them reused"
        wait_for(lambda: ran(client, run, 2) == {"summarise fields: shop", "summarise fields: zoo"}, 30)


def kill(run) -> int:
    """Kill what runs a flow run, found by the variable that Prefect gives it; how many processes that were."""
    killed = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # gone, or another user's
            if f"FLOW_RUN_ID={run}\0".encode() in (folder / "environ").read_bytes() + b"\0":
                os.kill(int(folder.name), signal.SIGKILL)
                killed += 1
    return killed


@pytest.mark.parametrize("retry", [press_retry])
def test_a_killed_run_is_retried_from_what_was_finished(served, deployed, page, retry, tmp_path):
    if not Path("/proc/self/environ").exists():
        pytest.skip("no /proc here: the process of a run cannot be found")
    with served.client() as client:
        asked = {"artifacts": str(tmp_path)}
        run = client.create_flow_run_from_deployment(deployed["nightly profiles"].id, parameters=asked).id
        wait_for(lambda: list(tmp_path.glob("profiles/*.json")), pause=0.01)
        assert kill(run)
        wait_for(lambda: patiently(lambda: client.read_flow_run(run)).state.is_crashed())
        finished = len(list(tmp_path.glob("profiles/*.json")) + list(tmp_path.glob("summaries/*.json")))
        retry(served, page, run)
        done = wait_for(lambda: (r := patiently(lambda: client.read_flow_run(run))).state.is_completed() and r)
    assert done.state.message == f"4 artifacts, {finished} of them reused"


@pytest.mark.skipif(
    tuple(map(int, version("sqlalchemy").split(".")[:2])) >= (2, 1),
    reason="Prefect 3.8's scheduler fails with SQLAlchemy 2.1: pip install 'sqlalchemy<2.1'",
)
def test_cron_schedules_make_runs(served):
    with served.client() as client:
        due = wait_for(lambda: [r for r in client.read_flow_runs() if r.auto_scheduled])
    assert {r.deployment_id for r in due}


def test_a_page_of_another_site_cannot_use_the_server(served):
    evil = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    request = urllib.request.Request(f"{served.api}/flow_runs/filter", headers=evil, method="OPTIONS")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)
    assert "access-control-allow-origin" not in {k.lower() for k in refused.value.headers}
    with pytest.raises(urllib.error.HTTPError) as refused:  # what a form of another site could send without asking
        urllib.request.urlopen(f"{served.api}/flow_runs/filter", data=b"{}", timeout=10)
    assert refused.value.code == 403


def test_the_server_listens_on_loopback_only(served):
    listening = {
        address
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        if Path(table).exists()
        for address, _, state in (line.split()[1:4] for line in Path(table).read_text().splitlines()[1:])
        if state == "0A" and int(address.split(":")[1], 16) == served.port
    }
    if not listening:
        pytest.skip("no /proc/net here")
    assert {a.split(":")[0] for a in listening} == {"0100007F"}  # 127.0.0.1


def test_sigterm_ends_it_and_its_server_without_a_complaint(served, deployed):
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(60) == 0
    assert "Ctrl-C ends it" in served.log.read_text()
    for word in ("Warning", "Error", "Traceback"):
        assert word not in served.log.read_text()
    assert not local_server_runs(served.api)


# --- work pools -----------------------------------------------------------------------------------------------------


def listed(schedules: Schedules) -> list[dict]:
    return [
        {
            "name": s.name,
            "description": s.description,
            "entrypoint": s.entrypoint,
            "tags": list(s.tags),
            "schedules": [{"cron": s.cron, "timezone": s.timezone}] if s.cron else [],
            "concurrency_limit": {"limit": s.concurrency, "collision_strategy": "ENQUEUE"},
            "parameters": {"dataset": "datasets/demo", "artifacts": "artifacts", **s.parameters},
            "work_pool": {"name": "nl2sql"},
        }
        for s in schedules.deployments
    ]


def test_prefect_yaml_holds_the_same_deployments():
    assert yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"] == listed(read_schedules())


def test_a_worker_runs_what_prefect_yaml_deploys(server, tmp_path):
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.workers.process import ProcessWorker

    tiny = build_benchmark(tmp_path / "tiny")
    env = {**os.environ, "PREFECT_API_URL": server, "PREFECT_HOME": str(tmp_path / "prefect")}

    def prefect(*words: str) -> None:
        done = subprocess.run([BIN / "prefect", *words], cwd=ROOT, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    template = ProcessWorker.get_default_base_job_template()
    with get_client(sync_client=True) as client:
        client.create_work_pool(WorkPoolCreate(name="nl2sql", type="process", base_job_template=template))
        prefect("--no-prompt", "deploy", "--all")
        found = {d.name: d for d in client.read_deployments() if d.work_pool_name == "nl2sql"}
        assert set(found) == {s.name for s in read_schedules().deployments}
        asked = {"dataset": str(tiny), "artifacts": str(tmp_path / "artifacts")}
        run = client.create_flow_run_from_deployment(found["nightly profiles"].id, parameters=asked)
        prefect("worker", "start", "--pool", "nl2sql", "--run-once", "--install-policy", "never")
        ended = wait_for(lambda: (r := client.read_flow_run(run.id)).state.is_final() and r)
    assert ended.state.is_completed(), ended.state.message
    assert (tmp_path / "artifacts" / "profiles").is_dir()


# --- the file of schedules ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('timezone = "Mars/Olympus"\n[[deployment]]\nflow = "run_pipeline"\nname = "n"\ndescription = ""', "Olympus"),
        ('[[deployment]]\nflow = "nothing"\nname = "n"\ndescription = ""', "no flow 'nothing'"),
        ('[[deployment]]\nflow = "run_pipeline"\nname = "n"', "description"),
        ("[[deployment", "cannot be read"),
    ],
)
def test_a_schedule_that_cannot_be_is_named(tmp_path, text, said):
    file = tmp_path / "schedules.toml"
    file.write_text(text)
    with pytest.raises(UserError, match=said):
        read_schedules(file)


def test_a_time_zone_holds_for_all_but_those_with_their_own(tmp_path):
    file = tmp_path / "schedules.toml"
    one = '[[deployment]]\nflow = "run_pipeline"\ndescription = ""\ncron = "0 2 * * *"\n'
    file.write_text(f'timezone = "Europe/Berlin"\n{one}name = "a"\n{one}name = "b"\ntimezone = "Asia/Tokyo"\n')
    assert [s.when for s in read_schedules(file).deployments] == ["0 2 * * * Europe/Berlin", "0 2 * * * Asia/Tokyo"]


def test_the_form_of_a_training_has_the_defaults_of_the_recipe():
    assert Recipe(**RecipeOptions().model_dump()) == Recipe()


def test_a_port_that_is_named_wins_over_a_server_that_was_chosen(monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://10.0.0.1:4200/api")
    assert server_address(5000) == "http://127.0.0.1:5000/api"
