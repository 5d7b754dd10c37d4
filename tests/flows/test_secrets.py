"""A key that a provider throws back appears nowhere: every byte that runs write and print is searched for it."""

import asyncio
import json
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from flows.options import load_preset
from nl2sql.errors import UserError
from nl2sql.models.chat import Prompt, Request
from nl2sql.models.prices import Prices
from nl2sql.models.rate_limits import ProviderLimits
from nl2sql.models.refusals import CallFailed, stop
from nl2sql.models.remote import Remote

ROOT = Path(__file__).parents[2]
KEY = "sk-nl2sql-0123/456+789=abc_DEF"  # with characters that addresses and JSON spell otherwise
NAMES = ("OPENAI_TEST_KEY", "ANTHROPIC_TEST_KEY", "GEMINI_TEST_KEY")
PRESET = """
fix_attempts = 1
[prices."openai/some"]
input = 1
output = 1
[providers.openai]
api_base = "{address}/v1"
key = "OPENAI_TEST_KEY"
retries = 0
[providers.anthropic]
api_base = "{address}"
key = "ANTHROPIC_TEST_KEY"
retries = 0
[providers.gemini]
api_base = "{address}/v1beta"
key = "GEMINI_TEST_KEY"
retries = 0
[roles]
ground = {{ model = "anthropic/claude-haiku-5-5", effort = "low" }}
link = {{ model = "gemini/gemini-3.8-flash", effort = "low" }}
fix = {{ model = "openai/some" }}
[[lineup]]
name = "A"
model = "openai/some"
"""


class Echo(BaseHTTPRequestHandler):
    """Answers every call with all that it was sent: in an error, or in what the model says."""

    def do_POST(self) -> None:
        said = " ".join([self.path, *(f"{k}: {v}" for k, v in self.headers.items())])
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, body = self.server.status, {"error": {"message": said, "type": "invalid_request_error", "code": 400}}  # type: ignore[attr-defined]
        if self.path.startswith("/v1/chat") and status == 400:
            message = {"role": "assistant", "content": f"SELECT '{said}' FROM nowhere"}
            status, body = 200, {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": {}}
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.server.seen += said.count(KEY)  # type: ignore[attr-defined]

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def echo() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        server.seen, server.status = 0, 400  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def evaluate(tiny: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).parent / "nl2sql", "evaluate", tiny, "--preset", folder / "keys.toml", *words],
        cwd=folder,
        env={k: v for k, v in os.environ.items() if k != "PREFECT_API_URL"}
        | dict.fromkeys(NAMES, KEY)
        | {"PREFECT_HOME": str(folder / "prefect"), "PREFECT_SERVER_LOGGING_LEVEL": "DEBUG"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_key_is_in_nothing_that_a_run_writes_or_prints(tiny, tmp_path, echo):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "keys.toml").write_text(PRESET.format(address=f"http://127.0.0.1:{echo.server_port}"))
    run = evaluate(tiny, folder, "--database", "shop", "--verbose", "--json")
    assert run.returncode == 0, run.stdout + run.stderr
    assert echo.seen > 5  # the providers were given the key, and threw it back
    (folder / "terminal.txt").write_text(run.stdout + run.stderr)
    written = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert any(p.name == "prefect.db" for p in written)
    assert any(p.name == "responses.sqlite" and b"[key]" in content for p, content in written.items())
    needle = KEY.removeprefix("sk-").encode()[:14]  # however the rest of it may be spelled
    assert not [str(p) for p, content in written.items() if needle in content]


@pytest.mark.parametrize("model", ["openai/some", "anthropic/claude-haiku-5-5", "gemini/gemini-3.8-flash"])
def test_a_refused_key_is_not_shown_with_the_refusal(echo, model, monkeypatch):
    echo.status = 401
    provider, address = model.partition("/")[0], f"http://127.0.0.1:{echo.server_port}"
    limits = {provider: ProviderLimits(provider, api_base=address, api_key=KEY, key_name="SOME_KEY")}

    async def ask() -> None:
        remote = Remote(Prices({}), limits)
        try:
            await remote.attempt(Request(model, Prompt("p", "", "", "Say something."), max_tokens=16), False)
        finally:
            await remote.close()

    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    with pytest.raises(CallFailed) as failed:
        asyncio.run(ask())
    shown = "".join(traceback.format_exception(failed.value)) + str(stop(failed.value, provider, "SOME_KEY"))
    assert "[key]" in shown
    assert KEY not in shown


@pytest.mark.parametrize("key", [KEY, "AIzaSyA0123456789abcdefghijklmnopqrstuv", "sk-ant-api03-x", "$KEY"])
def test_a_key_in_the_place_of_its_name_is_refused_and_not_shown(tmp_path, key):
    preset = tmp_path / "mine.toml"
    preset.write_text(f"[providers.openai]\nkey = {json.dumps(key)}\n")
    with pytest.raises(UserError, match="key") as refused:
        load_preset(str(preset))
    assert key not in str(refused.value)
    assert key not in repr(refused.value.__cause__)
