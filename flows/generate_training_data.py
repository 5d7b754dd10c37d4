"""Ops 2 to 4, the data: from training questions to chats and pairs, checked for leaks, in files for mlx-lm."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from pydantic import BaseModel, ConfigDict, Field

from flows.answer_questions import answer_questions
from flows.manifests import Submission, artifact, by_database, finish, manifest_of, read_manifest, settle, submission
from flows.options import Options
from flows.parameters import Artifacts, Databases, Dataset, Limit, Output
from flows.run_names import run_name
from flows.task_runner import TASK_RUNNER
from nl2sql.benchmarks import load_benchmark
from nl2sql.rows import Candidate, Question, Step
from nl2sql.training.build_chats import ChatOptions
from nl2sql.training.build_pairs import PairOptions
from nl2sql.training.count_tokens import token_counter, tokenizer_digest
from nl2sql.training.rows import Leak, Solution
from nl2sql.training.sample_solutions import sampling_yield
from nl2sql.training.training_split import TrainingSplit, assign_parts, load_training
from tasks.artifact_store import Artifact, ArtifactStore, local_folder, read_rows
from tasks.build_chats import build_chats
from tasks.build_pairs import build_pairs
from tasks.check_leakage import check_leakage
from tasks.sample_solutions import sample_solutions
from tasks.store_questions import store_questions
from tasks.training_inputs import Answered
from tasks.write_training_files import read_solutions, write_training_files


class DataOptions(BaseModel):
    """The knobs of training data."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit: int = Field(default=1024, ge=64, le=32_768, description="Tokens of the longest chat")
    tokenizer: str = Field(default="", description="The base model's folder, to count tokens; '' bounds them")
    seed: int = Field(default=0, ge=0, description="Of all that is drawn")
    valid: float = Field(default=0.1, ge=0, lt=1, description="Share of the questions to validate with")
    test: float = Field(default=0.1, ge=0, lt=1, description="Share of the questions to test with")
    corrections: int = Field(default=2, ge=0, le=100, description="Failed statements a question")
    wrong_candidates: int = Field(default=2, ge=0, le=100, description="Wrong clusters of candidates a question")
    wrong_edits: int = Field(default=2, ge=0, le=100, description="Wrong edits of right statements a question")
    solutions: int = Field(default=3, ge=0, le=100, description="Sampled solutions that are kept a question")
    earlier: str = Field(default="", description="Folder of the sampling round before, whose solutions are kept")
    rebuilt: bool = Field(default=True, description="Rebuild schemas of absent databases from their queries")
    against: tuple[str, ...] = Field(default=(), description="Other benchmarks whose dev questions are not to leak")


DEFAULTS = DataOptions()
ONLINE = ("ground_questions", "link_schema", "generate_candidates", "repair_candidates")


@flow(flow_run_name=run_name("traindata"), persist_result=False, task_runner=TASK_RUNNER)
def generate_training_data(
    dataset: Dataset,
    databases: Databases = (),
    limit: Limit = None,
    artifacts: Artifacts = "artifacts",
    output: Output = "",
    options: Options = Options(),
    data: DataOptions = DEFAULTS,
) -> State:
    """Chats, pairs and the files made from them; the result is the manifest."""
    token_counter(data.tokenizer)  # a tokenizer that is not there is said before anything runs
    store, split = ArtifactStore(artifacts), limited(load_training(dataset, databases), limit)
    steps = _answer(split, dataset, databases, limit, artifacts, options)
    dev = dev_questions(split, data.against)
    leaks, more = _check(store, split, dev)
    steps += more
    if leaks is not None:
        steps += settle("build training data", _build(store, split, steps, leaks, data, options))
        _write(split, steps, leaks, dev, data, output or output_folder(dataset, artifacts))
    return finish(store, steps)


def output_folder(dataset: str, artifacts: str) -> str:
    """Where the files go unless another folder is named."""
    return f"{local_folder(artifacts)}/training/{Path(dataset).absolute().name}"


def _answer(
    split: TrainingSplit,
    dataset: str,
    databases: tuple[str, ...],
    limit: int | None,
    artifacts: str,
    options: Options,
) -> list[Step]:
    """Let the lineup answer the training questions whose databases are here."""
    if not split.questions:
        return []
    asked = (dataset, databases, limit, "train", (), artifacts, options)
    return read_manifest(manifest_of(answer_questions(*asked, return_state=True)))


def limited(split: TrainingSplit, limit: int | None) -> TrainingSplit:
    """The first questions of both sorts; None for all."""
    return replace(split, questions=split.questions[:limit], homeless=split.homeless[:limit])


def dev_questions(split: TrainingSplit, against: Sequence[str]) -> tuple[Question, ...]:
    """The dev questions of the benchmark and of others, under ids that do not collide."""
    others = [(Path(path).name, load_benchmark(path).questions) for path in against]
    return (*split.dev, *(replace(q, question_id=f"{name}/{q.question_id}") for name, found in others for q in found))


