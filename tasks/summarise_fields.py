"""Op 0 on disk: profiles in, a SHORT and a LONG summary of each column out."""

from nl2sql.profiling import summarise_fields as op
from nl2sql.rows import Profile, Summary
from tasks.artifact_store import Artifact, read_rows
from tasks.cached_task import artifact_task


@artifact_task("summaries", calls=[op.summarise_fields])
def summarise_fields(profiles: Artifact) -> list[Summary]:
    """Render profiles in English, mechanically."""
    return op.summarise_fields(read_rows(profiles, Profile))
