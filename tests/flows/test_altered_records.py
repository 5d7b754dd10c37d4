"""A folder of Prefect's records that somebody altered runs nothing: the tasks find their artifacts without them."""

import base64
import json
from pathlib import Path

import cloudpickle
import pytest

from flows.manifests import manifest_of, read_manifest
from flows.profile_databases import profile_databases

pytestmark = pytest.mark.xdist_group("prefect")


class Bomb:
    """Unpickled, it leaves a file."""

    def __init__(self, trace: str) -> None:
        self.trace = trace

    def __reduce__(self):
        return open, (self.trace, "w")


def test_altered_records_run_nothing_and_cost_nothing(tiny, tmp_path, server):
    folder, trace = tmp_path / "artifacts", tmp_path / "trace"
    asked = {"dataset": str(tiny), "artifacts": str(folder), "return_state": True}
    before = read_manifest(manifest_of(profile_databases(**asked)))
    bomb = base64.b64encode(cloudpickle.dumps(Bomb(str(trace)))).decode()
    records = list((folder / ".results").iterdir())
    for record in records:
        held = json.loads(record.read_bytes())
        held["metadata"]["serializer"] = {"type": "pickle", "picklelib": "cloudpickle"}
        record.write_text(json.dumps({**held, "result": bomb}))
    again = read_manifest(manifest_of(profile_databases(**asked)))
    assert len(records) == 4
    assert not trace.exists()
    assert [s.sha256 for s in again] == [s.sha256 for s in before]
    assert all(s.reused for s in again)
    assert (Path(folder) / ".results").stat().st_mode & 0o077 == 0
