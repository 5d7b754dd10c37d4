"""One stage of the pipeline as a process of its own: python tests/faults/program.py JSON, with the code on PYTHONPATH.

Its last line is JSON: whether the flow completed, its message, and a line for every task.

Without an argument it imports everything once and then forks a process for each line of its input,
{"asked": .., "output": FILE, "environment": {..}}, in a process group of its own, and answers with its id.
"""

import importlib
import json
import os
import signal
import sys
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Any

QUICK = {"rank": 4, "length": 64, "accumulation": 2, "epochs": 4.0, "learning_rate": 3e-4, "evaluations": 5}


def run_flow(asked: dict[str, Any]) -> dict[str, Any]:
    """What the stage's flow says, under a Prefect server."""
    from flows.manifests import manifest_of, read_manifest
    from flows.run_pipeline import run_pipeline

    if asked["stage"] == "train":
        state = train(asked)
    else:
        narrowed = {"databases": tuple(asked.get("databases", ())), "limit": asked.get("limit")}
        written = {"artifacts": asked["artifacts"], "output": f"{asked['artifacts']}/report"}
        state = run_pipeline(asked["dataset"], options=options_of(asked), **narrowed, **written, return_state=True)
    steps = [told(asdict(step)) for step in read_manifest(manifest_of(state))]
    return {"completed": state.is_completed(), "message": state.message, "steps": steps}


def options_of(asked: dict[str, Any]) -> Any:
    """The preset, with what is asked for besides."""
    from flows.options import Options, load_preset

    options = load_preset(asked["preset"]) if asked["preset"] else Options()
    return options.model_copy(update=asked.get("options", {}))


def run_tasks(asked: dict[str, Any]) -> dict[str, Any]:
    """The tasks of a stage one after the other, as `nl2sql ask` runs them: without Prefect."""
    from flows import ask_question as steps
    from flows.model_settings import run_access
    from nl2sql.benchmarks import load_benchmark
    from tasks.artifact_store import ArtifactStore
    from tasks.execute_golds import execute_golds
    from tasks.model_access import close_gateway
    from tasks.profile_database import profile_database
    from tasks.score_answers import score_answers
    from tasks.summarise_fields import summarise_fields

    options, store = options_of(asked).model_copy(update={"empty_is_wrong": True}), ArtifactStore(asked["artifacts"])
    benchmark = load_benchmark(asked["dataset"])
    if benchmark.problems:
        raise OSError(f"{benchmark.problems[0].where}: {benchmark.problems[0].what}")
    access, said = run_access(options, asked["artifacts"]), []

    def note(stage: str, place: str, artifact: Any) -> None:
        said.append(
            told({**asdict(artifact), "stage": stage, "db_id": place, "batch": 0, "reused": False, "error": ""})
        )

    for database in benchmark.databases:
        if asked["stage"] == "profile":
            profiles = profile_database.run(store, database=database)
            note("profiles", database.db_id, profiles)
            note("summaries", database.db_id, summarise_fields.run(store, profiles=profiles))
            continue
        offline = steps.index(
            database, store, options.model_copy(update={"roles": type(options.roles)()}), None, ignore
        )
        for kind in ("profiles", "summaries", "cells", "columns"):
            note(kind, database.db_id, getattr(offline, kind))
        for question in [q for q in benchmark.questions if q.db_id == database.db_id and asked["stage"] == "evaluate"]:
            made = answer_one(question, offline, store, options, access)
            run_gold = {"questions": (question,), "database": database, "timeout": options.timeout}
            note("golds", question.question_id, execute_golds.run(store, **run_gold))
            note("verdicts", question.question_id, score_answers.run(store, **made, **run_gold))
    if access is not None:
        close_gateway(access)
    return {"completed": True, "message": "", "steps": said}


