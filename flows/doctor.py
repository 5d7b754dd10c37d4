"""What this machine lacks for a run: one line for each thing that can stop one, with the command that mends it."""

import hashlib
import json
import os
import platform
import shutil
import sqlite3
import sys
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import Requirement

from flows.environment import LOCAL_SERVER
from flows.model_choices import LOCAL, models_of, provider_option
from flows.model_options import ProviderOption
from flows.options import Options
from nl2sql.benchmarks import Benchmark, load_benchmark
from nl2sql.errors import UserError
from nl2sql.execution import Limits
from nl2sql.scoring.execute_golds import execute_golds
from tasks.artifact_store import local_folder

OK, WARN, FAIL = "ok", "warn", "fail"
GIB = 2**30
LEAST_FREE, ENOUGH_FREE = 1 * GIB, 10 * GIB
ENOUGH_MEMORY = 7.5 * GIB  # Prefect's server, a run with embeddings, and children that execute SQL
SMALL_BASE = 7.3 * GIB  # what training a 7B adapter at 1,024 tokens takes
SEEN_FAILURES = 3
BROKEN_SCHEDULER = (2, 1)  # of SQLAlchemy: inserting scheduled runs raises InvalidRequestError
LOCK = Path(__file__).parent.parent / "requirements.lock"
# Questions of the published splits, by which a release is told.
RELEASES = {
    ("BIRD", "dev"): {1534: "the full dev set"},
    ("BIRD", "train"): {9428: "the full train set", 6601: "the filtered train set"},
    ("BIRD mini-dev", "dev"): {500: "mini-dev", 498: "mini-dev as on the model hub"},
    ("Spider", "dev"): {1034: "the full dev set"},
    ("Spider", "train"): {7000: "the full train set"},
}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    status: str  # ok, warn or fail
    found: str
    mend: str = ""  # what to do about it


@dataclass(frozen=True)
class Patient:
    """What is looked at: this machine, a preset, the folder of artifacts and the benchmark, if one was named."""

    options: Options
    artifacts: str
    dataset: str = ""
    split: str = "dev"
    reach: bool = True  # ask the models' servers whether they answer; nothing is paid for that


Check = Callable[[Patient], Iterator[Finding]]


def examine(patient: Patient) -> list[Finding]:
    """Look at everything, in the order of CHECKS. Keys are never read into a finding."""
    return [finding for check in CHECKS for finding in check(patient)]


def python(patient: Patient) -> Iterator[Finding]:
    """Python and SQLite are new enough."""
    status = OK if sys.version_info >= (3, 11) else FAIL
    yield Finding("Python", status, platform.python_version(), "" if status == OK else "make setup PYTHON=python3.11")
    fresh = sqlite3.sqlite_version_info >= (3, 35)
    mend = "" if fresh else "use a Python that is linked with SQLite 3.35 or later: math functions are missing"
    yield Finding("SQLite", OK if fresh else WARN, sqlite3.sqlite_version, mend)


def packages(patient: Patient) -> Iterator[Finding]:
    """Installed versions are those that were tested together."""
    locked = dict(_locked())
    found = {name: _installed(name) for name in locked}
    other = [f"{n} {v} (locked {locked[n]})" for n, v in found.items() if v and v.partition("+")[0] != locked[n]]
    said = f"{len(locked) - len(other)} as locked" if not other else f"not as locked: {', '.join(other[:5])}"
    yield Finding("packages", WARN if other else OK, said, "make setup" if other else "")


def _locked() -> Iterator[tuple[str, str]]:
    """Names and versions of the lock that hold for this Python on this machine."""
    text = LOCK.read_text(encoding="utf-8") if LOCK.is_file() else ""
    for line in text.splitlines():
        if "==" in line and not line.lstrip().startswith("#"):
            wanted = Requirement(line.strip())
            if wanted.marker is None or wanted.marker.evaluate():
                yield wanted.name, str(wanted.specifier).removeprefix("==")


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""  # of another platform


