"""Python's search for garbage, as processes of ours set it."""

import gc

from nl2sql.garbage import OBJECTS, no_collections, rare_collections


def test_nothing_is_searched_within_the_block_nor_what_it_made_after_it():
    before = gc.get_freeze_count()
    with no_collections():
        assert not gc.isenabled()
        kept = [[] for _ in range(1000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() >= before + len(kept)
    gc.unfreeze()


def test_searches_are_rare_within_the_block_only():
    before = gc.get_threshold()
    with rare_collections():
        assert gc.get_threshold() == (OBJECTS, *before[1:])
    assert gc.get_threshold() == before
