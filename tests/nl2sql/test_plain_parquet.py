import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nl2sql.indexes.texts import mapped_texts
from nl2sql.plain_parquet import LENGTH_BYTES, PlainParquet, writer_options

WRITABLE = st.characters(exclude_categories=["Cs"])
SCHEMA = pa.schema(
    [
        pa.field("name", pa.string(), nullable=False),
        pa.field("value", pa.string(), nullable=False),
        pa.field("end", pa.int64(), nullable=False),
        pa.field("key", pa.uint32(), nullable=False),
    ]
)


def written(path, groups, **options):
    """Texts in row groups, with where each ends and a number for each."""
    end = 0
    with pq.ParquetWriter(path, SCHEMA, **(options or writer_options(SCHEMA.names, ("value", "end", "key")))) as writer:
        for group in groups:
            ends = end + np.cumsum([len(text.encode()) + LENGTH_BYTES for text in group], dtype=np.int64)
            end = int(ends[-1]) if len(ends) else end
            keys = np.arange(len(group), dtype=np.uint32) * 3
            arrays = [pa.array(["same"] * len(group)), pa.array(group, pa.string()), pa.array(ends), pa.array(keys)]
            batch = pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)
            writer.write_batch(batch, row_group_size=max(1, len(batch)))
    with pa.memory_map(str(path)) as mapped:
        return PlainParquet(mapped.read_buffer())


def in_the_file(array, file):
    """Whether an array is a view of the mapped file and not a copy."""
    start, address = file._content.address, array.__array_interface__["data"][0]
    return start <= address < start + file._content.size


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=9), max_size=6), max_size=4)
)
def test_what_is_read_in_place_is_what_was_written(tmp_path_factory, groups):
    file = written(tmp_path_factory.mktemp("plain") / "a.parquet", groups)
    flat = [text for group in groups for text in group]
    texts = mapped_texts(file, "value", "end")
    assert len(texts) == len(flat)
    assert texts.take(np.arange(len(flat))) == flat
    assert [texts[row] for row in reversed(range(len(flat)))] == flat[::-1]
    assert [n.tolist() for n in file.numbers("key")] == [[3 * i for i in range(len(group))] for group in groups]
    assert file.read(["value"])["value"].to_pylist() == flat


def test_numbers_and_texts_are_not_copied(tmp_path):
    file = written(tmp_path / "a.parquet", [[f"text {i}" for i in range(30_000)]] * 2)
    assert all(in_the_file(array, file) for array in (*file.numbers("key"), *file.numbers("end")))
    assert all(
        page is not None and in_the_file(np.frombuffer(page, np.uint8), file) for page in file.text_pages("value")
    )


@pytest.mark.parametrize(
    "options",
    [
        {"compression": "zstd"},
        {"compression": "none"},
        {"compression": "none", "use_dictionary": False, "data_page_size": 64},
    ],
    ids=["compressed", "dictionary", "many pages"],
)
def test_a_file_that_lies_otherwise_is_decoded(tmp_path, options):
    group = [f"text {i % 50}" for i in range(5000)]
    file = written(tmp_path / "a.parquet", [group, group], **options)
    assert mapped_texts(file, "value", "end").take(np.array([0, 4999, 5001])) == ["text 0", "text 49", "text 1"]
    assert [n.tolist()[:2] for n in file.numbers("key")] == [[0, 3], [0, 3]]
