"""Ops 2 to 4 on demand: training data from a dataset, then the adapter of one role. Both cost nothing a second time."""

from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from prefect import flow
from prefect.client.schemas.objects import State
from pydantic import BaseModel, ConfigDict, Field

from flows.generate_training_data import DataOptions, generate_training_data, output_folder
from flows.local_limits import local_folders
from flows.manifests import log_ending, pass_on
from flows.options import Options
from flows.parameters import Artifacts, Databases, Dataset, Limit, Output, explained
from flows.run_names import run_name
from flows.task_runner import TASK_RUNNER
from flows.train_adapters import train_adapters
from nl2sql.errors import UserError
from nl2sql.models.local_models import DEFAULT_BASE, ROLES
from nl2sql.training.recipe import Recipe
from nl2sql.training.train_adapter import describe_training
from tasks.train_adapter import Workplace

Role = Literal["generator_a", "generator_b", "selector", "reasoner"]
assert get_args(Role) == ROLES


class RecipeOptions(BaseModel):
    """The knobs of a training, with the defaults of `Recipe`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rank: int = Field(default=8, ge=1, description="Of the adapter")
    scale: float = Field(default=20.0, gt=0, description="Of the adapter's part in each layer")
    layers: int = Field(default=0, ge=0, description="Adapt only the last so many layers; 0 for all")
    length: int = Field(default=1024, ge=16, description="Tokens of the longest chat")
    batch: int = Field(default=1, ge=1, description="Chats run through the model together")
    accumulation: int = Field(default=8, ge=1, description="Batches per step")
    epochs: float = Field(default=2.0, gt=0, description="Times that every chat is seen")
    learning_rate: float = Field(default=1e-4, gt=0, description="The highest one")
    warmup: float = Field(default=0.05, ge=0, le=1, description="Share of the steps in which the rate rises")
    checkpointing: bool = Field(default=True, description="Trade time for memory")
    evaluations: int = Field(default=10, ge=1, description="Of the validation loss, in the whole run")
    patience: int = Field(default=3, ge=1, description="Evaluations without gain before it stops")
    seed: int = Field(default=0, ge=0, description="Of the first weights and the order of the data")


DATA, RECIPE = DataOptions(), RecipeOptions()


@flow(flow_run_name=run_name("train on"), persist_result=False, task_runner=TASK_RUNNER)
def train_on_dataset(
    dataset: Dataset,
    databases: Databases = (),
    limit: Limit = None,
    role: Annotated[Role, explained("What the adapter is for")] = "generator_b",
    base: Annotated[str, explained("Base model: a folder, or a name in the hub's cache")] = DEFAULT_BASE,
    artifacts: Artifacts = "artifacts",
    output: Output = "",
    options: Options = Options(),
    data: DataOptions = DATA,
    recipe: RecipeOptions = RECIPE,
) -> State:
    """The data and the adapter of a role; the result is the manifest of the training."""
    folder = Path(output or output_folder(dataset, artifacts))
    asked: dict[str, Any] = {"databases": databases, "limit": limit, "artifacts": artifacts, "output": str(folder)}
    made = generate_training_data(dataset, **asked, options=options, data=data, return_state=True)
    log_ending("generate training data", made)
    if made.is_failed():
        raise UserError(f"the training data is not whole: {made.message}")
    folders = local_folders(artifacts)
    training = describe_training(role, base, folder / role, Recipe(**recipe.model_dump()), folders)
    place = Workplace(folder / role, folders)
    return pass_on(train_adapters([training], [place], artifacts, return_state=True))
