"""The child process that trains an adapter: mlx-lm's own training, with our data order, checkpoints and early stop.

Message in: the order of train_adapter.py. Out: {note: waiting, for}, {note: data, ..}, {note: step, ..},
{note: valid, ..}, {note: done, ..}; {error} before an end that has a reason.
"""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import mlx.core as mx
from mlx.utils import tree_flatten
from mlx_lm.tuner.callbacks import TrainingCallback
from mlx_lm.tuner.trainer import TrainingArgs, evaluate, train
from mlx_lm.tuner.utils import linear_to_lora_layers
from mlx_lm.utils import load, load_tokenizer

from nl2sql.errors import UserError
from nl2sql.models.framed_json import read_message
from nl2sql.models.local_worker import Tell, announce, run_child
from nl2sql.models.model_lock import holding
from nl2sql.training.chat_rows import (
    Tokens,
    batch_order,
    batches_per_epoch,
    padded,
    read_chats,
    tokenise,
)
from nl2sql.training.checkpoints import Place, Weights, load_checkpoint, replace_tensors, save_checkpoint
from nl2sql.training.recipe import Recipe, bucket

CACHE_BYTES = 2**30  # of freed buffers that mlx keeps; without a limit it has been seen to keep 51 GB
CHECKPOINT = "checkpoint.safetensors"
BEST = "adapters.safetensors"


class _Enough(Exception):
    """The validation loss has not fallen for long enough."""


