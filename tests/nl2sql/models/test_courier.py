import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import pytest

from nl2sql.errors import UserError
from nl2sql.models.budget import Budget
from nl2sql.models.chat import Prompt, Request, Turn
from nl2sql.models.courier import _SPARE, prepare_courier
from nl2sql.models.courier_worker import Worker, read_request
from nl2sql.models.prices import Prices
from nl2sql.models.response_cache import ResponseCache
from nl2sql.models.scripted import Scripted
from tests.servers.gateway_client import KEY, ask_all, make_requests, open_gateway
from tests.servers.kill_and_resume import kept_answers

ROOT = Path(__file__).parents[3]
CALLS = 6


def processes():
    """(pid, parent, state, command line) of all that run."""
    listed = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True
    )
    return [line.split(None, 3) for line in listed.stdout.splitlines()]


def couriers(parent):
    return [int(pid) for pid, above, *_, said in processes() if above == str(parent) and "courier_worker" in said]


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def ended(pid):
    return not [state for number, _, state, *_ in processes() if number == str(pid) and not state.startswith("Z")]


def under_way(server):
    return sum(server.stats()["under_way"].values())


@pytest.fixture
def no_spare():
    """None that another test of this process prepared and did not need."""
    while _SPARE:
        spare = _SPARE.pop()
        spare.ours.close()
        spare.process.wait()


def client(folder, server, calls=CALLS):
    """A process that asks, the leader of a session of its own like a command in a terminal's foreground."""
    command = [sys.executable, "-m", "tests.servers.gateway_client", folder, server.address, calls, 16]
    return subprocess.Popen([*map(str, command)], cwd=ROOT, start_new_session=True, stderr=subprocess.DEVNULL)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_whoever_resumes_a_killed_run_waits_for_what_is_on_its_way_and_pays_nothing(model_server, tmp_path, how):
    model_server.control(latency=4.0)
    asking = client(tmp_path, model_server)
    wait_for(lambda: under_way(model_server) == CALLS)
    (courier,) = couriers(asking.pid)
    assert not [said for *_, said in processes() if KEY in said]
    os.killpg(asking.pid, how)
    asking.wait(30)
    assert not kept_answers(tmp_path)
    budget = Budget(0.0, questions=1)
    replies = ask_all(tmp_path, model_server.address, make_requests(CALLS), 16, budget)
    assert {(reply.failure, reply.cached) for reply in replies} == {("", True)}
    assert len(kept_answers(tmp_path)) == model_server.stats()["requests"] == CALLS
    wait_for(lambda: ended(courier))
    assert not [file for file in tmp_path.rglob("*") if KEY.encode() in file.read_bytes()]


def test_what_was_not_sent_yet_when_the_run_was_killed_is_not_sent_any_more(model_server, tmp_path):
    model_server.control(latency=1.0)
    asking = client(tmp_path, model_server, calls=40)
    wait_for(lambda: under_way(model_server))
    (courier,) = couriers(asking.pid)
    os.killpg(asking.pid, signal.SIGKILL)
    asking.wait(30)
    wait_for(lambda: ended(courier))
    assert len(kept_answers(tmp_path)) == model_server.stats()["requests"] <= 16


def test_a_killed_courier_is_replaced_and_its_attempts_count_as_charged(model_server, tmp_path):
    model_server.control(latency=2.0)
    (request,) = make_requests(1)
    budget = Budget(10.0, questions=1)
    with open_gateway(tmp_path, model_server.address, 16, budget) as gateway, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(gateway.ask, [request])
        wait_for(lambda: under_way(model_server))
        (first,) = couriers(os.getpid())
        os.kill(first, signal.SIGKILL)
        (reply,) = asked.result(60)
        (second,) = couriers(os.getpid())
    assert first != second
    assert (reply.failure, reply.attempts, reply.uncertain_dollars) == ("", 2, Prices().bound(request))
    assert budget.spent == pytest.approx(reply.dollars + reply.uncertain_dollars)
    wait_for(lambda: ended(second))  # after a normal end
    (kept,) = ask_all(tmp_path, model_server.address, [request], 16)
    assert (kept.attempts, kept.uncertain_dollars, kept.cached) == (2, reply.uncertain_dollars, True)


def test_a_courier_that_was_prepared_makes_the_first_calls_unless_it_died(model_server, tmp_path, no_spare):
    def makes_the_calls(prepared, folder):
        with open_gateway(tmp_path / folder, model_server.address, 16) as gateway:
            assert not gateway.ask(make_requests(1))[0].failure
            return prepared in couriers(os.getpid())

    def prepare():
        prepare_courier()
        prepare_courier()  # one is enough
        (prepared,) = wait_for(lambda: couriers(os.getpid()))
        return prepared

    prepared = prepare()
    assert makes_the_calls(prepared, "used")
    wait_for(lambda: ended(prepared))
    prepared = prepare()
    os.kill(prepared, signal.SIGKILL)
    assert not makes_the_calls(prepared, "dead")


FULL = """
import resource, sys
from pathlib import Path
from nl2sql.models.refusals import ModelsStopped
from tests.servers.gateway_client import make_requests, open_gateway
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
with open_gateway(Path(sys.argv[1]), sys.argv[2], 16) as gateway:
    for number, request in enumerate(make_requests(10, 100_000)):
        try:
            print("answered", len(gateway.ask([request])[0].text))
        except ModelsStopped as stopped:
            print("stopped", number, stopped)
            break
assert "litellm" not in sys.modules  # its import takes seconds: the courier's
"""


def test_on_a_full_disk_the_answer_still_counts_and_no_other_call_is_made(model_server, tmp_path):
    model_server.control(answers=[{"text": "x" * 300_000}])
    command = [sys.executable, "-c", FULL, tmp_path, model_server.address]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert "make room" in said[-1]
    assert said[:-1] == ["answered 300000"] * model_server.stats()["requests"]


def test_a_courier_that_cannot_work_says_why(model_server, tmp_path, monkeypatch, no_spare):
    # Nothing is fetched here either: the address is this machine's.
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "")
    monkeypatch.setenv("LITELLM_MODEL_COST_MAP_URL", "http://127.0.0.1:9/")
    with pytest.raises(UserError, match="LITELLM_LOCAL_MODEL_COST_MAP=True"):
        ask_all(tmp_path, model_server.address, make_requests(2), 16)


def test_nothing_is_sent_once_nobody_asks_any_more(tmp_path):
    cache, scripted = ResponseCache(tmp_path), Scripted(lambda request: "late")
    (request,) = make_requests(1)

    async def attempt():
        _, writer = await asyncio.open_connection(sock=socket.socketpair()[0])
        worker = Worker(scripted, cache, "a1b2c3d4e5f60718", writer)  # a lock that no process holds
        worker.start({"number": 0, "request": asdict(request), "cache_prefix": False})
        await asyncio.gather(*worker.under_way)
        writer.close()

    asyncio.run(attempt())
    assert not scripted.asked
    cache.close()


def test_a_request_keeps_its_key_on_the_way():
    odd = "汉字 \x00 \ud800"
    asked = Request("m/x", Prompt(odd, odd, odd, odd), (Turn("user", odd),), "{}", 0.1, "low", 5, 2, 3, "fix", "A", "b")
    assert read_request(json.loads(json.dumps(asdict(asked)))) == asked
    assert read_request(json.loads(json.dumps(asdict(asked)))).key == asked.key
