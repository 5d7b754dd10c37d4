"""Op 0 on disk: profiles in, a SHORT and a LONG summary of each column out."""

from nl2sql.models.choices import ModelChoice
from nl2sql.models.prompted.summarise_fields import SummaryWriter
from nl2sql.profiling import summarise_fields as op
from nl2sql.rows import Profile, Summary
from tasks.artifact_store import Artifact, read_rows
from tasks.cached_task import Made, artifact_task
from tasks.model_access import Access, made, open_session


@artifact_task("summaries", calls=[op.summarise_fields, SummaryWriter])
def summarise_fields(
    profiles: Artifact, choice: ModelChoice | None = None, access: Access | None = None
) -> list[Summary] | Made:
    """Render profiles in English, mechanically, and let a model write the texts anew where there is one."""
    session = open_session(access) if choice and access else None
    rewrite = SummaryWriter(session, choice) if session and choice else None
    return made(op.summarise_fields(read_rows(profiles, Profile), rewrite=rewrite), session)
