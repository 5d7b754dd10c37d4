"""Op 1 on disk: the cells of a database in, their sorted hashes out. Columns that did not change keep theirs."""

import logging
from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from nl2sql.indexes import cell_bands
from nl2sql.indexes.texts import mapped_texts
from tasks.artifact_store import Artifact, ArtifactStore, map_file
from tasks.cached_task import artifact_task

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class EarlierBands:
    """Where the bands that an earlier state of the same database left may lie; they save time and change nothing."""

    keyed: ClassVar[bool] = False
    store: ArtifactStore

    def find(self, database_id: str) -> cell_bands.Bands | None:
        """The newest of that database that the code of today made."""
        found = self.store.newest("cell_bands", database_id=database_id, code=band_cells.code)
        return cell_bands.mapped_bands(map_file(found)) if found else None


@artifact_task("cell_bands", calls=[cell_bands.stream_bands, mapped_texts], apart=False)
def band_cells(cells: Artifact, database_id: str, earlier: EarlierBands) -> pa.RecordBatchReader:
    """Hash every value into sorted bands."""
    file = map_file(cells)
    texts = mapped_texts(file, "value", "end")
    runs = cell_bands.with_digests(texts, cell_bands.runs_of(file.read(["table", "column"])))
    known = earlier.find(database_id)
    changed, _ = cell_bands.changed_runs(runs, known)
    LOGGER.info("%s: signing %d of %d columns", database_id, len(changed), len(runs))
    return pa.RecordBatchReader.from_batches(cell_bands.bands_schema(runs), cell_bands.stream_bands(texts, runs, known))
