"""Which local models there are: bases, adapters trained on them, and the names under which a lineup asks for them.

'local:NAME@DIGEST' is what requests carry, so that a cached answer belongs to the weights that gave it. NAME is a role
(its newest adapter), the folder of an adapter, or a base; ',kv8' and ',grammar' after the digest are ways to run it
that change answers, too.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from nl2sql.errors import UserError

ROLES = ("generator_a", "generator_b", "selector", "reasoner")
DEFAULT_BASE = "mlx-community/Qwen2.5-Coder-7B-Instruct-4bit"
PREFIX = "local:"
DIGEST_DIGITS = 16
WAYS = re.compile(r"(?:,(?:kv[48]|grammar))*$")  # how a model is run, behind its name or its digest
BLOB = re.compile(r"[0-9a-f]{64}")  # a model hub's cache names large files by their SHA-256
DESCRIBING = ("config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "chat_template.json")


@dataclass(frozen=True)
class LocalFolders:
    """Where local models lie and where their lock is. It decides no answer, so it belongs to no cache key."""

    keyed: ClassVar[bool] = False
    adapters: Path  # a folder per adapter
    lock: Path  # one per user and machine
    hubs: tuple[Path, ...] = ()  # caches of a model hub, looked at and never added to


@dataclass(frozen=True)
class LocalModel:
    """A base, with or without an adapter, and how it is run."""

    name: str
    base: Path
    adapter: Path | None
    digest: str
    kv_bits: int = 0  # of the key-value cache; 0: as the weights compute
    constrained: bool = False  # answers keep to the request's JSON schema, or to SQL, token by token

    @property
    def asked_as(self) -> str:
        """The model string of its requests."""
        ways = f",kv{self.kv_bits}" * bool(self.kv_bits) + ",grammar" * self.constrained
        return f"{PREFIX}{self.name}@{self.digest}{ways}"


def resolve_local(name: str, folders: LocalFolders, kv_bits: int = 0, constrained: bool = False) -> str:
    """'local:NAME@DIGEST' for a role, an adapter's folder, or a base by name or path, with or without 'local:'.

    Ways to run it may stand behind the name: 'local:selector,kv8'. Raises UserError when there is no such model, or
    not all of it.
    """
    ways = WAYS.search(name)
    told = ways[0].split(",") if ways else []
    name = WAYS.sub("", name).removeprefix(PREFIX).partition("@")[0]
    kv_bits = kv_bits or next((int(way[2:]) for way in told if way.startswith("kv")), 0)
    constrained = constrained or "grammar" in told
    if kv_bits not in (0, 4, 8):
        raise UserError(f"{name}: a key-value cache has 4 or 8 bits, or 0 for full precision, not {kv_bits}")
    base, adapter = _find(name, folders)
    return LocalModel(name, base, adapter, _digest(base, adapter), kv_bits, constrained).asked_as


def locate_local(asked: str, folders: LocalFolders) -> LocalModel:
    """The model of a request. Raises UserError when it is not there, or no longer the one that was resolved."""
    name, at, rest = asked.removeprefix(PREFIX).rpartition("@")
    if not asked.startswith(PREFIX) or not at:
        raise UserError(f"{asked!r} is no local model: it must read local:NAME@DIGEST, as resolve_local writes it")
    digest, *ways = rest.split(",")
    base, adapter = _find(name, folders)
    found = _digest(base, adapter)
    if found != digest:
        raise UserError(
            f"local model {name} has changed since the run began (digest {found}, was {digest}): run it again"
        )
    kv_bits = next((int(way[2:]) for way in ways if re.fullmatch(r"kv\d", way)), 0)
    return LocalModel(name, base, adapter, digest, kv_bits, "grammar" in ways)


def find_base(name: str, hubs: tuple[Path, ...]) -> Path:
    """The folder of a base model: a path, or a name whose files a model hub's cache holds.

    Raises UserError when there is none or something of it is missing. Nothing is ever downloaded.
    """
    folder = Path(name).expanduser()
    if not folder.is_dir():
        folder = next((found for hub in hubs if (found := _snapshot(hub, name))), folder)
    if not folder.is_dir():
        raise UserError(
            f"base model {name!r} is not on this machine, and nothing is downloaded by itself: name a folder with"
            f" --base, or fetch it once with: hf download {name if '/' in name else DEFAULT_BASE}"
        )
    folder = folder.resolve()
    if not (folder / "config.json").is_file():
        raise UserError(f"{folder} is no model: it has no config.json. Name the folder of a converted model")
    weight_files(folder)
    return folder


def _snapshot(hub: Path, name: str) -> Path | None:
    repository = hub / f"models--{name.replace('/', '--')}"
    reference = repository / "refs" / "main"
    if not reference.is_file():
        return None
    return repository / "snapshots" / reference.read_text(encoding="utf-8").strip()


def weight_files(folder: Path) -> list[Path]:
    """The weights of a model, all shards. Raises UserError when there are none, one is missing or half-written."""
    files = sorted(folder.glob("model*.safetensors"))
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        named = set(read_json(index).get("weight_map", {}).values())
        missing = sorted(named - {file.name for file in files})
        if missing:
            raise UserError(f"{folder} lacks {missing[0]}, which its index names: fetch or convert the model again")
    if not files:
        raise UserError(
            f"{folder} has no weights (model*.safetensors): convert the model with"
            f" mlx_lm.convert --hf-path {folder} -q, or name another folder"
        )
    for file in files:
        tensor_table(file)
    return files


def tensor_table(file: Path) -> dict[str, Any]:
    """The header of a safetensors file: name -> {dtype, shape, data_offsets}. Raises UserError when it is not whole."""
    try:
        with open(file, "rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            size = file.stat().st_size
            header = json.loads(stream.read(length)) if 0 < length < size else {}
        header.pop("__metadata__", None)
        end = max((entry["data_offsets"][1] for entry in header.values()), default=-1)
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise UserError(f"{file} cannot be read as weights ({error}): fetch or train it again") from error
    if end < 0 or 8 + length + end != size:
        raise UserError(f"{file} is half-written ({size:,} bytes): fetch or train it again")
    return header


def _find(name: str, folders: LocalFolders) -> tuple[Path, Path | None]:
    adapter = find_adapter(name, folders.adapters)
    if adapter is None:
        if name in ROLES:
            raise UserError(f"there is no adapter for the role {name} in {folders.adapters}: nl2sql train {name}")
        return find_base(name, folders.hubs), None
    card = read_card(adapter)
    base = find_base(card["base"], folders.hubs)
    check_base(adapter, card, base)
    return base, adapter


def find_adapter(name: str, folder: Path) -> Path | None:
    """The folder of an adapter: the newest of a role, one by its name, or a path. None for another name."""
    if name in ROLES:
        trained = [path for path in adapter_folders(folder) if path.name.startswith(f"{name}-")]
        return max(trained, key=lambda path: (read_card(path)["finished"], path.name), default=None)
    for path in (folder / name, Path(name).expanduser()):
        if (path / "adapter_config.json").is_file():
            return path.resolve()
    return None


def adapter_folders(folder: Path) -> list[Path]:
    """The adapters that were trained to their end."""
    return sorted(path.parent for path in folder.glob("*/card.json") if not path.parent.name.startswith("."))


def read_card(adapter: Path) -> dict[str, Any]:
    """The card of an adapter. Raises UserError when it or the weights are not whole."""
    card = read_json(adapter / "card.json")
    if not isinstance(card.get("base"), str) or not isinstance(card.get("base_digest"), str):
        raise UserError(f"{adapter / 'card.json'} names no base: train the adapter again with nl2sql train")
    if not (adapter / "adapters.safetensors").is_file():
        raise UserError(f"{adapter} has no weights (adapters.safetensors): train it again with nl2sql train")
    tensor_table(adapter / "adapters.safetensors")
    return card


def check_base(adapter: Path, card: dict[str, Any], base: Path) -> None:
    """Raise UserError when an adapter was trained on another base than this one."""
    found = base_digest(base)
    if found != card["base_digest"]:
        raise UserError(
            f"{adapter} was trained on another base ({card['base']}, digest {card['base_digest'][:DIGEST_DIGITS]}) than"
            f" {base} (digest {found[:DIGEST_DIGITS]}): name that base, or train again with nl2sql train"
        )


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file; raises UserError for anything else."""
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read ({error}): fetch or train the model again") from error
    if not isinstance(held, dict):
        raise UserError(f"{path} holds no JSON object: fetch or train the model again")
    return held


def base_digest(folder: Path) -> str:
    """Digest of what a base computes: weights, architecture, tokenizer and chat template."""
    files = [folder / name for name in DESCRIBING if (folder / name).is_file()]
    return _combined([*files, *sorted(folder.glob("model*.safetensors"))])


def adapter_digest(folder: Path) -> str:
    """Digest of an adapter's weights and of how they are applied."""
    return _combined([folder / "adapter_config.json", folder / "adapters.safetensors"])


def _digest(base: Path, adapter: Path | None) -> str:
    parts = [base_digest(base), adapter_digest(adapter) if adapter else ""]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:DIGEST_DIGITS]


def _combined(files: list[Path]) -> str:
    lines = [f"{file.name} {file_digest(file)}" for file in files]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def file_digest(file: Path) -> str:
    """SHA-256 of a file; each state of it is read once per process, and a hub's large files not at all."""
    target = file.resolve()
    if BLOB.fullmatch(target.name) and target.parent.name == "blobs":
        return target.name
    stat = target.stat()
    return _digest_of(str(target), stat.st_size, stat.st_mtime_ns, stat.st_ino)


@lru_cache(maxsize=4096)
def _digest_of(path: str, size: int, modified: int, inode: int) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
