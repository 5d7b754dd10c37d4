"""Work that fills all cores, done by one thread at a time: whoever began first goes on first."""

from collections.abc import Iterator
from contextlib import contextmanager
from heapq import heappop, heappush
from itertools import count
from threading import Condition


class Turns:
    """Side by side such pieces of work would all end late; in turns the first ends early, and what follows it begins.

    Each thread draws a number once and shows it at every piece: the lowest of those that wait is next.
    """

    def __init__(self) -> None:
        """Nobody waits."""
        self._numbers = count()
        self._free = Condition()
        self._waiting: list[int] = []
        self._taken = False

    def draw(self) -> int:
        """The next number; each is for one thread."""
        return next(self._numbers)

    @contextmanager
    def take(self, number: int) -> Iterator[None]:
        """Wait for the turn of a number, and have it inside the block."""
        with self._free:
            heappush(self._waiting, number)
            self._free.wait_for(lambda: not self._taken and self._waiting[0] == number)
            heappop(self._waiting)
            self._taken = True
        try:
            yield
        finally:
            with self._free:
                self._taken = False
                self._free.notify_all()
