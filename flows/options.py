"""The knobs of every flow, typed: the Prefect UI shows them as a form, presets and the command line set them."""

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nl2sql.errors import UserError

# What an ablation can take away, and from which task (docs/scoring.md says how each is done).
PARTS = ("linking", "cells", "examples", "fixer", "selection")
PRESETS = Path(__file__).parent.parent / "deployments" / "presets"


class Options(BaseModel):
    """What a user may choose. Each task's cache key holds only those options that the task reads."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    preset: str = Field(default="offline", description="Name of the preset that these options came from")
    lineup: tuple[str, ...] = Field(default=("rules",), description="Generators, best rank first: rules, recorded")
    batch_size: int = Field(default=32, ge=1, le=10_000, description="Questions per task")
    examples: int = Field(default=8, ge=0, le=100, description="Similar training questions to look up per question")
    timeout: float = Field(default=30.0, gt=0, description="Seconds that one SQL statement may run")
    margin: float = Field(default=0.05, ge=0, le=1, description="Lead in vote share above which the vote decides")
    empty_is_wrong: bool | None = Field(
        default=None, description="Treat an empty result as a mistake; by default so for BIRD and not elsewhere"
    )
    policy: str = Field(default="", description="Selection policy to use: a file that nl2sql calibrate wrote")
    without: tuple[Literal["linking", "cells", "examples", "fixer", "selection"], ...] = Field(
        default=(), description="Parts of the pipeline to switch off, to see what they are worth"
    )

    def switched_off(self, part: str, **changed: Any) -> dict[str, Any]:
        """The arguments that take a part away from its task; none, so that its cache key stays, when it is on."""
        return changed if part in self.without else {}


def load_preset(name: str) -> Options:
    """Read deployments/presets/NAME.toml; raises UserError that lists the presets or names the wrong option."""
    known = sorted(p.stem for p in PRESETS.glob("*.toml"))
    if name not in known:  # a name, never a path
        raise UserError(f"no preset {name!r}: choose one of {', '.join(known)} with --preset")
    path = PRESETS / f"{name}.toml"
    try:
        return Options(preset=name, **tomllib.loads(path.read_text(encoding="utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(f"{path}: option {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
