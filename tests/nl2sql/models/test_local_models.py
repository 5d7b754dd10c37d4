"""Names of local models, and what is wrong with incomplete ones."""

import json
import shutil
from pathlib import Path

import pytest

from nl2sql.errors import UserError
from nl2sql.models.local_catalogue import cache_bytes, list_models
from nl2sql.models.local_models import LocalFolders, base_digest, find_base, locate_local, resolve_local


@pytest.fixture
def folders(tmp_path) -> LocalFolders:
    return LocalFolders(tmp_path / "adapters", tmp_path / "lock", (tmp_path / "hub",))


@pytest.fixture
def base(tiny_model, tmp_path) -> Path:
    """A copy that a test may break."""
    return Path(shutil.copytree(tiny_model / "fp32", tmp_path / "base"))


def add_adapter(folders: LocalFolders, base: Path, name: str, finished: float = 1.0, **changed: str) -> Path:
    folder = folders.adapters / name
    folder.mkdir(parents=True)
    shutil.copy(base / "model.safetensors", folder / "adapters.safetensors")
    (folder / "adapter_config.json").write_text("{}")
    card = {"base": str(base), "base_digest": base_digest(base), "finished": finished, **changed}
    (folder / "card.json").write_text(json.dumps(card))
    return folder


def test_a_name_carries_the_digest_of_the_weights(folders, base):
    name = resolve_local(str(base), folders)
    assert name.startswith(f"local:{base}@")
    assert resolve_local(name, folders) == name
    assert locate_local(name, folders).base == base.resolve()
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps({**config, "rms_norm_eps": 1e-5}))
    assert resolve_local(str(base), folders) != name
    with pytest.raises(UserError, match="has changed since the run began"):
        locate_local(name, folders)


def test_ways_to_run_are_part_of_the_name(folders, base):
    name = resolve_local(str(base), folders, kv_bits=8, constrained=True)
    assert name.endswith(",kv8,grammar")
    found = locate_local(name, folders)
    assert (found.kv_bits, found.constrained, found.asked_as) == (8, True, name)
    assert resolve_local(name, folders) == resolve_local(f"local:{base},kv8,grammar", folders) == name
    with pytest.raises(UserError, match="4 or 8 bits"):
        resolve_local(str(base), folders, kv_bits=3)


def test_a_role_is_its_newest_adapter(folders, base):
    add_adapter(folders, base, "selector-aaa", 5.0)
    newest = add_adapter(folders, base, "selector-bbb", 9.0)
    add_adapter(folders, base, ".selector-ccc.training", 99.0)
    assert locate_local(resolve_local("selector", folders), folders).adapter == newest
    assert locate_local(resolve_local("selector-aaa", folders), folders).name == "selector-aaa"
    with pytest.raises(UserError, match="nl2sql train reasoner"):
        resolve_local("reasoner", folders)


def test_an_adapter_of_another_base_is_refused(folders, base):
    add_adapter(folders, base, "selector-aaa", base_digest="0" * 64)
    with pytest.raises(UserError, match="was trained on another base"):
        resolve_local("selector", folders)


def test_a_hub_cache_is_read(folders, base, tmp_path):
    repository = tmp_path / "hub" / "models--someone--tiny"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("abc")
    shutil.copytree(base, repository / "snapshots" / "abc")
    assert find_base("someone/tiny", folders.hubs).name == "abc"
    with pytest.raises(UserError, match="hf download someone/other"):
        find_base("someone/other", folders.hubs)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda b: (b / "model.safetensors").unlink(), "has no weights"),
        (lambda b: (b / "config.json").unlink(), "has no config.json"),
        (lambda b: (b / "model.safetensors").write_bytes((b / "model.safetensors").read_bytes()[:-9]), "half-written"),
        (lambda b: (b / "model.safetensors").write_bytes(b"\xff" * 40), "half-written"),
        (lambda b: (b / "model.safetensors").write_bytes(b""), "half-written"),
        (lambda b: (b / "model.safetensors").write_bytes(b"\x09" + b"\0" * 7 + b"nonsense\n" * 3), "cannot be read"),
        (
            lambda b: (b / "model.safetensors.index.json").write_text('{"weight_map": {"x": "model-2.safetensors"}}'),
            "lacks model-2.safetensors",
        ),
    ],
)
def test_a_base_that_is_not_whole_is_one_clear_line(folders, base, harm, said):
    harm(base)
    with pytest.raises(UserError, match=said) as error:
        resolve_local(str(base), folders)
    assert "\n" not in str(error.value)


def test_the_list_shows_sizes_what_fits_and_what_is_broken(folders, base):
    add_adapter(folders, base, "selector-aaa")
    broken = add_adapter(folders, base, "generator_a-bbb")
    (broken / "adapters.safetensors").write_bytes(b"short")
    listed = {m.name: m for m in list_models(folders, limit=10**9)}
    whole = listed["selector-aaa"]
    assert whole.fits
    assert whole.role == "selector"
    assert whole.bytes == 2 * (base / "model.safetensors").stat().st_size
    assert whole.serving_bytes > whole.bytes
    assert cache_bytes(base) == 2 * 2 * 64 * 2  # keys and values, two layers, one head of 64, two bytes
    assert "half-written" in listed["generator_a-bbb"].problem
    assert not any(m.fits for m in list_models(folders, limit=1000))
