"""Who may import whom: deployments -> flows -> tasks -> nl2sql, downhill only."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEIGHT = {"deployments": 3, "flows": 2, "tasks": 1, "nl2sql": 0}
OFFLINE = ("nl2sql.profiling", "nl2sql.indexes", "nl2sql.training")
SOURCES = sorted(p for room in HEIGHT for p in (ROOT / room).rglob("*.py"))


def imports(path: Path) -> set[str]:
    """Modules that a file imports, at whatever depth."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.update({node.module, *(f"{node.module}.{alias.name}" for alias in node.names)})
    return names


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_downhill(path):
    room = path.relative_to(ROOT).parts[0]
    found = imports(path)
    uphill = {n for n in found if HEIGHT.get(n.split(".")[0], -1) > HEIGHT[room]}
    assert not uphill
    if room == "nl2sql":
        assert not {n for n in found if n.split(".")[0] in ("prefect", "click")}
        assert "os.environ" not in path.read_text(encoding="utf-8")
        assert not {n for n in found if n.split(".")[0] in ("pickle", "shelve", "joblib")}


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_offline_and_online_never_meet(path):
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    found = imports(path)
    if module.startswith(OFFLINE):
        assert not {n for n in found if n.startswith("nl2sql.online")}
    if module.startswith("nl2sql.online"):
        assert not {n for n in found if n.startswith(OFFLINE)}


def test_tasks_do_not_import_sibling_tasks():
    helpers = {"tasks.artifact_store", "tasks.cached_task", "tasks.code_digest", "tasks.database_context"}
    helpers |= {"tasks.training_inputs", "tasks.model_access", "tasks.run_apart", "tasks.under_way"}
    helpers |= {"tasks.remote_files", "tasks.embedding_store"}
    for path in (ROOT / "tasks").glob("*.py"):
        siblings = {n for n in imports(path) if n.startswith("tasks.") and ".".join(n.split(".")[:2]) not in helpers}
        assert not siblings, path


def test_datasets_is_not_a_package():
    assert not list((ROOT / "datasets").rglob("__init__.py"))  # it would shadow the package of that name


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_modules_stay_readable(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
