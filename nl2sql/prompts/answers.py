"""What models answer in JSON, by role. The names and descriptions of the fields are part of what they are asked."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Answer(BaseModel):
    # Years and codes come as numbers where texts are asked for.
    model_config = ConfigDict(coerce_numbers_to_str=True, frozen=True)


class FieldSummary(_Answer):
    """A column in English."""

    table: str
    column: str
    short: str = Field(description="what a value means, at most 25 words")
    long: str = Field(description="meaning, formats, codes and joins, at most 70 words")


class FieldSummaries(_Answer):
    """Answer to summarise/fields: one for each column asked for, as far as the model kept to that."""

    fields: list[FieldSummary]


class GroundedQuestion(_Answer):
    """Answer to ground/keywords. In the skeleton a literal is _ and a column <column>."""

    keywords: list[str]
    literals: list[str]
    skeleton: str


class SelectedColumn(_Answer):
    """A column as the model spells it, which may be none of the database's."""

    table: str
    column: str


class SelectedColumns(_Answer):
    """Answer to link/first and link/second, best first."""

    needs: str = Field(description="one sentence")
    columns: list[SelectedColumn]


class Comparison(_Answer):
    """Answer to compare/pair. The difference comes first, so that the verdict follows from it."""

    difference: str = Field(description="at most three sentences")
    better: Literal["A", "B"]
