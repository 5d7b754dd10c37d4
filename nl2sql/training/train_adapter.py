"""QLoRA: an adapter for one role from a folder of chats, trained by mlx-lm in a child process of its own.

The parent imports neither mlx nor mlx_lm. It plans the memory, starts the child, passes on what that reports, and puts
the finished adapter in place.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nl2sql.errors import UserError
from nl2sql.models.child_process import ChildFailed, ChildProcess
from nl2sql.models.local_models import LocalFolders, base_digest, file_digest, find_base, read_card
from nl2sql.models.machine_memory import memory_limit
from nl2sql.training.adapter_card import AdapterCard, install_adapter, installed_versions
from nl2sql.training.chat_rows import read_chats
from nl2sql.training.memory_plan import check_plan, plan_training
from nl2sql.training.recipe import LORA_KEYS, Recipe
from nl2sql.training.rows import Adapter

MODULE = "nl2sql.training.train_worker"
SPLITS = ("train.jsonl", "valid.jsonl")
SILENCE = 3600.0  # seconds without a report after which the child is ended: one step of a large run takes minutes
DIGITS = 12

Watcher = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Training:
    """What is to be trained: the content of the key of an adapter."""

    role: str
    base: str  # name or folder
    base_digest: str
    data: tuple[tuple[str, str], ...]  # file name, SHA-256
    recipe: Recipe

    @property
    def key(self) -> str:
        """Equal keys, equal weights."""
        said = [self.role, self.base_digest, self.data, asdict(self.recipe)]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()

    @property
    def name(self) -> str:
        """Of the adapter's folder."""
        return f"{self.role}-{self.key[:DIGITS]}"


@dataclass
class _Report:
    """What the child said."""

    data: dict[str, Any] = field(default_factory=dict)
    done: dict[str, Any] = field(default_factory=dict)


def describe_training(role: str, base: str, data: Path, recipe: Recipe, folders: LocalFolders) -> Training:
    """What would be trained. Raises UserError for a missing base, or data that is missing, empty or no chats."""
    check_recipe(recipe)
    found = find_base(base, folders.hubs)
    for split in SPLITS:
        read_chats(data / split)
    digests = tuple((split, file_digest(data / split)) for split in SPLITS)
    return Training(role, base, base_digest(found), digests, recipe)


def check_recipe(recipe: Recipe) -> None:
    """Raise UserError for options that no run can have."""
    lowest = {"rank": 1, "layers": 0, "length": 16, "batch": 1, "accumulation": 1, "evaluations": 1, "patience": 1}
    for name, least in lowest.items():
        if getattr(recipe, name) < least:
            raise UserError(f"{name} is {getattr(recipe, name)}: it must be at least {least}")
    for name in ("epochs", "learning_rate", "scale"):
        if not 0 < getattr(recipe, name) < 1e6:
            raise UserError(f"{name} is {getattr(recipe, name)}: it must be above 0")


def train_adapter(
    training: Training,
    data: Path,
    folders: LocalFolders,
    watch: Watcher = lambda message: None,
    limit: int | None = None,
) -> Adapter:
    """Train an adapter, or continue where a run of the same content was killed; one that is there is only read.

    `watch` gets what the child reports: waiting, data, step, valid, saved, done. `limit` in bytes replaces the
    machine's. Raises UserError for what the data, the base or the machine do not allow, and when training fails.
    """
    target = folders.adapters.absolute() / training.name
    if target.exists():
        return adapter_row(target)
    base = find_base(training.base, folders.hubs)
    plan = plan_training(base, training.recipe)
    room = memory_limit() if limit is None else limit
    check_plan(plan, room)
    watch({"note": "plan", "bytes": plan.total, "limit": room, "parts": plan.parts})
    work = _work_folder(folders, training)
    order = _order(training, base, data, work, folders)
    report = _run_child({**order, "limit": room}, watch)
    card = _card(training, report, plan.total, room, _times_resumed(work))
    install_adapter(work, target, card, lora_parameters(training.recipe))
    return adapter_row(target)


def lora_parameters(recipe: Recipe) -> dict[str, Any]:
    """How the adapter's layers are built, as mlx-lm's adapter_config.json says it."""
    return {"rank": recipe.rank, "scale": recipe.scale, "dropout": 0.0, "keys": list(LORA_KEYS)}


