"""The parameters that flows have in common, with the words and limits that the UI's forms show."""

from typing import Annotated, Any, Literal

from pydantic import Field

from tasks.artifact_store import Artifact


def explained(words: str, **limits: Any) -> Any:
    """A field with its explanation: Prefect overwrites a plain `description` of a parameter by its docstring's."""
    return Field(json_schema_extra={"description": words}, **limits)


Dataset = Annotated[str, explained("Folder of a benchmark, or an SQLite file", min_length=1)]
Databases = Annotated[tuple[str, ...], explained("Only these databases; all of them when empty")]
Limit = Annotated[int | None, explained("Only the first so many questions", ge=1)]
Split = Annotated[Literal["dev", "train"], explained("Which questions")]
Predictions = Annotated[tuple[str, ...], explained("Files of predictions that stand in for the lineup")]
Artifacts = Annotated[str, explained("Folder that runs write to", min_length=1)]
Output = Annotated[str, explained("Folder of what this run writes for you; one among the artifacts when empty")]
Before = Annotated[Artifact | None, explained("Leave empty: the manifest that one flow hands to the next")]
Started = Annotated[float | None, explained("Leave empty: seconds since 1970, of a run that began earlier")]
