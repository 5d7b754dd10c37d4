"""Checkpoints of a training run: weights, the optimizer's state, the best weights so far and the place in the data.

One safetensors file with the place as JSON in its header, renamed into place when it is whole. Only the child process
that trains imports this.
"""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import mlx.core as mx
from mlx.utils import tree_flatten, tree_unflatten

from nl2sql.errors import UserError
from nl2sql.models.local_models import tensor_table

Weights = dict[str, mx.array]


@dataclass
class Place:
    """How far a run is. Losses are of one token, natural logarithm."""

    run: str  # digest of base, data and recipe: a checkpoint of another run is not continued
    batches: int = 0  # consumed
    best_loss: float = float("inf")
    best_step: int = 0
    worse: int = 0  # evaluations since the best one
    peak: int = 0  # bytes
    tokens: int = 0  # learnt from, answers only
    seconds: float = 0.0
    curve: list[dict[str, float]] = field(default_factory=list)  # step, loss or valid


def save_checkpoint(file: Path, weights: Weights, optimizer: Any, best: Weights, place: Place) -> None:
    """Write a checkpoint in place of the one before it; whoever is killed meanwhile keeps the old one."""
    arrays: Weights = {f"weights/{name}": value for name, value in weights.items()}
    state: Any = tree_flatten(optimizer.state)
    arrays |= {f"optimizer/{name}": value for name, value in state}
    arrays |= {f"best/{name}": value for name, value in best.items()}
    replace_tensors(file, arrays, {"place": json.dumps(asdict(place))})


def replace_tensors(file: Path, arrays: Weights, metadata: dict[str, str]) -> None:
    """Write a safetensors file so that others see all of it or the old one. Raises UserError when the disk refuses."""
    temporary = file.with_name(f".{os.getpid()}-{file.name}")
    try:
        mx.save_safetensors(str(temporary), arrays, metadata=metadata)
        with open(temporary, "rb") as written:
            os.fsync(written.fileno())
        os.replace(temporary, file)
    except (OSError, RuntimeError) as error:
        temporary.unlink(missing_ok=True)
        raise UserError(
            f"cannot write {file}: {error}. Free space there; the run continues from {file.name}"
        ) from error


def load_checkpoint(file: Path, optimizer: Any, run: str) -> tuple[Weights, Weights, Place]:
    """Weights, best weights and place; the optimizer is given its state. Raises UserError for one of another run."""
    advice = f"delete {file} to begin anew"
    tensor_table(file)
    loaded: Any = mx.load(str(file), return_metadata=True)
    arrays, metadata = loaded
    try:
        place = Place(**json.loads(metadata["place"]))
    except (KeyError, ValueError, TypeError) as error:
        raise UserError(f"{file} is no checkpoint of a training run ({error}): {advice}") from error
    if place.run != run:
        raise UserError(f"{file} belongs to a run with other data, base or options: {advice}")
    optimizer.state = tree_unflatten(list(_part(arrays, "optimizer/").items()))
    return _part(arrays, "weights/"), _part(arrays, "best/"), place


def _part(arrays: Weights, prefix: str) -> Weights:
    return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}
