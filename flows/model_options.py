"""The part of a preset that names models: which does what, how providers are reached, what a token costs."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Effort = Literal["", "none", "minimal", "low", "medium", "high", "xhigh", "max"]
View = Literal["s1", "s2", "full"]


class Knobs(BaseModel):
    """What all parts of a preset have in common: an option that does not exist is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class RoleOption(Knobs):
    """The model of one role."""

    model: str = Field(description="A name of deployments/models.toml, a name of litellm's, or local:NAME")
    effort: Effort = Field(default="", description="Of thinking; by default the provider's")
    temperature: float | None = Field(default=None, ge=0, le=2, description="By default the provider's")
    max_tokens: int = Field(default=4096, ge=16, le=200_000, description="Of an answer, thinking included")
    fallback: str = Field(default="", description="Model to ask when this one does not answer")
    context_tokens: int | None = Field(
        default=None,
        ge=200,
        description="Longest schema text (16,000); of a local model that fixes or compares, the whole prompt (1,024)",
    )


class JudgeOption(RoleOption):
    """The model that compares."""

    sure: float = Field(
        default=0.8, ge=0.5, le=1, description="Probability of A or B below which the tiebreaker is asked"
    )


class Roles(Knobs):
    """Which model does what; a role without one is done without a model."""

    summarise: RoleOption | None = Field(default=None, description="Describe the columns of a database")
    ground: RoleOption | None = Field(default=None, description="Keywords, literals and skeleton of a question")
    link: RoleOption | None = Field(default=None, description="Choose the columns that a question needs")
    draft: RoleOption | None = Field(default=None, description="Quick SQL whose columns join the linked ones")
    fix: RoleOption | None = Field(default=None, description="Correct SQL that fails")
    compare: JudgeOption | None = Field(default=None, description="Compare two candidates that are too close to call")
    tiebreak: RoleOption | None = Field(default=None, description="Compare those that compare's model is unsure of")

    @model_validator(mode="after")
    def _tiebreak_breaks_ties(self) -> "Roles":
        if self.tiebreak and not self.compare:
            raise ValueError("tiebreak decides where compare is unsure, and compare has no model: name one")
        return self


class EntryOption(Knobs):
    """A generator of the lineup; a prompted one makes a candidate for every combination of its lists."""

    name: str = Field(description="Generator's name in reports")
    maker: Literal["prompted", "rules", "recorded"] = Field(default="prompted", description="What it is")
    model: str = Field(default="", description="As for a role")
    fallback: str = Field(default="", description="Model to ask when this one does not answer")
    max_tokens: int = Field(default=4096, ge=16, le=200_000, description="Of an answer, thinking included")
    prompts: tuple[str, ...] = Field(default=("direct",), description="Prompts of nl2sql/prompts/generate")
    schema_format: Literal["ddl", "markdown", "m_schema"] = Field(default="ddl", description="How the schema is shown")
    views: tuple[View, ...] = Field(default=("s2",), description="Precise (s1), recall (s2) or full schema")
    efforts: tuple[Effort, ...] = Field(default=(), description="Of thinking")
    temperatures: tuple[float, ...] = Field(default=(), description="Only for models that take one")
    samples: int = Field(default=1, ge=1, le=64, description="Answers per combination")
    examples: int = Field(default=0, ge=0, le=50, description="Similar training questions shown")
    context_tokens: int = Field(default=16_000, ge=200, description="Longest schema text")


def entry_of(value: object) -> object:
    """Let `rules` stand for the entry of that name, so that a lineup without models is a list of words."""
    return {"name": value, "maker": value} if isinstance(value, str) else value


Lineup = tuple[Annotated[EntryOption, BeforeValidator(entry_of)], ...]


class ProviderOption(Knobs):
    """How a provider is reached; what is not given is taken from deployments/models.toml."""

    concurrency: int | None = Field(default=None, ge=1, le=1000, description="Calls at once")
    requests_per_minute: float | None = Field(default=None, gt=0, description="Calls a minute")
    tokens_per_minute: float | None = Field(default=None, gt=0, description="Tokens a minute")
    timeout: float | None = Field(default=None, gt=0, description="Seconds that a call may take")
    retries: int | None = Field(default=None, ge=0, le=20, description="Further attempts after a failure")
    api_base: str | None = Field(default=None, description="Address of the server, for one of your own")
    key: str | None = Field(
        default=None,
        pattern="^([A-Z_][A-Z0-9_]*)?$",  # whoever writes the key itself here is told so before it is kept anywhere
        description="Environment variable with the key, in capitals, never the key itself; '' for none",
    )


class PriceOption(Knobs):
    """Dollars per million tokens, for a model that litellm's price map lacks or has wrong."""

    input: float = Field(ge=0, description="Of the prompt")
    output: float = Field(ge=0, description="Of the answer, thinking included")
    cache_read: float | None = Field(default=None, ge=0, description="Of a cached part of the prompt")
    cache_write: float | None = Field(default=None, ge=0, description="Of a part that is being cached")
