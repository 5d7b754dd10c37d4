"""A provider of models on loopback that does as it is told: OpenAI's, Claude's and Gemini's wire formats, scripted.

    python -m tests.servers.model_server [--port N] [--script MODULE:FUNCTION] [--script-arguments JSON]
                                         [--conduct JSON] [--log FILE] [--bodies FILE]

It prints its address as its first line. Base addresses for litellm: {address}/v1 for openai/ models, {address} for
anthropic/ models, {address}/v1beta for gemini/ models. It is a test double of the providers and no part of the product.

POST /control    a JSON object of fields of conduct.Conduct to change; {"reset": true} first forgets everything
GET /stats       counts, tokens and the bill since the last reset
`--log`          one JSON line for every call, written when it ends, whatever became of it; it outlives the client
`--bodies`       one JSON line for every body
The script is a function from script.Asked to text, or with --script-arguments a function that makes one from them.
"""

import argparse
import asyncio
import gc
import importlib
import json
import signal
from pathlib import Path
from typing import Any

import orjson

from tests.servers.conduct import Conduct, read_conduct
from tests.servers.http_protocol import Connection, HttpAnswer, HttpRequest
from tests.servers.provider import Provider
from tests.servers.script import Script, answer_minimally

GENERATE = ":generateContent"


async def route(provider: Provider, request: HttpRequest, connection: Connection) -> None:
    """Serve one request."""
    path = request.path.partition("?")[0]
    if request.method == "POST" and path == "/v1/chat/completions":
        await provider.answer(request, "openai", "", connection)
    elif request.method == "POST" and path == "/v1/messages":
        await provider.answer(request, "anthropic", "", connection)
    elif request.method == "POST" and path.startswith("/v1beta/models/") and path.endswith(GENERATE):
        await provider.answer(request, "gemini", path[len("/v1beta/models/") : -len(GENERATE)], connection)
    elif request.method == "POST" and path == "/control":
        await connection.send(_control(provider, request))
    elif path == "/stats":
        await connection.send(_json(200, provider.report()))
    else:
        await connection.send(_json(404, {"error": {"message": f"no route {request.method} {path}", "code": 404}}))


def _control(provider: Provider, request: HttpRequest) -> HttpAnswer:
    try:
        provider.change(orjson.loads(request.body))
    except (TypeError, ValueError, AttributeError) as error:
        return _json(400, {"error": {"message": str(error)}})
    return _json(200, provider.report())


def _json(status: int, value: Any) -> HttpAnswer:
    return HttpAnswer(status, orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS))


def load_script(name: str, arguments: str) -> Script:
    """The function MODULE:FUNCTION, or what it makes of its arguments."""
    if not name:
        return answer_minimally
    module, _, function = name.partition(":")
    found = getattr(importlib.import_module(module), function)
    return found(**json.loads(arguments)) if arguments else found


async def serve(provider: Provider, port: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    server = await loop.create_server(
        lambda: Connection(lambda request, connection: route(provider, request, connection)),
        "127.0.0.1",
        port,
        backlog=1024,
    )
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await stopped.wait()
    server.close()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="0 for a free one")
    parser.add_argument("--script", default="", metavar="MODULE:FUNCTION")
    parser.add_argument("--script-arguments", default="", metavar="JSON")
    parser.add_argument("--conduct", default="{}", metavar="JSON")
    parser.add_argument("--log", type=Path, default=None)
    parser.add_argument("--bodies", type=Path, default=None)
    options = parser.parse_args()
    script = load_script(options.script, options.script_arguments)
    conduct = read_conduct(json.loads(options.conduct), Conduct())
    provider = Provider(script, conduct, options.log, options.bodies)
    gc.freeze()  # the price map is large and lives as long as the process
    asyncio.run(serve(provider, options.port))


if __name__ == "__main__":
    main()
