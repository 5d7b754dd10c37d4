"""Whatever lies in the folder of artifacts, reading it executes nothing, and what was altered is refused."""

import ast
import json
import pickle
import re
from pathlib import Path

import cloudpickle
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from prefect.serializers import JSONSerializer

from nl2sql.errors import UserError
from nl2sql.rows import Step
from tasks.artifact_store import ArtifactStore, Provenance, read_rows
from tasks.cached_task import holds_an_artifact

ROOT = Path(__file__).parents[2]
SOURCES = sorted(p for room in ("nl2sql", "tasks", "flows", "deployments") for p in (ROOT / room).rglob("*.py"))
# Readers that run what they read, and functions that run text.
EXECUTING_MODULES = {"pickle", "cPickle", "cloudpickle", "dill", "shelve", "joblib", "jsonpickle", "marshal", "code"}
EXECUTING_CALLS = re.compile(
    r"^(?:eval|exec)$|(?:^|\.)(?:load_extension|enable_load_extension|read_index|read_pickle|to_pickle|from_pickle"
    r"|unsafe_load|full_load)$|^(?:np|numpy|torch|yaml)\.load$|^os\.(?:system|popen)$"
)
PIPES = {"nl2sql/query_pool.py", "nl2sql/query_worker.py"}  # marshal, between a process and its own child


class Bomb:
    """Unpickled, it leaves a file."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self):
        return Path.touch, (self.trace,)


def imported(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_that_executes_is_used_to_read(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    banned = imported(tree) & EXECUTING_MODULES
    assert not banned - ({"marshal"} if str(path.relative_to(ROOT)) in PIPES else set())
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call)]
    assert not [c for c in calls if EXECUTING_CALLS.search(ast.unparse(c.func))]
    said = {k.arg: ast.unparse(k.value) for c in calls for k in c.keywords if k.arg}
    assert said.get("allow_pickle", "False") == "False"
    assert said.get("shell", "False") == "False"
    assert said.get("trust_remote_code", "False") == "False"
    assert "|safe" not in path.read_text(encoding="utf-8")


@pytest.fixture
def store(tmp_path) -> ArtifactStore:
    return ArtifactStore(str(tmp_path / "artifacts"))


@pytest.fixture
def written(store):
    step = Step("profile_database", "zoo", -1, "profiles", "p", "s", 1, 1, 0.5, False, "")
    return store.write("manifests", "key", [step], Provenance("manifest"))


def test_an_altered_file_is_refused(written, store):
    path = Path(written.path)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert store.find("manifests", "key") is None
    with pytest.raises(UserError, match="missing or altered"):
        read_rows(written, Step)


@pytest.mark.parametrize(
    "card",
    [b"", b"{", b"[]", b"null", b'{"kind": "manifests"}', b"\xff\xfe", b"[" * 100_000, pickle.dumps({"kind": "x"})],
)
def test_an_altered_card_is_as_if_there_were_none(written, store, card):
    (found,) = [p for p in Path(written.path).parent.iterdir() if p.suffix != ".parquet"]
    found.write_bytes(card)
    assert store.find("manifests", "key") is None


def test_a_card_cannot_point_to_a_file_elsewhere(written, store, tmp_path):
    outside = tmp_path / "outside.parquet"
    outside.write_bytes(Path(written.path).read_bytes())
    (card,) = [p for p in Path(written.path).parent.iterdir() if p.suffix != ".parquet"]
    card.write_text(json.dumps({**json.loads(card.read_text()), "path": str(outside)}))
    found = store.find("manifests", "key")
    assert found is None or Path(found.path).parent == Path(written.path).parent


def test_an_extension_type_is_not_brought_to_life(tmp_path):
    trace = tmp_path / "trace"
    metadata = {
        b"ARROW:extension:name": b"arrow.py_extension_type",
        b"ARROW:extension:metadata": pickle.dumps(Bomb(trace)),
    }
    field = pa.field("x", pa.int64(), metadata=metadata)
    pq.write_table(pa.table({"x": [1]}, schema=pa.schema([field])), tmp_path / "x.parquet")
    assert pq.read_table(tmp_path / "x.parquet")["x"].to_pylist() == [1]
    assert not trace.exists()


# --- Prefect's records ----------------------------------------------------------------------------------------------


def record(serializer: dict, result: object) -> bytes:
    return json.dumps({"metadata": {"storage_key": "x", "serializer": serializer}, "result": result}).encode()


PLAIN = JSONSerializer().model_dump()
ARTIFACT = {"kind": "k", "path": "p", "sha256": "s", "rows": 1, "schema_version": 1, "seconds": 0.5}


@pytest.mark.parametrize(
    "content",
    [
        record({"type": "pickle", "picklelib": "cloudpickle"}, cloudpickle.dumps(1).hex()),
        record({**PLAIN, "jsonlib": "pickle"}, json.dumps({"__class__": "tasks.artifact_store.Artifact", "data": {}})),
        record({**PLAIN, "object_decoder": "os.system"}, json.dumps({"x": 1})),
        record(PLAIN, json.dumps({"__class__": "subprocess.Popen", "data": {"args": "true"}})),
        record(PLAIN, json.dumps({"__exc_type__": "builtins.SystemExit", "message": "x"})),
        record(PLAIN, json.dumps({"__class__": "tasks.artifact_store.Artifact", "data": {"kind": {"__class__": "x"}}})),
        record(PLAIN, json.dumps([1])),
        record(PLAIN, "null"),
        b"",
        b"\x80\x04.",
        b"[]",
    ],
)
def test_a_record_that_is_not_an_artifact_is_not_read(tmp_path, content):
    path = tmp_path / "record"
    path.write_bytes(content)
    assert not holds_an_artifact(path)


def test_a_record_as_our_tasks_write_it_is_read(tmp_path):
    path = tmp_path / "record"
    assert holds_an_artifact(path)  # there is none
    path.write_bytes(record(PLAIN, json.dumps({"__class__": "tasks.artifact_store.Artifact", "data": ARTIFACT})))
    assert holds_an_artifact(path)
