"""A digest of the code that a function can reach here, so that an edit reruns what depends on it and no more.

Prefect's TASK_SOURCE sees only the decorated function. Here the modules that the function's module imports, directly or
through others, are hashed as syntax trees (comments and layout do not count), with the prompt and template files beside
them and the versions of the packages that they import.
"""

import ast
import hashlib
import inspect
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import astuple, dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from threading import Lock
from typing import Any

PACKAGE = "nl2sql"
DATA_SUFFIXES = {".txt", ".md", ".json", ".html", ".jinja", ".toml"}
DISTRIBUTIONS = {"faiss": "faiss-cpu", "sentence_transformers": "sentence-transformers"}


def code_digest(functions: Iterable[Callable[..., Any]]) -> str:
    """Digest of the modules that the functions live in and of all that these import within the package."""
    digest = hashlib.sha256()
    modules: set[str] = set()
    for function in functions:
        modules |= reachable_modules(function.__module__)
    for module in sorted(modules):
        digest.update(f"{module} {_module_digest(module)}\n".encode())
    for package in sorted({p for m in modules for p in _facts(m).other}):
        digest.update(f"{package} {_version(package)}\n".encode())
    _keep()
    return digest.hexdigest()


def reachable_modules(module: str) -> set[str]:
    """Names of the package's modules that a module imports, itself included."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in found or not _file(name):
            continue
        found.add(name)
        waiting.extend(_facts(name).own)
    return found


@cache
def _root() -> Path:
    package = sys.modules.get(PACKAGE) or __import__(PACKAGE)
    return Path(str(package.__file__)).parent


def _file(module: str) -> Path | None:
    first, *rest = module.split(".")
    if first != PACKAGE:
        return None
    base = _root().joinpath(*rest)
    options = (base / "__init__.py", base.with_suffix(".py"))
    return next((path for path in options if path.is_file()), None)


@dataclass(frozen=True)
class Facts:
    """What a module's file says: digests of its text and its syntax tree, and what it imports."""

    source: str
    tree: str
    own: list[str]  # modules of the package
    other: list[str]  # other packages


@cache
def _facts(module: str) -> Facts:
    path = _file(module)
    assert path is not None
    source = path.read_bytes()
    digest = hashlib.sha256(source).hexdigest()
    # To take all modules apart takes a second of each command; what was found lies beside Python's own bytecode.
    if module not in _kept() or _kept()[module].source != digest:
        _kept()[module] = _read(ast.parse(source), module, digest)
        _FRESH.append(module)
    return _kept()[module]


def _read(tree: ast.Module, module: str, source: str) -> Facts:
    names = {name for node in ast.walk(tree) for name in _imported_names(node, module)}
    own = {name for name in names if name.split(".")[0] == PACKAGE}
    other = {name.split(".")[0] for name in names - own} - sys.stdlib_module_names
    return Facts(source, hashlib.sha256(ast.dump(tree).encode()).hexdigest(), sorted(own), sorted(other))


_FRESH: list[str] = []  # modules that the file does not hold as they are now
_KEEPING = Lock()


def _facts_file() -> Path:
    return _root() / "__pycache__" / f"code_digests.{sys.implementation.cache_tag}.json"


@cache
def _kept() -> dict[str, Facts]:
    """Facts by module, as they were when they were last looked at; what cannot be read is found anew."""
    try:
        return {name: Facts(*held) for name, held in json.loads(_facts_file().read_text(encoding="utf-8")).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _keep() -> None:
    """Write down what is new, where Python may write, too."""
    with _KEEPING:
        if not _FRESH or sys.dont_write_bytecode:
            return
        _FRESH.clear()
        held = {name: astuple(facts) for name, facts in dict(_kept()).items()}
        path = _facts_file()
        temporary = path.with_name(f"{path.name}.{os.getpid()}")
        with suppress(OSError):
            path.parent.mkdir(exist_ok=True)
            temporary.write_text(json.dumps(held), encoding="utf-8")
            temporary.replace(path)


@cache
def _module_digest(module: str) -> str:
    path = _file(module)
    assert path is not None
    digest = hashlib.sha256(_facts(module).tree.encode())
    for data in sorted(_data_files(path.parent)):
        digest.update(data.relative_to(path.parent).as_posix().encode() + data.read_bytes())
    return digest.hexdigest()


def _data_files(folder: Path) -> Iterator[Path]:
    """Data files of a folder and of those folders in it that are no packages, such as prompts by role."""
    for path in folder.iterdir():
        if path.is_dir() and path.name != "__pycache__" and not (path / "__init__.py").exists():
            yield from _data_files(path)
        elif path.suffix in DATA_SUFFIXES:
            yield path


def _imported_names(node: ast.AST, module: str) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = node.module or ""
    if node.level:
        inside = module.split(".") if _is_package(module) else module.split(".")[:-1]
        base = ".".join([*inside[: len(inside) - node.level + 1], *([node.module] if node.module else [])])
    # `from package import name` may name a module or something inside one.
    return [base, *(f"{base}.{alias.name}" for alias in node.names)]


def _is_package(module: str) -> bool:
    path = _file(module)
    return path is not None and path.name == "__init__.py"


@cache
def _version(package: str) -> str:
    try:
        return version(DISTRIBUTIONS.get(package, package))
    except PackageNotFoundError:
        return ""


def source_of(function: Callable[..., Any]) -> str:
    """The syntax tree of one function as text, for the body of a task itself."""
    return ast.dump(ast.parse(inspect.cleandoc("\n" + inspect.getsource(function)).lstrip()))
