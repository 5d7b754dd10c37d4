"""Op 0 on disk: a database in, the profiles of its columns out."""

from nl2sql.profiling import profile_database as op
from nl2sql.rows import Database, Profile
from tasks.cached_task import artifact_task


@artifact_task("profiles", calls=[op.profile_database])
def profile_database(database: Database) -> list[Profile]:
    """Read every table of the database once and describe its columns."""
    return op.profile_database(database)
