"""Which questions may be learnt from, with their databases where these are at hand, and which part serves for what."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from nl2sql.benchmarks import Benchmark, Problem, load_benchmark
from nl2sql.errors import UserError
from nl2sql.rows import Database, Question
from nl2sql.training.augment_schema import seeded

PARTS = ("train", "valid", "test")


@dataclass(frozen=True)
class TrainingSplit:
    """The training questions of a benchmark, and the dev questions that they must not give away."""

    name: str
    questions: tuple[Question, ...]  # whose databases are at hand
    homeless: tuple[Question, ...]  # whose databases are not
    databases: tuple[Database, ...]
    dev: tuple[Question, ...]
    problems: tuple[Problem, ...]
    empty_is_wrong: bool


def load_training(path: str, databases: Sequence[str] = ()) -> TrainingSplit:
    """The training questions of the benchmark at a path, restricted to some databases where any are named.

    BIRD's train questions come with or without train_databases/, Spider's with database/. A question that stands in
    two files counts once. Raises UserError where there are none.
    """
    train, dev = _load(path, "train", databases), _load(path, "dev", ())
    known = train or dev
    if known is None:
        load_benchmark(path, "train")  # says what is missing
        raise UserError(f"{path}: has no training questions")
    asked = _unique(train.questions if train else ())
    words = {_identity(q) for q in asked}
    examples = [*(dev.examples if dev else ()), *(train.examples if train else ())]
    others = [q for q in _unique(examples) if _identity(q) not in words and (not databases or q.db_id in databases)]
    if not any(q.gold_sql.strip() for q in (*asked, *others)):
        where = f" about {', '.join(databases)}" if databases else ""
        raise UserError(
            f"{path}: has no training questions with SQL{where}: they are read from train.json (BIRD) or"
            " train_spider.json (Spider) beside dev.json. datasets/demo has some"
        )
    problems = (*(train.problems if train else ()), *(dev.problems if dev else ()))
    return TrainingSplit(
        known.name,
        tuple(asked),
        tuple(others),
        train.databases if train else (),
        dev.questions if dev else (),
        problems,
        known.empty_is_wrong,
    )


def assign_parts(questions: Iterable[Question], shares: Mapping[str, float], seed: int = 0) -> dict[str, str]:
    """What each question serves for, by its id, so that the three parts share no database.

    `shares` of the questions go to valid and test, whole databases at a time and at least one each where there are
    three databases or more; with two, the smaller is for valid. The largest is always for train. The questions of a
    single database are drawn one by one. The seed decides the drawing.
    """
    asked = list(questions)
    sizes = Counter(q.db_id for q in asked)
    if len(sizes) < 2:
        return {q.question_id: _drawn_part(q, shares, seed) for q in asked}
    drawn = sorted(sizes)
    seeded(seed, "parts").shuffle(drawn)
    parts = dict.fromkeys(drawn, "train")
    wanted = [p for p in PARTS[1:] if shares.get(p, 0) > 0][: len(sizes) - 1]
    for number, part in enumerate(wanted, 1):
        left = [d for d in drawn if parts[d] == "train"]
        largest = max(left, key=lambda d: sizes[d])
        free = [d for d in left if d != largest]
        most = len(free) - (len(wanted) - number)  # one is left for each part that follows
        for db_id in _nearest_total(free, sizes, shares[part] * sizes.total())[:most]:
            parts[db_id] = part
    return {q.question_id: parts[q.db_id] for q in asked}


def _drawn_part(question: Question, shares: Mapping[str, float], seed: int) -> str:
    drawn = seeded(seed, "part", question.question_id).random()
    valid, test = shares.get("valid", 0.0), shares.get("test", 0.0)
    return "valid" if drawn < valid else "test" if drawn < valid + test else "train"


def _nearest_total(drawn: Sequence[str], sizes: Counter[str], wanted: float) -> list[str]:
    """Databases, in the order in which they were drawn, while their questions do not exceed the number wanted."""
    chosen: list[str] = []
    total = 0
    for db_id in drawn:
        if total + sizes[db_id] <= wanted:
            chosen.append(db_id)
            total += sizes[db_id]
    return chosen or sorted(drawn, key=lambda d: (sizes[d], drawn.index(d)))[:1]


def _load(path: str, split: str, databases: Sequence[str]) -> Benchmark | None:
    """That split; None where the benchmark has not got it, or, for train, none of the databases."""
    try:
        return load_benchmark(path, split, databases)
    except UserError as error:
        if split == "train" or "not a benchmark" in str(error) or "but not" in str(error):
            return None
        raise


def _unique(questions: Iterable[Question]) -> list[Question]:
    return list({_identity(q): q for q in reversed(list(questions))}.values())[::-1]


def _identity(question: Question) -> tuple[str, str, str]:
    return question.db_id, question.question, question.gold_sql
