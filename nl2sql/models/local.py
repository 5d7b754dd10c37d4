"""Local models as a `Model`: requests are gathered into batches, one model at a time, in a child process each."""

import asyncio
import atexit
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field
from typing import Any

from nl2sql.errors import UserError
from nl2sql.models.chat import Reply, Request
from nl2sql.models.child_process import ChildFailed, ChildProcess
from nl2sql.models.local_models import LocalFolders, LocalModel, locate_local
from nl2sql.models.local_protocol import Answer, ask_of, reply_of
from nl2sql.models.model_lock import wanted

MODULE = "nl2sql.models.local_worker"
GATHER_SECONDS = 0.02  # that a batch waits for more requests: callers ask one by one, but at once
TRIES = 2  # a child that dies is started once more
LOOK_SECONDS = 0.2  # between two looks whether somebody waits for the place of an idle model

Watcher = Callable[[str], None]


@dataclass(frozen=True)
class LocalOptions:
    """How local models run; none of it changes an answer."""

    batch: int = 8  # requests decoded together
    longest: int = 8192  # tokens of prompt and answer together
    silence: float = 600.0  # seconds without a word after which a child is ended; one prefill may take a minute
    idle: float = 60.0  # seconds that a model stays in memory without work, while nobody else waits for its place


@dataclass
class _Wanted:
    request: Request
    future: "Future[Reply]" = field(default_factory=Future)

    def settle(self, reply: Reply) -> None:
        """Give the reply to whoever still waits for it."""
        if self.future.set_running_or_notify_cancel():
            self.future.set_result(reply)


