"""The knobs of every flow, typed: the Prefect UI shows them as a form, presets and the command line set them."""

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nl2sql.errors import UserError

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


def load_preset(name: str) -> Options:
    """Read deployments/presets/NAME.toml; raises UserError that lists the presets or names the wrong option."""
    path = PRESETS / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in PRESETS.glob("*.toml")))
        raise UserError(f"no preset {name!r}: choose one of {known} with --preset")
    try:
        return Options(preset=name, **tomllib.loads(path.read_text(encoding="utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(f"{path}: option {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
