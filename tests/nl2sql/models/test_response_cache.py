import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nl2sql.errors import UserError
from nl2sql.models.chat import Prompt, Reply, Request, Turn, Usage
from nl2sql.models.response_cache import ResponseCache

ROOT = Path(__file__).parents[3]
ODD = "汉字 \x00 \ud800 '; DROP TABLE replies; --"


def request(number=0, text="question", **given):
    return Request("gemini/m", Prompt("p", "system", "context", f"{text} {number}"), **given)


@pytest.fixture
def cache(tmp_path):
    found = ResponseCache(tmp_path / "cache")
    yield found
    found.close()


def child(code, *arguments):
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], cwd=ROOT, stdout=subprocess.PIPE)


def test_an_answer_comes_back_whole_and_marked_as_paid_earlier(cache):
    asked = request(text=ODD, turns=(Turn("assistant", ODD),), sample=3)
    reply = Reply(ODD, "gemini/m", Usage(10, 4, 1, 5, 2), 0.25, 0.5, 1.5, 3, failure="cut", logprobs=(("A", -0.1),))
    assert cache.get(asked.key) is None
    cache.put(asked, reply).result()
    kept = cache.get(asked.key)
    assert kept == Reply(ODD, "gemini/m", Usage(10, 4, 1, 5, 2), 0.25, 0.5, 1.5, 3, True, "cut", "", (("A", -0.1),))
    assert cache.get(request(text=ODD).key) is None  # another sample is another answer


def test_the_first_answer_stays(cache):
    cache.put(request(), Reply("first", "m")).result()
    cache.put(request(), Reply("second", "m")).result()
    assert cache.get(request().key).text == "first"


def test_a_user_can_see_what_was_asked_and_only_its_owner_can(cache):
    cache.put(request(1), Reply("a", "m", dollars=0.5)).result()
    cache.put(request(2), Reply("b", "m")).result()
    cache.note_broken(request(3), 0.125, "cut off " + ODD).result()
    with sqlite3.connect(cache.path) as connection:
        texts = {bytes(t) for (t,) in connection.execute("SELECT text FROM texts")}
        asked = [r for (r,) in connection.execute("SELECT request FROM replies ORDER BY rowid")]
        broken = connection.execute("SELECT model, dollars FROM broken").fetchall()
    connection.close()
    assert texts == {b"system", b"context"}  # once each, however many calls share them
    assert "question 1" in asked[0]
    assert broken == [("gemini/m", 0.125)]
    assert stat.S_IMODE(cache.path.parent.stat().st_mode) == 0o700


def test_many_threads_write_and_read_at_once(cache):
    def work(number):
        cache.put(request(number), Reply(f"answer {number}", "m")).result()
        return cache.get(request(number).key).text

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(work, range(300))) == [f"answer {i}" for i in range(300)]


def test_what_waits_is_written_before_the_cache_closes(tmp_path):
    cache = ResponseCache(tmp_path)
    for number in range(200):
        cache.put(request(number), Reply("x", "m"))
    cache.close()
    again = ResponseCache(tmp_path)
    assert all(again.get(request(n).key) for n in range(200))
    again.close()


@pytest.mark.parametrize("content", [b"not a database at all, " * 100, b"SQLite format 3\x00" + b"\xff" * 4096])
def test_a_damaged_file_is_an_error_that_says_how_to_go_on_and_is_left_alone(tmp_path, content):
    (tmp_path / "responses.sqlite").write_bytes(content)
    with pytest.raises(UserError, match=r"mv .*recover"):
        ResponseCache(tmp_path)
    assert (tmp_path / "responses.sqlite").read_bytes() == content


def test_another_program_s_file_is_left_alone(tmp_path):
    path = tmp_path / "responses.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE other (a)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(UserError, match="another program"):
        ResponseCache(tmp_path)
    assert path.read_bytes() == before


WRITE = """
import sys
from pathlib import Path
from tests.nl2sql.models.test_response_cache import request
from nl2sql.models.chat import Reply
from nl2sql.models.response_cache import ResponseCache
cache = ResponseCache(Path(sys.argv[1]))
assert cache.try_lock(request(-1).key)
for number in range(10**6):
    cache.put(request(number), Reply(f"answer {number}", "m")).result()
    print(number, flush=True)
"""


def test_what_was_handed_on_survives_a_kill_and_the_lock_does_not(tmp_path):
    process = child(WRITE, tmp_path)
    for _ in range(20):
        last = int(process.stdout.readline())
    cache = ResponseCache(tmp_path)
    assert not cache.try_lock(request(-1).key)
    process.kill()
    rest = process.stdout.read().split()
    process.wait()
    last = int(rest[-1]) if rest else last
    assert all(cache.get(request(n).key).text == f"answer {n}" for n in range(last + 1))
    assert cache.try_lock(request(-1).key)
    cache.unlock(request(-1).key)
    cache.close()


FULL = """
import resource, signal, sys
from pathlib import Path
from tests.nl2sql.models.test_response_cache import request
from nl2sql.models.chat import Reply
from nl2sql.models.gateway import Gateway
from nl2sql.models.refusals import ModelsStopped
from nl2sql.models.response_cache import ResponseCache
from nl2sql.models.scripted import Scripted
from nl2sql.models.prices import Price, Prices
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
cache = ResponseCache(Path(sys.argv[1]))
scripted = Scripted(lambda r: "x" * 300_000)
gateway = Gateway(scripted, cache, prices=Prices({"gemini/m": Price("gemini/m", 1, 1)}))
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
for number in range(10):
    try:
        print("answered", len(gateway.ask([request(number)])[0].text))
    except ModelsStopped as stopped:
        print("stopped", len(scripted.asked), stopped)
        break
print(gateway.ask([request(0)])[0].cached)
"""


def test_on_a_full_disk_the_answer_still_counts_and_no_other_call_is_made(tmp_path):
    process = child(FULL, tmp_path)
    said = process.communicate(timeout=60)[0].decode().splitlines()
    assert said[0] == said[1] == "answered 300000"
    stopped = next(line for line in said if line.startswith("stopped"))
    assert int(stopped.split()[1]) == said.index(stopped)  # the call that was refused was not made
    assert "make room" in stopped
    assert said[-1] == "True"
