"""Which model does what: the part of a preset that decides answers, and so belongs to cache keys."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelChoice:
    """A model for one role."""

    model: str  # as litellm names it, or 'local:NAME'
    effort: str = ""  # of thinking; '' for the provider's default
    temperature: float | None = None  # None for the provider's default; many models take no other
    max_tokens: int = 4096  # of an answer, thinking included
    fallback: str = ""  # model that is asked when this one does not answer; '' for none
    context_tokens: int = 16_000  # longest schema text of a role's prompt; of a local fixer's or judge's all of it


@dataclass(frozen=True)
class LineupEntry:
    """A generator of the lineup. `rules` and `recorded` need no model; the others are prompted.

    It makes one candidate for each of its views, efforts, temperatures, prompts and samples: their product.
    """

    name: str  # 'A', 'B2'; the generator of its candidates
    maker: str = "prompted"  # prompted, rules or recorded
    choice: ModelChoice | None = None
    prompts: tuple[str, ...] = ("direct",)  # files under nl2sql/prompts/generate
    schema_format: str = "ddl"  # ddl, markdown or m_schema
    views: tuple[str, ...] = ("s2",)  # s1 (precise), s2 (recall) or full
    efforts: tuple[str, ...] = ()  # overrides the choice's
    temperatures: tuple[float, ...] = ()  # overrides the choice's
    samples: int = 1
    examples: int = 0  # similar training questions shown
    context_tokens: int = 16_000  # longest schema text; beyond it detail is trimmed in the order of the views' docs
