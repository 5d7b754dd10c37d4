"""What stands beside an adapter: on what it was trained, how, how well that went, and what it needs."""

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from html import escape
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from nl2sql.errors import UserError
from nl2sql.training.loss_curve import loss_curve_svg
from nl2sql.training.recipe import Recipe

PACKAGES = ("mlx", "mlx-lm", "transformers")
WEIGHTS = "adapters.safetensors"


@dataclass(frozen=True)
class AdapterCard:
    """The card.json of an adapter."""

    name: str  # of its folder
    role: str
    base: str  # as it was named
    base_digest: str
    data: dict[str, str]  # file -> SHA-256
    chats: dict[str, int]  # split -> number
    tokens: int  # of the training split, padding excluded
    buckets: dict[str, int]  # padded length -> chats
    recipe: Recipe
    steps: int  # planned
    steps_done: int
    first_valid_loss: float  # of the untrained adapter
    best_valid_loss: float
    best_step: int
    curve: tuple[dict[str, float], ...]  # {step, loss} of each step, {step, valid} of each evaluation
    planned_bytes: int  # peak that the memory plan predicted
    limit_bytes: int
    peak_bytes: int  # measured
    seconds: float
    tokens_per_second: float  # of answers, which are what is learnt; evaluations included
    resumed: int  # times that the run continued from a checkpoint
    versions: dict[str, str]
    finished: float  # Unix time


def installed_versions() -> dict[str, str]:
    """Versions of what computes the weights."""
    return {package: found for package in PACKAGES if (found := _version(package))}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def install_adapter(work: Path, target: Path, card: AdapterCard, lora: dict[str, Any]) -> None:
    """Put a trained adapter in place, whole or not at all: its weights, mlx-lm's config and the card.

    Raises UserError when the target exists, so that nothing is overwritten.
    """
    if target.exists():
        raise UserError(f"{target} exists already: move it away to train this adapter again")
    layers = card.recipe.layers or -1
    config = {"fine_tune_type": "lora", "num_layers": layers, "lora_parameters": lora}
    whole = work / "whole"
    shutil.rmtree(whole, ignore_errors=True)
    try:
        whole.mkdir()
        shutil.copy(work / WEIGHTS, whole / WEIGHTS)
        (whole / "adapter_config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")
        (whole / "card.json").write_text(json.dumps(asdict(card), indent=1, allow_nan=False), encoding="utf-8")
        _sync(whole.iterdir())
        os.replace(whole, target)
    except OSError as error:
        raise UserError(
            f"cannot write {target}: {error.strerror or error}. Free space there and run it again"
        ) from error
    shutil.rmtree(work, ignore_errors=True)


def _sync(files: Iterable[Path]) -> None:
    for file in files:
        with open(file, "rb") as stream:
            os.fsync(stream.fileno())


def write_report(adapter: Path) -> Path:
    """Write report.html beside a card: the loss curve and the figures, for a person. Returns its path."""
    card = json.loads((adapter / "card.json").read_text(encoding="utf-8"))
    shown = {name: value for name, value in card.items() if name != "curve"}
    table = _table((name, json.dumps(value)) for name, value in shown.items())
    path = adapter / "report.html"
    path.write_text(
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(card['name'])}</title>"
        "<style>body{font:14px sans-serif;max-width:60em;margin:2em auto;padding:0 1em}th{text-align:left;"
        "vertical-align:top;padding-right:1em;white-space:nowrap}td{overflow-wrap:anywhere}"
        ".card td{font-family:monospace}"
        f"</style><h1>{escape(card['name'])}</h1>{loss_curve_svg(card)}<table>{_table(headline(card))}</table>"
        f"<h2>Card</h2><table class=card>{table}</table></html>",
        encoding="utf-8",
    )
    return path


def headline(card: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What one wants to know first of a card, in words."""
    gained = f"{card['first_valid_loss']:.4f} before training, {card['best_valid_loss']:.4f} at its best"
    memory = f"{card['peak_bytes'] / 1e9:.3f} GB, planned {card['planned_bytes'] / 1e9:.3f}"
    speed = f"{card['tokens_per_second']:,.1f} answer tokens/s" if "tokens_per_second" in card else "not measured"
    resumed = f", continued {card['resumed']} times" if card["resumed"] else ""
    return [
        ("Validation loss", gained),
        ("Steps", f"{card['steps_done']:,} of {card['steps']:,}, the best one {card['best_step']:,}"),
        ("Chats", f"{card['chats']['train']:,} to train, {card['chats']['valid']:,} to validate"),
        ("Peak memory", f"{memory}, of {card['limit_bytes'] / 1e9:.1f} GB"),
        ("Time", f"{card['seconds']:,.0f} s, {speed}{resumed}"),
        ("Base", str(card["base"])),
    ]


def _table(rows: Iterable[tuple[str, str]]) -> str:
    return "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
