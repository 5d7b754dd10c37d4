"""Which local models have been compared with what they would replace, on questions that nothing was trained on.

A line of JSON for each comparison, in admissions.jsonl beside the adapters; the newest of a model and its use counts.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from nl2sql.errors import UserError

FILE = "admissions.jsonl"
COMMAND = "nl2sql admit DATASET --preset PRESET"


@dataclass(frozen=True)
class Admission:
    """How a run with a local model in one use did beside the run without it."""

    use: str  # generate, or the role: fix, compare, ..
    model: str  # local:NAME@DIGEST, so that other weights are another model
    instead_of: str  # what did the work without it
    dataset: str
    questions: int  # with gold SQL, of dev
    right_before: int
    right: int
    p_value: float  # McNemar's exact test
    run_before: str  # folder
    run: str  # folder
    at: float  # Unix time

    @property
    def admitted(self) -> bool:
        """A model that makes fewer answers right stays out."""
        return self.questions > 0 and self.right >= self.right_before

    def __str__(self) -> str:
        """The comparison in words."""
        return (
            f"{self.right} of {self.questions} right with it, {self.right_before} with {self.instead_of}"
            f" (p = {self.p_value:.3g})"
        )


def read_admissions(folder: Path) -> list[Admission]:
    """All comparisons, oldest first; [] where there was none. Raises UserError for a file that is not ours."""
    path = folder / FILE
    try:
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [Admission(**json.loads(line)) for line in lines if line.strip()]
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"{path} cannot be read ({error}): move it away and compare again with {COMMAND}") from error


def add_admission(folder: Path, admission: Admission) -> None:
    """Append a comparison, on disk when this returns. Raises UserError when the disk refuses."""
    path = folder / FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(admission)) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise UserError(
            f"cannot write {path}: {error.strerror or error}. Name another folder with --artifacts"
        ) from error


def check_admitted(uses: Iterable[tuple[str, str]], folder: Path) -> None:
    """Raise UserError for the first (use, model) that was not compared, or was the worse one."""
    newest = {(a.use, a.model): a for a in read_admissions(folder)}
    for use, model in uses:
        found, name = newest.get((use, model)), f"{model} (to {use})"
        if found is None:
            raise UserError(f"{name} has not been compared with what it would replace: {COMMAND}")
        if not found.admitted:
            raise UserError(
                f"{name} is worse than what it would replace, {found}: take it out of the preset, or train it anew and"
                f" compare again with {COMMAND}"
            )
