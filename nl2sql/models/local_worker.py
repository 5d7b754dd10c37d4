"""The child process of a local model: takes the machine's one place, loads, answers, and leaves when its input ends.

Messages in: {do: load, ..} once, then {do: answer, asks: [..]}. Out: {note: waiting, for}, {note: loaded, ..},
{note: alive}, {answer: ..} for each ask, {note: done, peak}; {error} before an end that has a reason.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from nl2sql.errors import UserError
from nl2sql.models.framed_json import read_message, write_message
from nl2sql.models.local_protocol import Ask
from nl2sql.models.model_lock import Holder, holding

BEAT_SECONDS = 2.0
CACHE_BYTES = 2**30  # of freed buffers that mlx keeps for itself
Tell = Callable[[dict[str, Any]], None]


def private_output() -> IO[bytes]:
    """The pipe to the parent, and from now on no library's print reaches it: they go to standard error."""
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return out


def announce(tell: Tell) -> Callable[[Holder | None], None]:
    """Tell the parent whom this process waits for, each of them once, and that it is alive."""
    said: list[Any] = []
    last = [0.0]

    def waiting(holder: Holder | None) -> None:
        now = time.monotonic()
        if said[-1:] != [holder] or now - last[0] > BEAT_SECONDS:
            said[:], last[:] = [holder], [now]
            tell({"note": "waiting", "for": str(holder) if holder else ""})

    return waiting


def _load(order: dict[str, Any], tell: Tell) -> Any:
    import mlx.core as mx
    from mlx_lm import load
    from mlx_lm.utils import maybe_set_recommended_wired_limit

    from nl2sql.models.local_decoding import Decoder

    start = time.perf_counter()
    mx.set_cache_limit(CACHE_BYTES)
    maybe_set_recommended_wired_limit()  # on Metal: else weights are paged out between requests; nothing elsewhere
    constrain = None
    model, tokenizer, config = load(order["base"], adapter_path=order["adapter"] or None, return_config=True)  # type: ignore[misc]
    if order["constrained"]:
        from nl2sql.models.output_grammar import grammar_processors

        constrain = grammar_processors(tokenizer, config["vocab_size"])
    longest = min(order["longest"], int(config.get("max_position_embeddings", order["longest"])))
    seconds, size = time.perf_counter() - start, mx.get_active_memory()
    tell({"note": "loaded", "seconds": round(seconds, 3), "bytes": size, "pid": os.getpid()})
    return Decoder(model, tokenizer, order["batch"], longest, order["kv_bits"], constrain)


def _answer(decoder: Any, order: dict[str, Any], tell: Tell) -> None:
    import mlx.core as mx

    last = time.monotonic()

    def beat() -> None:
        nonlocal last
        if time.monotonic() - last > BEAT_SECONDS:
            last = time.monotonic()
            tell({"note": "alive"})  # a parent that is gone ends this process here

    asks = [Ask(**{**ask, "messages": tuple(ask["messages"])}) for ask in order["asks"]]
    for answer in decoder.answer(asks, beat):
        tell({"answer": asdict(answer)})
    tell({"note": "done", "peak": mx.get_peak_memory()})


def serve(source: IO[bytes], tell: Tell) -> None:
    """Load once, answer until the input ends."""
    order = read_message(source)
    if order is None:
        return
    with holding(Path(order["lock"]), order["role"], order["model"], announce(tell)):
        try:
            decoder = _load(order, tell)
        except (ValueError, OSError, KeyError, ImportError, RuntimeError) as error:
            raise UserError(f"{order['model']} cannot be loaded: {error}") from error
        while (order := read_message(source)) is not None:
            _answer(decoder, order, tell)


def run_child(serve: Callable[[IO[bytes], Tell], None]) -> None:
    """Serve the pipes of this process; an end that has a reason tells it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupted parent ends its children itself
    out = private_output()

    def tell(message: dict[str, Any]) -> None:
        write_message(out, message)

    try:
        serve(sys.stdin.buffer, tell)
    except UserError as error:
        tell({"error": " ".join(str(error).split())})
    except BrokenPipeError:  # the parent is gone
        sys.exit(1)


def main() -> None:
    """Serve until the standard input ends."""
    run_child(serve)
