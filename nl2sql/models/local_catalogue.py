"""What local models there are on this machine, how large they are and which would fit."""

from dataclasses import dataclass
from pathlib import Path

from nl2sql.errors import UserError
from nl2sql.models.local_models import (
    LocalFolders,
    LocalModel,
    adapter_folders,
    find_base,
    locate_local,
    read_json,
    resolve_local,
    tensor_table,
    weight_files,
)

SERVED_TOKENS = 8192  # of all requests that are decoded together, prompts included
OVERHEAD = 0.4e9  # bytes: buffers that mlx keeps, activations of one prefill step
KV_BYTES = 2  # of a key or value, as the weights compute


@dataclass(frozen=True)
class Listed:
    """A line of the list. `problem` is '' for a model that can be asked."""

    name: str
    kind: str  # base or adapter
    role: str
    base: str
    path: str
    bytes: int  # on disk
    serving_bytes: int  # in memory, with a full cache
    fits: bool
    digest: str
    problem: str


def list_models(folders: LocalFolders, limit: int) -> list[Listed]:
    """Bases in the hubs' caches, then adapters; broken ones are listed with what is wrong with them."""
    bases = [name for hub in folders.hubs for name in _hub_names(hub)]
    adapters = [path.name for path in adapter_folders(folders.adapters)]
    return [
        *(_listed(name, "base", folders, limit) for name in bases),
        *(_listed(name, "adapter", folders, limit) for name in adapters),
    ]


def _hub_names(hub: Path) -> list[str]:
    """Repositories whose snapshot looks like a language model that mlx-lm could load."""
    found = []
    for repository in sorted(hub.glob("models--*")):
        name = repository.name.removeprefix("models--").replace("--", "/")
        if any((snapshot / "config.json").is_file() for snapshot in repository.glob("snapshots/*")):
            found.append(name)
    return found


def _listed(name: str, kind: str, folders: LocalFolders, limit: int) -> Listed:
    role = name.rpartition("-")[0] if kind == "adapter" else ""
    try:
        model = locate_local(resolve_local(name, folders), folders)
    except UserError as error:
        path = folders.adapters / name if kind == "adapter" else Path(name)
        return Listed(name, kind, role, "", str(path), 0, 0, False, "", str(error))
    size, needed = model_bytes(model), serving_bytes(model)
    base = read_json(model.adapter / "card.json")["base"] if model.adapter else ""
    path = model.adapter or model.base
    return Listed(name, kind, role, base, str(path), size, needed, needed <= limit, model.digest, "")


def model_bytes(model: LocalModel) -> int:
    """Of the weights that are loaded, as they lie on disk."""
    adapter = [model.adapter / "adapters.safetensors"] if model.adapter else []
    return sum(file.stat().st_size for file in (*weight_files(model.base), *adapter))


def serving_bytes(model: LocalModel) -> int:
    """Memory to answer with: weights, the keys and values of SERVED_TOKENS, and a little."""
    return int(model_bytes(model) + SERVED_TOKENS * cache_bytes(model.base) + OVERHEAD)


def cache_bytes(base: Path) -> int:
    """Bytes of the key-value cache per token. Raises UserError for a config without the usual fields."""
    config = read_json(find_base(str(base), ()) / "config.json")
    try:
        heads, width = config["num_attention_heads"], config["hidden_size"]
        head = config.get("head_dim") or width // heads
        return 2 * config["num_hidden_layers"] * config.get("num_key_value_heads", heads) * head * KV_BYTES
    except (KeyError, TypeError, ZeroDivisionError) as error:
        raise UserError(f"{base / 'config.json'} describes no model of a known kind ({error})") from error


def tensor_bytes(base: Path) -> int:
    """Of a base's weights in memory."""
    tables = [tensor_table(file) for file in weight_files(base)]
    return sum(entry["data_offsets"][1] - entry["data_offsets"][0] for table in tables for entry in table.values())
