"""What a task gives that runs in a process of its own: the very rows that it gives in ours."""

from tasks.artifact_store import ArtifactStore, Provenance, read_table
from tasks.index_columns import index_columns
from tasks.run_apart import run_apart


def test_vectors_keep_their_schema_on_the_way_from_another_process(tmp_path):
    store = ArtifactStore(str(tmp_path))
    summaries = store.write("summaries", "none", [], Provenance("summarise_fields"))
    made = run_apart(index_columns.function, {"summaries": summaries})
    assert made.schema.equals(index_columns.function(summaries).schema)
    assert read_table(store.write("columns", "apart", made, Provenance("index_columns"))).num_rows == 0