class Local:
    """Answers requests for 'local:NAME@DIGEST'. Any number of threads may ask; one model is in memory at a time.

    A request whose model cannot be loaded or whose child died twice gets a reply with failure 'unavailable'.
    `watch` is told in a line what happens: whom the model waits for, that it was loaded, that its child died.
    """

    def __init__(
        self, folders: LocalFolders, options: LocalOptions = LocalOptions(), watch: Watcher = lambda line: None
    ) -> None:
        """Nothing is loaded before the first request."""
        self.folders, self.options, self.watch = folders, options, watch
        self.peak = 0  # bytes, the most that any of its models held
        self._queue: list[_Wanted] = []
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._child: ChildProcess | None = None
        self._loaded: LocalModel | None = None
        self._finished = 0.0
        self._busy = False
        atexit.register(self.close)

    def ask(self, requests: Sequence[Request]) -> list[Reply]:
        """One reply per request, in their order."""
        return [wanted.future.result() for wanted in self._submit(requests)]

    async def ask_one(self, request: Request) -> Reply:
        """One reply; requests that are asked at once are decoded together."""
        (wanted,) = self._submit([request])
        return await asyncio.wrap_future(wanted.future)

    def close(self) -> None:
        """End the child and give the machine's place back. A later request starts again."""
        with self._changed:
            self._closed, thread = True, self._thread
            self._changed.notify_all()
            if self._child is not None and self._busy:
                self._child.process.kill()  # what the thread waits for ends now
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _submit(self, requests: Sequence[Request]) -> list[_Wanted]:
        items = [_Wanted(request) for request in requests]
        with self._changed:
            self._queue += items
            if self._thread is None or not self._thread.is_alive() or self._closed:
                self._closed = False
                self._thread = threading.Thread(target=self._serve, name="local models", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        return items

    def _serve(self) -> None:
        try:
            while (batch := self._next_batch()) is not None:
                self._run(batch)
        finally:
            self._unload()

    def _next_batch(self) -> list[_Wanted] | None:
        """All that wait for one model, the loaded one first; None when there is nothing more to do."""
        with self._changed:
            while not self._queue and not self._closed:
                if not self._changed.wait(LOOK_SECONDS) and not self._queue:
                    self._leave_when_due()
            if self._closed:
                self._refuse_all()
                return None
            self._changed.wait(GATHER_SECONDS)
            models = [item.request.model for item in self._queue]
            loaded = self._loaded.asked_as if self._loaded else ""
            chosen = loaded if loaded in models else models[0]
            batch = [item for item in self._queue if item.request.model == chosen]
            self._queue = [item for item in self._queue if item.request.model != chosen]
            return batch

    def _leave_when_due(self) -> None:
        if self._child is None:
            return
        if time.monotonic() - self._finished > self.options.idle or wanted(self.folders.lock):
            self._unload()

    def _refuse_all(self) -> None:
        for item in self._queue:
            item.settle(_unavailable(item.request, "the local models were closed", 0))
        self._queue = []

    def _run(self, batch: list[_Wanted]) -> None:
        """Answer a batch; what a dying child left unanswered is asked once more of a new one."""
        open_items = dict(enumerate(batch))
        error, attempt = "the thread of the local models ended", 0
        self._busy = True
        try:
            while open_items and attempt < TRIES and not self._closed:
                attempt += 1
                try:
                    self._load(batch[0].request)
                    self._exchange(open_items, attempt)
                except ChildFailed as failure:
                    error = f"the process of {batch[0].request.model} {failure}"
                    if not self._closed:
                        self.watch(error)
                    self._unload()
        except UserError as refusal:
            error = str(refusal)
        finally:
            for item in open_items.values():
                item.settle(_unavailable(item.request, error, attempt))
            self._finished, self._busy = time.monotonic(), False

    def _load(self, request: Request) -> None:
        if self._loaded is not None and self._loaded.asked_as == request.model and self._child and self._child.alive:
            return
        found = locate_local(request.model, self.folders)
        self._unload()
        self._child, self._loaded = ChildProcess(MODULE), found
        self._child.send(self._order(found, request))
        while (message := self._receive()).get("note") != "loaded":
            if message.get("note") == "waiting":
                self.watch(f"{found.name} waits for {message['for'] or 'another local model'}")
        self.watch(f"{found.name} loaded in {message['seconds']:.1f} s, {message['bytes'] / 1e6:,.0f} MB")

    def _order(self, model: LocalModel, request: Request) -> dict[str, Any]:
        return {
            "do": "load",
            "base": str(model.base),
            "adapter": str(model.adapter) if model.adapter else "",
            "model": model.name,
            "role": request.role or "answer",
            "kv_bits": model.kv_bits,
            "constrained": model.constrained,
            "batch": self.options.batch,
            "longest": self.options.longest,
            "lock": str(self.folders.lock),
        }

    def _exchange(self, open_items: dict[int, _Wanted], attempt: int) -> None:
        assert self._child is not None
        asks = [asdict(ask_of(number, item.request)) for number, item in open_items.items()]
        self._child.send({"do": "answer", "asks": asks})
        while (message := self._receive()).get("note") != "done":
            if "answer" in message:
                answer = Answer(**message["answer"])
                item = open_items.pop(answer.number)
                item.settle(reply_of(answer, item.request.model, attempt))
        self.peak = max(self.peak, int(message["peak"]))

    def _receive(self) -> dict[str, Any]:
        assert self._child is not None
        message = self._child.receive(self.options.silence)
        if "error" in message:
            self._unload()
            raise UserError(message["error"])
        return message

    def _unload(self) -> None:
        child, self._child, self._loaded = self._child, None, None
        if child is not None:
            child.finish()


def _unavailable(request: Request, error: str, attempts: int) -> Reply:
    return Reply("", request.model, attempts=attempts, failure="unavailable", error=error)


def local_model_for(
    folders: LocalFolders, options: LocalOptions = LocalOptions(), watch: Watcher = lambda line: None
) -> Local:
    """The process's one `Local` for these folders, shared by all that ask, so that batches form."""
    with _SHARED:
        if folders not in _LOCALS:
            _LOCALS[folders] = Local(folders, options, watch)
        return _LOCALS[folders]


_SHARED = threading.Lock()
_LOCALS: dict[LocalFolders, Local] = {}
