"""A digest of the code that a function can reach here, so that an edit reruns what depends on it and no more.

Prefect's TASK_SOURCE sees only the decorated function. Here the modules that the function's module imports, directly or
through others, are hashed as syntax trees (comments and layout do not count), with the prompt and template files beside
them and the versions of the packages that they import.
"""

import ast
import hashlib
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
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
    for package in sorted({p for m in modules for p in _imports(m)[1]}):
        digest.update(f"{package} {_version(package)}\n".encode())
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
        waiting.extend(_imports(name)[0])
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


@cache
def _tree(module: str) -> ast.Module:
    path = _file(module)
    assert path is not None
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def _module_digest(module: str) -> str:
    path = _file(module)
    assert path is not None
    digest = hashlib.sha256(ast.dump(_tree(module)).encode())
    for data in sorted(_data_files(path.parent)):
        digest.update(data.relative_to(path.parent).as_posix().encode() + data.read_bytes())
    return digest.hexdigest()


def _data_files(folder: Path) -> Iterator[Path]:
    """Data files of a folder and of those folders in it that are no packages, such as prompts by role."""
    for path in folder.iterdir():
        if path.is_dir() and not (path / "__init__.py").exists():
            yield from _data_files(path)
        elif path.suffix in DATA_SUFFIXES:
            yield path


@cache
def _imports(module: str) -> tuple[frozenset[str], frozenset[str]]:
    """The package's own modules and the other top-level packages that a module names in imports, at any depth."""
    own: set[str] = set()
    other: set[str] = set()
    for node in ast.walk(_tree(module)):
        for name in _imported_names(node, module):
            (own if name.split(".")[0] == PACKAGE else other).add(name)
    return frozenset(own), frozenset(n.split(".")[0] for n in other) - sys.stdlib_module_names


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
