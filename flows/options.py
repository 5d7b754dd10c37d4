"""The knobs of every flow, typed: the Prefect UI shows them as a form, presets and the command line set them."""

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from flows.model_options import EntryOption, Lineup, PriceOption, ProviderOption, Roles
from nl2sql.errors import UserError

# What an ablation can take away, and from which task (docs/scoring.md says how each is done).
PARTS = ("linking", "cells", "examples", "fixer", "selection")
PRESETS = Path(__file__).parent.parent / "deployments" / "presets"


class Options(BaseModel):
    """What a user may choose. Each task's cache key holds only those options that the task reads."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    preset: str = Field(default="offline", description="Name of the preset that these options came from")
    lineup: Lineup = Field(
        default=(EntryOption(name="rules", maker="rules"),), description="Generators, best rank first"
    )
    roles: Roles = Field(default=Roles(), description="Models for the other steps; without one a step needs none")
    fix_attempts: int = Field(default=2, ge=0, le=10, description="Times that a model may correct a failing candidate")
    max_cost: float | None = Field(default=None, gt=0, description="Dollars that a run may spend on models, a hard cap")
    names: dict[str, str] = Field(default={}, description="Names for models, beside those of deployments/models.toml")
    providers: dict[str, ProviderOption] = Field(default={}, description="How providers are reached")
    prices: dict[str, PriceOption] = Field(default={}, description="Prices of models, in dollars per million tokens")
    batch_size: int = Field(default=32, ge=1, le=10_000, description="Questions per task")
    tries: int = Field(
        default=3, ge=1, le=100, description="Times a question may fail on its own until it is set aside"
    )
    retry_set_aside: bool = Field(default=False, description="Try the questions again that earlier runs set aside")
    examples: int = Field(default=8, ge=0, le=100, description="Similar training questions to look up per question")
    timeout: float = Field(default=30.0, gt=0, description="Seconds that one SQL statement may run")
    margin: float = Field(default=0.05, ge=0, le=1, description="Lead in vote share above which the vote decides")
    empty_is_wrong: bool | None = Field(
        default=None, description="Treat an empty result as a mistake; by default so for BIRD and not elsewhere"
    )
    policy: str = Field(default="", description="Selection policy to use: a file that nl2sql calibrate wrote")
    corrected_gold: str = Field(default="", description="File of corrected gold SQL: both scores are shown")
    without: tuple[Literal["linking", "cells", "examples", "fixer", "selection"], ...] = Field(
        default=(), description="Parts of the pipeline to switch off, to see what they are worth"
    )

    task_runner: Literal["threads", "dask"] = Field(
        default="threads", description="Where tasks run: threads of one process, or the workers of a Dask cluster"
    )
    dask_workers: int = Field(default=2, ge=1, le=256, description="Processes of a Dask cluster on this machine")
    dask_address: str = Field(default="", description="Dask scheduler to use instead, e.g. tcp://10.0.0.5:8786")

    @model_validator(mode="after")
    def _address_belongs_to_dask(self) -> "Options":
        if self.dask_address and self.task_runner != "dask":
            raise ValueError('dask_address is used only with task_runner = "dask": set both')
        return self

    def switched_off(self, part: str, **changed: Any) -> dict[str, Any]:
        """The arguments that take a part away from its task; none, so that its cache key stays, when it is on."""
        return changed if part in self.without else {}


def load_preset(name: str) -> Options:
    """Read a preset: a name for deployments/presets/NAME.toml, or a file of the user's own that ends in .toml.

    Raises UserError that lists the presets or names the wrong option.
    """
    own, known = Path(name), sorted(p.stem for p in PRESETS.glob("*.toml"))
    if name not in known and not (own.suffix == ".toml" and own.is_file()):
        raise UserError(f"no preset {name!r}: choose one of {', '.join(known)} or a .toml file with --preset")
    path = PRESETS / f"{name}.toml" if name in known else own
    try:
        return Options(preset=path.stem, **tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(f"{path}: option {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
