"""Python's search for garbage cycles, made rarer where very many small objects without cycles are made."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

OBJECTS = 50_000  # made before a search, instead of 700


@contextmanager
def no_collections() -> Iterator[None]:
    """Search neither within the block nor ever again through what it makes: for large imports of a process of ours."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def rare_collections() -> Iterator[None]:
    """Search seldom within the block, in the whole process: for commands, which own theirs."""
    before = gc.get_threshold()
    gc.set_threshold(OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