def _check(store: ArtifactStore, split: TrainingSplit, dev: tuple[Question, ...]) -> tuple[Artifact | None, list[Step]]:
    """Find the questions that may not be learnt from."""
    stored = [
        submission(store_questions, store, "", batch=batch, questions=tuple(questions))
        for batch, questions in enumerate(((*split.questions, *split.homeless), dev))
    ]
    check = submission(check_leakage, store, "", train=stored[0].future, dev=stored[1].future)
    steps = settle("check leakage", [*stored, check])
    found = next((artifact(s) for s in steps if s.stage == "check_leakage" and not s.error), None)
    return found, steps


def _build(
    store: ArtifactStore,
    split: TrainingSplit,
    steps: Sequence[Step],
    leaks: Artifact,
    data: DataOptions,
    options: Options,
) -> list[Submission]:
    """Solutions, chats and pairs of every database that was answered, chats about every one that is not here."""
    answered = answered_databases(split, steps)
    shares = {"valid": data.valid, "test": data.test}
    parts = assign_parts((*split.questions, *split.homeless), shares, data.seed)
    counted: dict[str, Any] = {"tokenizer": data.tokenizer, "tokenizer_digest": tokenizer_digest(data.tokenizer)}
    wrong_if_empty = split.empty_is_wrong if options.empty_is_wrong is None else options.empty_is_wrong
    chat_options = ChatOptions(data.limit, data.corrections, data.seed)
    pair_options = PairOptions(data.limit, data.wrong_candidates, data.wrong_edits, data.seed)
    chatting = {"chats": chat_options, "rebuilt": data.rebuilt, "empty_is_wrong": wrong_if_empty, **counted}
    earlier = read_solutions(data.earlier) if data.earlier else ()
    submitted: list[Submission] = []
    for db_id, questions in _by_database(split.questions).items():
        if db_id not in answered:
            continue
        known = {"questions": questions, "answered": answered[db_id], "leaks": leaks, "timeout": options.timeout}
        mine: dict[str, Any] = {"parts": tuple((q.question_id, parts[q.question_id]) for q in questions)}
        sampling = {"earlier": tuple(s for s in earlier if s.db_id == db_id), "kept": data.solutions}
        sampling["round_number"] = 1 + max((s.round for s in earlier), default=0)
        solutions = submission(sample_solutions, store, db_id, **known, **sampling)
        chats = submission(build_chats, store, db_id, solutions=solutions.future, **known, **mine, **chatting)
        pairs = submission(build_pairs, store, db_id, pairs=pair_options, **known, **mine, **counted)
        submitted += [solutions, chats, pairs]
    for db_id, questions in _by_database(split.homeless).items():
        known: dict[str, Any] = {"questions": questions, "answered": None, "solutions": None, "leaks": leaks}
        mine = {"parts": tuple((q.question_id, parts[q.question_id]) for q in questions)}
        submitted.append(submission(build_chats, store, db_id, 0, timeout=options.timeout, **known, **mine, **chatting))
    return submitted


def answered_databases(split: TrainingSplit, steps: Sequence[Step]) -> dict[str, Answered]:
    """What the manifest holds for each database of which nothing failed."""
    by_id = {d.db_id: d for d in split.databases}
    online: dict[tuple[str, str], list[Artifact]] = defaultdict(list)
    for step in sorted(steps, key=lambda s: s.batch):
        if step.batch >= 0 and not step.error:
            online[step.db_id, step.stage].append(artifact(step))
    return {
        db_id: Answered(
            by_id[db_id],
            made["profile_database"],
            made["summarise_fields"],
            *(tuple(online[db_id, stage]) for stage in ONLINE),
        )
        for db_id, made in by_database(steps)
        if db_id in by_id
    }


def _by_database(questions: Sequence[Question]) -> dict[str, tuple[Question, ...]]:
    found: dict[str, list[Question]] = defaultdict(list)
    for question in questions:
        found[question.db_id].append(question)
    return {db_id: tuple(asked) for db_id, asked in sorted(found.items())}


def _write(
    split: TrainingSplit,
    steps: Sequence[Step],
    leaks: Artifact,
    dev: Sequence[Question],
    data: DataOptions,
    folder: str,
) -> None:
    """The files, and what is to be said of them."""
    made: dict[str, list[Artifact]] = defaultdict(list)
    for step in steps:
        if step.stage in ("sample_solutions", "build_chats", "build_pairs", "generate_candidates") and not step.error:
            made[step.kind].append(artifact(step))
    solutions = [s for a in made["solutions"] for s in read_rows(a, Solution)]
    candidates = [c for a in made["candidates"] for c in read_rows(a, Candidate)]
    said = {
        "benchmark": split.name,
        "questions": len(split.questions),
        "without_database": len(split.homeless),
        "dev_questions": len(dev),
        "leaks": dict(Counter(k.kind for k in read_rows(leaks, Leak))),
        "counted_by": token_counter(data.tokenizer).name,
        "options": data.model_dump(exclude={"tokenizer", "against", "earlier"}),
        "sampling": [asdict(y) for y in sampling_yield(split.questions, candidates, solutions)],
        "problems": [f"{Path(p.where).name}: {p.what}" for p in split.problems],
    }
    write_training_files(folder, made["chats"], made["pairs"], solutions, dev, data.seed, said)