class Run(TrainingCallback):
    """One training run between mlx-lm, which trains, and the parent, which watches."""

    def __init__(self, order: dict[str, Any], rows: list[Tokens], valid: list[Tokens], tell: Tell) -> None:
        """Plan the steps; nothing is loaded yet."""
        self.order, self.rows, self.valid, self.tell = order, rows, valid, tell
        self.recipe = Recipe(**order["recipe"])
        epoch = batches_per_epoch(len(rows), self.recipe.batch)
        self.steps = max(1, math.ceil(epoch * self.recipe.epochs / self.recipe.accumulation))
        self.between = max(1, self.steps // self.recipe.evaluations)  # steps between evaluations
        self.file = Path(order["work"]) / CHECKPOINT
        self.place = Place(order["run"])
        self.start = 0  # batches consumed before this process
        self.best: Weights = {}
        self.model: Any = None
        self.optimizer: Any = None

    def load(self) -> None:
        """Load the base, add the adapter's layers, continue from the checkpoint where there is one."""
        import mlx.optimizers as optimizers

        self.began = time.perf_counter()
        mx.set_cache_limit(CACHE_BYTES)
        mx.set_memory_limit(self.order["limit"])  # Metal's own is 1.5 times what the system recommends
        mx.random.seed(self.recipe.seed)
        self.model = load(self.order["base"])[0]
        self.model.freeze()
        layers = self.recipe.layers or len(self.model.layers)
        linear_to_lora_layers(self.model, layers, self.order["lora"])
        self.optimizer = optimizers.AdamW(learning_rate=_schedule(self.recipe, self.steps))
        if self.file.exists():
            weights, self.best, self.place = load_checkpoint(self.file, self.optimizer, self.order["run"])
            self.model.load_weights(list(weights.items()), strict=False)
        self.optimizer.init(self.model.trainable_parameters())
        mx.eval(self.model.parameters(), self.optimizer.state)
        self.start, self.spent = self.place.batches, self.place.seconds
        mx.reset_peak_memory()

    def train(self) -> None:
        """Run mlx-lm's training over what is left, then judge the last weights, too."""
        every = self.recipe.accumulation
        left = self.steps * every - self.start
        args = TrainingArgs(
            batch_size=self.recipe.batch,
            iters=left,
            val_batches=-1,
            steps_per_report=every,
            steps_per_eval=self.between * every,
            steps_per_save=left + 1,  # ours hold more
            max_seq_length=self.recipe.length + 1,
            adapter_file=str(Path(self.order["work"]) / "last.safetensors"),
            grad_checkpoint=self.recipe.checkpointing,
            grad_accumulation_steps=every,
        )
        try:
            if left > 0:
                train(
                    self.model,
                    self.optimizer,
                    self.rows,
                    self.valid,
                    args,
                    iterate_batches=self._iterate,
                    training_callback=self,
                )
                self._judge(self.steps, self._validate())
        except _Enough:
            pass
        self._finish()

    def _iterate(self, dataset: list[Tokens], loop: bool = False, **_: Any) -> Iterator[tuple[mx.array, mx.array]]:
        recipe = self.recipe
        order = batch_order(dataset, recipe.batch, recipe.length, recipe.seed, self.start if loop else 0)
        count = None if loop else batches_per_epoch(len(dataset), recipe.batch)
        for number, chosen in enumerate(order):
            if number == count:
                return
            ids, lengths = padded([dataset[i] for i in chosen], recipe.length)
            yield mx.array(ids), mx.array(lengths)

    def _validate(self) -> float:
        loss: Any = evaluate(self.model, self.valid, self.recipe.batch, -1, iterate_batches=self._iterate)
        return float(loss)

    def on_train_loss_report(self, train_info: dict[str, Any]) -> None:
        """After each step: tell, and save at every evaluation."""
        self.place.batches = self.start + train_info["iteration"]
        step, loss = self.place.batches // self.recipe.accumulation, float(train_info["train_loss"])
        self._check(loss, step)
        self.place.curve.append({"step": step, "loss": loss})
        self.place.tokens += round(
            train_info["tokens_per_second"] * self.recipe.accumulation / train_info["iterations_per_second"]
        )
        self.place.peak = max(self.place.peak, mx.get_peak_memory())
        now = time.perf_counter() - self.began
        self.place.seconds = self.spent + now
        done = self.place.batches - self.start
        self.tell(
            {
                "note": "step",
                "step": step,
                "steps": self.steps,
                "loss": loss,
                "rate": train_info["learning_rate"],
                "tokens_per_second": train_info["tokens_per_second"],
                "peak": self.place.peak,
                "seconds": self.place.seconds,
                "left": now / done * (self.steps * self.recipe.accumulation - self.place.batches),
            }
        )
        if step % self.between == 0 and step < self.steps:
            save_checkpoint(self.file, self._weights(), self.optimizer, self.best, self.place)
            self.tell({"note": "saved", "step": step})

    def on_val_loss_report(self, val_info: dict[str, Any]) -> None:
        """Before the first step, and now and then: keep the best weights; stop when it grows worse."""
        batches = self.start + val_info["iteration"]
        if self.start and not val_info["iteration"]:
            return  # judged before the checkpoint was written
        if self.start + val_info["iteration"] + 1 < self.steps * self.recipe.accumulation:
            self._judge(batches // self.recipe.accumulation, float(val_info["val_loss"]))

    def _judge(self, step: int, loss: float) -> None:
        self._check(loss, step)
        self.place.curve.append({"step": step, "valid": loss})
        better = loss < self.place.best_loss
        if better:
            self.place.best_loss, self.place.best_step, self.place.worse = loss, step, 0
            self.best = self._weights()
        else:
            self.place.worse += 1
        self.tell({"note": "valid", "step": step, "loss": loss, "best": better})
        if self.place.worse >= self.recipe.patience:
            raise _Enough

    def _check(self, loss: float, step: int) -> None:
        if not math.isfinite(loss):
            raise UserError(
                f"the loss is {loss} at step {step} of {self.steps}: stopped, nothing was overwritten. Train with a"
                f" lower --learning-rate than {self.recipe.learning_rate:g}; a run begins anew under other options"
            )

    def _weights(self) -> Weights:
        return dict(tree_flatten(self.model.trainable_parameters()))  # type: ignore[arg-type]

    def _finish(self) -> None:
        bad = [name for name, value in self.best.items() if not mx.isfinite(value).all().item()]
        if bad:
            raise UserError(f"the weights {bad[0]} are not finite: stopped, nothing was overwritten")
        replace_tensors(Path(self.order["work"]) / BEST, self.best, {"format": "mlx"})
        self.tell({"note": "done", "steps": self.steps, **asdict(self.place)})


def _schedule(recipe: Recipe, steps: int) -> Callable[[mx.array], mx.array]:
    from mlx.optimizers import cosine_decay, join_schedules, linear_schedule

    warm = max(1, round(recipe.warmup * steps))
    rise = linear_schedule(recipe.learning_rate / warm, recipe.learning_rate, warm)
    fall = cosine_decay(recipe.learning_rate, max(1, steps - warm), recipe.learning_rate / 10)
    return join_schedules([rise, fall], [warm])


def _rows(order: dict[str, Any], tell: Tell) -> tuple[list[Tokens], list[Tokens]]:
    recipe, data = Recipe(**order["recipe"]), Path(order["data"])
    chats = {name: read_chats(data / f"{name}.jsonl") for name in ("train", "valid")}
    tokenizer = load_tokenizer(Path(order["base"]))
    train, valid = (tokenise(rows, tokenizer, recipe.length, f"{name}.jsonl") for name, rows in chats.items())
    widths = Counter(bucket(len(row.ids), recipe.length) for row in train)
    tell(
        {
            "note": "data",
            "train": len(train),
            "valid": len(valid),
            "tokens": sum(len(row.ids) for row in train),
            "longest": max(len(row.ids) for row in (*train, *valid)),
            "buckets": {str(width): widths[width] for width in sorted(widths)},
        }
    )
    return train, valid


def _fuse(order: dict[str, Any], tell: Tell) -> None:
    """Write the base with the adapter in it, at full precision: in 4 bits the adapter would be damaged."""
    from mlx.utils import tree_unflatten
    from mlx_lm.utils import dequantize_model, save

    model, tokenizer, config = load(order["base"], adapter_path=order["adapter"], return_config=True)  # type: ignore[misc]
    fused = [(name, module.fuse(dequantize=True)) for name, module in model.named_modules() if hasattr(module, "fuse")]
    model.update_modules(tree_unflatten(fused))
    dequantize_model(model)
    config = {name: value for name, value in config.items() if not name.startswith("quantization")}
    save(Path(order["target"]), order["base"], model, tokenizer, config)
    tell({"note": "done", "peak": mx.get_peak_memory()})


def serve(source: IO[bytes], tell: Tell) -> None:
    """Carry out one order."""
    order = read_message(source)
    if order is None:
        return
    run = Run(order, *_rows(order, tell), tell) if order["do"] == "train" else None
    with holding(Path(order["lock"]), order["do"], order["name"], announce(tell)):
        if run is None:
            _fuse(order, tell)
            return
        run.load()
        run.train()


def main() -> None:
    """Serve one order."""
    run_child(serve)