def export_fused(adapter: Path, target: Path, folders: LocalFolders, watch: Watcher = lambda message: None) -> None:
    """Write base and adapter as one model at full precision, 3.5 times the size of the 4-bit base."""
    if target.exists():
        raise UserError(f"{target} exists already: name a new folder")
    card = read_card(adapter)
    base = find_base(card["base"], folders.hubs)
    order = {"do": "fuse", "name": adapter.name, "base": str(base), "adapter": str(adapter), "lock": str(folders.lock)}
    whole = target.with_name(f".{target.name}.whole")
    shutil.rmtree(whole, ignore_errors=True)
    _run_child({**order, "target": str(whole)}, watch)
    whole.rename(target)


def _work_folder(folders: LocalFolders, training: Training) -> Path:
    work = folders.adapters.absolute() / f".{training.name}.training"
    try:
        work.mkdir(parents=True, exist_ok=True)
        with open(work / "starts", "a", encoding="utf-8") as file:
            file.write(f"{time.time()}\n")
    except OSError as error:
        raise UserError(
            f"cannot write {work}: {error.strerror or error}. Name another folder with --artifacts"
        ) from error
    return work


def _times_resumed(work: Path) -> int:
    with suppress(OSError):
        return len((work / "starts").read_text(encoding="utf-8").splitlines()) - 1
    return 0


def _order(training: Training, base: Path, data: Path, work: Path, folders: LocalFolders) -> dict[str, Any]:
    return {
        "do": "train",
        "name": training.role,
        "run": training.key,
        "base": str(base),
        "data": str(data.absolute()),
        "work": str(work),
        "recipe": asdict(training.recipe),
        "lora": lora_parameters(training.recipe),
        "lock": str(folders.lock),
    }


def _run_child(order: dict[str, Any], watch: Watcher) -> _Report:
    report = _Report()
    try:
        with ChildProcess(MODULE) as child:
            child.send(order)
            while not report.done:
                message = child.receive(SILENCE)
                if "error" in message:
                    raise UserError(message["error"])
                if message["note"] == "data":
                    report.data = message
                if message["note"] == "done":
                    report.done = message
                watch(message)
            child.finish()
    except ChildFailed as error:
        raise UserError(
            f"training {order['name']} stopped: its process {error}. Run the same command again: it continues from its"
            " last checkpoint"
        ) from error
    return report


def _card(training: Training, report: _Report, planned: int, limit: int, resumed: int) -> AdapterCard:
    done, data = report.done, report.data
    losses = [point["valid"] for point in done["curve"] if "valid" in point]
    return AdapterCard(
        name=training.name,
        role=training.role,
        base=training.base,
        base_digest=training.base_digest,
        data=dict(training.data),
        chats={"train": data["train"], "valid": data["valid"]},
        tokens=data["tokens"],
        buckets=data["buckets"],
        recipe=training.recipe,
        steps=done["steps"],
        steps_done=done["batches"] // training.recipe.accumulation,
        first_valid_loss=losses[0],
        best_valid_loss=done["best_loss"],
        best_step=done["best_step"],
        curve=tuple(done["curve"]),
        planned_bytes=planned,
        limit_bytes=limit,
        peak_bytes=done["peak"],
        seconds=done["seconds"],
        tokens_per_second=round(done["tokens"] / max(done["seconds"], 1e-9), 2),
        resumed=resumed,
        versions=installed_versions(),
        finished=time.time(),
    )


def adapter_row(folder: Path) -> Adapter:
    """The row of a finished adapter. Raises UserError when something of it is missing or not whole."""
    card = read_card(folder)
    return Adapter(
        role=card["role"],
        name=card["name"],
        path=str(folder),
        weights_digest=file_digest(folder / "adapters.safetensors"),
        base=card["base"],
        base_digest=card["base_digest"],
        recipe=json.dumps(card["recipe"], sort_keys=True),
        chats=card["chats"]["train"],
        tokens=card["tokens"],
        steps=card["steps_done"],
        first_valid_loss=card["first_valid_loss"],
        best_valid_loss=card["best_valid_loss"],
        planned_bytes=card["planned_bytes"],
        peak_bytes=card["peak_bytes"],
        seconds=card["seconds"],
    )