def room(patient: Patient) -> Iterator[Finding]:
    """Disk and memory."""
    folder = Path(local_folder(patient.artifacts)).absolute()  # that of answers and adapters, if the rest is remote
    existing = next(p for p in (folder, *folder.parents) if p.exists())
    free = shutil.disk_usage(existing).free
    status = FAIL if free < LEAST_FREE else WARN if free < ENOUGH_FREE else OK
    mend = "" if status == OK else "make clean, or name another folder with --artifacts"
    yield Finding("disk", status, f"{free / GIB:.1f} GiB free for {existing}", mend)
    held = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    mend = "" if held >= ENOUGH_MEMORY else "close other programs, and let one run go at a time"
    yield Finding("memory", WARN if mend else OK, f"{held / GIB:.1f} GiB", mend)
    writable = os.access(existing, os.W_OK)
    mend = "" if writable else "name a folder of your own with --artifacts"
    yield Finding("artifacts", OK if writable else FAIL, "writable" if writable else f"{existing}: read-only", mend)


def accelerator(patient: Patient) -> Iterator[Finding]:
    """What local models run on, and whether a 7B model can be trained in its memory."""
    from nl2sql.models.machine_memory import memory_limit

    limit, metal = memory_limit(), sys.platform == "darwin" and platform.machine() == "arm64"
    where = "Metal" if metal else "CPU"
    mend = "" if metal else "a 7B model is unusably slow on a CPU: use --preset api, or a Mac"
    status = OK if metal and limit >= SMALL_BASE else WARN
    yield Finding("local models", status, f"{where}, {limit / GIB:.1f} GiB for weights and cache", mend)


def embeddings(patient: Patient) -> Iterator[Finding]:
    """The sentence embeddings are there without a network."""
    from nl2sql.indexes.embedding import DEFAULT_MODEL, packaged_path

    path = packaged_path(DEFAULT_MODEL)
    if path is not None:
        yield Finding("embeddings", OK, f"{DEFAULT_MODEL}, installed as a package")
    else:
        yield Finding("embeddings", FAIL, f"{DEFAULT_MODEL} is not installed", "make setup")


def keys(patient: Patient) -> Iterator[Finding]:
    """Keys of the preset's providers are set, and their servers answer."""
    models = models_of(patient.options)
    if not models:
        yield Finding("models", OK, f"preset {patient.options.preset} needs none")
    for provider in dict.fromkeys(m.partition("/")[0] for m in models if not m.startswith(LOCAL)):
        option = provider_option(patient.options, provider)
        if option.key and not os.environ.get(option.key):
            yield Finding(f"key of {provider}", FAIL, f"{option.key} is not set", f"export {option.key}=...")
        else:
            yield Finding(f"key of {provider}", OK, f"{option.key} is set" if option.key else "none needed")
        if patient.reach:
            yield _reached(provider, option.api_base)
        yield Finding(f"limits of {provider}", OK, said_limits(option))
    if any(m.startswith(LOCAL) for m in models):
        yield _local_models(patient)


def said_limits(option: ProviderOption) -> str:
    """How many calls at once and a minute a provider is asked for."""
    given = ((option.concurrency, "calls at once"), (option.requests_per_minute, "calls a minute"))
    return ", ".join(f"{n:,.0f} {what}" for n, what in (*given, (option.tokens_per_minute, "tokens a minute")) if n)


def _local_models(patient: Patient) -> Finding:
    from flows.model_settings import with_local_models  # imports Prefect

    names = ", ".join(m.removeprefix(LOCAL) for m in models_of(patient.options) if m.startswith(LOCAL))
    try:
        with_local_models(patient.options, patient.artifacts)
    except UserError as error:
        return Finding("local models there", FAIL, str(error), "nl2sql models lists those that are there")
    return Finding("local models there", OK, names)


HOMES = {"anthropic": "https://api.anthropic.com", "gemini": "https://generativelanguage.googleapis.com"}


def _reached(provider: str, api_base: str | None) -> Finding:
    address = api_base or HOMES.get(provider, "")
    if not address.startswith(("http://", "https://")):
        return Finding(f"{provider} answers", WARN, "no address known", f"give api_base under [providers.{provider}]")
    try:
        with urllib.request.urlopen(address, timeout=5):
            pass
    except urllib.error.HTTPError:
        pass  # it answers, if only that this page needs a key
    except (OSError, ValueError) as error:
        mend = "start the server" if api_base else "check the network, or use --preset offline"
        return Finding(f"{provider} answers", FAIL, f"{address}: {error}", mend)
    return Finding(f"{provider} answers", OK, address)


