"""How much memory a QLoRA run will take, from the base's config and the recipe alone: arithmetic, nothing is loaded.

Measured with mlx-lm 0.32.2 on Qwen2 models of 1-2 M parameters and fitted by least squares (docs/local-models.md has
the figures): logits and their gradient take 4.1 elements a token and vocabulary entry, whatever the type; a block keeps
its activations for the backward pass, or with checkpointing its input only, and needs a working set of its own.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nl2sql.errors import UserError
from nl2sql.models.local_catalogue import tensor_bytes
from nl2sql.models.local_models import read_json, tensor_table, weight_files
from nl2sql.training.recipe import BUCKETS, Recipe

TOLERANCE = 0.25  # of the prediction, on the shapes that tests/nl2sql/training/test_memory_plan.py measures
LOGITS = 4.15  # elements of a token and vocabulary entry
# Elements of a token that a block keeps: of hidden width, of the feed-forward width, of heads x length (training
# materialises the attention scores, on the CPU and on Metal).
KEPT = (7.7, 4.2, 1.15)
WORKING = (26.2, 10.4, 2.6)  # the same for the block whose gradient is being computed
# Bytes of such an element by those of the weights' type: the adapter computes in fp32 beside a half-precision base.
KEPT_BYTES = {4: 4.0, 2: 2.25}
WORKING_BYTES = {4: 4.0, 2: 3.3}
FLOAT = 4  # bytes of the adapter's weights, their gradients and the optimizer's two moments
BYTES = {"float32": 4, "F32": 4, "bfloat16": 2, "BF16": 2, "float16": 2, "F16": 2}
RUNTIME = 0.05e9  # bytes beside mlx's own: freed buffers that are still held, small tensors


@dataclass(frozen=True)
class Architecture:
    """What of a base decides its memory."""

    hidden: int
    layers: int
    feed_forward: int
    heads: int
    kv_width: int  # of keys or values of a token
    vocabulary: int
    element: int  # bytes of an activation, 2 or 4
    weights: int  # bytes


@dataclass(frozen=True)
class MemoryPlan:
    """Predicted bytes by part, and the options that were planned for."""

    parts: dict[str, int]
    architecture: Architecture
    recipe: Recipe

    @property
    def total(self) -> int:
        """The predicted peak."""
        return sum(self.parts.values())


def read_architecture(base: Path) -> Architecture:
    """From config.json and the headers of the weights. Raises UserError for a config of another kind."""
    config = read_json(base / "config.json")
    try:
        heads = int(config["num_attention_heads"])
        head = int(config.get("head_dim") or config["hidden_size"] // heads)
        return Architecture(
            hidden=int(config["hidden_size"]),
            layers=int(config["num_hidden_layers"]),
            feed_forward=int(config["intermediate_size"]),
            heads=heads,
            kv_width=int(config.get("num_key_value_heads", heads)) * head,
            vocabulary=int(config["vocab_size"]),
            element=_element(base, config),
            weights=tensor_bytes(base),
        )
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise UserError(
            f"{base / 'config.json'} describes no model whose memory can be planned ({error}): use a dense decoder such"
            " as Qwen2, Qwen3 or Llama"
        ) from error


def _element(base: Path, config: dict[str, Any]) -> int:
    """Norms and scales stay unquantised and set the type of activations."""
    tables = [tensor_table(file) for file in weight_files(base)]
    kinds = {entry["dtype"] for table in tables for name, entry in table.items() if "norm" in name}
    found = [BYTES[kind] for kind in kinds if kind in BYTES]
    return max(found, default=BYTES.get(str(config.get("torch_dtype")), 2))


def plan_training(base: Path, recipe: Recipe) -> MemoryPlan:
    """The plan of a recipe on a base."""
    return plan_of(read_architecture(base), recipe)


def plan_of(model: Architecture, recipe: Recipe) -> MemoryPlan:
    """The plan for an architecture: what lives through the whole run, and the most that a step needs beside it."""
    tokens = recipe.batch * recipe.length
    adapted = min(recipe.layers or model.layers, model.layers)
    adapter = adapter_parameters(model, recipe.rank, adapted)
    copies = 4 + (1 if recipe.accumulation > 1 else 0)  # weights, gradients, two moments, gradients so far
    block = _elements(model, recipe.length, KEPT)
    kept = model.hidden * model.element if recipe.checkpointing else block * KEPT_BYTES[model.element]
    working = _elements(model, recipe.length, WORKING) * WORKING_BYTES[model.element]
    parts = {
        "weights": model.weights,
        "adapter and optimizer": adapter * copies * FLOAT,
        "logits": round(LOGITS * tokens * model.vocabulary * model.element),
        "kept activations": round(tokens * adapted * kept),
        "working set of a block": round(tokens * working),
        "runtime": round(min(RUNTIME, 0.02 * model.weights)),
    }
    return MemoryPlan(parts, model, recipe)


def _elements(model: Architecture, length: int, shares: tuple[float, float, float]) -> float:
    hidden, feed_forward, scores = shares
    return hidden * model.hidden + feed_forward * model.feed_forward + scores * model.heads * length


def adapter_parameters(model: Architecture, rank: int, layers: int) -> int:
    """Of LoRA on the seven linear layers of a block: rank x (width in + width out) each."""
    h, f, k = model.hidden, model.feed_forward, model.kv_width
    widths = 2 * (h + h) + 2 * (h + k) + 2 * (h + f) + (f + h)
    return rank * widths * layers


def check_plan(plan: MemoryPlan, limit: int) -> None:
    """Raise UserError when a plan is over the limit, with the smallest change of the recipe that would fit."""
    if plan.total <= limit:
        return
    said = ", ".join(f"{name} {size / 1e9:.2f}" for name, size in plan.parts.items() if size >= 1e7)
    better = cheaper(plan, limit)
    advice = f"train with {better}" if better else "use a smaller base, or one of fewer bits"
    raise UserError(
        f"training needs about {plan.total / 1e9:.2f} GB, {limit / 1e9:.2f} GB are to be had ({said} GB): {advice}"
    )


def cheaper(plan: MemoryPlan, limit: int) -> str:
    """Options that would make a plan fit, those first that cost the least quality; '' when none does."""
    recipe, layers = plan.recipe, plan.recipe.layers or plan.architecture.layers
    changes: list[tuple[str, Recipe]] = [("--batch 1", replace(recipe, batch=1))]
    saving = replace(recipe, batch=1, checkpointing=True)
    changes.append(("--batch 1 --checkpointing", saving))
    changes += [(f"--checkpointing --layers {n}", replace(saving, layers=n)) for n in (16, 8, 4) if n < layers]
    shorter = [size for size in reversed(BUCKETS) if size < recipe.length]
    changes += [(f"--checkpointing --batch 1 --length {size}", replace(saving, length=size)) for size in shorter]
    fits = (
        said for said, changed in changes if changed != recipe and plan_of(plan.architecture, changed).total <= limit
    )
    return next(fits, "")
