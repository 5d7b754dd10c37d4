"""What stands beside an adapter: on what it was trained, how, how well that went, and what it needs."""

import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from html import escape
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from nl2sql.errors import UserError
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


def loss_curve_svg(card: dict[str, Any], width: int = 640, height: int = 240) -> str:
    """The losses of a card as a picture: training dotted, validation as a line, the best one marked."""
    points = [(p["step"], p.get("loss"), p.get("valid")) for p in card["curve"]]
    values = [value for _, *pair in points for value in pair if value is not None]
    top, bottom = max(values, default=1.0), min([0.0, *values])
    last = max([1, *(step for step, *_ in points)])

    def place(step: float, value: float) -> tuple[float, float]:
        x = 40 + (width - 60) * step / last
        return round(x, 1), round(10 + (height - 40) * (top - value) / max(top - bottom, 1e-9), 1)

    dots = "".join(
        f'<circle cx="{place(s, v)[0]}" cy="{place(s, v)[1]}" r="1.5"/>' for s, v, _ in points if v is not None
    )
    line = " ".join(f"{x},{y}" for s, _, v in points if v is not None for x, y in [place(s, v)])
    x, y = place(card["best_step"], card["best_valid_loss"])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif"'
        ' font-size="11">'
        f'<g fill="#8a8a8a">{dots}</g><polyline points="{line}" fill="none" stroke="#2b6cb0" stroke-width="2"/>'
        f'<circle cx="{x}" cy="{y}" r="4" fill="#2b6cb0"/><text x="40" y="{height - 8}">step 0</text>'
        f'<text x="{width - 80}" y="{height - 8}">step {last}</text><text x="2" y="16">{top:.2f}</text>'
        f'<text x="2" y="{height - 30}">{bottom:.2f}</text></svg>'
    )


def write_report(adapter: Path) -> Path:
    """Write report.html beside a card: the loss curve and the figures, for a person. Returns its path."""
    card = json.loads((adapter / "card.json").read_text(encoding="utf-8"))
    shown = {name: value for name, value in card.items() if name != "curve"}
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(json.dumps(value))}</td></tr>" for name, value in shown.items()
    )
    path = adapter / "report.html"
    path.write_text(
        f"<!doctype html><meta charset=utf-8><title>{escape(card['name'])}</title>"
        "<style>body{font:14px sans-serif;max-width:60em;margin:2em auto}th{text-align:left;vertical-align:top}"
        f"td{{font-family:monospace}}</style><h1>{escape(card['name'])}</h1>{loss_curve_svg(card)}<table>{rows}</table>",
        encoding="utf-8",
    )
    return path