def benchmark(patient: Patient) -> Iterator[Finding]:
    """The benchmark's files are complete, which release they are, and how many golds run: the ceiling of any score."""
    if not patient.dataset:
        return
    try:
        loaded = load_benchmark(patient.dataset, patient.split)
    except UserError as error:
        yield Finding("benchmark", FAIL, str(error), "download it again and name its folder")
        return
    n = len(loaded.questions)
    release = RELEASES.get((loaded.name, patient.split), {}).get(n, "a part of it, or a release not known here")
    digest = questions_digest(loaded)
    yield Finding("benchmark", OK, f"{loaded.name} {patient.split}, {n:,} questions ({digest}): {release}")
    for problem in loaded.problems[:SEEN_FAILURES]:
        yield Finding("benchmark", WARN, f"{problem.where}: {problem.what}", "compare with the published archive")
    digests = [f"{d.db_id} {d.sha256[:12]}" for d in loaded.databases]
    broken = [d for d in loaded.databases if d.error]
    for database in broken[:SEEN_FAILURES]:
        yield Finding("database", FAIL, f"{database.db_id}: {database.error}", "download it again")
    yield Finding("databases", OK, f"{len(loaded.databases)}: {', '.join(digests[:4])}{' ...' * (len(digests) > 4)}")
    yield from golds(loaded, patient.options.timeout)


def questions_digest(loaded: Benchmark) -> str:
    """Of all questions with their gold SQL, to tell releases of one size apart."""
    said = [(q.question_id, q.db_id, q.question, q.evidence, q.gold_sql) for q in loaded.questions]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:12]


def golds(loaded: Benchmark, timeout: float) -> Iterator[Finding]:
    """Gold SQL that fails makes its question unanswerable."""
    paths = {d.db_id: d.path for d in loaded.databases if not d.error}
    asked = {k: [q for q in loaded.questions if q.db_id == k and q.gold_sql.strip()] for k in paths}
    made = [g for k, questions in asked.items() for g in execute_golds(questions, paths[k], Limits(seconds=timeout))]
    if not made:
        return
    outcomes = Counter(g.outcome for g in made)
    failing = [g.question_id for g in made if g.outcome in ("error", "timeout", "too_large")]
    ceiling = 100 * (len(made) - len(failing)) / len(made)
    said = f"{len(made) - len(failing):,} of {len(made):,} run: no system can score above {ceiling:.1f}"
    mend = f"failing: {', '.join(failing[:5])}; a corrected release may have mended them" if failing else ""
    yield Finding("gold SQL", WARN if failing else OK, said, mend)
    if outcomes["empty"] and loaded.empty_is_wrong:
        yield Finding("gold SQL", WARN, f"{outcomes['empty']} return nothing", "--empty-is-fine")


def orchestration(patient: Patient) -> Iterator[Finding]:
    """Prefect's version, its server on this machine, and the limit that keeps one local model in memory."""
    ours, address = version("prefect"), server()
    yield _scheduler()
    theirs = _ask_server("/admin/version")
    if theirs is None:
        yield Finding("Prefect", OK, f"{ours}; no server on {address}: each run starts its own", "")
        return
    status = OK if theirs == ours else WARN
    mend = "" if theirs == ours else "stop it and start .venv/bin/prefect server start"
    yield Finding("Prefect", status, f"{ours}; the server on {address} is {theirs}", mend)
    limit = _ask_server("/v2/concurrency_limits/tag:mlx")
    known = isinstance(limit, dict) and limit.get("active") and limit.get("limit") == 1
    said = "one at a time" if known else "no limit yet: the first run that needs one makes it"
    yield Finding("tag mlx", OK if known or limit is None else WARN, said, "" if known else "nl2sql train sets it")


def server() -> str:
    """The API of the server that runs use."""
    return os.environ.get("PREFECT_API_URL") or LOCAL_SERVER


def _scheduler() -> Finding:
    found = version("sqlalchemy")
    broken = tuple(int(n) for n in found.split(".")[:2]) >= BROKEN_SCHEDULER
    said = f"SQLAlchemy {found}" + (": no cron time makes a run with Prefect 3.8" if broken else "")
    return Finding(
        "schedules", WARN if broken else OK, said, ".venv/bin/pip install 'sqlalchemy<2.1'" if broken else ""
    )


def _ask_server(path: str) -> object | None:
    try:
        with urllib.request.urlopen(f"{server()}{path}", timeout=2) as answer:
            return json.load(answer)
    except (OSError, ValueError):
        return None


CHECKS: tuple[Check, ...] = (python, packages, room, accelerator, embeddings, keys, benchmark, orchestration)