def answer_one(question: Any, offline: Any, store: Any, options: Any, access: Any) -> dict[str, Any]:
    """Ops 5 to 9 for one question; the artifacts that scoring reads."""
    from dataclasses import replace

    from flows.model_choices import asking, fixing, judging, lineup_entries, linking_models
    from tasks.generate_candidates import generate_candidates
    from tasks.ground_questions import ground_questions
    from tasks.link_schema import link_schema
    from tasks.repair_candidates import repair_candidates
    from tasks.select_answers import select_answers

    given: dict[str, Any] = {"questions": (replace(question, gold_sql="", difficulty=""),), "offline": offline}
    groundings = ground_questions.run(store, **given, examples=8, **asking(options, access, choice="ground"))
    linkings = link_schema.run(store, **given, groundings=groundings, **linking_models(options, access))
    found = {**given, "groundings": groundings, "linkings": linkings}
    writing: dict[str, Any] = {"lineup": lineup_entries(options), "predictions": ()}
    candidates = generate_candidates.run(store, **found, **writing, **({"access": access} if access else {}))
    ran = {"candidates": candidates, "timeout": options.timeout, "empty_is_wrong": True}
    repairs = repair_candidates.run(store, **found, **ran, **fixing(options, access))
    chosen = {"margin": options.margin, "empty_is_wrong": True, **judging(options, access)}
    return {"repairs": repairs, "selections": select_answers.run(store, **given, repairs=repairs, **chosen)}


def ignore(stage: str) -> None:
    """Tell nobody of a stage."""


def train(asked: dict[str, Any]) -> Any:
    """Train the tiny adapter; work and lock lie beside the artifacts."""
    from flows.train_adapters import train_adapters
    from nl2sql.models.local_models import LocalFolders
    from nl2sql.training.recipe import Recipe
    from nl2sql.training.train_adapter import describe_training
    from tasks.train_adapter import Workplace

    root, data = Path(asked["artifacts"]), Path(asked["dataset"])
    folders = LocalFolders(root / "adapters", root.parent / "lock")
    training = describe_training("selector", asked["base"], data, Recipe(**QUICK), folders)
    return train_adapters([training], [Workplace(data, folders)], artifacts=str(root), return_state=True)


def told(line: dict[str, Any]) -> dict[str, Any]:
    """A line of the manifest, with what its artifact says where that must be equal from run to run."""
    from nl2sql.rows import Verdict
    from nl2sql.training.rows import Adapter
    from tasks.artifact_store import Artifact, read_rows

    if line["kind"] in ("verdicts", "adapters"):
        names = ("kind", "path", "sha256", "rows", "schema_version", "seconds")
        artifact = Artifact(*(line[name] for name in names))
        if line["kind"] == "adapters":
            line["weights"] = [a.weights_digest for a in read_rows(artifact, Adapter)]
        else:
            line["verdicts"] = [[v.question_id, v.system, v.sql, v.correct] for v in read_rows(artifact, Verdict)]
    return line


def run(asked: dict[str, Any]) -> None:
    """Run, and say what came of it."""
    said = run_flow(asked) if asked.get("flow") else run_tasks(asked)
    print(json.dumps(said), flush=True)


def serve() -> None:
    """Fork a process for each line; that saves each of them seconds of imports."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    warm_up()
    print("ready", flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        pid = os.fork()
        if pid == 0:
            work(job)
        print(pid, flush=True)


def warm_up() -> None:
    """Load what every run loads, on this thread alone: modules, language models, the digests of the code."""
    for name in ("flows.run_pipeline", "flows.train_adapters", "flows.ask_question", "nl2sql.models.remote", "litellm"):
        importlib.import_module(name)
    from nl2sql.indexes.embedding import DEFAULT_MODEL, load_model
    from nl2sql.online.find_literals import load_language
    from tasks.cached_task import ArtifactTask

    load_model(DEFAULT_MODEL)
    load_language()
    tasks = [m for name, m in list(sys.modules.items()) if name.startswith("tasks.")]
    for task in {id(t): t for m in tasks for t in vars(m).values() if isinstance(t, ArtifactTask)}.values():
        len(task.code)


def work(job: dict[str, Any]) -> None:
    """The forked process."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.update(job["environment"])
    output = os.open(job["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for stream in (1, 2):
        os.dup2(output, stream)
    code = 1
    try:
        run(job["asked"])
        code = 0
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        run(json.loads(sys.argv[1]))
    else:
        serve()
